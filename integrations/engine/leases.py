"""One pump at a time: a lease on the row it works for, renewed while it works, over by itself when the worker dies."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from integrations.models import Checkpoint, Connection, Flow

LEASE = timedelta(seconds=60)


def take(row: Connection | Flow) -> bool:
    """Become the only pump of this connection or flow; False when another one is at work."""
    free = Q(pump_until__isnull=True) | Q(pump_until__lt=timezone.now())
    return bool(type(row).objects.filter(free, pk=row.pk).update(pump_until=timezone.now() + LEASE))


def renew(row: Connection | Flow) -> None:
    """Keep the lease for another span."""
    type(row).objects.filter(pk=row.pk).update(pump_until=timezone.now() + LEASE)


def give_back(row: Connection | Flow) -> None:
    """End the lease and forget the wake, so that the next arrival wakes a pump again."""
    type(row).objects.filter(pk=row.pk).update(pump_until=None, woken_at=None)


def take_checkpoint(checkpoint_id: int) -> Checkpoint | None:
    """The checkpoint with a fresh lease, None when it is not runnable or another worker pulls it."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    runnable = Q(state__in=[Checkpoint.State.WAITING, Checkpoint.State.RUNNING])
    if not Checkpoint.objects.filter(free, runnable, pk=checkpoint_id).update(lease_until=now + LEASE):
        return None
    return Checkpoint.objects.select_related("connection").get(pk=checkpoint_id)
