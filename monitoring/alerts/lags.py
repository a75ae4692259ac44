"""Whether a flow that is behind is so every day at this hour: a nightly import is no news."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from statistics import median_high

from django.db.models import Q

from monitoring.models import Metric, Sample
from monitoring.notices import Situation

DAYS = 7
AROUND = timedelta(minutes=45)
PATIENCE = 1.5  # times the usual lag


def unusually_late(situation: Situation) -> frozenset[str]:
    """Keys of the flows that are behind, and further than is usual for them now; one query, and only when one is behind."""
    behind = {line.flow.pk: line.lag.total_seconds() for line in situation.flows if line.state == "behind" and line.lag}
    if not behind:
        return frozenset()
    usual = usual_lags(list(behind), situation.now)
    return frozenset(str(pk) for pk, lag in behind.items() if lag > PATIENCE * usual.get(pk, 0.0))


def usual_lags(flow_ids: list[int], now: datetime) -> dict[int, float]:
    """The longest lag in seconds around this time on a middling one of the last days; a day without lag counts as none."""
    days = [now - timedelta(days=back) for back in range(1, DAYS + 1)]
    around = Q()
    for day in days:
        around |= Q(at__gte=day - AROUND, at__lte=day + AROUND)
    worst: dict[int, dict[int, float]] = defaultdict(dict)
    rows = Sample.objects.filter(around, flow__in=flow_ids, metric=Metric.LAG).values_list("flow", "at", "value")
    for flow_id, at, value in rows:
        back = round((now - at) / timedelta(days=1))
        worst[flow_id][back] = max(value, worst[flow_id].get(back, 0.0))
    return {flow_id: median_high([lags.get(back, 0.0) for back in range(1, DAYS + 1)]) for flow_id, lags in worst.items()}
