"""Validation by tables: which keys an object may have, what their values must look like, and where it went wrong."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

import orjson
import phonenumbers

Check = Callable[[object], bool]
Path = tuple[str | int, ...]

INVALID = "not a valid value"
MISSING = "required value is missing"
ROOT = ("root",)

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d(:?\d\d)?)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding; the path is written as Ometria does (``root > lineitems > 0 > sku``)."""

    path: str
    message: str = INVALID


@dataclass(frozen=True, slots=True)
class Shape:
    """Keys of an object: plain values by check, nested objects and lists by shape, and what no single key can tell."""

    values: Mapping[str, Check]
    objects: Mapping[str, "Shape"] = field(default_factory=dict)
    lists: Mapping[str, "Shape"] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    # of each group at least one key must be there
    one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(slots=True)
class Findings:
    """What was found in one record: problems, and keys nobody knows (list positions written as ``*``)."""

    problems: list[Problem] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def inspect_values(shape: Shape, record: dict, findings: Findings, path: Path = ROOT) -> None:
    """Check the keys that are there; unknown keys are removed from the record and reported."""
    unknown: list[str] = []
    checks, objects, lists = shape.values, shape.objects, shape.lists
    for name, value in record.items():
        if name in checks:
            if not checks[name](value):
                findings.problems.append(Problem(_written((*path, name))))
        elif name in objects:
            _inspect_object(objects[name], value, findings, (*path, name))
        elif name in lists:
            _inspect_list(lists[name], value, findings, (*path, name))
        else:
            unknown.append(name)
    for name in unknown:
        del record[name]
        findings.unknown.append(_written(tuple("*" if type(part) is int else part for part in (*path, name))))


def inspect_required(shape: Shape, record: Mapping, findings: Findings, path: Path = ROOT) -> None:
    """Check that nothing needed is absent on this level."""
    for name in shape.required:
        if name not in record:
            findings.problems.append(Problem(_written((*path, name)), MISSING))
    for group in shape.one_of:
        for name in group:
            if name in record:
                break
        else:
            findings.problems.append(Problem(_written((*path, group[0])), MISSING))


def _inspect_object(shape: Shape, value: object, findings: Findings, path: Path) -> None:
    if type(value) is not dict:
        findings.problems.append(Problem(_written(path)))
        return
    inspect_values(shape, value, findings, path)
    inspect_required(shape, value, findings, path)


def _inspect_list(shape: Shape, value: object, findings: Findings, path: Path) -> None:
    if type(value) is not list:
        findings.problems.append(Problem(_written(path)))
        return
    for position, item in enumerate(value):
        _inspect_object(shape, item, findings, (*path, position))


def _written(path: Path) -> str:
    return " > ".join(map(str, path))


def text(longest: int | None = None, shortest: int = 0) -> Check:
    """A string within bounds, in characters."""
    if longest is None:
        return lambda value: type(value) is str and len(value) >= shortest
    return lambda value: type(value) is str and shortest <= len(value) <= longest


def choice(*values: str) -> Check:
    """One of these strings, case-sensitive."""
    allowed = frozenset(values)
    return lambda value: type(value) is str and value in allowed


def matching(pattern: re.Pattern[str], longest: int = 255) -> Check:
    """A string that fits the whole pattern."""
    fits = pattern.fullmatch
    return lambda value: type(value) is str and len(value) <= longest and fits(value) is not None


def capitals(length: int) -> Check:
    """So many letters A to Z, as in ISO 3166-1 and ISO 4217 codes."""
    return lambda value: type(value) is str and len(value) == length and value.isascii() and value.isalpha() and value.isupper()


def list_of(check: Check, longest: int | None = None) -> Check:
    """An array of such values."""
    return lambda value: type(value) is list and (longest is None or len(value) <= longest) and all(map(check, value))


def nullable(check: Check) -> Check:
    """Such a value or null, where null clears."""
    return lambda value: value is None or check(value)


def boolean(value: object) -> bool:
    """A real boolean."""
    return value is True or value is False


def number(value: object) -> bool:
    """A JSON number."""
    return type(value) is float or type(value) is int


def positive(value: object) -> bool:
    """A JSON number above zero."""
    return number(value) and value > 0  # type: ignore[operator]


def integer(value: object) -> bool:
    """A JSON number without a fraction."""
    return type(value) is int


def list_id(value: object) -> bool:
    """Segment ids are seen as strings and as integers."""
    return type(value) in (str, int)


def any_object(value: object) -> bool:
    """A JSON object."""
    return type(value) is dict


def properties(value: object) -> bool:
    """A JSON object of less than 1,000 characters, keys included."""
    return type(value) is dict and (not value or len(orjson.dumps(value).decode()) < 1_000)


email = matching(_EMAIL)
country = capitals(2)
currency = capitals(3)


def moment(value: object) -> bool:
    """ISO 8601 date and time, with or without an offset or fractions."""
    if type(value) is not str or _MOMENT.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def day(value: object) -> bool:
    """YYYY-MM-DD."""
    if type(value) is not str or _DAY.fullmatch(value) is None:
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def phone(value: object) -> bool:
    """E.164 with a plausible length for its country (fictional ranges for examples pass, so demos can use them)."""
    return type(value) is str and _E164.fullmatch(value) is not None and _plausible(value)


@lru_cache(maxsize=50_000)
def _plausible(value: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return False
