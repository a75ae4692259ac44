"""`manage.py rotate_keys`: encrypt every stored secret with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from integrations.models import Credential
from integrations.models.secret import UnreadableSecret


class Command(BaseCommand):
    """Read each secret with whichever key fits and write it back with the newest; all or nothing."""

    help = "Encrypt every stored secret again with the first key of ENCRYPTION_KEYS; after that the older keys may go."

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when a secret fits none of the keys; nothing has changed then."""
        try:
            with transaction.atomic():
                rows = list(Credential.objects.select_for_update().order_by("pk"))
                for row in rows:
                    Credential.objects.filter(pk=row.pk).update(secret=row.secret)
        except UnreadableSecret as fault:
            raise CommandError(str(fault)) from fault
        self.stdout.write(f"{len(rows)} secrets are encrypted with the first key.")
