"""Sent against stored."""

import pytest

from integrations.platforms.ometria.compare import Difference, compare


def test_what_ometria_derives_and_adds_is_no_difference(sample):
    order = sample("order")
    stored = {**order, "total_refunded": 27.0, "total_unit_quantity": 3, "dt_object_updated": "2026-01-10T08:00:00+00:00"}

    assert compare(order, stored) == []


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (25, 25.0),
        (25.0, 25.004),
        ("2026-01-08T14:03:11Z", "2026-01-08T15:03:11+01:00"),
        ("2026-01-08T14:03:11", "2026-01-08T14:03:11+00:00"),
        ("Ada@Example.com", "ada@example.com"),
        (None, None),
        ("", None),
    ],
)
def test_the_same_value_in_another_form_is_no_difference(sent, stored):
    assert compare({"field": sent}, {"field": stored}) == []


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (25.0, 25.006),
        (True, 1),
        (True, False),
        ("M", "m"),
        ("2026-01-08T14:03:11Z", "2026-01-08T14:03:13Z"),
        ("text", None),
        ([1, 2], [1]),
        ("1", 1),
    ],
)
def test_another_value_is_a_difference(sent, stored):
    assert compare({"field": sent}, {"field": stored}) == [Difference("field", sent, stored)]


def test_a_difference_in_a_line_is_named_with_its_position(sample):
    order, stored = sample("order"), sample("order")
    stored["lineitems"][1]["quantity"] = 2

    assert compare(order, stored) == [Difference("lineitems[1].quantity", 1, 2)]


def test_attributes_and_listings_may_come_back_in_another_order(sample):
    product = sample("product")
    stored = {**product, "attributes": product["attributes"][::-1], "listings": product["listings"][::-1]}

    assert compare(product, stored) == []


def test_instructions_are_not_stored_values_and_the_collection_has_two_names(sample):
    contact = sample("contact", **{"@force_optin": True, "@add_to_lists": ["5"]})
    stored = {name: value for name, value in contact.items() if not name.startswith("@")} | {"collection": "shopify"}

    assert compare(contact, stored) == []
