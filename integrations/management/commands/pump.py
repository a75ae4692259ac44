"""`manage.py pump`: do the worker's work once, in this process."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.engine import exceptions, outbox, pull, pumps
from integrations.models import Connection, Flow, InboxEvent


class Command(BaseCommand):
    """Pull what is due, process the inbox, deliver and confirm, without a cluster: for repairs, small installations and cron."""

    help = "Do what is due now without a worker: pulls, inbox, deliveries, receipts. Ends when nothing is due or the time is over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long at most."""
        parser.add_argument("--seconds", type=float, default=50.0, help="stop after this many seconds (default 50)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what is left."""
        until = time.monotonic() + options["seconds"]
        outbox.sweep_leases()
        exceptions.release_answered()
        for checkpoint_id in pull.due_pulls():
            pull.run_pull(checkpoint_id, _left(until))
        for connection in Connection.objects.filter(state=Connection.State.ACTIVE).order_by("pk"):
            pumps.pump_connection(connection.pk, _left(until))
        for flow in Flow.objects.filter(enabled=True).order_by("pk"):
            pumps.pump_flow(flow.pk, _left(until))
        waiting = InboxEvent.objects.filter(state=InboxEvent.State.NEW).count()
        due = sum(flow.deliveries.filter(state__in=["ready", "sending", "accepted"]).count() for flow in Flow.objects.all())
        self.stdout.write(f"{waiting} inbox events and {due} deliveries are still on their way.")


def _left(until: float) -> float:
    return max(0.0, until - time.monotonic())
