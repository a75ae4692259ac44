"""Asking again what a person had decided to ignore."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from integrations.engine.exceptions import ignored_code
from integrations.models import Delivery, Hold, SyncException


def reopen(exception: SyncException) -> int:
    """Open an ignored question; what was skipped for it and has not changed since waits again. Returns how many deliveries wait.

    When the same is being asked anew already, the deliveries wait for that question, and this one stays as it is.
    """
    with transaction.atomic():
        skipped = _skipped(exception)
        row = SyncException.objects.select_for_update(of=("self",)).get(pk=exception.pk)
        if row.state != SyncException.State.IGNORED:
            return 0
        anew = _asked_anew(row)
        if anew is None:
            SyncException.objects.filter(pk=row.pk).update(
                state=SyncException.State.OPEN, resolved_by=None, resolved_at=None, note="", snoozed_until=None, snooze_limit=None,
                weighed_at=None, last_seen=timezone.now(),
            )  # fmt: skip
        else:
            SyncException.objects.filter(pk=anew.pk).update(weighed_at=None)
        target = anew or row
        Hold.objects.bulk_create([Hold(exception=target, delivery_id=pk) for pk in skipped], ignore_conflicts=True)
        return Delivery.objects.filter(pk__in=skipped, state=Delivery.State.SKIPPED).update(
            state=Delivery.State.BLOCKED, last_code=row.kind, last_message=row.title[:500], updated_at=timezone.now()
        )


def _skipped(exception: SyncException) -> list[int]:
    """What is skipped for it still; found by the time of the decision, since nothing has touched it after."""
    if exception.resolved_at is None:
        return []
    rows = Delivery.objects.select_for_update().filter(
        flow=exception.flow_id, state=Delivery.State.SKIPPED, updated_at__gte=exception.resolved_at, last_code=ignored_code(exception.pk)
    )
    return list(rows.order_by("record_key").values_list("pk", flat=True))


def _asked_anew(row: SyncException) -> SyncException | None:
    same = SyncException.objects.filter(flow=row.flow_id, connection=row.connection_id, kind=row.kind, subject=row.subject)
    return same.filter(state=SyncException.State.OPEN).first()
