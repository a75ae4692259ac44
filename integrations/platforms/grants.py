"""What a room offers for its credentials: the hand-shake, the renewal, and the accounts that one grant opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from integrations.platforms.base import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """New credentials from a grant or a refresh: secret kind → (value, expires at or None)."""

    values: Mapping[str, tuple[str, datetime | None]]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAccount:
    """One of several accounts that a single grant opens; `settings` are what a connection to it needs of its own."""

    external_id: str
    name: str
    settings: Mapping[str, Any]


class Auth(Protocol):
    """Hand-shake and renewal of a platform's credentials."""

    def authorize_url(self, account: Account, *, state: str, redirect_uri: str) -> str:
        """Where the person grants access; raises Misconfigured when this mode has no hand-shake."""

    def exchange(self, account: Account, query: Mapping[str, str], *, state: str, redirect_uri: str) -> Tokens:
        """Tokens for a callback whose signature, state, time and account were checked; raises Unverified."""

    def refresh(self, account: Account) -> Tokens | None:
        """New tokens, or None when this mode has nothing to renew; raises Reconnect when the grant is dead."""

    def shops(self, client: Any) -> Sequence[SharedAccount]:
        """Accounts that one grant covers; empty where a grant is for one account only."""
