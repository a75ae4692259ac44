"""Customers and carts as records: who somebody is, what they said, and what they left in the cart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mapping.records import ConsentState
from tests.platforms.commercetools.raw_orders import CHANGED, CREATED, customer_of, line, order, records_of, shipping

NAMED = {
    "email_consent_field": "emailOptIn", "email_consent_time_field": "emailOptInAt",
    "sms_consent_field": "smsOptIn", "sms_consent_time_field": "smsOptInAt",
}  # fmt: skip


def person(fields: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A customer; `fields` are their custom fields."""
    custom = {} if fields is None else {"custom": {"type": {"typeId": "type", "id": "t"}, "fields": fields}}
    return {"id": "customer-1", "version": 4, "createdAt": CREATED, "lastModifiedAt": CHANGED, "email": "Ada@example.com", **custom, **more}


def address(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "country": "GB", **more}


def test_the_phone_is_that_of_the_billing_address_then_of_the_shipping_address_then_any():
    listed = [address("a", phone="1"), address("b", phone="2", mobile="22"), address("c", phone="3")]
    found = [
        customer_of(person(addresses=listed, defaultShippingAddressId="b", defaultBillingAddressId="c")),
        customer_of(person(addresses=listed, defaultShippingAddressId="b")),
        customer_of(person(addresses=listed)),
        customer_of(person(addresses=[address("a"), address("b", phone="2")])),
        customer_of(person()),
    ]

    assert [who.phone for who in found] == ["3", "22", "1", "2", ""]
    assert [len(who.addresses) for who in found] == [3, 3, 3, 2, 0]


def test_groups_are_read_from_both_fields_by_name_where_it_is_known():
    first = {"typeId": "customer-group", "id": "g1", "obj": {"name": "VIP"}}
    raw = person(customerGroup=first, customerGroupAssignments=[{"customerGroup": first}, {"customerGroup": {"id": "g2"}}])

    assert customer_of(raw).tags == ("VIP", "g2")


def test_a_customer_s_facts_and_custom_fields_are_attributes():
    raw = person(
        {"points": 12, "size": {"key": "m", "label": {"en-GB": "Medium", "de": "Mittel"}}}, customerNumber="C-7", locale="de",
        stores=[{"typeId": "store", "key": "uk"}], isEmailVerified=True, password="****",
    )  # fmt: skip

    assert customer_of(raw).attributes == {
        "customer_number": "C-7", "stores": ["uk"], "email_verified": True, "version": 4, "custom.points": 12, "custom.size": "Mittel",
    }  # fmt: skip


SAID = [
    (True, ConsentState.GRANTED),
    (False, ConsentState.WITHDRAWN),
    ("opted-in", ConsentState.GRANTED),
    ("UNSUBSCRIBED", ConsentState.WITHDRAWN),
    ({"key": "subscribed", "label": "Yes please"}, ConsentState.GRANTED),
    ("perhaps", ConsentState.UNKNOWN),
]


@pytest.mark.parametrize(("value", "state"), SAID)
def test_a_consent_field_may_be_a_boolean_or_an_enumeration(value, state):
    (said,) = customer_of(person({"emailOptIn": value}), **NAMED).consents

    assert (said.channel, said.state, said.explicit) == ("email", state, False)


@pytest.mark.parametrize("fields", [None, {}, {"emailOptIn": None}, {"emailOptInAt": CREATED}])
def test_a_missing_consent_field_says_nothing(fields):
    assert customer_of(person(fields), **NAMED).consents == ()


def test_only_a_statement_with_its_time_is_a_dated_act():
    dated = customer_of(person({"emailOptIn": True, "emailOptInAt": CREATED, "smsOptIn": False}), **NAMED).consents
    unnamed = customer_of(person({"emailOptIn": True, "emailOptInAt": CREATED}), email_consent_field="emailOptIn").consents
    broken = customer_of(person({"emailOptIn": True, "emailOptInAt": "soon"}), **NAMED).consents

    assert [(said.channel, said.explicit, said.stated_at) for said in dated] == [
        ("email", True, datetime(2026, 11, 1, 9, 0, 2, tzinfo=UTC)), ("sms", False, None),
    ]  # fmt: skip
    assert [(said.explicit, said.stated_at) for said in (*unnamed, *broken)] == [(False, None)] * 2


def test_without_a_named_field_no_consent_is_read():
    assert customer_of(person({"emailOptIn": True})).consents == ()


def test_customers_of_other_stores_alone_are_left_out():
    raw = person(stores=[{"typeId": "store", "key": "de"}])

    assert records_of(raw, "customer", store_keys=["uk"]) == []
    assert len(records_of(person(), "customer", store_keys=["uk"])) == 1


# --- carts -------------------------------------------------------------------------------------------------------------


def cart(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    raw = order(*lines, ships=[shipping(500)], shippingAddress=address("a", phone="+442079460018"))
    return {**raw, "id": "cart-1", "cartState": "Active", **more}


def test_a_cart_with_a_shipping_address_is_a_checkout_that_may_be_abandoned_later():
    (found,) = records_of(
        cart(line(1, 1500, 2), anonymousId="anon-1"), "cart", checkout_minutes=45, site_url="https://shop.example.com/c/{id}"
    )

    assert (found.key, found.total, found.customer.email, found.visitor, found.url) == (
        "cart-1", Decimal("35.00"), "ada@example.com", "anon-1", "https://shop.example.com/c/cart-1",
    )  # fmt: skip
    assert found.not_before == found.occurred_at + timedelta(minutes=45)
    assert [(row.sku, row.quantity) for row in found.lines] == [("SKU-1", 2)]


@pytest.mark.parametrize(
    "changes", [{"shippingAddress": None}, {"cartState": "Ordered"}, {"customerEmail": None}], ids=["not begun", "ordered", "nobody's"]
)
def test_carts_that_are_no_checkout_make_no_record(changes):
    assert records_of(cart(**changes), "cart") == []


@pytest.mark.parametrize("changes", [{"cartState": "Merged"}, {"lineItems": []}], ids=["merged", "emptied"])
def test_a_cart_that_was_merged_or_emptied_takes_its_checkout_away(changes):
    (found,) = records_of({**cart(), **changes}, "cart")

    assert (found.key, found.removed) == ("cart-1", True)


def test_a_frozen_cart_is_still_a_checkout():
    (found,) = records_of(cart(cartState="Frozen"), "cart")

    assert found.removed is False


def test_what_was_deleted_is_removed_at_the_time_of_its_message():
    at = {"id": "x-1", "at": "2026-11-05T08:00:00+00:00", "erased": True}
    ((customer,), (checkout,)) = records_of(at, "deleted:customer"), records_of(at, "deleted:cart")

    assert (customer.key, customer.removed, customer.attributes) == ("x-1", True, {"erased": True})
    assert (checkout.key, checkout.removed) == ("x-1", True)
