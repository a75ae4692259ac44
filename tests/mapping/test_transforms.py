"""Named value transforms."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.transforms import TRANSFORMS, BadArgument, Call, Invalid, number, step

TABLES = {"status": {"paid": "complete"}, "open": {"a": "b", "*": "other"}, "through": {"*": "*"}}


class Bench:
    """A run as the steps see it."""

    def __init__(self, currency: str = "GBP", country: str = "") -> None:
        self.currency, self.country = currency, country

    def table(self, name: str) -> dict[str, str]:
        return TABLES.get(name, {})


def apply(name, value, argument=None, **run):
    return step(Call(name, argument)).apply(value, Bench(**run))


@pytest.mark.parametrize(
    ("name", "argument", "value", "expected"),
    [
        ("lower", None, "ADA", "ada"),
        ("upper", None, "gb", "GB"),
        ("trim", None, "  a b ", "a b"),
        ("slug", None, " Dark  Red/Größe ", "dark-red-größe"),
        ("slug", None, "★", "★"),
        ("email", None, " Ada+x@Example.COM ", "ada+x@example.com"),
        ("sha256", None, "ada@example.com", hashlib.sha256(b"ada@example.com").hexdigest()),
        ("minor_units", None, Decimal("12.505"), 1251),
        ("iso_date", None, datetime(2026, 1, 9, 23, 30, tzinfo=timezone(timedelta(hours=-2))), "2026-01-10"),
        ("iso_date", None, date(2026, 1, 9), "2026-01-09"),
        ("iso_datetime", None, datetime(2026, 1, 9, 12, 0, 0, 999999, tzinfo=timezone(timedelta(hours=2))), "2026-01-09T10:00:00Z"),
        ("iso_datetime", None, "2026-01-09 10:00:00+00:00", "2026-01-09T10:00:00Z"),
        ("lookup", "status", "paid", "complete"),
        ("lookup", "open", "zzz", "other"),
        ("lookup", "through", "zzz", "zzz"),
        ("join", None, ("a", "b"), "a,b"),
        ("join", " | ", ["a", True, Decimal("1.50")], "a | true | 1.50"),
        ("first", None, ("a", "b"), "a"),
        ("first", None, (), None),
        ("take", 2, ("a", "b", "c"), ["a", "b"]),
        ("default", "none", "", "none"),
        ("default", "none", "x", "x"),
        ("negate", None, Decimal("5.00"), Decimal("-5.00")),
        ("number", None, Decimal("5.005"), 5.01),
        ("number", 0, "7.5", 8.0),
        ("nonzero", None, Decimal("0.00"), None),
        ("nonzero", None, 3, 3),
        ("prefix", "shp-", "1001", "shp-1001"),
        ("without", ".myshopify.com", "demo.myshopify.com/gb", "demo/gb"),
        ("truncate", 3, "abcdef", "abc"),
        ("string", None, Decimal("1E+3"), "1000"),
        ("boolean", None, "Yes", True),
        ("boolean", None, False, False),
        ("not", None, "yes", False),
    ],
)
def test_a_transform_gives(name, argument, value, expected):
    found = apply(name, value, argument)
    assert (found, type(found)) == (expected, type(expected))


def test_a_single_value_transform_works_on_every_entry_of_a_list():
    assert apply("upper", ("a", "b")) == ["A", "B"]


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [("+44 20 7946 0018", "", "+442079460018"), ("020 7946 0018", "GB", "+442079460018"), ("(202) 555-0123", "US", "+12025550123")],
)
def test_a_phone_number_becomes_e164(value, country, expected):
    assert apply("e164", value, country=country) == expected


def test_the_argument_is_the_country_of_people_without_one():
    assert apply("e164", "020 7946 0018", "gb") == "+442079460018"
    assert apply("e164", "(202) 555-0123", "gb", country="US") == "+12025550123"


@pytest.mark.parametrize(
    ("name", "argument", "value", "kind", "subject"),
    [
        ("e164", None, "020 7946 0018", "bad_phone", ""),
        ("e164", "GB", "+44 *** *** 18", "bad_phone", ""),
        ("e164", "GB", "12", "bad_phone", ""),
        ("email", None, "ada@example", "bad_email", ""),
        ("email", None, "ada@@example.com", "bad_email", ""),
        ("email", None, "a" * 250 + "@example.com", "bad_email", ""),
        ("lookup", "status", "odd", "unmapped_value", "status:odd"),
        ("lookup", "no such table", "odd", "unmapped_value", "no such table:odd"),
        ("negate", None, "many", "bad_value", ""),
        ("number", None, Decimal("NaN"), "bad_value", ""),
        ("number", None, True, "bad_value", ""),
        ("number", None, Decimal("12345678901234.567"), "bad_value", ""),
        ("minor_units", None, "Infinity", "bad_value", ""),
        ("iso_date", None, "yesterday", "bad_value", ""),
        ("boolean", None, "maybe", "bad_value", ""),
    ],
)
def test_a_value_that_cannot_be_used_says_why(name, argument, value, kind, subject):
    with pytest.raises(Invalid) as caught:
        apply(name, value, argument)
    assert (caught.value.kind, caught.value.subject) == (kind, subject)


@pytest.mark.parametrize(
    "call",
    [
        Call("eval", "1"), Call("lower", "x"), Call("lookup"), Call("prefix", ""), Call("truncate", 0), Call("truncate", "1e3"),
        Call("truncate", True), Call("e164", "Britain"), Call("take", -1), Call("number", "two"),
    ],
)  # fmt: skip
def test_a_call_that_makes_no_sense_is_refused(call):
    with pytest.raises(BadArgument):
        step(call)


def test_ids_made_from_values_are_32_characters_and_differ_by_name_space():
    one, two = apply("uuid5_hex", "c-889", "shopify"), apply("uuid5_hex", "c-889", "tiktok_shop")
    assert len(one) == len(two) == 32
    assert one != two
    assert one == apply("uuid5_hex", "c-889", "shopify")


def test_every_transform_says_what_its_argument_means():
    assert all(bool(transform.takes) == bool(transform.argument_label) for transform in TRANSFORMS.values())


@pytest.mark.parametrize(("currency", "text", "expected"), [("JPY", "1200", 1200), ("KWD", "1.2345", 1.235), ("GBP", "-0.00", 0.0)])
def test_a_number_has_the_decimals_of_its_currency(currency, text, expected):
    found = number(Decimal(text), currency)
    assert (str(found), type(found)) == (str(expected), type(expected))


@given(st.integers(-(10**14), 10**14))
def test_a_json_number_reads_back_as_the_amount_it_was(pennies):
    amount = Decimal(pennies).scaleb(-2)
    assert Decimal(str(number(amount, "GBP"))) == amount


@given(st.text(), st.sampled_from(sorted(set(TRANSFORMS) - {"lookup"})))
def test_no_text_breaks_a_transform_in_another_way_than_invalid(text, name):
    argument = {"take": 2, "truncate": 2, "default": "x", "prefix": "x", "without": "x"}.get(name)
    with suppress(Invalid):
        apply(name, text, argument)
