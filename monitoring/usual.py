"""What volume is usual for an hour of a weekday: told by the same hour of the weeks before, or of the days before while weeks are few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from django.utils import timezone

from monitoring.hours import FULL, HOUR, PASSES, floor, hourly
from monitoring.models import Metric, Sample

WEEKS, DAYS = 5, 7
FEWEST = 3  # earlier hours that must be known before anything is called usual
TRIMMED = 5  # from so many on, the lowest and the highest do not count


@dataclass(frozen=True, slots=True)
class Usual:
    """The band that an hour's volume usually lies in, and its middle."""

    low: int
    middle: int
    high: int
    basis: str  # the hours it was learnt from, in words

    def __str__(self) -> str:
        if self.high == 0:
            return "usually none"
        return f"usual {self.low:,}" if self.low == self.high else f"usual {self.low:,}–{self.high:,}"

    def scaled(self, part: float) -> Usual:
        """The band of a part of an hour."""
        return Usual(round(self.low * part), round(self.middle * part), round(self.high * part), self.basis)

    def place(self, volume: float) -> str:
        """below, within or above."""
        return "below" if volume < self.low else "above" if volume > self.high else "within"


@dataclass(frozen=True, slots=True)
class Volumes:
    """What was delivered in whole hours (their beginning → number), and the hours that were watched."""

    sums: Mapping[datetime, float]
    watched: Collection[datetime]

    def usual(self, until: datetime) -> Usual | None:
        """The usual volume of the sixty minutes before `until`; None while too little is known."""
        weekday = timezone.localtime(until).strftime("%A")
        for step, count, basis in ((7, WEEKS, f"this hour of the last {weekday}s"), (1, DAYS, "this hour of the last days")):
            known = [volume for moment in earlier(until, step, count) if (volume := self._before(moment)) is not None]
            if len(known) >= FEWEST:
                return _band(known, basis)
        return None

    def _before(self, moment: datetime) -> float | None:
        """What came in the sixty minutes before `moment`, mixed from the two hours that they touch."""
        hour = floor(moment)
        share = (moment - hour) / HOUR
        touched = [(hour - HOUR, 1 - share), *([(hour, share)] if share else [])]
        if any(begun not in self.watched for begun, _ in touched):
            return None
        return sum(self.sums.get(begun, 0.0) * part for begun, part in touched)


def _band(values: Iterable[float], basis: str) -> Usual:
    ordered = sorted(values)
    kept = ordered[1:-1] if len(ordered) >= TRIMMED else ordered
    return Usual(round(kept[0]), round(median(ordered)), round(kept[-1]), basis)


def earlier(until: datetime, step: int, count: int) -> list[datetime]:
    """The same moment by the wall clock, `step` days apart, so that a change of the clocks moves nothing."""
    local = timezone.localtime(until)
    plain = local.replace(tzinfo=None)
    return [(plain - timedelta(days=step * back)).replace(tzinfo=local.tzinfo).astimezone(UTC) for back in range(1, count + 1)]


def hours_needed(until: datetime) -> set[datetime]:
    """The hours that tell what is usual before `until`."""
    moments = [*earlier(until, 7, WEEKS), *earlier(until, 1, DAYS)]
    return {floor(moment) - back * HOUR for moment in moments for back in (0, 1)}


def volumes_by_flow(until: datetime) -> dict[int, Volumes]:
    """What each flow usually delivers in the hour before `until` is told by these; one query."""
    rows = Sample.objects.filter(metric__in=(hourly(Metric.DELIVERED), PASSES), at__in=hours_needed(until), connection=None)
    sums: dict[int, dict[datetime, float]] = defaultdict(dict)
    watched = set()
    for flow_id, metric, at, value in rows.values_list("flow", "metric", "at", "value"):
        if metric == PASSES:
            watched |= {at} if value >= FULL else set()
        else:
            sums[flow_id][at] = value
    return defaultdict(lambda: Volumes({}, watched), {flow_id: Volumes(found, watched) for flow_id, found in sums.items()})


def together(parts: Iterable[Volumes]) -> Volumes:
    """The volumes of several flows as one."""
    sums: dict[datetime, float] = defaultdict(float)
    watched: Collection[datetime] = frozenset()
    for part in parts:
        watched = part.watched
        for hour, value in part.sums.items():
            sums[hour] += value
    return Volumes(sums, watched)
