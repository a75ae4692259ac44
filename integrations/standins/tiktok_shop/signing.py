"""Both signatures of the platform, computed from what really came in: of requests and of webhooks."""

import hashlib
import hmac
from collections.abc import Mapping

UNSIGNED = frozenset({"sign", "access_token"})


def request_signature(secret: str, path: str, query: Mapping[str, str], *, body: bytes = b"", content_type: str = "") -> str:
    """Lower-case hex for a request; ``query`` holds decoded values, ``path`` no host and no query (page "Sign your API request")."""
    words = "".join(key + query[key] for key in sorted(query, key=str.encode) if key not in UNSIGNED)
    signed = b"" if content_type.startswith("multipart/form-data") else body
    message = secret.encode() + (path + words).encode() + signed + secret.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def webhook_signature(app_key: str, secret: str, body: bytes) -> str:
    """Lower-case hex over app key and raw body (page "TTS webhooks overview")."""
    return hmac.new(secret.encode(), app_key.encode() + body, hashlib.sha256).hexdigest()
