"""Sums of whole hours, kept long enough to know what is usual at an hour of a weekday."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Max, Min, Sum
from django.db.models.functions import TruncHour

from monitoring.models import Metric, Sample

HOUR = timedelta(hours=1)
KEPT = timedelta(days=100)
PREFIX = "hour."
SUMMED = (
    Metric.DELIVERED, Metric.FAILED, Metric.REFUSED, Metric.STOPPED, Metric.UNCHANGED, Metric.SKIPPED, Metric.ARRIVED,
)  # fmt: skip
HIGHEST = (Metric.LAG,)
PASSES = f"{PREFIX}pass"
AT_ONCE = timedelta(days=7)  # hours that one pass sums up at most, when there is much to catch up with
FULL = 50  # an hour counts as watched when at least so many of its minutes were


def hourly(metric: str) -> str:
    """The name of a metric's hourly sum (of a lag: its highest value); its time is the hour's beginning."""
    return f"{PREFIX}{metric}"


def floor(moment: datetime) -> datetime:
    """The beginning of the hour that `moment` lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def sum_up_hours(until: datetime) -> int:
    """Write the sums of the whole hours up to `until` that have none yet; returns how many rows."""
    last = Sample.objects.filter(metric=PASSES, flow=None, connection=None).aggregate(at=Max("at"))["at"]
    passes = Sample.objects.filter(metric=Metric.PASS, flow=None, connection=None)
    if last is not None:
        passes = passes.filter(at__gt=last + HOUR)
    first = passes.aggregate(at=Min("at"))["at"]
    if first is None:
        return 0
    since = floor(first - timedelta(microseconds=1))
    end = min(floor(until), since + AT_ONCE)
    if since >= end:
        return 0
    rows = list(_sums(since, end))
    Sample.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return len(rows)


def _sums(since: datetime, end: datetime) -> Iterator[Sample]:
    """A sample tells of the minute before it, so the one at the full hour belongs to the hour that it ends."""
    begun = TruncHour(ExpressionWrapper(F("at") - timedelta(microseconds=1), DateTimeField()), tzinfo=UTC)
    rows = Sample.objects.filter(at__gt=since, at__lte=end).annotate(hour=begun).order_by()
    moved = rows.filter(metric__in=(*SUMMED, *HIGHEST)).values_list("hour", "flow", "connection", "metric")
    for hour, flow_id, connection_id, metric, total, highest in moved.annotate(total=Sum("value"), highest=Max("value")):
        value = highest if metric in HIGHEST else total
        yield Sample(flow_id=flow_id, connection_id=connection_id, metric=hourly(metric), at=hour, value=value)
    passes = rows.filter(metric=Metric.PASS, flow=None, connection=None).values_list("hour")
    for hour, count in passes.annotate(n=Count("id")):
        yield Sample(metric=PASSES, at=hour, value=count)
