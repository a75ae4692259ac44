"""`manage.py status`: connections, flows, pulls and open exceptions at a glance."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count

from integrations.engine.pull import progress
from integrations.models import Checkpoint, Connection, Flow, InboxEvent, SyncException


class Command(BaseCommand):
    """What the overview page says, for a terminal."""

    help = "Show connections, flows with their counts, running pulls and open exceptions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Counts the delivery table: on a very large one this takes seconds."""
        for connection in Connection.objects.order_by("pk"):
            waiting = InboxEvent.objects.filter(connection=connection, state=InboxEvent.State.NEW).count()
            probe = connection.probe.get("summary", "never tested")
            self.stdout.write(
                f"{connection.pk:>4}  {connection.name}: {connection.get_state_display()}, {waiting} inbox events wait, {probe}"
            )
        for flow in Flow.objects.select_related("source", "destination").order_by("pk"):
            counts = dict(flow.deliveries.order_by().values_list("state").annotate(number=Count("pk")))
            said = ", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "nothing yet"
            self.stdout.write(f"{flow.pk:>4}  {flow}{'' if flow.enabled else ' (off)'}: {said}")
        for pull in Checkpoint.objects.exclude(purpose=Checkpoint.Purpose.POLL).exclude(state=Checkpoint.State.DONE):
            known = progress(pull)
            self.stdout.write(f"{pull.pk:>4}  {pull}: {pull.get_state_display().lower()}, {known.read} read {pull.error}".rstrip())
        rows = SyncException.objects.filter(state=SyncException.State.OPEN).annotate(waiting=Count("holds")).order_by("-last_seen")
        for row in rows:
            self.stdout.write(f"{row.pk:>4}  ! {row.title}: {row.waiting} wait")
