"""Google Pub/Sub push: a token of Google in the header, the notification in base64.

Facts: Google, "Authentication for push subscriptions" and "Push subscriptions". The token's issuer is Google with or without a scheme,
its audience and account are what the push subscription names; 102, 200, 201, 202 and 204 acknowledge, all else is sent again.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.bodies import read_body
from integrations.platforms.commercetools.doors.options import door_setting
from integrations.platforms.commercetools.doors.outside import Shelf, permitted
from integrations.platforms.commercetools.doors.token import check_claims, check_signature, read_keys, read_token
from integrations.platforms.commercetools.payload import event_of, odd_event
from integrations.platforms.errors import Unverified

ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
_HOSTS = re.compile(r"www\.googleapis\.com")
_LOOPBACK = re.compile(r"http://((?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?)/")


class PubSub:
    """The way over Google's cloud; it remembers Google's keys for as long as Google says."""

    name = "pubsub"

    def __init__(self, keys: Shelf[dict[str, RSAPublicKey]] | None = None, clock: Callable[[], float] = time.time) -> None:
        self._keys, self._clock = keys or Shelf(read_keys), clock

    def signed(self, call: IncomingCall) -> bool:
        """Whether there is a token."""
        return bool(_token_of(call))

    def calls_out(self, account: Account, call: IncomingCall) -> bool:
        """Whether the key that the token names has to be asked for first."""
        token, url = read_token(_token_of(call)), door_setting(account, "google_certs_url")
        held = self._keys.kept(url)
        return held is None or (token.kid not in held and self._keys.may_ask_again(url))

    def check(self, account: Account, call: IncomingCall) -> None:
        """Claims first, as they cost nothing; then the signature by the key that the token names."""
        token = read_token(_token_of(call))
        audience, email = door_setting(account, "pubsub_audience"), door_setting(account, "pubsub_email")
        check_claims(token.claims, issuers=ISSUERS, audience=audience, email=email, now=self._clock())
        url = door_setting(account, "google_certs_url")
        local = _LOOPBACK.match(url)
        if not permitted(url, _HOSTS, (local.group(1),) if local else ()):
            raise Unverified("keys are not read from that address")
        key = self._keys.get(url, lacks=lambda keys: token.kid not in keys).get(token.kid)
        if key is None:
            raise Unverified("signed by an unknown key")
        check_signature(token, key)

    def events(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The one notification of a call; a push subscription that takes off the wrapping sends it bare."""
        parsed, reason = read_body(call.body)
        if parsed is None:
            return (odd_event(call.body, reason),)
        if "message" not in parsed:
            return (event_of(account, call.body),)
        message = parsed["message"]
        try:
            return (event_of(account, base64.b64decode(message["data"], validate=True)),)
        except (binascii.Error, ValueError, TypeError, KeyError):
            return (odd_event(call.body, "the message of Pub/Sub holds no data"),)


def _token_of(call: IncomingCall) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
