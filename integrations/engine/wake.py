"""Waking the pumps: one task per connection or flow that has work, never one per record."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection as database
from django.utils import timezone
from django_q.tasks import async_task

REWAKE = timedelta(seconds=30)  # a wake that led to nothing (the worker died) is repeated after this


WAKE = "UPDATE {table} SET woken_at = %(now)s WHERE id = %(id)s AND (woken_at IS NULL OR woken_at < %(stale)s)"
WAKE_CONNECTION, WAKE_FLOW = WAKE.format(table="integrations_connection"), WAKE.format(table="integrations_flow")


def wake_connection(connection_id: int) -> bool:
    """Ask a worker to process this connection's inbox; inside the caller's transaction, False when one was asked already."""
    return _wake(WAKE_CONNECTION, connection_id, "integrations.tasks.process")


def wake_flow(flow_id: int) -> bool:
    """Ask a worker to deliver what is due for this flow; inside the caller's transaction, False when one was asked already."""
    return _wake(WAKE_FLOW, flow_id, "integrations.tasks.deliver")


def _wake(statement: str, pk: int, task: str) -> bool:
    now = timezone.now()
    with database.cursor() as cursor:
        cursor.execute(statement, {"id": pk, "now": now, "stale": now - REWAKE})
        if not cursor.rowcount:
            return False
    async_task(task, pk)
    return True
