"""What the flow pages show of a flow's deliveries: bounded counts and lag, in one query whatever the number of rows or flows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet, Subquery
from django.utils import timezone

from integrations.models import Delivery, Flow
from integrations.platforms.base import Lane

MOST = 1000  # counts stop here and are shown as "1,000+"
RECENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FlowNumbers:
    """Counts up to MOST + 1, and the due time of the oldest delivery that waits."""

    ready: int
    held: int
    delivered: int  # in the last hour
    oldest_due: datetime | None

    @property
    def lag(self) -> float:
        """Seconds that the oldest due delivery is late; zero when nothing is due."""
        return 0.0 if self.oldest_due is None else max(0.0, (timezone.now() - self.oldest_due).total_seconds())


def shown(count: int) -> str:
    """A bounded count: "12", "1,000+"."""
    return f"{MOST:,}+" if count > MOST else f"{count:,}"


def bounded(rows: QuerySet[Any]) -> Func:
    """How many rows there are, looked at up to MOST + 1 of them, to be annotated."""
    return Func(ArraySubquery(rows.order_by().values("pk")[: MOST + 1]), function="cardinality", output_field=IntegerField())


def _bounded(rows: QuerySet[Delivery]) -> Func:
    return bounded(rows.filter(flow=OuterRef("pk")))


def _oldest(lane: Lane, now: datetime) -> Subquery:
    due = Delivery.objects.filter(flow=OuterRef("pk"), state=Delivery.State.READY, lane=int(lane), due_at__lte=now)
    return Subquery(due.order_by("due_at").values("due_at")[:1])


def flow_numbers(flows: Iterable[Flow]) -> dict[int, FlowNumbers]:
    """Numbers by flow id; each lane is asked on its own because the index of due deliveries begins with flow and lane."""
    now = timezone.now()
    lanes = {f"oldest_{lane.value}": _oldest(lane, now) for lane in Lane}
    rows = Flow.objects.filter(pk__in=[flow.pk for flow in flows]).order_by().values(
        "pk",
        ready=_bounded(Delivery.objects.filter(state=Delivery.State.READY)),
        held=_bounded(Delivery.objects.filter(state=Delivery.State.BLOCKED)),
        delivered=_bounded(Delivery.objects.filter(state=Delivery.State.DELIVERED, updated_at__gte=now - RECENT)),
        **lanes,
    )  # fmt: skip
    return {row["pk"]: _numbers(row, lanes) for row in rows}


def _numbers(row: dict[str, object], lanes: Iterable[str]) -> FlowNumbers:
    times = [row[name] for name in lanes if row[name] is not None]
    return FlowNumbers(row["ready"], row["held"], row["delivered"], min(times, default=None))
