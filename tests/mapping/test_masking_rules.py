"""Values that a source shows instead of a person's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mapping.defaults import masks_for
from mapping.masking_rules import Mask, is_masked, strip_masked
from mapping.models import MaskingRule
from mapping.records import Address, CustomerRef, Event
from tests.mapping.samples import AT, checkout, customer, order, product

RELAY = "v4bDEMO7QK2@scs.tiktokw.eu"
SHIPPED = tuple(
    Mask(*rule)
    for rule in (
        ("email", "domain", "scs.tiktokw.us"), ("email", "domain", "scs.tiktokw.eu"), ("email", "domain", "chat.seller.tiktok.com"),
        ("email", "label", "tiktok"), ("any", "contains", "*"),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "kind", "value", "masked"),
    [
        (Mask("email", "domain", "scs.tiktokw.eu"), "email", " V4b@SCS.TikTokW.eu ", True),
        (Mask("email", "domain", "scs.tiktokw.eu"), "email", "ada@xscs.tiktokw.eu", False),
        (Mask("email", "domain", "scs.tiktokw.eu"), "email", "scs.tiktokw.eu@example.com", False),
        (Mask("email", "label", "tiktok"), "email", "x@mail.new-tiktokshop.example.com", True),
        (Mask("email", "label", "tiktok"), "email", "tiktok.fan@example.com", False),
        (Mask("any", "contains", "*"), "phone", "(+1)213-***-1234", True),
        (Mask("any", "contains", "*"), "name", "A***", True),
        (Mask("name", "contains", "*"), "email", "a*b@example.com", False),
        (Mask("email", "matches", "*@relay?.example.com"), "email", "x@relay7.example.com", True),
        (Mask("email", "matches", "*@relay?.example.com"), "email", "x@relay.example.com", False),
        (Mask("name", "matches", "buyer*of*shop"), "name", "Buyer 12 of this SHOP", True),
        (Mask("name", "matches", "buyer*of*shop"), "name", "Buyer of a workshop.", False),
        (Mask("name", "matches", "n/a"), "name", "N/A", True),
        (Mask("name", "matches", "*a*a*b"), "name", "a" * 255, False),
        (Mask("any", "contains", "*"), "email", "", False),
    ],
)
def test_a_rule_recognises_what_it_names_and_nothing_else(rule, kind, value, masked):
    assert is_masked(kind, value, [rule]) is masked


def test_what_ships_recognises_relay_addresses_everywhere_and_asterisks_of_one_source(db):
    assert set(masks_for("tiktok_shop")) == set(SHIPPED)
    assert set(masks_for("shopify")) == set(SHIPPED[:-1])


def test_once_staff_have_rules_those_count_alone(db):
    MaskingRule.objects.create(field="name", how="matches", pattern="test*")
    MaskingRule.objects.create(field="any", how="contains", pattern="#", platform="shopify")
    assert masks_for("tiktok_shop") == (Mask("name", "matches", "test*"),)
    MaskingRule.objects.all().delete()
    assert masks_for("tiktok_shop") == ()


def test_a_customer_loses_what_is_masked_and_keeps_the_rest():
    person = customer(
        email=RELAY, phone="(+44)77***123", first_name="A***", last_name="Byron", attributes={"nickname": "demo"},
        addresses=(Address(first_name="A**", line1="1 *** Street", city="Leeds", phone="+442079460018"),),
    )  # fmt: skip
    assert strip_masked(person, SHIPPED) == replace(
        person, email="", phone="", first_name="", addresses=(Address(city="Leeds", phone="+442079460018"),),
        attributes={"nickname": "demo", "masked": ["address.first_name", "address.line1", "email", "first_name", "phone"]},
    )  # fmt: skip


def test_a_customer_without_masked_values_stays_the_very_same():
    person = customer()
    assert strip_masked(person, SHIPPED) is person


@pytest.mark.parametrize("phone", ["(+44)12", "not a number", "0000"])
def test_a_phone_that_nobody_has_is_dropped_when_only_part_of_the_person_is_shown(phone):
    whole, part = customer(phone=phone), customer(phone=phone, partial=True)
    assert strip_masked(whole, SHIPPED) is whole
    assert (strip_masked(part, SHIPPED).phone, strip_masked(part, SHIPPED).attributes["masked"]) == ("", ["phone"])


def test_a_readable_phone_of_a_partial_customer_stays_as_it_came():
    person = customer(phone="(+44)2079460018", country="GB", partial=True)
    assert strip_masked(person, SHIPPED) is person


def test_an_order_loses_its_buyers_relay_address_and_starred_address_lines():
    bought = order(
        customer=CustomerRef(key="tts:1:2", email=RELAY, first_name="A**"),
        shipping_address=Address(first_name="A**", line1="*** Road", city="Leeds", country="GB"),
    )
    assert strip_masked(bought, SHIPPED) == replace(
        bought, customer=CustomerRef(key="tts:1:2"), shipping_address=Address(city="Leeds", country="GB"),
        attributes={**bought.attributes, "masked": ["address.first_name", "address.line1", "email", "first_name"]},
    )  # fmt: skip


def test_events_and_checkouts_lose_the_relay_address_too():
    event = Event(key="e", occurred_at=AT, name="delivered", customer=CustomerRef(key="k", email=RELAY))
    assert strip_masked(event, SHIPPED).customer == CustomerRef(key="k")
    assert strip_masked(checkout(customer=CustomerRef(email=RELAY)), SHIPPED).customer == CustomerRef()


def test_records_that_are_nobody_are_left_alone():
    thing = product(title="Five * tent")
    assert strip_masked(thing, SHIPPED) is thing
