"""`manage.py switch`: stop and start a connection or a flow."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.engine.accounts import pause, reconnected
from integrations.engine.wake import wake_flow
from integrations.management.arguments import connection_named, person_named
from integrations.models import Flow


class Command(BaseCommand):
    """What the pages of connections and flows do: nothing is lost while something is off, it waits."""

    help = 'Stop or start: switch off --connection "Demo shop", switch on --flow 3.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """On or off, and what."""
        parser.add_argument("state", choices=("on", "off"))
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--connection", help="number, name or account")
        what.add_argument("--flow", type=int, help="number of the flow, as in its page's address")
        parser.add_argument("--by", help="user in whose name it happens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for what is not there."""
        on, by = options["state"] == "on", person_named(options["by"])
        if options["connection"]:
            connection = connection_named(options["connection"])
            if on:
                reconnected(connection)
            else:
                pause(connection, by.get_username() if by else "a command")
            self.stdout.write(f"{connection.name} is {'active' if on else 'paused'}.")
            return
        flow = Flow.objects.filter(pk=options["flow"]).select_related("source", "destination").first()
        if flow is None:
            known = ", ".join(f"{row.pk} = {row}" for row in Flow.objects.select_related("source", "destination")) or "none yet"
            raise CommandError(f"There is no flow {options['flow']}. There are: {known}.")
        flow.enabled, flow._history_user = on, by
        flow.save(update_fields=["enabled"])
        if on:
            wake_flow(flow.pk)
        self.stdout.write(f"{flow} is {'on' if on else 'off'}.")
