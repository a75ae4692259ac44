"""`manage.py fill_consents`: note in the ledger what customers said before there was one. Once, after the upgrade that brought it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from integrations.engine.consent_fill import fill
from integrations.engine.outbox import bring_consents


class Command(BaseCommand):
    """Read the stored customers in parts; what is stopped goes on with --after."""

    help = "Fill the consent ledger from the stored customers; nobody is opted in by it. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """How far, and from where."""
        parser.add_argument("--after", type=int, default=0, help="delivery id after which to go on")
        parser.add_argument("--limit", type=int, default=None, help="customers to read at most")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read part after part and say how far it is."""
        total, last = 0, options["after"]
        for last, count in fill(bring_consents, after=options["after"], limit=options["limit"]):
            total += count
            if options["verbosity"] > 1:
                self.stdout.write(f"{total} customers read, up to delivery {last}")
        self.stdout.write(f"{total} customers read. To go on later: --after {last}")
