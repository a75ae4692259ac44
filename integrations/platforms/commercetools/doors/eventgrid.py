"""Azure Event Grid: CloudEvents to an address that carries the key, after a hand-shake by OPTIONS.

Facts: Microsoft, "Endpoint validation with CloudEvents v1.0" and "Webhook event delivery": query parameters of the address come with every
call, also with the hand-shake; events come one by one or, where the subscription says so, as a list. commercetools sends CloudEvents only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import orjson

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.commercetools.doors.way import KEY_HEADER, MOST_EVENTS, check_key, query_of
from integrations.platforms.commercetools.payload import event_of, odd_event
from integrations.platforms.errors import Unverified

ORIGIN, RATE = "webhook-request-origin", "webhook-request-rate"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")


class EventGrid:
    """The way over Microsoft's cloud; it remembers nothing."""

    name = "eventgrid"

    def signed(self, call: IncomingCall) -> bool:
        """Whether there is a key."""
        return bool(_key_of(call))

    def calls_out(self, account: Account, call: IncomingCall) -> bool:
        """Never."""
        return False

    def check(self, account: Account, call: IncomingCall) -> None:
        """The key of the address, or the same in a header that the subscription adds."""
        check_key(account, _key_of(call))

    def handshake(self, account: Account, call: IncomingCall) -> Mapping[str, str]:
        """The headers that let a sender send; raises Unverified without the key, or without a sender."""
        self.check(account, call)
        origin = call.headers.get(ORIGIN, "")
        if not _HOST.fullmatch(origin):
            raise Unverified("no sender")
        return {"webhook-allowed-origin": origin, "webhook-allowed-rate": "*", "allow": "OPTIONS, POST"}

    def events(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """One event or a list of them."""
        if call.body.lstrip()[:1] != b"[":
            return (event_of(account, call.body),)
        try:
            rows = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            return (odd_event(call.body, "not JSON"),)
        if len(rows) > MOST_EVENTS:
            return (odd_event(call.body, f"the call has more than {MOST_EVENTS} events"),)
        return tuple(_event(account, row, f"event {number} of {call.body[:200]!r}") for number, row in enumerate(rows))


def _event(account: Account, row: object, named: str) -> IncomingEvent:
    try:
        return event_of(account, orjson.dumps(row))
    except TypeError:  # nested deeper than can be written
        return odd_event(named.encode(), "nested too deep")


def _key_of(call: IncomingCall) -> str:
    return call.headers.get(KEY_HEADER) or query_of(call).get("key", "")
