"""Volumes far from the usual: told once they are far out, and until they are well back, so that the telling does not flutter."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q, Sum

from integrations.models import Checkpoint, Flow
from integrations.routes import ROUTES, Route, route_of
from monitoring.hours import HOUR
from monitoring.latest import LatestSamples
from monitoring.models import Metric, Sample
from monitoring.usual import Usual, together, volumes_by_flow

PREFIX = "unusual."  # of a route's letter; the value is the moment it began as seconds of the epoch, negative for too little
FEWEST = 10  # an hour that usually moves fewer than this is too thin to judge
LOW, LOW_OVER = 0.5, 0.8  # shares of the band's lower edge: below the first it is told, from the second on it is over
HIGH, HIGH_OVER = 3.0, 2.0  # times the band's upper edge: likewise
NOTABLE = 50  # above the upper edge by at least so many


@dataclass(frozen=True, slots=True)
class Unusual:
    """A route whose volume is far from the usual, and since when."""

    route: Route
    low: bool
    since: datetime


def unusual_routes(samples: LatestSamples) -> list[Unusual]:
    """What the newest pass found."""
    found = samples.by_prefix(PREFIX)
    known = [(ROUTES[letter], value) for letter, value in found.items() if letter in ROUTES]
    return [Unusual(route, value < 0, datetime.fromtimestamp(abs(value), UTC)) for route, value in known]


def verdict(before: float, volume: float, usual: Usual | None) -> int:
    """-1 for too little, 1 for too much, 0 for neither; what was told before stays told until the volume is well back."""
    if usual is None or usual.middle < FEWEST:
        return 0
    if volume < usual.low * (LOW_OVER if before < 0 else LOW):
        return -1
    far = HIGH_OVER if before > 0 else HIGH
    return 1 if volume > usual.high * far and (before > 0 or volume - usual.high >= NOTABLE) else 0


def unusual_volumes(rows: Sequence[Sample], previous: datetime | None, until: datetime) -> Iterator[Sample]:
    """The samples of this minute; `rows` are those of the minute itself, which are not stored yet."""
    volumes = _last_hour(rows, until)
    known = volumes_by_flow(until)
    flows: dict[str, list[Flow]] = defaultdict(list)
    for flow in Flow.objects.filter(enabled=True).select_related("source", "destination"):
        flows[route_of(flow).letter].append(flow)
    told = Sample.objects.filter(at=previous, metric__startswith=PREFIX, flow=None, connection=None)
    before = {metric.removeprefix(PREFIX): value for metric, value in told.values_list("metric", "value")}
    filling = _sources_with_history(until)
    for letter in ROUTES.keys() & flows.keys():
        mine, was = flows[letter], before.get(letter, 0.0)
        judged = verdict(was, sum(volumes[flow.pk] for flow in mine), together(known[flow.pk] for flow in mine).usual(until))
        if judged > 0 and any(flow.source_id in filling for flow in mine):
            continue
        if judged:
            yield Sample(metric=f"{PREFIX}{letter}", value=was if was * judged > 0 else judged * until.timestamp())


def _last_hour(rows: Iterable[Sample], until: datetime) -> Counter[int]:
    stored = Sample.objects.filter(metric=Metric.DELIVERED, at__gt=until - HOUR, at__lte=until, flow__isnull=False)
    volumes = Counter({flow_id: int(total) for flow_id, total in stored.order_by().values_list("flow").annotate(total=Sum("value"))})
    for row in rows:
        if row.metric == Metric.DELIVERED and (row.at is None or row.at > until - HOUR):
            volumes[row.flow_id] += int(row.value)
    return volumes


def _sources_with_history(until: datetime) -> set[int]:
    """Connections whose history is or was just being read: much is usual for them."""
    running = Q(state=Checkpoint.State.RUNNING) | Q(finished_at__gt=until - HOUR)
    pulls = Checkpoint.objects.exclude(purpose=Checkpoint.Purpose.POLL).filter(running)
    return set(pulls.order_by().values_list("connection", flat=True))
