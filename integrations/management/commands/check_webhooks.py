"""`manage.py check_webhooks`: put missing webhook subscriptions back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.engine.watch import check_subscriptions, hook_address
from integrations.management.arguments import connection_named
from integrations.models import Connection
from integrations.platforms.registry import PLATFORMS


class Command(BaseCommand):
    """What the hourly watchdog does, now."""

    help = "Compare webhook subscriptions with what is needed, put back what is missing and pull the gap."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One connection, or all that can be subscribed."""
        parser.add_argument("connection", nargs="?", help="number, name or account of the connection; left out: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints what was done or refused, connection by connection."""
        if options["connection"]:
            chosen = [connection_named(options["connection"])]
        else:
            hooked = [slug for slug, platform in PLATFORMS.items() if platform.webhooks is not None]
            chosen = list(Connection.objects.filter(platform__in=hooked, state=Connection.State.ACTIVE).order_by("pk"))
        for connection in chosen:
            done = check_subscriptions(connection)
            self.stdout.write(f"{connection.name} → {hook_address(connection)}: {'all subscriptions stand.' if not done else ''}".rstrip())
            for line in done:
                self.stdout.write(f"  {line}")
