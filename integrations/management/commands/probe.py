"""`manage.py probe`: make a connection's test call."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.engine.accounts import probe_connection
from integrations.management.arguments import connection_named
from integrations.models import Connection


class Command(BaseCommand):
    """Ask the platform who we are, what we may do and which version answers; the answer is stored as if the console had asked."""

    help = "Make a connection's test call and say what is wrong with it; fails when something is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One connection, or all."""
        parser.add_argument("connection", nargs="?", help="number, name or account of the connection; left out: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when any test call found a problem."""
        chosen = [connection_named(options["connection"])] if options["connection"] else list(Connection.objects.order_by("pk"))
        failed = 0
        for connection in chosen:
            probe = probe_connection(connection)
            failed += not probe.ok
            self.stdout.write(f"{connection.name}: {probe.summary}")
            for label, value in probe.facts.items():
                self.stdout.write(f"  {label}: {value}")
            for problem in probe.problems:
                self.stdout.write(f"  ! {problem}")
        if failed:
            raise CommandError(f"{failed} of {len(chosen)} connections need attention.")
