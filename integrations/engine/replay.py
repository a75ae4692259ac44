"""Sending again on purpose, from the stored record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils import timezone

from integrations.engine.wake import wake_flow
from integrations.models import Delivery, Hold

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
