"""The two signatures of TikTok Shop: that of a request to its API and that of a webhook it sends."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

UNSIGNED = frozenset({"sign", "access_token"})


def request_signature(secret: str, path: str, query: Mapping[str, str], body: bytes = b"") -> str:
    """Lower-case hex HMAC-SHA256 over path, sorted decoded parameters and the raw body, wrapped in the secret.

    Source: Partner docs, "Sign your API request". `path` as sent, without host and query; a multipart body is left out by the caller.
    """
    text = path + "".join(f"{name}{query[name]}" for name in sorted(query) if name not in UNSIGNED)
    key = secret.encode()
    return hmac.new(key, key + text.encode() + body + key, hashlib.sha256).hexdigest()


def webhook_signature(secret: str, app_key: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 over app key and raw body (Partner docs, "TTS webhooks overview")."""
    return hmac.new(secret.encode(), app_key.encode() + body, hashlib.sha256).hexdigest()
