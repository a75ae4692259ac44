"""Values that a source shows instead of a person's own: recognised by editable rules and taken out of a record. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from mapping.records import Address, Checkout, Customer, Event, Order, Record
from mapping.transforms import e164

MASKED = "masked"  # the attribute that names what was taken out
ADDRESS_FIELDS = ("first_name", "last_name", "company", "line1", "line2", "city", "region", "postcode", "phone")
Test = tuple[Callable[[str, str], bool], str]  # and its pattern
FieldTests = tuple[tuple[str, tuple[Test, ...]], ...]  # those fields that any rule is about, with its tests
PERSON_FIELDS = ("email", "phone", "first_name", "last_name")


class MaskedField(StrEnum):
    """What a rule looks at; ANY is every text of a person, their address included."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    ANY = "any"


class How(StrEnum):
    """How a rule recognises a value; upper and lower case are the same to all of them."""

    DOMAIN = "domain"
    LABEL = "label"
    CONTAINS = "contains"
    MATCHES = "matches"


@dataclass(frozen=True, slots=True)
class Mask:
    """One way to recognise a masked value. In a pattern for MATCHES "*" stands for any text and "?" for one character."""

    field: str
    how: str
    pattern: str


class Tests(NamedTuple):
    """What is asked of the fields of a person and of an address."""

    person: FieldTests
    address: FieldTests


KINDS = {"email": MaskedField.EMAIL, "phone": MaskedField.PHONE, "first_name": MaskedField.NAME, "last_name": MaskedField.NAME}


def strip_masked(record: Record, rules: Sequence[Mask]) -> Record:
    """The record without the values that a rule recognises; `attributes["masked"]` names them where the record has attributes.

    A phone of a partial customer that no telephone has goes the same way: there is nobody who could correct it.
    """
    tests = _tests(tuple(rules))
    if isinstance(record, Customer):
        return _customer(record, tests)
    if isinstance(record, Order):
        return _order(record, tests)
    if isinstance(record, Checkout | Event):
        ref, _ = _cleared(record.customer, tests.person)
        return record if ref is record.customer else replace(record, customer=ref)
    return record


def is_masked(kind: str, value: str, rules: Sequence[Mask]) -> bool:
    """Whether a rule for this kind of value (email, phone, name, any) recognises it."""
    return _recognised(value, _tests_of(kind, rules))


def _customer(customer: Customer, tests: Tests) -> Customer:
    stripped, gone = _cleared(customer, tests.person)
    addresses, hidden = _addresses(customer.addresses, tests)
    gone += hidden
    if customer.partial and stripped.phone and not e164(stripped.phone.strip(), customer.country):
        stripped, gone = replace(stripped, phone=""), [*gone, "phone"]
    return replace(stripped, addresses=addresses, attributes=_noted(customer.attributes, gone)) if gone else customer


def _order(order: Order, tests: Tests) -> Order:
    ref, gone = _cleared(order.customer, tests.person)
    places: dict[str, Address | None] = {}
    for name in ("shipping_address", "billing_address"):
        place = getattr(order, name)
        (places[name],), hidden = _addresses((place,), tests) if place is not None else ((None,), [])
        gone += hidden
    return replace(order, customer=ref, **places, attributes=_noted(order.attributes, gone)) if gone else order


def _addresses(addresses: Sequence[Address], tests: Tests) -> tuple[Sequence[Address], list[str]]:
    if not tests.address:
        return addresses, []
    pairs = [_cleared(address, tests.address) for address in addresses]
    return tuple(address for address, _ in pairs), [f"address.{name}" for _, gone in pairs for name in gone]


def _cleared(person: Any, tests: FieldTests) -> tuple[Any, list[str]]:
    """The person or address with masked fields empty, and their names."""
    gone = [name for name, found in tests if (value := getattr(person, name)) and _recognised(value, found)]
    return (replace(person, **dict.fromkeys(gone, "")), gone) if gone else (person, gone)


def _recognised(value: str, tests: Sequence[Test]) -> bool:
    text = value.strip().casefold()
    return bool(text) and any(test(text, pattern) for test, pattern in tests)


@lru_cache(maxsize=64)
def _tests(rules: tuple[Mask, ...]) -> Tests:
    """The rules made ready for a person and for an address: most sources have none for addresses."""
    return Tests(_looked_at(PERSON_FIELDS, rules), _looked_at(ADDRESS_FIELDS, rules))


def _looked_at(fields: Sequence[str], rules: Sequence[Mask]) -> FieldTests:
    tests = ((name, _tests_of(KINDS.get(name, MaskedField.ANY), rules)) for name in fields)
    return tuple((name, found) for name, found in tests if found)


def _tests_of(kind: str, rules: Sequence[Mask]) -> tuple[Test, ...]:
    return tuple((TESTS[rule.how], rule.pattern.casefold()) for rule in rules if rule.field in (kind, MaskedField.ANY))


def _noted(attributes: dict[str, object], gone: Sequence[str]) -> dict[str, object]:
    known = attributes.get(MASKED)
    return {**attributes, MASKED: sorted({*(known if isinstance(known, list | tuple) else ()), *gone})}


def _domain(text: str) -> str:
    return text.rpartition("@")[2] if "@" in text else ""


def _wild(text: str, pattern: str) -> bool:
    """Runs of "*" are one, and every part is sought once from left to right, so that no pattern can take long."""
    first, *rest = _parts(pattern)
    if not rest:
        return len(text) == len(first) and _fits(text, first)
    *middle, last = rest
    if len(text) < len(first) + len(last) or not _fits(text[: len(first)], first) or not _fits(text[len(text) - len(last) :], last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = next((i for i in range(place, end - len(part) + 1) if _fits(text[i : i + len(part)], part)), None)
        if found is None:
            return False
        place = found + len(part)
    return True


@lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(re.split(r"\*+", pattern))


def _fits(text: str, part: str) -> bool:
    return text == part if "?" not in part else all(sign in ("?", character) for character, sign in zip(text, part, strict=True))


TESTS: dict[str, Callable[[str, str], bool]] = {
    How.DOMAIN: lambda text, pattern: _domain(text) == pattern.removeprefix("@"),
    How.LABEL: lambda text, pattern: any(pattern in label for label in _domain(text).split(".")),
    How.CONTAINS: lambda text, pattern: pattern in text,
    How.MATCHES: _wild,
}
