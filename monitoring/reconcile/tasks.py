"""Worker entries of reconciliation: no logic, positional arguments, safe to run twice."""

from __future__ import annotations

from monitoring.reconcile import merging, repair, runs, work


def tick() -> None:
    """Every minute: the night's comparisons when their hour has come, what is due, repairs and merges that were asked for."""
    runs.start_nightly_once()
    repair.check_repairs()
    merging.carry_out()
    work.pump()


def compare() -> int:
    """Work at the comparison that is due."""
    return work.pump()


def pull_drifts(flow_id: int, keys: list[int]) -> int:
    """Read records of these drifts from their source again."""
    return repair.pull_drifts(flow_id, keys)
