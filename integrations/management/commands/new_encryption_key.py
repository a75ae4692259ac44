"""`manage.py new_encryption_key`: make a key for ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Print a fresh key; nothing is stored."""

    help = "Print a new key for ENCRYPTION_KEYS. To rotate: put it first, keep the old ones behind it, restart, then run rotate_keys."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """The key alone, so that it can be piped."""
        self.stdout.write(Fernet.generate_key().decode())
