"""Checks of single values in an event: each gives the value as it is kept, or raises Wrong with what is wrong in plain words.

No message repeats the value: it may be somebody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

Check = Callable[[Any], Any]

EMPTY = frozenset({type(None), str, list, dict})  # kinds of value that may be there and say nothing
MAX_AMOUNT = Decimal(10) ** 9
MAX_PLACES = 6  # decimals of an amount; no currency has more than 4
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@(?:[^\s@.,;:<>()\[\]\\\"]+\.)+[^\s@.,;:<>()\[\]\\\"]{2,}")
_PHONE = re.compile(r"\+?[0-9][0-9 ().\-/]{4,30}")
_TOKEN = re.compile(r"[A-Za-z0-9_.:\-]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ADDRESS = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?", re.IGNORECASE)


class Wrong(Exception):  # noqa: N818 - named for the answer
    """A value that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Fields of an object by name; of each group in `one_of` at least one must be there."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = field(default=())

    def read(self, given: Any, path: str) -> dict[str, Any]:
        """The object with checked values and without empty ones; raises Wrong naming the field."""
        if not isinstance(given, dict):
            raise Wrong(f"{path} is not an object")
        if not given.keys() <= self.fields.keys():
            raise Wrong(f"{path} has a field that is not known here")
        found: dict[str, Any] = {}
        for name, value in given.items():
            if value or value.__class__ not in EMPTY:
                try:
                    found[name] = self.fields[name](value)
                except Wrong as fault:
                    raise Wrong(f"{path}.{name} {fault}") from fault
        for name in self.required:
            if name not in found:
                raise Wrong(f"{path}.{name} is missing")
        for group in self.one_of:
            if not any(name in found for name in group):
                raise Wrong(f"{path} needs {' or '.join(group)}")
        return found


def text(longest: int) -> Check:
    """A text without control characters, blanks around it removed."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Wrong("is not a text")
        if len(value) > longest:
            raise Wrong(f"is longer than {longest} characters")
        if _CONTROL.search(value):
            raise Wrong("holds a control character")
        if not value.strip():
            raise Wrong("is empty")
        return value.strip()

    return check


def identifier(longest: int) -> Check:
    """A text, or a whole number as many shops write their ids."""
    words = text(longest)
    return lambda value: str(value) if type(value) is int else words(value)


def matching(pattern: re.Pattern[str], longest: int, wrong: str, shortest: int = 1) -> Check:
    """A text of that form."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest or not pattern.fullmatch(value):
            raise Wrong(wrong)
        return value

    return check


def amount(value: Any) -> str:
    """Zero or more, in the currency's own units, as plain decimal text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        raise Wrong("is not a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Wrong("is not a number") from None
    if not number.is_finite() or not 0 <= number <= MAX_AMOUNT:
        raise Wrong("is not an amount between 0 and 1,000,000,000")
    return format(round(number, MAX_PLACES).normalize() + 0, "f")


def count(value: Any) -> int:
    """A whole number from 1 to 100,000."""
    if type(value) is not int or not 1 <= value <= 100_000:
        raise Wrong("is not a whole number from 1 to 100,000")
    return value


def moment(value: Any) -> datetime:
    """ISO 8601 with its offset from UTC."""
    try:
        found = datetime.fromisoformat(value)
        found = found.astimezone(UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        found = None
    if found is None or found < EARLIEST:
        raise Wrong("is not a time like 2026-01-09T10:00:00Z")
    return found


def rows(shape: Shape, longest: int) -> Check:
    """A list of objects of one shape."""

    def check(value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or len(value) > longest:
            raise Wrong(f"is not a list of at most {longest} entries")
        try:
            return [shape.read(entry, "line") for entry in value]
        except Wrong as fault:  # without the line's number: one fault of a shop is one question, not a hundred
            raise Wrong(f"holds an entry that cannot be used: {fault}") from fault

    return check


def extras(value: Any) -> dict[str, Any]:
    """Up to 20 values of the merchant's own, each a short text, a number or yes or no."""
    if not isinstance(value, dict) or len(value) > 20:
        raise Wrong("is not an object of at most 20 values")
    words = text(200)
    found: dict[str, Any] = {}
    for name, entry in value.items():
        if not _NAME.fullmatch(name):
            raise Wrong("has a name that is not letters, digits and underscores")
        if not isinstance(entry, bool) and (not isinstance(entry, int | float) or abs(entry) > 1e15):
            entry = words(entry)
        found[name] = entry
    return found


email = matching(_EMAIL, 254, "is not an e-mail address")
phone = matching(_PHONE, 32, "is not a phone number", shortest=5)
token = matching(_TOKEN, 100, "is not 8 to 100 letters, digits, dots, dashes or colons", shortest=8)
currency = matching(_CURRENCY, 3, "is not a currency code like GBP")
address = matching(_ADDRESS, 1000, "is not a web address")
