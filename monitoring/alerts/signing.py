"""Signatures of webhooks as Standard Webhooks 1.0 describes them: HMAC-SHA256 over id, time and body with a secret of both sides."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from secrets import token_bytes

PREFIX = "whsec_"
FEWEST, MOST = 24, 64  # bytes of a secret, by the specification


class BadSecret(Exception):
    """What was given is no secret of this kind; the text says what one looks like."""


def new_secret() -> str:
    """A fresh secret as people pass it on."""
    return PREFIX + base64.b64encode(token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret; raises BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as fault:
        raise BadSecret(f"A secret is “{PREFIX}” and base64 after it.") from fault
    if not secret.startswith(PREFIX) or not FEWEST <= len(key) <= MOST:
        raise BadSecret(f"A secret is “{PREFIX}” and {FEWEST} to {MOST} bytes in base64 after it.")
    return key


def signature(secret: str, uid: str, timestamp: int, body: bytes) -> str:
    """One signature with its version."""
    signed = hmac.new(key_of(secret), f"{uid}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def headers(secrets: Sequence[str], uid: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; with two secrets two signatures, so that a receiver can change over without a gap."""
    signed = " ".join(signature(secret, uid, timestamp, body) for secret in secrets)
    return {"webhook-id": uid, "webhook-timestamp": str(timestamp), "webhook-signature": signed}
