"""Bodies of incoming calls as the inbox can hold them: an object, no NUL, no bottomless nesting, no number the database refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from integrations.platforms.base import JsonObject

MAX_DEPTH = 100
MAX_EXCERPT = 64 * 1024

_TINY_NUMBER = re.compile(rb"[0-9][eE]-[0-9]{3,}")
_LONG_NUMBER = re.compile(rb"[0-9]{10000,}")


def read_body(body: bytes) -> tuple[JsonObject | None, str]:
    """The body as an object that the database can hold, else None and the reason."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        return None, f"not JSON: {str(fault)[:200]}"
    if not isinstance(parsed, dict):
        return None, "not a JSON object"
    if b"\\u0000" in body and _holds_nul(parsed):
        return None, "holds a NUL character"
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper_than(parsed, MAX_DEPTH):
        return None, f"nested deeper than {MAX_DEPTH}"
    return parsed, ""


def extreme_number(body: bytes) -> bool:
    """Whether legal JSON may hold a number with more decimals than PostgreSQL's numeric takes (16383); orjson refuses too large ones."""
    tiny = (b"e-" in body or b"E-" in body) and _TINY_NUMBER.search(body)
    return bool(tiny) or (len(body) > 10_000 and _LONG_NUMBER.search(body) is not None)


def unreadable(body: bytes, reason: str) -> bytes:
    """What is kept of a body that cannot be stored as it is: an escaped excerpt, at most 64 KB of JSON, and why."""
    excerpt = body[:MAX_EXCERPT].decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    while len(stored := orjson.dumps({"raw": excerpt, "reason": reason})) > MAX_EXCERPT:
        excerpt = excerpt[: len(excerpt) // 2]
    return stored


def raw_reason(data: Mapping[str, Any]) -> str:
    """Why a stored body could not be read, empty for a body that could."""
    return str(data.get("reason") or "unreadable") if set(data) == {"raw", "reason"} else ""


def _deeper_than(parsed: Any, limit: int) -> bool:
    level: list[Any] = [parsed]
    for _ in range(limit):
        level = [
            child for item in level for child in (item.values() if isinstance(item, dict) else item) if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _holds_nul(parsed: Any) -> bool:
    waiting: list[Any] = [parsed]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and "\x00" in item:
            return True
        if isinstance(item, dict):
            waiting += item.keys()
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False
