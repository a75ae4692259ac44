"""One order from its JSON: status, lines, money, people, parcels and the events of its life."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integrations.platforms.errors import Unparsable
from mapping.records import Address, Customer, CustomerRef, Event, Fulfilment, LineComponent, OrderStatus, Totals
from tests.platforms.tiktok_shop.raw_orders import (
    ACCOUNT,
    NOW,
    cancellation,
    composite,
    given_back,
    order_of,
    payment,
    records_of,
    unit,
)  # fmt: skip

D = Decimal


# --- status ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("UNPAID", OrderStatus.PENDING),
        ("ON_HOLD", OrderStatus.PENDING),
        ("AWAITING_SHIPMENT", OrderStatus.PAID),
        ("PARTIALLY_SHIPPING", OrderStatus.PARTIALLY_SHIPPED),
        ("AWAITING_COLLECTION", OrderStatus.SHIPPED),
        ("IN_TRANSIT", OrderStatus.SHIPPED),
        ("DELIVERED", OrderStatus.COMPLETE),
        ("COMPLETED", OrderStatus.COMPLETE),
        ("CANCELLED", OrderStatus.CANCELLED),
        ("CANCEL", OrderStatus.CANCELLED),
        ("SOMETHING_NEW", OrderStatus.UNKNOWN),
    ],
)
def test_every_status_has_its_place_and_a_new_one_is_unknown(said, status):
    assert order_of(composite(status=said)).status is status


def test_only_an_order_on_hold_says_so():
    assert [order_of(composite(status=status)).attributes.get("on_hold") for status in ("ON_HOLD", "AWAITING_SHIPMENT")] == [True, None]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"is_sample_order": True}, "sample"),
        ({"is_replacement_order": True}, "replacement"),
        ({"is_exchange_order": True}, "exchange"),
        ({"order_type": "ZERO_LOTTERY"}, "lottery"),
        ({"order_type": "PRE_ORDER", "is_sample_order": False}, None),
    ],
)
def test_what_is_no_purchase_says_why_and_makes_no_events(fields, kind):
    records = records_of(composite(delivery_time=NOW, **fields))
    order = records[1]
    assert order.attributes.get("order_kind") == kind
    assert ("excluded" in order.attributes) is (kind is not None)
    assert [record for record in records if isinstance(record, Event)] == ([] if kind else records[2:])


# --- lines ----------------------------------------------------------------------------------------------------------------


def test_units_that_are_alike_are_one_line_that_knows_them_all():
    order = order_of(composite(unit(1), unit(2), unit(3, sku_id="2", seller_sku=" MUG "), unit(4, seller="2.00"), unit(5)))
    assert [(line.key, line.sku, line.quantity, line.unit_price, line.subtotal, line.discount, line.total) for line in order.lines] == [
        ("9001", "TEE", 3, D("20.00"), D("60.00"), D("0.00"), D("60.00")),
        ("9003", "MUG", 1, D("20.00"), D("20.00"), D("0.00"), D("20.00")),
        ("9004", "TEE", 1, D("20.00"), D("20.00"), D("2.00"), D("18.00")),
    ]
    assert order.attributes["line_ids"] == {"9001": ["9001", "9002", "9005"], "9003": ["9003"], "9004": ["9004"]}


def test_both_discounts_lower_the_line_and_the_platforms_part_is_kept_apart():
    units = [unit(1, "20.00", "2.50", "1.00"), unit(2, "20.00", "2.50", "1.00")]
    order = order_of(composite(*units, pay={**payment(units), "platform_discount": "2.00", "seller_discount": "5.00"}))
    assert (order.lines[0].discount, order.totals.discount, order.totals.total) == (D("7.00"), D("7.00"), D("33.00"))
    assert (order.attributes["platform_discount"], order.attributes["seller_discount"]) == ("2.00", "5.00")


def test_a_bundle_names_its_components_by_the_units_it_lists():
    items = [
        {"id": str(number), "sku_id": sku, "seller_sku": sku, "product_id": "8", "original_price": price}
        for number, (sku, price) in enumerate((("SOAP", "6.00"), ("SOAP", "6.00"), ("DISH", "10.00")))
    ]
    combined = [{"sku_id": "SOAP", "sku_count": 2, "seller_sku": "OTHER"}]
    line = order_of(composite(unit(1, sub_item_info=items, combined_listing_skus=combined))).lines[0]
    assert line.components == (
        LineComponent(sku="SOAP", product_key="8", variant_key="SOAP", quantity=2, price=D("6.00")),
        LineComponent(sku="DISH", product_key="8", variant_key="DISH", quantity=1, price=D("10.00")),
    )


def test_without_listed_units_the_combined_listing_names_the_components():
    combined = [{"sku_id": "1", "sku_count": 2, "product_id": "8", "seller_sku": "SOAP"}, {"sku_id": "2", "seller_sku": "DISH"}]
    line = order_of(composite(unit(1, combined_listing_skus=combined))).lines[0]
    assert [(part.sku, part.quantity, part.price) for part in line.components] == [("SOAP", 2, None), ("DISH", 1, None)]


# --- money ----------------------------------------------------------------------------------------------------------------


def test_prices_with_tax_in_them_show_none():
    assert order_of(composite(unit(1), unit(2), pay={**payment([unit(1), unit(2)], shipping="3.99"), "tax": ""})).totals == Totals(
        subtotal=D("40.00"), discount=D("0.00"), shipping=D("3.99"), tax=D("0.00"), other=D("0.00"), total=D("43.99"),
        refunded=D("0.00"), refund_other=D("0.00"), cancelled=D("0.00"), net=D("43.99"),
    )  # fmt: skip


def test_tax_and_fees_of_the_united_states_are_added():
    units = [unit(1, tax="1.40"), unit(2, tax="1.41")]
    order = order_of(composite(*units, pay=payment(units, currency="USD", shipping="4.99", shipping_tax="0.35", fee="0.28")))
    assert order.totals == Totals(
        subtotal=D("40.00"), discount=D("0.00"), shipping=D("4.99"), tax=D("3.16"), other=D("0.28"), total=D("48.43"),
        refunded=D("0.00"), refund_other=D("0.00"), cancelled=D("0.00"), net=D("48.43"),
    )  # fmt: skip
    assert (order.lines[0].tax, order.lines[0].total) == (D("2.81"), D("42.81"))


def test_tax_that_no_line_shows_is_spread_over_the_lines():
    units = [unit(1, "30.00"), unit(2, "10.00")]
    order = order_of(composite(*units, pay={**payment(units), "tax": "2.81", "product_tax": "2.81", "total_amount": "42.81"}))
    assert [line.tax for line in order.lines] == [D("2.11"), D("0.70")]


def test_a_line_tax_contained_in_the_price_is_not_added():
    units = [unit(1, tax="3.33")]
    order = order_of(
        composite(*units, pay={"currency": "GBP", "sub_total": "20.00", "tax": "0", "product_tax": "0", "total_amount": "20.00"})
    )
    assert (order.lines[0].tax, order.totals.tax, order.totals.other, order.totals.net) == (D("0.00"), D("0.00"), D("0.00"), D("20.00"))


def test_where_sale_prices_miss_the_sub_total_list_prices_minus_discounts_are_taken():
    wrong = [unit(1, "20.00", "2.00", "1.00", sale_price="18.00"), unit(2, "20.00", "2.00", "1.00", sale_price="18.00")]
    order = order_of(composite(*wrong, pay={"currency": "GBP", "sub_total": "34.00", "total_amount": "34.00"}))
    assert (order.lines[0].total, order.totals.other) == (D("34.00"), D("0.00"))


def test_what_nothing_explains_is_told_apart_and_stops_nobody():
    order = order_of(composite(pay={"currency": "GBP", "sub_total": "38.50", "total_amount": "38.50"}))
    assert (order.totals.subtotal, order.totals.other, order.totals.total) == (D("40.00"), D("-1.50"), D("38.50"))


# --- people, parcels, events ----------------------------------------------------------------------------------------------

RECIPIENT = {
    "first_name": "Ada", "last_name": "Example", "phone_number": "(+44)7700900123", "region_code": "GB", "postal_code": "N1 1AA",
    "post_town": "London", "address_line1": "1 Test Street", "address_line2": "Flat 2", "address_line3": "", "address_line4": "Rear",
    "district_info": [{"address_level": "L1", "address_level_name": "Region", "address_name": "England"}],
}  # fmt: skip
ADDRESS = Address(
    first_name="Ada", last_name="Example", line1="1 Test Street", line2="Flat 2, Rear", city="London", region="England",
    postcode="N1 1AA", country="GB", phone="(+44)7700900123",
)  # fmt: skip


def test_the_buyer_is_a_part_of_a_person_with_values_as_they_came():
    customer, order, *_ = records_of(composite(recipient_address=RECIPIENT, buyer_nickname="demo_buyer"))
    assert customer == Customer(
        key="tts:7495540735365777507:702", occurred_at=datetime.fromtimestamp(NOW, UTC), email="v4b@scs.tiktokw.eu",
        phone="(+44)7700900123", first_name="Ada", last_name="Example", country="GB",
        addresses=(ADDRESS,), attributes={"nickname": "demo_buyer"}, partial=True,
    )  # fmt: skip
    assert order.customer == CustomerRef(
        key="tts:7495540735365777507:702", email="v4b@scs.tiktokw.eu", phone="(+44)7700900123", first_name="Ada", last_name="Example"
    )
    assert order.shipping_address == ADDRESS


def test_masked_values_are_left_for_the_rules_to_recognise():
    masked = {**RECIPIENT, "first_name": "A**", "last_name": "E******", "phone_number": "(+44)7***0123"}
    customer = records_of(composite(recipient_address=masked))[0]
    assert (customer.first_name, customer.last_name, customer.phone) == ("A**", "E******", "(+44)7***0123")


def test_before_the_hold_ends_there_is_a_buyer_without_an_address():
    customer, order, *_ = records_of(composite(status="ON_HOLD"))
    assert (customer.addresses, customer.phone, customer.country, order.shipping_address) == ((), "", "GB", None)


def test_an_order_without_a_buyer_makes_no_customer_and_no_events():
    records = records_of(composite(user_id="", delivery_time=NOW))
    assert [type(record).__name__ for record in records] == ["Order"]
    assert records[0].customer.key == ""


@pytest.mark.parametrize(
    ("recipient", "names"),
    [
        ({"name": "Ada Maria Example"}, ("Ada Maria", "Example")),
        ({"name": "Ada"}, ("Ada", "")),
        ({"first_name": "Ada", "name": "X Y"}, ("Ada", "")),
    ],
)
def test_a_whole_name_is_parted_only_where_the_parts_are_missing(recipient, names):
    ref = order_of(composite(recipient_address=recipient)).customer
    assert (ref.first_name, ref.last_name) == names


def test_packages_that_left_are_shipments():
    sent = {"display_status": "DELIVERED", "package_id": "1153", "package_status": "COMPLETED", "tracking_number": "DEMO1",
            "shipping_provider_name": "Demo Carrier"}  # fmt: skip
    raw = composite(
        unit(1, **sent), unit(2, **sent), unit(3, package_id="1154"), status="DELIVERED", rts_time=NOW - 900, delivery_time=NOW - 100
    )
    assert order_of(raw).fulfilments == (
        Fulfilment(
            key="1153", status="completed", shipped_at=datetime.fromtimestamp(NOW - 900, UTC),
            delivered_at=datetime.fromtimestamp(NOW - 100, UTC), carrier="Demo Carrier", tracking_number="DEMO1",
        ),
    )  # fmt: skip


def test_the_version_of_an_order_is_its_newest_part():
    raw = composite(cancellations=(cancellation(7, {"9001": "1"}, status="PENDING"),), returns=(given_back(50, {"9001": "1.00"}),))
    assert {record.occurred_at for record in records_of(raw)[:2]} == {datetime.fromtimestamp(NOW + 70, UTC)}


def test_an_orders_life_becomes_events_with_keys_of_their_own():
    raw = composite(
        status="COMPLETED", delivery_time=NOW - 100, cancellations=(cancellation(1, {"9001": "20.00"}, status="CANCEL"),),
        returns=(
            given_back(1, {"9002": "20.00"}),
            given_back(2, {"9002": "1"}, status="RETURN_OR_REFUND_REQUEST_PENDING", pre_return_id="501"),
        ),
    )  # fmt: skip
    events = [record for record in records_of(raw) if isinstance(record, Event)]
    assert [(event.key, event.name, int(event.occurred_at.timestamp()) - NOW) for event in events] == [
        ("order:576461413038785752:delivered", "order_delivered", -100),
        ("cancel:401:requested", "cancellation_requested", -500),
        ("return:501:opened", "return_opened", 10),
        ("return:501:closed", "return_closed", 21),
        ("refund:501", "order_refunded", 21),
    ]
    assert {event.customer.key for event in events} == {"tts:7495540735365777507:702"}
    assert events[-1].properties == {
        "order_id": "576461413038785752", "store": "tiktok_shop_gb", "channel": "tiktok_shop", "amount": "20.00", "currency": "GBP",
        "reason": "item_damaged",
    }  # fmt: skip


def test_what_the_seller_or_the_system_cancels_is_no_wish_of_the_buyer():
    raw = composite(cancellations=(cancellation(1, {"9001": "20.00"}, cancel_type="CANCEL"),))
    assert [record for record in records_of(raw) if isinstance(record, Event)] == []


@pytest.mark.parametrize(
    ("settings", "store"), [({"region": "JP"}, "tiktok_shop_jp"), ({}, "tiktok_shop"), ({"region": "US", "store": "us-web"}, "us-web")]
)
def test_the_store_is_named_by_setting_or_region(settings, store):
    assert order_of(composite(), replace(ACCOUNT, settings=settings)).store == store


@pytest.mark.parametrize(
    "broken",
    [
        {"payment": None}, {"payment": {"currency": ""}}, {"payment": {"currency": "GBP", "total_amount": "much"}}, {"create_time": None},
        {"create_time": "yesterday"}, {"create_time": 1767224000000}, {"update_time": 0, "create_time": 0},
        {"line_items": [{"sku_id": "1"}]}, {"line_items": [unit(1, price="1", original_price="NaN")]}, {"id": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_an_order_is_unparsable_and_nothing_else(broken):
    with pytest.raises(Unparsable):
        records_of(composite(**broken))
