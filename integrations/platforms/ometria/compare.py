"""Sent against stored, field by field: empty means that Ometria holds what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations.platforms.base import JsonObject

TOLERANCE = 0.005  # half of the smallest unit that rounding may move
# instructions to Ometria, not values it stores
INSTRUCTIONS = frozenset({"@type", "@merge", "@force_optin", "@add_to_lists", "@remove_from_lists"})
# lists whose order means nothing: the keys that identify a row
ROW_KEYS: Mapping[str, tuple[str, ...]] = {"attributes": ("type", "id"), "listings": ("store",), "variant_options": ("type", "id")}
# fields that Ometria shows under another name (contacts page, read-back)
ALIASES = {"@collection": "collection"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which the two ends disagree; `stored` is None when Ometria has no value."""

    field: str
    sent: Any
    stored: Any


def compare(payload: JsonObject, stored: JsonObject) -> list[Difference]:
    """Differences of the fields we sent; what Ometria derives or adds is not looked at."""
    sent = {name: value for name, value in payload.items() if name not in INSTRUCTIONS}
    shown = {**{name: stored[alias] for name, alias in ALIASES.items() if alias in stored}, **stored}
    return list(_object(sent, shown, ""))


def _object(sent: JsonObject, stored: JsonObject, prefix: str) -> Iterator[Difference]:
    for name, value in sent.items():
        yield from _value(value, stored.get(name), prefix + name, name)


def _value(sent: Any, stored: Any, path: str, name: str = "") -> Iterator[Difference]:
    if isinstance(sent, dict) and isinstance(stored, dict):
        yield from _object(sent, stored, path + ".")
    elif isinstance(sent, list) and isinstance(stored, list) and len(sent) == len(stored):
        ours, theirs = _in_order(sent, name), _in_order(stored, name)
        for position, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _value(one, other, f"{path}[{position}]")
    elif not _same(sent, stored):
        yield Difference(path, sent, stored)


def _in_order(rows: list[Any], name: str) -> list[Any]:
    keys = ROW_KEYS.get(name)
    if keys is None or not all(isinstance(row, dict) for row in rows):
        return rows
    return sorted(rows, key=lambda row: [str(row.get(key)) for key in keys])


def _same(sent: Any, stored: Any) -> bool:
    if sent in (None, "") and stored in (None, ""):
        return True
    if isinstance(sent, bool) or isinstance(stored, bool):
        return sent is stored
    if isinstance(sent, int | float) and isinstance(stored, int | float):
        return abs(sent - stored) < TOLERANCE
    if isinstance(sent, str) and isinstance(stored, str):
        return sent == stored or _same_text(sent, stored)
    return bool(sent == stored)


def _same_text(sent: str, stored: str) -> bool:
    """Times are equal as moments, e-mail addresses in any case."""
    if "@" in sent:
        return sent.strip().lower() == stored.strip().lower()
    if len(sent) < 19 or sent[4:5] != "-" or sent[10:11] != "T":
        return False
    try:
        moments = [datetime.fromisoformat(text) for text in (sent, stored)]
    except ValueError:
        return False
    ours, theirs = (moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments)
    return abs((ours - theirs).total_seconds()) < 1
