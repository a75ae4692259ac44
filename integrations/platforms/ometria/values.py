"""Checks of single values: each returns what is wrong in plain words, or an empty string. No message repeats the value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache

import phonenumbers
from babel.numbers import list_currencies

ValueCheck = Callable[[object], str]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_COUNTRY = re.compile(r"[A-Z]{2}")
CURRENCIES = frozenset(list_currencies())

NOT_TEXT = "is not a text"


def text(longest: int | None, *, empty: bool = False) -> ValueCheck:
    """A text of at most `longest` characters; `empty` allows none at all."""
    shortest = 0 if empty else 1

    def check(value: object) -> str:
        if type(value) is not str:
            return NOT_TEXT
        size = len(value)
        if size < shortest:
            return "is empty"
        if longest is not None and size > longest:
            return f"is longer than {longest} characters ({size})"
        return ""

    return check


def choice(allowed: tuple[str, ...]) -> ValueCheck:
    """One of these texts, case-sensitive."""
    known, wrong = frozenset(allowed), "is not one of " + ", ".join(allowed)
    return lambda value: "" if type(value) is str and value in known else wrong


def boolean(value: object) -> str:
    """A real boolean."""
    return "" if type(value) is bool else "is neither true nor false"


def number(value: object) -> str:
    """A finite JSON number."""
    if type(value) is int:
        return ""
    if type(value) is not float:
        return "is not a number"
    return "" if math.isfinite(value) else "is not a finite number"


def positive(value: object) -> str:
    """A number above zero."""
    return number(value) or ("" if value > 0 else "must be above zero")  # type: ignore[operator]


def integer(value: object) -> str:
    """A whole number of zero or more."""
    if type(value) is not int:
        return "is not a whole number"
    return "" if value >= 0 else "must not be negative"


def moment(value: object) -> str:
    """ISO 8601 date and time with seconds, with or without an offset."""
    if type(value) is str and _MOMENT.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return "is not a date and time that exists"
        return ""
    return "is not an ISO 8601 date and time"


def day(value: object) -> str:
    """YYYY-MM-DD."""
    if type(value) is str and _DAY.fullmatch(value):
        try:
            date.fromisoformat(value)
        except ValueError:
            return "is not a date that exists"
        return ""
    return "is not a date like 2026-01-31"


def email(value: object) -> str:
    """An address with one @ and a domain, at most 255 characters."""
    if type(value) is not str:
        return NOT_TEXT
    if len(value) > 255:
        return f"is longer than 255 characters ({len(value)})"
    return "" if _EMAIL.fullmatch(value) else "is not an e-mail address"


def phone(value: object) -> str:
    """E.164 by libphonenumber's rules, as Ometria validates it."""
    if type(value) is not str or not _E164.fullmatch(value):
        return "is not a phone number in E.164 form, like +442071838750"
    return "" if _exists(value) else "is not a phone number that can exist"


@lru_cache(maxsize=20_000)
def _exists(value: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return False


def country(value: object) -> str:
    """Two capital letters, ISO 3166-1."""
    return "" if type(value) is str and _COUNTRY.fullmatch(value) else "is not a two-letter country code in capitals"


def currency(value: object) -> str:
    """A known ISO 4217 code."""
    return "" if type(value) is str and value in CURRENCIES else "is not an ISO 4217 currency code"


def plain_list(longest: int | None) -> ValueCheck:
    """A list of texts with at most `longest` entries."""

    def check(value: object) -> str:
        if type(value) is not list:
            return "is not a list"
        if longest is not None and len(value) > longest:
            return f"has more than {longest} entries ({len(value)})"
        return "" if all(type(entry) is str for entry in value) else "holds something that is not a text"

    return check


def any_object(value: object) -> str:
    """A JSON object of any keys."""
    return "" if type(value) is dict else "is not an object"
