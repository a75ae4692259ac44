"""Reading single values out of a platform's JSON; each function says where it failed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import Unparsable
from mapping.money import quantise

T = TypeVar("T")

MAX_ADJUSTED = 20  # digits before the decimal point that money may have


def need(raw: Mapping[str, Any], *path: str) -> Any:
    """The value at a path; Unparsable names the path when a key is missing or the value is null."""
    value: Any = raw
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise Unparsable(f"missing {'.'.join(path)}")
    return value


def child(raw: Mapping[str, Any], *path: str) -> JsonObject:
    """The object at a path, an empty one when there is none."""
    value: Any = raw
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def rows(raw: Mapping[str, Any], *path: str) -> list[JsonObject]:
    """The objects of the list at a path, none where it is left out."""
    value: Any = raw
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def given(value: T | None, *names: str) -> T:
    """What was read under one of the names; raises Unparsable when it is None."""
    if value is None:
        raise Unparsable(f"missing {' or '.join(names)}")
    return value


def text(raw: Mapping[str, Any], *names: str) -> str:
    """The first non-empty value among the names, as text."""
    for name in names:
        value = raw.get(name)
        if value is not None and value != "" and not isinstance(value, (dict, list)):
            return str(value)
    return ""


def amount(value: object, currency: str, where: str) -> Decimal:
    """A decimal string or number in whole units of its currency; raises Unparsable for what is no finite amount."""
    try:
        number = Decimal(str(value))
        if not number.is_finite() or number.adjusted() > MAX_ADJUSTED:
            raise Unparsable(f"{where} is no amount: {str(value)[:40]!r}")
        return quantise(number, currency)
    except InvalidOperation as fault:
        raise Unparsable(f"{where} is no amount: {str(value)[:40]!r}") from fault


def count(raw: Mapping[str, Any], name: str, default: int = 0) -> int:
    """A whole number under a name; raises Unparsable when it is none."""
    value = raw.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Unparsable(f"{name} is no whole number: {str(value)[:40]!r}")
    try:
        return int(value)
    except ValueError as fault:
        raise Unparsable(f"{name} is no whole number: {str(value)[:40]!r}") from fault
