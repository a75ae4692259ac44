"""When a source is silent for longer than it usually is at this time of day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median_high

from django.db.models import Q

from integrations.models import Connection
from monitoring.models import Metric, Sample

DAYS = 7
AROUND = timedelta(hours=2)  # what counts as this time of day on an earlier day
NEAR = timedelta(hours=1)
FEWEST = 10  # minutes with arrivals that a source must have had before its first day can speak for it
SHORTEST_ALARM = timedelta(minutes=15)
UNKNOWN_ALARM = timedelta(hours=1)  # for a source whose habits are not known yet
PATIENCE = 2  # silence is told when it is this many times the longest usual gap


def silence_limit(usual_seconds: float | None) -> timedelta:
    """How long a source may be silent before it is told."""
    if usual_seconds is None:
        return UNKNOWN_ALARM
    return max(SHORTEST_ALARM, timedelta(seconds=usual_seconds) * PATIENCE)


def usual_gaps(now: datetime) -> Iterator[Sample]:
    """The pause between arrivals that is usual for each connection around this time of day, as samples in seconds."""
    days = [now - timedelta(days=back) for back in range(1, DAYS + 1)]
    spans = Q(at__gt=now - AROUND)
    for day in days:
        spans |= Q(at__gte=day - AROUND, at__lte=day + AROUND)
    arrivals: dict[int, list[datetime]] = defaultdict(list)
    seen = Sample.objects.filter(spans, metric=Metric.ARRIVED, connection__isnull=False, at__gte=days[-1] - AROUND)
    for connection_id, at in seen.order_by("connection", "at").values_list("connection", "at"):
        arrivals[connection_id].append(at)
    for connection_id, created in Connection.objects.filter(pk__in=arrivals).values_list("pk", "created_at"):
        gap = usual_gap(arrivals[connection_id], [day for day in days if day - AROUND >= created], now)
        if gap is not None:
            yield Sample(connection_id=connection_id, metric=Metric.USUAL_GAP, value=gap.total_seconds())


def usual_gap(arrivals: Sequence[datetime], days: Sequence[datetime], now: datetime) -> timedelta | None:
    """The longest pause around the same time on a middling one of `days`, else in the last hours; None when too little is known."""
    gaps = [_longest_gap(arrivals, day) for day in days]
    if gaps:
        return median_high(gaps)
    recent = arrivals[bisect_left(arrivals, now - AROUND) :]
    if len(recent) < FEWEST:
        return None
    return max(later - earlier for earlier, later in zip(recent, recent[1:], strict=False))


def _longest_gap(arrivals: Sequence[datetime], moment: datetime) -> timedelta:
    """The longest pause that touches the hour before or after `moment`; pauses are cut off at the edge of what is looked at."""
    first, last = bisect_left(arrivals, moment - AROUND), bisect_right(arrivals, moment + AROUND)
    points = [moment - AROUND, *arrivals[first:last], moment + AROUND]
    pauses = [(start, end) for start, end in zip(points, points[1:], strict=False) if end > moment - NEAR and start < moment + NEAR]
    return max(end - start for start, end in pauses)
