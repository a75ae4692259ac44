"""Looks at big tables that stop after a fixed number of index entries, however many rows there are."""

from __future__ import annotations

from django.db.models import DateTimeField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Least, Now

from integrations.models import Delivery, Flow, InboxEvent
from integrations.platforms.base import Lane

PEEK = 1000  # a live count goes no further; beyond it the last sample tells the number
LIVE_LANES = (Lane.REALTIME, Lane.STANDARD)  # the lag of a flow is that of its live work; history has its own progress


class BoundedCount(Subquery):
    """How many rows a sliced subquery has: `count(*)` of at most as many rows as the slice lets through."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS bounded)"
    output_field = IntegerField()


def flows_with_backlog() -> QuerySet[Flow]:
    """Flows with `ready` and `held` (counted up to PEEK + 1) and `oldest_due` (None when nothing live is due)."""
    mine = Delivery.objects.filter(flow=OuterRef("pk"))
    return Flow.objects.select_related("source", "destination").annotate(
        ready=BoundedCount(mine.filter(state=Delivery.State.READY).values("id")[: PEEK + 1]),
        held=BoundedCount(mine.filter(state=Delivery.State.BLOCKED).values("id")[: PEEK + 1]),
        oldest_due=oldest_due(),
    )


def oldest_due() -> Least:
    """When the next live delivery of the outer flow became ready, None when none is due; one index probe per lane."""
    return Least(*[Subquery(_first_due(lane)) for lane in LIVE_LANES], output_field=DateTimeField())


def _first_due(lane: Lane) -> QuerySet[Delivery]:
    due = Delivery.objects.filter(flow=OuterRef("pk"), state=Delivery.State.READY, lane=lane, due_at__lte=Now())
    return due.order_by("due_at", "id").values("ready_since")[:1]


def inbox_counts() -> dict[str, BoundedCount]:
    """Annotations of a connection: `waiting` and `unreadable` inbox events, counted up to PEEK + 1."""
    mine = InboxEvent.objects.filter(connection=OuterRef("pk"))
    return {
        "waiting": BoundedCount(mine.filter(state=InboxEvent.State.NEW).values("id")[: PEEK + 1]),
        "unreadable": BoundedCount(mine.filter(state=InboxEvent.State.FAILED).values("id")[: PEEK + 1]),
    }
