"""A route over the last day or week: freshness, and what came in, was dealt with and was delivered, beside what is usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from django.db.models import BigIntegerField, Max, Q, Sum
from django.db.models.functions import Cast, Extract
from django.utils import timezone
from django.utils.formats import date_format

from integrations.models import Flow
from integrations.words import plural, span
from monitoring.flow_lines import ACTED_ON, BEHIND
from monitoring.hours import FULL, HOUR, HOURLY, PASSES, QUARTERLY, Step, hourly
from monitoring.models import Metric, Sample
from monitoring.usual import WEEKS, Usual, Volumes
from monitoring.windows import Window


@dataclass(frozen=True, slots=True)
class Span:
    """How far back a chart looks, and the length of one of its points."""

    slug: str
    label: str
    length: timedelta
    step: Step
    label_format: str


SPANS = {
    found.slug: found
    for found in (
        Span("day", "24 hours", timedelta(hours=24), QUARTERLY, "H:i"),
        Span("week", "7 days", timedelta(days=7), HOURLY, "D j, H:i"),
    )
}
SECONDS = Cast(Extract("at", "epoch"), BigIntegerField())  # thousands of moments are read several times as fast so
DELIVERED, ACTED, ARRIVED, LAG, WATCHED = "delivered", "acted", "arrived", "lag", "watched"
SERIES = {  # a metric → the lines of the charts that it counts in
    **dict.fromkeys(ACTED_ON, (ACTED,)), Metric.DELIVERED: (DELIVERED, ACTED), Metric.LAG: (LAG,), Metric.ARRIVED: (ARRIVED,),
    Metric.PASS: (WATCHED,),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One step of a chart; None where nobody counted. `lag` is in seconds, `usual` is for a step of this length."""

    window: Window
    label: str
    delivered: int | None
    acted: int | None
    arrived: int | None
    lag: float | None
    usual: Usual | None


@dataclass(frozen=True, slots=True)
class Trend:
    """A route's last day or week, oldest first."""

    span: Span
    points: Sequence[Point]

    @property
    def window(self) -> Window:
        """From the first point's beginning to the last one's end."""
        return Window(self.points[0].window.since, self.points[-1].window.until)

    @property
    def series(self) -> dict[str, list[object]]:
        """What the charts draw."""
        points = self.points
        return {
            "labels": [point.label for point in points],
            "delivered": [point.delivered for point in points],
            "acted": [point.acted for point in points],
            "arrived": [point.arrived for point in points],
            "lag": [None if point.lag is None else round(point.lag / 60, 1) for point in points],
            "low": [point.usual.low if point.usual else None for point in points],
            "high": [point.usual.high if point.usual else None for point in points],
        }

    @property
    def volume_words(self) -> str:
        """The volume chart in a sentence or two."""
        known = [point for point in self.points if point.delivered is not None]
        if not known:
            return f"Nothing was counted in the last {self.span.label}."
        total, acted = sum(point.delivered for point in known), sum(point.acted for point in known)
        top = max(known, key=lambda point: point.delivered)
        words = f"{plural(total, 'delivery', 'deliveries')} in the last {self.span.label}, of {acted:,} records dealt with"
        words += f"; most at {top.label} ({top.delivered:,})." if total else "."
        below = sum(1 for point in known if point.usual and point.delivered < point.usual.low)
        above = sum(1 for point in known if point.usual and point.delivered > point.usual.high)
        if any(point.usual for point in known):
            words += f" Below the usual band at {below} of {len(known)} points, above it at {above}."
        missing = len(self.points) - len(known)
        return words + (f" Not counted at {plural(missing, 'point')}: gaps in the lines." if missing else "")

    @property
    def lag_words(self) -> str:
        """The freshness chart in a sentence."""
        known = [point for point in self.points if point.lag is not None]
        if not known:
            return f"Nothing was counted in the last {self.span.label}."
        worst = max(known, key=lambda point: point.lag)
        late = sum(1 for point in known if point.lag > BEHIND.total_seconds())
        if not worst.lag:
            return f"Nothing was ever late in the last {self.span.label}."
        limit = span(BEHIND.total_seconds())
        return f"The longest wait was {span(worst.lag)} at {worst.label}; longer than {limit} at {plural(late, 'point')}."


def trend(flows: Sequence[Flow], chosen: Span, now: datetime) -> Trend:
    """The charts of these flows together, up to the last whole step; three queries."""
    step = chosen.step
    until = step.floor(now)
    marks = [until - chosen.length + step.length * number for number in range(chosen.length // step.length + 1)]
    flow_ids, sources = {flow.pk for flow in flows}, {flow.source_id for flow in flows if flow.enabled}
    found = _sums(step, flow_ids, sources, marks)
    volumes = _volumes(flow_ids, marks[0], until)
    points = [_point(Window(since, end), found, volumes, step=step, label=chosen.label_format) for since, end in pairwise(marks)]
    return Trend(chosen, points)


Found = Mapping[str, Mapping[datetime, float]]  # series → beginning of the step → value


def _sums(step: Step, flow_ids: Collection[int], sources: Collection[int], marks: Sequence[datetime]) -> Found:
    """Added up by the database: one row per metric and step, however many flows there are."""
    names = {step.of(metric): metric for metric in SERIES}
    arrived = step.of(Metric.ARRIVED)
    ours = Q(flow__in=flow_ids, metric__in=names.keys() - {arrived, step.passes})
    asked = ours | Q(connection__in=sources, metric=arrived) | Q(flow=None, connection=None, metric=step.passes)
    rows = Sample.objects.filter(asked, at__gte=marks[0], at__lt=marks[-1]).order_by().values_list("metric", "at")
    found: dict[str, dict[datetime, float]] = defaultdict(lambda: defaultdict(float))
    for name, at, total, highest in rows.annotate(total=Sum("value"), highest=Max("value")):
        metric = names[name]
        for series in SERIES[metric]:
            found[series][at] += highest if metric == Metric.LAG else total
    return found


def _volumes(flow_ids: Collection[int], since: datetime, until: datetime) -> Volumes:
    """What these flows delivered in every hour that tells what is usual between `since` and `until`."""
    first = since - timedelta(weeks=WEEKS, days=1)
    hours = Sample.objects.filter(at__gte=first, at__lt=until, connection=None).order_by()
    delivered = hours.filter(flow__in=flow_ids, metric=hourly(Metric.DELIVERED)).values_list(SECONDS).annotate(total=Sum("value"))
    watched = hours.filter(flow=None, metric=PASSES, value__gte=FULL).values_list(SECONDS, flat=True)
    return Volumes({_moment(at): total for at, total in delivered}, frozenset(map(_moment, watched)))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _point(window: Window, found: Found, volumes: Volumes, *, step: Step, label: str) -> Point:
    at = window.since
    counted = found[WATCHED].get(at)
    usual = volumes.usual(window.until)
    return Point(
        window=window,
        label=date_format(timezone.localtime(at), label),
        delivered=int(found[DELIVERED].get(at, 0)) if counted else None,
        acted=int(found[ACTED].get(at, 0)) if counted else None,
        arrived=int(found[ARRIVED].get(at, 0)) if counted else None,
        lag=found[LAG].get(at, 0.0) if counted else None,
        usual=usual.scaled(step.length / HOUR) if usual else None,
    )


def rows_of(found: Trend) -> Iterator[list[object]]:
    """The trend as a sheet: a heading, then one row per point with times in ISO form."""
    yield ["From", "Until", "Delivered", "Dealt with", "Arrived at the sources", "Longest wait in seconds", "Usual from", "Usual to"]
    for point in found.points:
        usual = (point.usual.low, point.usual.high) if point.usual else ("", "")
        counted = [("" if value is None else value) for value in (point.delivered, point.acted, point.arrived, point.lag)]
        yield [point.window.since.isoformat(), point.window.until.isoformat(), *counted, *usual]
