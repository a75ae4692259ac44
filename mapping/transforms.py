"""Named value transforms: what staff may do to a value on its way from source to target. Nothing typed is ever evaluated.

A step gets a value that is not empty (unless its transform says `on_empty`) and the run it belongs to, and gives the new value or
raises Invalid. Transforms of single values are applied to every entry of a list.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any, Protocol

import phonenumbers

from mapping.money import exponent, quantise, scale, unit

NAMESPACE = uuid.UUID("9b0ef1a6-6d0f-5c55-8f0e-7a3c9d1b2e44")  # ours alone, so that ids made here meet no one else's
MAX_DIGITS = 15  # what a JSON number keeps exactly (IEEE 754 double)
MAX_EMAIL = 254  # RFC 5321, path length less its brackets
EMAIL = re.compile(r"[^\s@,;:<>()\[\]\\\"]+@(?:[^\s@.,;:<>()\[\]\\\"]+\.)+[^\s@.,;:<>()\[\]\\\"]{2,}")
LISTS = frozenset({tuple, list})
WORDS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


class Run(Protocol):
    """What a step may know beyond its value."""

    currency: str
    country: str

    def table(self, name: str) -> Mapping[str, str]:
        """The value table of that name; empty when there is none."""


class Invalid(Exception):  # noqa: N818 - named for the answer
    """A value that cannot be used: the kind of exception it raises, what is wrong, and the question's subject when it has one."""

    def __init__(self, kind: str, message: str, subject: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.subject = kind, message, subject


class BadArgument(ValueError):  # noqa: N818 - named for the answer
    """A transform that does not exist, or an argument it cannot work with; the message says it in plain words."""


Step = Callable[[Any, Run], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a transform in a rule; `argument` is a JSON scalar, None where the transform takes none."""

    name: str
    argument: str | int | bool | None = None


@dataclass(frozen=True, slots=True)
class Transform:
    """A named transform as the editor lists it. `takes` is "", "optional" or "required"."""

    name: str
    label: str
    input: str
    output: str
    make: Callable[[Any], Step]
    takes: str = ""
    argument_label: str = ""
    on_empty: bool = False
    lists: bool = False  # works on a list as a whole


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """A step ready to run."""

    apply: Step
    on_empty: bool


@cache
def step(call: Call) -> CompiledStep:
    """The step of a call; raises BadArgument for an unknown transform, or an argument that is missing, not wanted or wrong."""
    transform = TRANSFORMS.get(call.name)
    if transform is None:
        raise BadArgument(f"there is no transform “{call.name}”")
    given = call.argument is not None and call.argument != ""
    if given and not transform.takes:
        raise BadArgument(f"“{transform.label}” takes no argument")
    if not given and transform.takes == "required":
        raise BadArgument(f"“{transform.label}” needs: {transform.argument_label}")
    apply = transform.make(call.argument if given else None)
    return CompiledStep(apply if transform.lists else _each(apply), transform.on_empty)


def number(value: Any, currency: str) -> int | float:
    """A Decimal as a JSON number with its currency's decimals, rounded before it becomes binary; raises Invalid past 15 digits."""
    amount = value if value.__class__ is Decimal and value.is_finite() else decimal(value)
    digits, smallest = scale(currency)
    if amount and amount.adjusted() + 1 + digits > MAX_DIGITS:
        raise Invalid("bad_value", "the number has more digits than the destination can hold")
    whole = amount.quantize(smallest, ROUND_HALF_UP)
    return float(whole) + 0.0 if digits else int(whole)  # + 0.0 turns a negative zero into a plain one


def decimal(value: Any) -> Decimal:
    """Any number or numeric text as a finite Decimal; raises Invalid."""
    if isinstance(value, Decimal):
        found = value
    elif isinstance(value, bool):
        raise Invalid("bad_value", "yes or no is not a number")
    else:
        try:
            found = Decimal(str(value).strip())
        except InvalidOperation:
            raise Invalid("bad_value", "the value is not a number") from None
    if not found.is_finite():
        raise Invalid("bad_value", "the value is not a number")
    return found


def iso_datetime(value: Any) -> str:
    """An aware time as "2026-01-09T10:00:00Z"; raises Invalid for text that is no time."""
    return _moment(value).astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def text(value: Any) -> str:
    """Any scalar as people write it in JSON: true, 12.50, 2026-01-09T10:00:00Z."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return iso_datetime(value) if isinstance(value, datetime) else str(value)


@lru_cache(maxsize=4096)
def e164(value: str, country: str) -> str:
    """A phone number in E.164, or "" when libphonenumber says that it cannot exist."""
    try:
        parsed = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(parsed) else ""


def email(value: str) -> str:
    """An address trimmed and in lower case, or "" when it is none."""
    address = value.strip().lower()
    return address if len(address) <= MAX_EMAIL and EMAIL.fullmatch(address) else ""


# --- the makers: argument → step ---------------------------------------------------------------------------------------


def _each(apply: Step) -> Step:
    def run(value: Any, run: Run) -> Any:
        if value.__class__ in LISTS:
            return [apply(entry, run) for entry in value]
        return apply(value, run)

    return run


def _plain(function: Callable[[Any], Any]) -> Callable[[Any], Step]:
    """A maker for a transform without argument that needs only the value."""
    return lambda _argument: lambda value, _run: function(value)


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        try:
            value = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise Invalid("bad_value", "the value is not a date or time") from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _iso_date(value: Any) -> str:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return value.isoformat() if is_day else _moment(value).astimezone(UTC).date().isoformat()


def _boolean(value: Any) -> bool:
    found = WORDS.get(text(value).strip().lower())
    if found is None:
        raise Invalid("bad_value", "the value is neither yes nor no")
    return found


def _email(value: Any) -> str:
    found = email(text(value))
    if not found:
        raise Invalid("bad_email", "the e-mail address is not one that mail can be sent to")
    return found


def _e164(argument: Any) -> Step:
    default = _country(argument)

    def apply(value: Any, run: Run) -> str:
        found = e164(text(value).strip(), run.country or default)
        if not found:
            raise Invalid("bad_phone", "the phone number is not one that can exist")
        return found

    return apply


def _country(argument: Any) -> str:
    code = str(argument or "").upper()
    if code and code not in phonenumbers.SUPPORTED_REGIONS:
        raise BadArgument(f"“{argument}” is not a two-letter country code")
    return code


def _number(argument: Any) -> Step:
    if argument is None:
        return lambda value, run: number(value, run.currency)
    digits = unit(_whole(argument, "decimals", least=0))

    def apply(value: Any, run: Run) -> float:
        amount = decimal(value)
        if amount and amount.adjusted() + 1 - int(digits.as_tuple().exponent) > MAX_DIGITS:
            raise Invalid("bad_value", "the number has more digits than the destination can hold")
        return float(amount.quantize(digits, ROUND_HALF_UP)) + 0.0

    return apply


def _minor_units(value: Any, run: Run) -> int:
    return int(quantise(decimal(value), run.currency).scaleb(exponent(run.currency)))


def _lookup(argument: Any) -> Step:
    name = str(argument)

    def apply(value: Any, run: Run) -> str:
        table, word = run.table(name), text(value)
        if word in table:
            return table[word]
        if "*" in table:
            return word if table["*"] == "*" else table["*"]
        raise Invalid("unmapped_value", f"the value table “{name}” has no row for “{word}”", f"{name}:{word}")

    return apply


def _join(argument: Any) -> Step:
    separator = "," if argument is None else str(argument)
    return lambda value, _run: separator.join(map(text, value)) if value.__class__ in LISTS else value


def _first(value: Any, _run: Run) -> Any:
    return (value[0] if value else None) if value.__class__ in LISTS else value


def _take(argument: Any) -> Step:
    size = _whole(argument, "number of entries", least=1)
    return lambda value, _run: list(value[:size]) if value.__class__ in LISTS else value


def _filled(value: Any, _run: Run) -> Any:
    return [entry for entry in value if entry not in (None, "")] if value.__class__ in LISTS else value


def _truncate(argument: Any) -> Step:
    size = _whole(argument, "number of characters", least=1)
    return lambda value, _run: text(value)[:size]


def _whole(argument: Any, what: str, *, least: int) -> int:
    if isinstance(argument, bool) or not re.fullmatch(r"\d{1,6}", str(argument)) or int(argument) < least:
        raise BadArgument(f"give the {what} as a whole number from {least}")
    return int(argument)


def _default(argument: Any) -> Step:
    return lambda value, _run: argument if value is None or value == "" or value == () or value == [] else value


def _prefix(argument: Any) -> Step:
    return lambda value, _run: f"{argument}{text(value)}"


def _without(argument: Any) -> Step:
    return lambda value, _run: text(value).replace(str(argument), "")


def _uuid5_hex(argument: Any) -> Step:
    space = NAMESPACE if argument is None else uuid.uuid5(NAMESPACE, str(argument))
    return lambda value, _run: uuid.uuid5(space, text(value)).hex


def _slug(value: Any) -> str:
    word = text(value).strip().lower()
    return re.sub(r"[\W_]+", "-", word).strip("-") or word  # a word of signs alone stays itself


def _sha256(value: Any) -> str:
    return hashlib.sha256(text(value).encode("utf-8", "surrogatepass")).hexdigest()


TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (
        Transform("lower", "Lower case", "string", "string", _plain(lambda value: text(value).lower())),
        Transform("upper", "Upper case", "string", "string", _plain(lambda value: text(value).upper())),
        Transform("trim", "Remove blanks around", "string", "string", _plain(lambda value: text(value).strip())),
        Transform("slug", "Words with dashes (“Dark Red” → “dark-red”)", "string", "string", _plain(_slug)),
        Transform("email", "E-mail address, checked", "string", "string", _plain(_email)),
        Transform("e164", "International phone number, checked", "string", "string", _e164, "optional", "country when the person has none"),
        Transform("sha256", "SHA-256", "string", "string", _plain(_sha256)),
        Transform("minor_units", "Smallest units (12.50 → 1250)", "money", "integer", lambda _: _minor_units),
        Transform("iso_date", "Date (2026-01-09)", "datetime", "string", _plain(_iso_date)),
        Transform("iso_datetime", "Date and time in UTC", "datetime", "string", _plain(iso_datetime)),
        Transform("lookup", "Translate by value table", "string", "string", _lookup, "required", "name of the value table"),
        Transform("join", "Join a list to text", "list", "string", _join, "optional", "text between (a comma)", lists=True),
        Transform("first", "First entry of a list", "list", "any", lambda _: _first, lists=True),
        Transform("take", "Only the first entries of a list", "list", "list", _take, "required", "number of entries", lists=True),
        Transform("filled", "Without the empty entries of a list", "list", "list", lambda _: _filled, lists=True),
        Transform("default", "When empty, use", "any", "any", _default, "required", "value", on_empty=True, lists=True),
        Transform("negate", "Change the sign", "money", "money", _plain(lambda value: 0 - decimal(value))),
        Transform("number", "Number", "money", "number", _number, "optional", "decimals (else the currency's)"),
        Transform("nonzero", "Leave out when zero", "money", "money", _plain(lambda value: value if decimal(value) else None)),
        Transform("prefix", "Put text before", "string", "string", _prefix, "required", "text"),
        Transform("without", "Remove a text", "string", "string", _without, "required", "text to remove"),
        Transform("truncate", "Cut to a length", "string", "string", _truncate, "required", "number of characters"),
        Transform("string", "Text", "any", "string", _plain(text)),
        Transform("boolean", "Yes or no", "any", "boolean", _plain(_boolean)),
        Transform("not", "The opposite", "boolean", "boolean", _plain(lambda value: not _boolean(value))),
        Transform("uuid5_hex", "Id of 32 characters made from the value", "string", "string", _uuid5_hex, "optional", "name space"),
    )
}
