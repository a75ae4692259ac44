"""What commercetools says when a call fails: `errors[].code` decides the error family before the HTTP status does.

Infrastructure in front of it answers 502, 503 and 504 without JSON; those keep the family of their status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.http import retry_after

MAX_WORDS = 300  # characters of the platform's own message that are kept
NOT_FOUND, NO_SCOPE = "ResourceNotFound", "insufficient_scope"
CORRELATION = "X-Correlation-ID"  # what its support asks for; the answer repeats ours


class Conflict(TryLater):
    """Somebody else changed the resource since it was read: read it again, and decide anew."""


class TooLarge(Refused):
    """The answer would be larger than commercetools sends: ask for a smaller page."""


Family = type[PlatformError]

# Code → family and remedy; an empty remedy leaves the platform's own words. Codes that are not named follow their status.
CODES: Mapping[str, tuple[Family, str]] = {
    "ConcurrentModification": (Conflict, ""),
    "LockedField": (TryLater, ""),
    "PendingOperation": (TryLater, ""),
    "General": (TryLater, ""),
    "BadGateway": (TryLater, ""),
    "QueryTimedOut": (TooLarge, ""),
    "ContentTooLarge": (TooLarge, ""),
    "invalid_token": (Reconnect, "commercetools does not know the access token any more: it is renewed, or the API client is gone."),
    "invalid_client": (Misconfigured, "commercetools does not know this client id and secret: check both, and the region's address."),
    "invalid_scope": (Misconfigured, "The API client does not have every scope that is asked for: correct the list, or empty it."),
    NO_SCOPE: (Misconfigured, "A scope is missing: make an API client that has it, then enter its id and secret."),
    "access_denied": (Misconfigured, "commercetools denies access: make an API client with the scopes, then enter its id and secret."),
    "unauthorized": (Reconnect, ""),
}
THROTTLED = frozenset({"OverCapacity"})
TOO_LARGE = 413


def judge(status: int, headers: Mapping[str, str], body: bytes) -> PlatformError | None:
    """The fault that an unsuccessful answer tells, None where only its status speaks."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    code, said = _told(answer) if isinstance(answer, dict) else ("", "")
    request_id = headers.get(CORRELATION, "")
    if code in THROTTLED or (status == 429 and code):
        return SlowDown(
            f"commercetools asks for a pause: {said}", seconds=retry_after(headers), stated="Retry-After" in headers,
            status=status, code=code, request_id=request_id,
        )  # fmt: skip
    family, remedy = CODES.get(code) or (_by_status(status), "")
    if family is None or not code:
        return TooLarge(f"HTTP {status}", status=status, code=str(status), request_id=request_id) if status == TOO_LARGE else None
    return family(f"{remedy} ({code}: {said})" if remedy else f"{code}: {said}", status=status, code=code, request_id=request_id)


def _told(answer: Mapping[str, Any]) -> tuple[str, str]:
    """The first error's code and words; OAuth's own field says it where there is no list."""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = str(first.get("code") or answer.get("error") or "")
    said = first.get("message") or answer.get("message") or answer.get("error_description") or ""
    return code, str(said)[:MAX_WORDS]


def _by_status(status: int) -> Family | None:
    """The family of a code that the table does not name: refused for good, unless the status says that it passes."""
    if status == TOO_LARGE:
        return TooLarge
    return Refused if 400 <= status < 500 and status not in (401, 403, 408, 423, 425, 429) else None
