"""Waking the pumps: one task per connection or flow that has work, never one per record."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from integrations.models import Connection, Flow

REWAKE = timedelta(seconds=30)  # a wake that led to nothing (the worker died) is repeated after this


def wake_connection(connection_id: int) -> bool:
    """Ask a worker to process this connection's inbox; inside the caller's transaction, False when one was asked already."""
    return _wake(Connection, connection_id, "integrations.tasks.process")


def wake_flow(flow_id: int) -> bool:
    """Ask a worker to deliver what is due for this flow; inside the caller's transaction, False when one was asked already."""
    return _wake(Flow, flow_id, "integrations.tasks.deliver")


def _wake(model: type[Connection] | type[Flow], pk: int, task: str) -> bool:
    now = timezone.now()
    quiet = Q(woken_at__isnull=True) | Q(woken_at__lt=now - REWAKE)
    if not model.objects.filter(quiet, pk=pk).update(woken_at=now):
        return False
    async_task(task, pk)
    return True
