"""Sending again on purpose, from the stored record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils import timezone

from integrations.engine.wake import wake_flow
from integrations.models import Delivery, Flow, Hold

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
BATCH = 1000


def replay(delivery_ids: Iterable[int], by: User | None) -> int:
    """Set these deliveries to ready and forget what was sent, so that each is really sent again; those in flight are left alone."""
    ids = list(delivery_ids)
    replayed = 0
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            part = (
                Delivery.objects.select_for_update()
                .filter(pk__in=ids[start : start + BATCH])
                .exclude(state__in=[Delivery.State.SENDING, Delivery.State.ACCEPTED])
                .order_by("record_key")
            )
            rows = list(part.values_list("pk", "flow_id", "record_key"))
            keys = [pk for pk, _, _ in rows]
            Hold.objects.filter(delivery_id__in=keys).delete()
            now = timezone.now()
            replayed += Delivery.objects.filter(pk__in=keys).update(
                state=Delivery.State.READY, due_at=now, ready_since=now, attempts=0, sent_hash="", manual=True, cause="replay", issues=[],
                updated_at=now,
            )  # fmt: skip
            if by is not None:
                LogEntry.objects.log_actions(by.pk, Delivery.objects.filter(pk__in=keys), CHANGE, "Replayed")
            for flow_id in {flow_id for _, flow_id, _ in rows}:
                wake_flow(flow_id)
    log.info("replayed", by=by.pk if by else None, deliveries=replayed)
    return replayed


def resend_changed(flow: Flow) -> int:
    """After a rule changed: look at every record of the flow again; those whose payload stays the same cost no call."""
    return _ready(flow, [Delivery.State.DELIVERED, Delivery.State.BLOCKED, Delivery.State.SKIPPED])


def resend_held(flow: Flow) -> int:
    """After a rule changed: look again at what is held."""
    return _ready(flow, [Delivery.State.BLOCKED])


def _ready(flow: Flow, states: list[str]) -> int:
    """In key order and small transactions, in the bulk lane, so that live records go first."""
    last, total = "", 0
    while True:
        with transaction.atomic():
            rows = Delivery.objects.select_for_update().filter(flow=flow, state__in=states, record_key__gt=last).order_by("record_key")
            keys = list(rows.values_list("record_key", flat=True)[:BATCH])
            if not keys:
                break
            now = timezone.now()
            mine = Delivery.objects.filter(flow=flow, record_key__in=keys, state__in=states)
            Hold.objects.filter(delivery__in=mine).delete()
            total += mine.update(state=Delivery.State.READY, due_at=now, ready_since=now, attempts=0, lane=2, updated_at=now)
            last = keys[-1]
            wake_flow(flow.pk)
    return total
