"""`manage.py sync_schedules`: write the standing schedules for the worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from integrations.schedules import sync_schedules


class Command(BaseCommand):
    """Bring the worker's schedules in line with the table in `integrations/schedules.py`."""

    help = "Write the standing schedules (sweep, credentials, samples, retention) for the worker; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Never fails for what stands there already."""
        self.stdout.write(f"{sync_schedules()} schedules are up to date.")
