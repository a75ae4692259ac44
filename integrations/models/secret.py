"""A text column that is encrypted at rest."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """The cipher of the configured keys: the first encrypts, all decrypt."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS))


class UnreadableSecret(Exception):
    """No configured key decrypts this secret: ENCRYPTION_KEYS lost an entry that is still in use."""


class EncryptedTextField(models.TextField):
    """Clear text in memory, ciphertext in the database."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        value = super().get_prep_value(value)
        return value if value is None else cipher().encrypt(value.encode()).decode()

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        """Decrypt on the way out; raises UnreadableSecret when no key fits."""
        if value is None:
            return None
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken as fault:
            raise UnreadableSecret("A stored secret cannot be read: ENCRYPTION_KEYS must keep every key that is still in use.") from fault
