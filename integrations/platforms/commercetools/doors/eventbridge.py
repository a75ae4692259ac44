"""Amazon EventBridge: an API destination calls with the key in a header, the notification in `detail` of its envelope.

Facts: AWS, "API destinations as targets in Amazon EventBridge": the connection adds a header of one's own, and a call must be answered
within five seconds. A rule may also send the bare detail.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.bodies import read_body
from integrations.platforms.commercetools.doors.way import KEY_HEADER, check_key
from integrations.platforms.commercetools.payload import event_of, odd_event


class EventBridge:
    """The way over Amazon's event bus; it remembers nothing."""

    name = "eventbridge"

    def signed(self, call: IncomingCall) -> bool:
        """Whether there is a key."""
        return bool(call.headers.get(KEY_HEADER))

    def calls_out(self, account: Account, call: IncomingCall) -> bool:
        """Never."""
        return False

    def check(self, account: Account, call: IncomingCall) -> None:
        """The key in the header."""
        check_key(account, call.headers.get(KEY_HEADER, ""))

    def events(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The one notification of a call."""
        parsed, reason = read_body(call.body)
        if parsed is None:
            return (odd_event(call.body, reason),)
        inside = parsed.get("detail") if "detail-type" in parsed or "detail" in parsed else parsed
        return (event_of(account, orjson.dumps(inside)),)
