"""Sums of whole hours, kept until it is known what is usual at an hour of a weekday, and of quarters of an hour for a day's charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Ceil, Extract

from monitoring.models import Metric, Sample

HOUR = timedelta(hours=1)
KEPT = timedelta(days=100)  # of the hours; quarters go with the minutes
SUMMED = (
    Metric.DELIVERED, Metric.FAILED, Metric.REFUSED, Metric.STOPPED, Metric.UNCHANGED, Metric.SKIPPED, Metric.ARRIVED,
)  # fmt: skip
HIGHEST = (Metric.LAG,)
AT_ONCE = timedelta(days=7)  # of time that one pass sums up at most, when there is much to catch up with
FULL = 50  # an hour counts as watched when at least so many of its minutes were


@dataclass(frozen=True, slots=True)
class Step:
    """A length that samples are summed up to; its rows carry the prefix, and the time at which they begin."""

    prefix: str
    length: timedelta

    @property
    def passes(self) -> str:
        """The metric that counts how many minutes were looked at."""
        return self.of(Metric.PASS)

    def of(self, metric: str) -> str:
        """The name of a metric's sum, of a lag's highest value."""
        return f"{self.prefix}{metric}"

    def floor(self, moment: datetime) -> datetime:
        """The beginning of the step that `moment` lies in."""
        seconds = self.length.total_seconds()
        return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


HOURLY, QUARTERLY = Step("hour.", HOUR), Step("quarter.", timedelta(minutes=15))
STEPS = (HOURLY, QUARTERLY)
PREFIX, PASSES = HOURLY.prefix, HOURLY.passes


def hourly(metric: str) -> str:
    """The name of a metric's hourly sum."""
    return HOURLY.of(metric)


def floor(moment: datetime) -> datetime:
    """The beginning of the hour that `moment` lies in."""
    return HOURLY.floor(moment)


def sum_up(step: Step, until: datetime) -> int:
    """Write the sums of the whole steps up to `until` that have none yet; returns how many rows."""
    last = Sample.objects.filter(metric=step.passes, flow=None, connection=None).aggregate(at=Max("at"))["at"]
    passes = Sample.objects.filter(metric=Metric.PASS, flow=None, connection=None)
    if last is not None:
        passes = passes.filter(at__gt=last + step.length)
    first = passes.aggregate(at=Min("at"))["at"]
    if first is None:
        return 0
    since = step.floor(first - timedelta(microseconds=1))
    end = min(step.floor(until), since + AT_ONCE)
    if since >= end:
        return 0
    rows = list(_sums(step, since, end))
    Sample.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    return len(rows)


def _sums(step: Step, since: datetime, end: datetime) -> Iterator[Sample]:
    """A sample tells of the minute before it, so the one at the full hour belongs to the hour that it ends."""
    seconds = step.length.total_seconds()
    rows = Sample.objects.filter(at__gt=since, at__lte=end).annotate(ending=Ceil(Extract("at", "epoch", tzinfo=UTC) / seconds)).order_by()
    moved = rows.filter(metric__in=(*SUMMED, *HIGHEST)).values_list("ending", "flow", "connection", "metric")
    for ending, flow_id, connection_id, metric, total, highest in moved.annotate(total=Sum("value"), highest=Max("value")):
        value = highest if metric in HIGHEST else total
        yield Sample(flow_id=flow_id, connection_id=connection_id, metric=step.of(metric), at=_begun(ending, seconds), value=value)
    passes = rows.filter(metric=Metric.PASS, flow=None, connection=None).values_list("ending")
    for ending, count in passes.annotate(n=Count("id")):
        yield Sample(metric=step.passes, at=_begun(ending, seconds), value=count)


def _begun(ending: float, seconds: float) -> datetime:
    return datetime.fromtimestamp((int(ending) - 1) * seconds, UTC)
