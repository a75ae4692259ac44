"""The numbers of the newest pass, and how a live look and a sample together tell one amount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from monitoring.bounded import PEEK
from monitoring.models import Metric, Sample

STALE = timedelta(minutes=4)  # a pass tells of the minute before; later than this, the worker is not running
AHEAD = timedelta(minutes=2)  # samples later than the clock by more than this come from another clock


@dataclass(frozen=True, slots=True)
class Amount:
    """A number; `more` when it is at least this many and the samples do not tell yet how many exactly."""

    value: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.value:,}{'+' if self.more else ''}"

    def __bool__(self) -> bool:
        return self.value > 0


@dataclass(frozen=True, slots=True)
class LatestSamples:
    """The numbers of the newest pass: (flow or None, connection or None, metric) → value."""

    at: datetime | None
    values: Mapping[tuple[int | None, int | None, str], float]

    def of_flow(self, flow_id: int, metric: str) -> float:
        """A flow's number, 0 when it was zero."""
        return self.values.get((flow_id, None, metric), 0.0)

    def of_connection(self, connection_id: int, metric: str) -> float | None:
        """A connection's number, None when it was zero or unknown."""
        return self.values.get((None, connection_id, metric))

    def of_installation(self, metric: str) -> float:
        """A number of the whole installation, 0 when it was zero."""
        return self.values.get((None, None, metric), 0.0)

    def by_prefix(self, prefix: str) -> dict[str, float]:
        """Numbers of the installation whose metric begins with `prefix`, by the rest of its name."""
        return {
            metric.removeprefix(prefix): value
            for (flow_id, connection_id, metric), value in self.values.items()
            if flow_id is None and connection_id is None and metric.startswith(prefix)
        }

    def by_flow(self, prefix: str) -> dict[int, dict[str, Decimal]]:
        """Numbers of flows whose metric begins with `prefix`: flow → rest of the name → number."""
        found: dict[int, dict[str, Decimal]] = defaultdict(dict)
        for (flow_id, _, metric), value in self.values.items():
            if flow_id is not None and metric.startswith(prefix):
                found[flow_id][metric.removeprefix(prefix)] = Decimal(str(value))
        return dict(found)

    def stale(self, now: datetime) -> bool:
        """Whether the worker that takes samples has stopped (or never ran)."""
        return self.at is None or now - self.at > STALE

    def ahead(self, now: datetime) -> bool:
        """Whether the newest pass lies in the future: one of two clocks is wrong."""
        return self.at is not None and self.at - now > AHEAD


def add_up(amounts: Iterable[Amount]) -> Amount:
    """Several amounts as one; at least so many when one of them is."""
    parts = list(amounts)
    return Amount(sum(part.value for part in parts), more=any(part.more for part in parts))


def latest_samples() -> LatestSamples:
    """What the newest pass wrote; one query."""
    newest = Sample.objects.filter(metric=Metric.PASS, flow=None, connection=None).order_by("-at").values("at")[:1]
    rows = Sample.objects.filter(at=newest).values_list("flow", "connection", "metric", "value", "at")
    values: dict[tuple[int | None, int | None, str], float] = {}
    at = None
    for flow_id, connection_id, metric, value, moment in rows:
        values[(flow_id, connection_id, metric)] = value
        at = moment
    return LatestSamples(at, values)


def amount(live: int, sampled: float | None) -> Amount:
    """A count that stopped at PEEK is told by the last sample; where that says less, it is "at least"."""
    if live <= PEEK:
        return Amount(live)
    return Amount(int(sampled)) if sampled and sampled > PEEK else Amount(PEEK, more=True)
