"""Sending again on purpose, from the stored record."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine.wake import wake_flow
from integrations.models import Delivery, Flow, Hold
from integrations.platforms.base import Lane

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
BATCH = 1000
RESENT = {
    "held": [Delivery.State.BLOCKED],
    "changed": [Delivery.State.DELIVERED, Delivery.State.BLOCKED, Delivery.State.SKIPPED],
}


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


def ask_resend(flow: Flow, what: str) -> None:
    """After a rule changed: let a worker look at the flow's records again ("held" or "changed"); unchanged payloads cost no call."""
    async_task("integrations.tasks.resend", flow.pk, what, "")


def resend(flow: Flow, what: str, *, after: str = "", until: float = math.inf) -> str | None:
    """Set records beyond key `after` to ready, in key order, small transactions and the bulk lane, so that live records go first.

    Returns the key to go on from when monotonic time `until` is reached, None when all are done.
    """
    while time.monotonic() < until:
        with transaction.atomic():
            rows = Delivery.objects.select_for_update().filter(flow=flow, state__in=RESENT[what], record_key__gt=after)
            keys = list(rows.order_by("record_key").values_list("record_key", flat=True)[:BATCH])
            if not keys:
                return None
            now = timezone.now()
            mine = Delivery.objects.filter(flow=flow, record_key__in=keys, state__in=RESENT[what])
            Hold.objects.filter(delivery__in=mine).delete()
            mine.update(state=Delivery.State.READY, due_at=now, ready_since=now, attempts=0, lane=Lane.BULK, updated_at=now)
            after = keys[-1]
            wake_flow(flow.pk)
    return after
