"""The envelope of every answer: its code decides the error family, whatever the HTTP status says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.http import retry_after

THROTTLED, OVERLOADED, NO_SCOPE, NO_DATA = "36009002", "36009004", "105005", "36009003"
MAX_WORDS = 300  # characters of the platform's own message that are kept
Family = type[PlatformError]

# Codes of "Common errors" (Partner docs) → family and remedy; an empty remedy leaves the platform's own words.
CODES: Mapping[str, tuple[Family, str]] = {
    "36009003": (TryLater, ""),
    "36009007": (TryLater, ""),
    "33001002": (TryLater, ""),
    "12001000": (TryLater, ""),
    "105002": (Reconnect, "The access token has ended: it is renewed, or the seller must authorise the app again."),
    "101000": (Reconnect, "Token and shop do not belong together: let the seller authorise the app again."),
    "36004004": (Reconnect, "TikTok Shop has ended this authorisation: let the seller authorise the app again."),
    NO_SCOPE: (Misconfigured, "A scope is missing: enable it for the app in Partner Center, then let the seller authorise it again."),
    "106001": (Misconfigured, "TikTok Shop does not accept the signature: check app key and app secret."),
    "106013": (Misconfigured, "The call named no shop: let the seller authorise the app again."),
    "36009033": (Misconfigured, "This server's address is not on the app's IP allow list: add it in Partner Center."),
}
PASSING_PREFIXES = ("1000201", "1003700")  # families of transient faults whose last digit varies
CLOCK = (
    TryLater,
    "This server's clock differs from TikTok Shop's by more than it allows (five minutes late, thirty seconds early): "
    "switch on time synchronisation.",
)
# Code 36009004 says everything and nothing: the first fragment found in its message decides.
MESSAGES: tuple[tuple[str, tuple[Family, str]], ...] = (
    ("x-tts-access-token", (Reconnect, "TikTok Shop does not know the access token: let the seller authorise the app again.")),
    ("missing", (Refused, "")),
    ("5 minutes", CLOCK),
    ("30 seconds", CLOCK),
    ("lesser than 0", CLOCK),
    ("timestamp", CLOCK),
    ("app_key", (Misconfigured, "TikTok Shop does not know the app key: check it.")),
)
STATUSES: tuple[tuple[Callable[[int], bool], Family], ...] = (
    (lambda status: status in (401, 403), Reconnect),
    (lambda status: status == 408 or status >= 500, TryLater),
)


def data_of(answer: Any, headers: Mapping[str, str]) -> JsonObject:
    """The data of a successful answer, empty where it has none; raises the family of any other."""
    if not isinstance(answer, dict) or "code" not in answer:
        raise TryLater("TikTok Shop's answer was not in its usual envelope.", code="no_envelope")
    if str(answer["code"]) != "0":
        raise fault_of(answer, status=200, headers=headers)
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def judge(status: int, headers: Mapping[str, str], body: bytes) -> PlatformError | None:
    """The fault that a body of an unsuccessful HTTP answer tells; a 503 is an outage and never throttling."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, dict) and str(answer.get("code", "0")) != "0":
        return fault_of(answer, status=status, headers=headers)
    return TryLater(f"HTTP {status}", status=status, code=str(status)) if status == 503 else None


def fault_of(answer: Mapping[str, Any], *, status: int, headers: Mapping[str, str]) -> PlatformError:
    """The fault of an envelope whose code is not zero, in plain words with the platform's own behind them."""
    code, said, request_id = str(answer.get("code")), str(answer.get("message") or "")[:MAX_WORDS], str(answer.get("request_id") or "")
    if code == THROTTLED or status == 429:
        return SlowDown(
            f"TikTok Shop asks for a pause: {said}", seconds=retry_after(headers), stated="Retry-After" in headers,
            status=status, code=code, request_id=request_id,
        )  # fmt: skip
    family, remedy = _family(code, said.lower(), status)
    return family(f"{remedy} ({code}: {said})" if remedy else f"{code}: {said}", status=status, code=code, request_id=request_id)


def _family(code: str, said: str, status: int) -> tuple[Family, str]:
    if code in CODES:
        return CODES[code]
    if code == OVERLOADED:
        return next((verdict for fragment, verdict in MESSAGES if fragment in said), (Refused, ""))
    if code.startswith(PASSING_PREFIXES):
        return TryLater, ""
    return next((family for fits, family in STATUSES if fits(status)), Refused), ""
