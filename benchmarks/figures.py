"""What a figure is: measured values with their targets, printed as one table and kept as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
import psutil

from benchmarks.processes import Processes

LATEST = Path(os.environ.get("BENCH_LATEST") or Path(__file__).resolve().parent / "latest.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What one value must be: at least or at most `target`."""

    name: str
    unit: str
    target: float | None = None
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether a value reaches the target; one without a target is only told."""
        if self.target is None:
            return True
        return value >= self.target if self.at_least else value <= self.target


@dataclass(frozen=True, slots=True)
class Run:
    """How the whole benchmark was asked for."""

    processes: Processes
    folder: Path
    runs: int
    quick: bool

    def size(self, full: int, quick: int) -> int:
        """How much of something this run uses."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the promise: how it is measured, and what its values must be. `measure` gives one row of values a run."""

    name: str
    title: str
    goals: tuple[Goal, ...]
    measure: Callable[[Run], list[dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Result:
    """A figure's medians, with every run beside them."""

    figure: Figure
    rows: list[dict[str, float]]
    medians: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, figure: Figure, rows: list[dict[str, float]]) -> Result:
        """Medians over the runs."""
        return cls(figure, rows, {name: statistics.median(row[name] for row in rows) for name in rows[0]})

    def missed(self) -> list[Goal]:
        """Goals whose median does not reach the target."""
        return [goal for goal in self.figure.goals if not goal.met(self.medians[goal.name])]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))] if ordered else float("nan")


def table(results: Sequence[Result]) -> str:
    """Figure, value, target and verdict, one line per value."""
    lines = [("figure", "value", "measured", "target", "runs", "")]
    for result in results:
        for place, goal in enumerate(result.figure.goals):
            spread = " ".join(number(row[goal.name]) for row in result.rows)
            sign = "≥" if goal.at_least else "≤"
            target = f"{sign} {number(goal.target)}" if goal.target is not None else ""
            verdict = "" if goal.target is None else "met" if goal.met(result.medians[goal.name]) else "MISSED"
            name = result.figure.title if place == 0 else ""
            lines.append((name, goal.unit, number(result.medians[goal.name]), target, spread, verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    rule = "-+-".join("-" * width for width in widths)
    text = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([text[0], rule, *text[1:]])


def number(value: float) -> str:
    """Short, for people: 2,345 or 12.3."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "processor": _processor(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def save(results: Sequence[Result], facts: dict[str, object]) -> None:
    """Write `latest.json`."""
    figures = {
        result.figure.name: {
            "title": result.figure.title,
            "medians": result.medians,
            "runs": result.rows,
            "targets": {goal.name: goal.target for goal in result.figure.goals if goal.target is not None},
            "missed": [goal.name for goal in result.missed()],
        }
        for result in results
    }
    LATEST.write_bytes(orjson.dumps({**facts, "figures": figures}, option=orjson.OPT_INDENT_2))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
