"""Worker entries of monitoring."""

from __future__ import annotations

from monitoring import retention, sampling


def sample() -> int:
    """Every minute: write the samples."""
    return sampling.sample()


def prune() -> dict[str, int]:
    """Every night: delete what is older than it has to be kept."""
    return retention.prune()


def prune_unreadable() -> int:
    """Every hour: bound what anybody may have sent."""
    return retention.prune_unreadable()
