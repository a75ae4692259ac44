"""How the console says times, money, counts and records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.admin.summaries import headline
from integrations.words import age, badge, money, plural, span, stamp, when

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PERSON = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Realname", "phone": "+447700900123"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 seconds"), (0, "0 seconds"), (1, "1 second"), (59.9, "59 seconds"), (60, "1 minute"), (7199, "1 hour"), (200_000, "2 days")],
)
def test_a_length_of_time_is_told_in_its_largest_unit(seconds: float, said: str):
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("offset", "said"),
    [(0, "just now"), (-4, "just now"), (-120, "2 minutes ago"), (120, "in 2 minutes"), (-86_400, "1 day ago")],
)
def test_a_moment_is_told_by_its_age(offset: int, said: str):
    assert age(NOW + timedelta(seconds=offset), NOW) == said


def test_what_never_happened_has_no_age():
    assert (age(None), when(None), stamp(None)) == ("–", "–", "–")


def test_the_exact_time_stands_behind_the_age():
    assert ('datetime="2026-11-21T12:00:00+00:00"' in when(NOW), "21 November 2026, 12:00:00 UTC" in when(NOW)) == (True, True)


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [("10.5", "GBP", "£10.50"), ("700", "JPY", "JP¥700"), ("1.2345", "KWD", "KWD1.234"), ("ten", "GBP", "ten GBP"), ("5", "", "5.00")],
)
def test_money_is_told_in_its_currency_s_own_digits(amount: str, currency: str, said: str):
    assert money(amount, currency).replace("\xa0", " ") == said


def test_counts_carry_their_noun():
    assert [plural(1, "delivery", "deliveries"), plural(1204, "delivery", "deliveries"), plural(0, "record")] == [
        "1 delivery", "1,204 deliveries", "0 records",
    ]  # fmt: skip


def test_a_badge_is_a_word_and_not_markup():
    assert "&lt;b&gt;" in badge("<b>")


RECORDS: list[tuple[str, dict[str, Any], str]] = [
    ("order", {"number": "#1001", "currency": "GBP", "totals": {"net": "54.00"}, "status": "partially_refunded", "customer": PERSON},
     "Order #1001 · £54.00 · partially refunded · A••• R•••, a•••@example.com"),
    ("order", {"key": "5", "currency": "GBP", "totals": {}, "customer": {}}, "Order 5 · £0.00 · guest"),
    ("customer", {**PERSON, "country": "GB"}, "A••• R•••, a•••@example.com · GB"),
    ("customer", {"phone": "+447700900123", "removed": True}, "•••23 (deleted at the source)"),
    ("product", {"title": "Linen shirt", "active": False}, "Linen shirt · not on sale"),
    ("variant", {"product_title": "Linen shirt", "title": "Red / M", "sku": "TEE"}, "Linen shirt · Red / M · SKU TEE"),
    ("checkout",
     {"total": "9.99", "currency": "EUR", "customer": PERSON}, "Checkout · €9.99 · not completed · A••• R•••, a•••@example.com"),
    ("event", {"name": "viewed", "customer": {}}, "viewed · guest"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("record_type", "record", "said"), RECORDS, ids=[f"{kind}-{number}" for number, (kind, _, _) in enumerate(RECORDS)]
)
def test_a_record_is_one_masked_line(record_type: str, record: dict[str, Any], said: str):
    assert headline(record_type, record) == said


def test_people_with_the_permission_read_it_in_clear():
    assert headline("customer", PERSON, personal=True) == "Ann Realname, ann@example.com"


@given(
    first=st.text("abcdefgh", min_size=3),
    last=st.text("ijklmnop", min_size=3),
    kind=st.sampled_from(["order", "customer", "checkout", "event"]),
)
def test_no_masked_line_ever_holds_a_name_or_an_address(first: str, last: str, kind: str):
    who = {"first_name": first, "last_name": last, "email": f"{first}.{last}@example.com"}

    said = headline(kind, {**who, "customer": who, "name": "seen", "key": "1"})

    assert (first in said, last in said) == (False, False)
