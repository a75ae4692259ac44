"""A life before the pictures: six weeks of sums that lead to what the flows deliver now, so that charts have something to show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Sum
from django.utils import timezone

from integrations.models import Flow
from monitoring.hours import HOUR, PASSES, QUARTERLY, floor, hourly
from monitoring.models import Metric, Sample

HOURS = 24 * 7 * 6
LEAST = 40  # deliveries in an hour of a flow that delivers little now
GAP = range(30, 33)  # hours ago in which nobody counted


def life_before() -> None:
    """Write the samples; those of the demo itself stay."""
    now = floor(timezone.now())
    first = Sample.objects.order_by("at").values_list("at", flat=True).first() or now
    flows = list(Flow.objects.filter(enabled=True))
    recent = Sample.objects.filter(metric=Metric.DELIVERED, at__gt=timezone.now() - HOUR).values_list("flow").annotate(n=Sum("value"))
    volumes = dict(recent)
    rows = [row for flow in flows for row in _of_flow(flow, max(LEAST, volumes.get(flow.pk, 0)), now, first)]
    rows += [Sample(metric=PASSES, at=now - HOUR * back, value=60) for back in range(1, HOURS) if back not in GAP]
    rows += [Sample(metric=QUARTERLY.passes, at=at, value=15) for at in _quarters(first)]
    Sample.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2000)


def _of_flow(flow: Flow, volume: float, now: datetime, first: datetime) -> Iterator[Sample]:
    for back in range(1, HOURS):
        at = now - HOUR * back
        if back not in GAP:
            count = round(volume * _curve(at, now) * (1 + 0.15 * math.sin(back * 1.7 + flow.pk)))
            yield Sample(flow=flow, metric=hourly(Metric.DELIVERED), at=at, value=count)
            yield Sample(flow=flow, metric=hourly(Metric.UNCHANGED), at=at, value=round(count * 0.12))
            yield Sample(flow=flow, metric=hourly(Metric.LAG), at=at, value=20 + 15 * math.sin(back) + (900 if back in (9, 10) else 0))
            yield Sample(connection_id=flow.source_id, metric=hourly(Metric.ARRIVED), at=at, value=round(count * 1.3))
    for number, at in enumerate(_quarters(first)):
        count = round(volume / 4 * _curve(at, now) * (1 + 0.3 * math.sin(number * 2.3 + flow.pk)))
        yield Sample(flow=flow, metric=QUARTERLY.of(Metric.DELIVERED), at=at, value=count)
        yield Sample(flow=flow, metric=QUARTERLY.of(Metric.UNCHANGED), at=at, value=round(count * 0.12))
        yield Sample(connection_id=flow.source_id, metric=QUARTERLY.of(Metric.ARRIVED), at=at, value=round(count * 1.3))
        yield Sample(flow=flow, metric=QUARTERLY.of(Metric.LAG), at=at, value=15 + 12 * math.sin(number) + 420 * (number in (40, 41)))


def _quarters(first: datetime) -> Iterator[datetime]:
    return (QUARTERLY.floor(first) - QUARTERLY.length * number for number in range(1, 97))


def _curve(at: datetime, now: datetime) -> float:
    """One at this hour of the day, less at night."""
    return 1 + 0.45 * (math.cos((at.hour - now.hour) / 24 * 2 * math.pi) - 1)
