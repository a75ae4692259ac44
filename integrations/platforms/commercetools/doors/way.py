"""One way that events come: how a call is checked, and which notifications it holds."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.commercetools.doors.options import door_keys
from integrations.platforms.errors import Unverified

MOST_EVENTS = 1000  # of one call
KEY_HEADER = "x-switchyard-key"


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of one notification in a call."""

    body: bytes


class Way(Protocol):
    """A transport of events; `name` is its part of the address."""

    name: str

    def signed(self, call: IncomingCall) -> bool:
        """Whether the call carries anything that could prove where it comes from."""

    def check(self, account: Account, call: IncomingCall) -> None:
        """Prove that the call comes from where the connection's settings say; raises Unverified, or TryLater when that cannot be told."""

    def calls_out(self, account: Account, call: IncomingCall) -> bool:
        """Whether checking or answering it means to call another host now."""

    def events(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The events of a checked call; what cannot be read is kept with its reason."""


def check_key(account: Account, given: str) -> None:
    """Compare in constant time with each key of the door that is valid now; raises Unverified."""
    genuine = False
    for key in door_keys(account):
        genuine |= hmac.compare_digest(key.encode(), given.encode("utf-8", "surrogateescape"))
    if not genuine:
        raise Unverified("wrong key" if given else "no key")


def query_of(call: IncomingCall) -> Mapping[str, str]:
    """The parameters of the address that was called; of several with one name the first."""
    found: dict[str, str] = {}
    try:
        for name, value in parse_qsl(call.query, max_num_fields=20):
            found.setdefault(name, value)
    except ValueError:
        return {}
    return found
