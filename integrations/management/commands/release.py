"""`manage.py release`: let held deliveries go."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.engine.exceptions import ignore_exceptions, release_answered, release_exceptions
from integrations.management.arguments import person_named
from integrations.models import SyncException
from integrations.models.kinds import KINDS


class Command(BaseCommand):
    """Try again what waits for open exceptions, or skip it."""

    help = "Let go what waits for exceptions: release 12 13, release --kind exhausted, or release --answered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which questions, and whether to skip what waits."""
        parser.add_argument("exceptions", nargs="*", type=int, help="numbers of exceptions")
        parser.add_argument("--kind", choices=list(KINDS), help="every open exception of this kind")
        parser.add_argument("--answered", action="store_true", help="questions that have an answer by now, as the sweep does")
        parser.add_argument("--ignore", metavar="NOTE", help="skip what waits instead of sending it, and say why")
        parser.add_argument("--by", help="user in whose name it happens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError without a choice."""
        if options["answered"]:
            self.stdout.write(f"{release_answered()} deliveries go out.")
            return
        if not options["exceptions"] and not options["kind"]:
            raise CommandError("Name exceptions by number, or --kind, or --answered.")
        rows = SyncException.objects.filter(state=SyncException.State.OPEN)
        rows = rows.filter(kind=options["kind"]) if options["kind"] else rows.filter(pk__in=options["exceptions"])
        ids, by = list(rows.values_list("pk", flat=True)), person_named(options["by"])
        if options["ignore"]:
            self.stdout.write(f"{ignore_exceptions(ids, by, options['ignore'])} deliveries are skipped, {len(ids)} exceptions ignored.")
        else:
            self.stdout.write(f"{release_exceptions(ids, by)} deliveries of {len(ids)} exceptions go out.")
