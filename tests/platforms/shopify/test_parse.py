"""People, goods, checkouts and the states of an order, from samples of every shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from integrations.platforms.base import Account, IncomingCall, RawObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.shopify import PLATFORM
from integrations.platforms.shopify.parse import PARSERS, parse
from integrations.platforms.shopify.parse.checkout import token_of
from integrations.platforms.shopify.topics import TOPICS
from mapping.records import Checkout, Consent, ConsentState, Customer, CustomerRef, Fulfilment, OrderStatus, Price
from tests.platforms.shopify.shop_orders import Spec, graphql_order, rest_order

SAMPLES = Path(__file__).parents[3] / "fixtures" / "samples" / "shopify"
PAID, PENDING, SHIPPED = OrderStatus.PAID, OrderStatus.PENDING, OrderStatus.SHIPPED
D = Decimal

ACCOUNT = Account(connection_id=7, platform="shopify", external_id="demo-shop.myshopify.com", base_url="http://127.0.0.1:9")


def sample(name: str) -> dict[str, Any]:
    return orjson.loads((SAMPLES / f"{name}.json").read_bytes())


def one(account: Account, shape: str, raw: dict[str, Any]) -> Any:
    return parse(account, RawObject(shape, raw))[0]


# --- orders


@pytest.mark.parametrize(
    ("financial", "fulfilment", "more", "status"),
    [
        ("PENDING", "UNFULFILLED", {}, PENDING),
        ("AUTHORIZED", "UNFULFILLED", {}, PENDING),
        ("PARTIALLY_PAID", "UNFULFILLED", {}, PENDING),
        ("EXPIRED", "UNFULFILLED", {}, PENDING),
        ("PAID", "UNFULFILLED", {}, PAID),
        ("PAID", "PARTIALLY_FULFILLED", {}, OrderStatus.PARTIALLY_SHIPPED),
        ("PAID", "FULFILLED", {}, SHIPPED),
        ("PENDING", "FULFILLED", {}, SHIPPED),
        ("PARTIALLY_REFUNDED", "FULFILLED", {}, OrderStatus.PARTIALLY_REFUNDED),
        ("REFUNDED", "FULFILLED", {}, OrderStatus.REFUNDED),
        ("VOIDED", "UNFULFILLED", {}, OrderStatus.CANCELLED),
        ("REFUNDED", "UNFULFILLED", {"cancelled_at": "2026-11-20T10:00:00Z", "cancel_reason": "CUSTOMER"}, OrderStatus.CANCELLED),
        ("PENDING", "UNFULFILLED", {"cancelled_at": "2026-11-20T10:00:00Z", "cancel_reason": "FRAUD"}, OrderStatus.CANCELLED),
        ("NEW_STATE", "UNFULFILLED", {}, OrderStatus.UNKNOWN),
    ],
)
def test_status_follows_cancellation_then_money_then_goods_in_every_shape(account, financial, fulfilment, more, status):
    spec = Spec(financial=financial, fulfilment=fulfilment, **more)
    found = [one(account, "webhook:orders/updated", rest_order(spec)), one(account, "graphql:order", graphql_order(spec))]
    assert [order.status for order in found] == [status, status]
    assert {order.cancel_reason for order in found} == {(more.get("cancel_reason") or "").lower()}


def test_an_order_that_cost_nothing_and_has_no_state_is_paid(account):
    free = graphql_order(Spec(items=(), shipping=D("0.00")), displayFinancialStatus=None)
    assert one(account, "graphql:order", free).status is PAID


def parcel(delivered: str | None, status: str = "SUCCESS") -> dict[str, Any]:
    tracking = [{"company": "Royal Mail", "number": "AB1", "url": "https://track.example.com/AB1"}]
    return {
        "id": "gid://shopify/Fulfillment/41",
        "status": status,
        "createdAt": "2026-11-02T09:00:00Z",
        "deliveredAt": delivered,
        "trackingInfo": tracking,
    }


@pytest.mark.parametrize(
    ("parcels", "status"),
    [
        ([parcel("2026-11-04T09:00:00Z")], OrderStatus.COMPLETE),
        ([parcel("2026-11-04T09:00:00Z"), parcel(None)], SHIPPED),
        ([parcel("2026-11-04T09:00:00Z"), parcel(None, "CANCELLED")], OrderStatus.COMPLETE),
        ([], SHIPPED),
    ],
)
def test_an_order_is_complete_when_every_parcel_that_went_out_arrived(account, parcels, status):
    assert one(account, "graphql:order", graphql_order(Spec(fulfilment="FULFILLED"), fulfillments=parcels)).status is status


def test_a_parcel_keeps_its_tracking(account):
    order = one(account, "graphql:order", graphql_order(Spec(), fulfillments=[parcel(None)]))
    assert order.fulfilments == (
        Fulfilment(
            key="41", status="success", shipped_at=datetime(2026, 11, 2, 9, tzinfo=UTC), carrier="Royal Mail", tracking_number="AB1",
            tracking_url="https://track.example.com/AB1",
        ),
    )  # fmt: skip


def test_an_order_carries_its_people_places_and_marks(account):
    order = one(account, "webhook:orders/updated", rest_order(Spec()))
    assert order.customer == CustomerRef(key="706405506930370084", email="zoe@example.com", first_name="Zoë", last_name="Biller")
    assert (order.key, order.number, order.channel, order.store) == ("820982911946154508", "#1001", "online", "demo-shop.myshopify.com")
    assert (order.occurred_at, order.placed_at) == (datetime(2026, 11, 20, 10, tzinfo=UTC), datetime(2026, 11, 1, 10, tzinfo=UTC))
    assert (order.coupon_codes, order.payment_method, order.shipping_method) == (("TEN",), "shopify_payments", "Standard")
    assert (order.tags, order.checkout_key, order.ip_address, order.test) == (("first", "vip"), "ck1", "203.0.113.7", False)
    assert (order.shipping_address.postcode, order.shipping_address.country, order.billing_address) == ("LS1 1AA", "GB", None)
    assert order.attributes == {"note": "ring twice", "customer_locale": "en-GB", "financial_status": "paid", "attribute.gift": "yes"}


def test_a_guest_order_without_customer_keeps_the_address_it_was_placed_with(account):
    order = one(account, "webhook:orders/updated", rest_order(Spec(), customer=None))
    assert order.customer == CustomerRef(email="zoe@example.com")


def test_test_orders_and_other_channels_are_marked(make_account):
    order = one(make_account(store_handle="uk"), "webhook:orders/updated", rest_order(Spec(), test=True, source_name="3890849"))
    assert (order.test, order.channel, order.store) == (True, "3890849", "uk")


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid"])
def test_an_order_ends_the_checkout_it_came_from(account, topic):
    order, checkout = parse(account, RawObject(f"webhook:{topic}", rest_order(Spec())))
    assert checkout == Checkout(
        key="ck1", occurred_at=order.occurred_at, customer=order.customer, completed_at=order.placed_at, currency="GBP", total=D("44.99")
    )


def test_an_order_without_checkout_ends_none(account):
    assert len(parse(account, RawObject("webhook:orders/paid", rest_order(Spec(), checkout_token=None)))) == 1


@pytest.mark.parametrize("name", ["id", "updated_at", "currency", "total_price", "line_items"])
def test_a_missing_key_is_named(account, name):
    raw = rest_order(Spec())
    del raw[name]
    raw.pop(f"{name}_set", None)
    with pytest.raises(Unparsable, match=f"webhook:orders/updated: missing {name}"):
        one(account, "webhook:orders/updated", raw)


@pytest.mark.parametrize("name", ["id", "updatedAt", "currencyCode", "totalPriceSet", "currentTotalPriceSet", "lineItems"])
def test_a_missing_graphql_field_is_named(account, name):
    raw = graphql_order(Spec())
    del raw[name]
    with pytest.raises(Unparsable, match=f"graphql:order: missing {name}"):
        one(account, "graphql:order", raw)


def test_an_order_of_a_bulk_file_with_refunds_must_be_fetched_in_full(account):
    with pytest.raises(Unparsable, match="fetch the order in full"):
        one(account, "bulk:order", graphql_order(Spec(), refunds=[{"id": "gid://shopify/Refund/1"}]))


@pytest.mark.parametrize(
    "change",
    [{"updated_at": "soon"}, {"updated_at": 5}, {"line_items": [5, {"id": True}]}, {"total_tax_set": {"shop_money": 5}}, {"id": {}}],
)
def test_values_of_another_type_are_unparsable_and_nothing_else(account, change):
    with pytest.raises(Unparsable):
        one(account, "webhook:orders/updated", {**rest_order(Spec()), **change})


# --- customers


def person(**changes: Any) -> dict[str, Any]:
    return {**sample("graphql_customer"), **changes}


def consents(account: Account, **changes: Any) -> tuple[Consent, ...]:
    return one(account, "graphql:customer", person(**changes)).consents


def test_a_customer_has_everything_a_contact_needs(account):
    customer = one(account, "graphql:customer", person())
    assert (customer.key, customer.email, customer.phone) == ("706405506930370001", "zoe.biller@example.com", "+447700900123")
    assert (customer.first_name, customer.last_name, customer.country, customer.tags) == ("Zoë", "Biller", "GB", ("uk", "vip"))
    assert customer.attributes["metafield.custom.birthday"] == "1990-05-01"
    assert (customer.attributes["orders_count"], customer.attributes["amount_spent"]) == (3, "149.99")
    assert len(customer.addresses) == 1


@pytest.mark.parametrize(
    ("state", "expected", "explicit"),
    [
        ("SUBSCRIBED", ConsentState.GRANTED, True),
        ("UNSUBSCRIBED", ConsentState.WITHDRAWN, True),
        ("INVALID", ConsentState.WITHDRAWN, False),
        ("REDACTED", ConsentState.WITHDRAWN, False),
        ("NOT_SUBSCRIBED", ConsentState.UNKNOWN, False),
        ("PENDING", ConsentState.UNKNOWN, False),
        ("NEVER_SUBSCRIBED", ConsentState.UNKNOWN, False),
        ("SOMETHING_NEW", ConsentState.UNKNOWN, False),
    ],
)
def test_only_what_a_person_said_is_explicit_on_both_channels(account, state, expected, explicit):
    at = "2026-10-01T00:00:00Z"
    email = {"emailAddress": "a@example.com", "marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN", "marketingUpdatedAt": at}
    new = {"phoneNumber": "+447700900123", "smsMarketingConsent": {"state": state, "optInLevel": "SINGLE_OPT_IN", "updatedAt": at}}
    flat = {"phoneNumber": "+447700900123", "marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN", "marketingUpdatedAt": at}
    said = {"state": expected, "stated_at": datetime(2026, 10, 1, tzinfo=UTC), "source": "single_opt_in", "explicit": explicit}
    both = (Consent(channel="email", **said), Consent(channel="sms", **said))
    assert consents(account, defaultEmailAddress=email, defaultPhoneNumber=new) == both
    assert consents(account, defaultEmailAddress=email, defaultPhoneNumber=flat) == both


def test_a_subscription_without_a_date_is_not_explicit(account):
    email = {"emailAddress": "a@example.com", "marketingState": "SUBSCRIBED", "marketingUpdatedAt": None}
    (consent,) = consents(account, defaultEmailAddress=email, defaultPhoneNumber=None)
    assert (consent.state, consent.explicit) == (ConsentState.GRANTED, False)


def test_without_address_or_number_nothing_was_said(account):
    assert consents(account, defaultEmailAddress=None, defaultPhoneNumber=None) == ()


def test_both_versions_give_the_same_customer(account):
    new, old = one(account, "graphql:customer", person()), one(account, "graphql:customer", sample("graphql_customer_2026_07"))
    assert new == old


def test_metafields_keep_numbers_and_booleans(account):
    fields = [
        ("integer", "number_integer", "-5"),
        ("truth", "boolean", "true"),
        ("price", "number_decimal", "1.50"),
        ("odd", "boolean", "maybe"),
    ]
    nodes = [{"namespace": "a", "key": key, "type": kind, "value": value} for key, kind, value in fields]
    attributes = one(account, "graphql:customer", person(metafields={"nodes": nodes})).attributes
    assert {name: value for name, value in attributes.items() if name.startswith("metafield")} == {
        "metafield.a.integer": -5,
        "metafield.a.truth": True,
        "metafield.a.price": "1.50",
        "metafield.a.odd": "maybe",
    }


def test_personal_data_that_is_not_granted_is_empty_and_no_fault(account):
    hidden = one(
        account,
        "graphql:customer",
        person(firstName=None, lastName=None, defaultEmailAddress=None, defaultPhoneNumber=None, defaultAddress=None),
    )
    assert (hidden.email, hidden.phone, hidden.first_name, hidden.consents) == ("", "", "", ())


def test_a_deleted_customer_is_removed_at_the_time_of_the_delivery(account):
    raw = {**sample("webhook_customers_delete"), "_triggered_at": "2026-11-20T10:00:00+00:00"}
    assert one(account, "webhook:customers/delete", raw) == Customer(
        key="706405506930370001", occurred_at=datetime(2026, 11, 20, 10, tzinfo=UTC), removed=True
    )


# --- products


def test_a_product_and_its_variants_have_prices_pictures_and_pages(make_account):
    product, small, large = parse(
        make_account(market_countries=["DE"], locale="de"), RawObject("graphql:product", sample("graphql_product"))
    )
    assert (product.title, product.vendor, product.product_type, product.active, product.in_stock) == (
        "Walking shoe",
        "Acme",
        "Shoes",
        True,
        True,
    )
    assert list(product.categories.values()) == ["Summer"]
    assert (product.skus, product.images[0]) == (("SHOE-41", "SHOE-42"), "https://cdn.example.com/shoe-1.jpg")
    assert product.attributes["metafield.custom.material"] == "leather"
    assert small.prices == (
        Price(market="", currency="GBP", regular=D("25.00"), sale=D("20.00")),
        Price(market="DE", currency="EUR", regular=D("28.75"), sale=D("23.00")),
    )
    assert product.prices == small.prices
    assert (large.in_stock, large.barcode, large.options) == (False, "5012345678917", {"Size": "42"})
    assert small.url == f"{product.url}?variant={small.key}"
    assert (small.product_key, small.product_title, small.image_url) == (product.key, "Walking shoe", "https://cdn.example.com/shoe-1.jpg")


@pytest.mark.parametrize("compare_at", [None, "20.00", "15.00"])
def test_a_compare_at_price_that_is_not_higher_is_no_sale(account, compare_at):
    raw = sample("graphql_product")
    raw["variants"]["nodes"][0]["compareAtPrice"] = compare_at
    assert parse(account, RawObject("graphql:product", raw))[1].prices == (Price(market="", currency="GBP", regular=D("20.00")),)


@pytest.mark.parametrize(
    ("changes", "active"),
    [
        ({}, True),
        ({"status": "DRAFT"}, False),
        ({"status": "ARCHIVED"}, False),
        ({"status": "UNLISTED"}, False),
        ({"publishedAt": None}, False),
    ],
)
def test_only_active_published_products_are_active(account, changes, active):
    records = parse(account, RawObject("graphql:product", {**sample("graphql_product"), **changes}))
    assert [record.active for record in records] == [active] * 3


def test_texts_come_in_the_connections_language_where_there_are_any(account):
    raw = {**sample("graphql_product"), "translations": [{"key": "title", "value": "Wanderschuh"}, {"key": "body_html", "value": ""}]}
    product, variant, _ = parse(account, RawObject("graphql:product", raw))
    assert (product.title, variant.product_title, product.description) == ("Wanderschuh", "Wanderschuh", "<p>For long <b>roads</b>.</p>")


def test_a_product_is_as_new_as_its_newest_variant(account):
    raw = sample("graphql_product")
    raw["variants"]["nodes"][1]["updatedAt"] = "2026-12-01T00:00:00Z"
    product, first, second = parse(account, RawObject("graphql:product", raw))
    assert (product.occurred_at, second.occurred_at) == (datetime(2026, 12, 1, tzinfo=UTC),) * 2
    assert first.occurred_at < second.occurred_at


def test_a_deleted_product_is_removed(account):
    product = one(account, "webhook:products/delete", {"id": 1, "_triggered_at": "2026-11-20T10:00:00+00:00"})
    assert (product.key, product.removed) == ("1", True)


# --- checkouts


def test_a_checkout_waits_before_it_counts_as_abandoned(make_account):
    raw = sample("webhook_checkouts_update")
    checkout = one(make_account(abandon_minutes=45), "webhook:checkouts/update", raw)
    assert checkout.not_before - checkout.occurred_at == timedelta(minutes=45)
    assert (checkout.key, checkout.currency, checkout.completed_at) == (raw["token"], "GBP", None)
    assert [(line.sku, line.quantity, line.total) for line in checkout.lines] == [("SHOE-41", 2, D("40.00"))]
    assert checkout.customer.email == "zoe.biller@example.com"


def test_both_shapes_of_a_checkout_share_key_customer_and_lines(account):
    received = one(account, "webhook:checkouts/create", sample("webhook_checkouts_create"))
    pulled = one(account, "graphql:checkout", sample("graphql_checkout"))
    assert (received.key, received.customer, received.lines, received.total) == (pulled.key, pulled.customer, pulled.lines, pulled.total)


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://demo.example/548380009/checkouts/ac/x1/recover?key=k", "x1"),
        ("https://demo.example/checkouts/ac/Z2NwLWV1/recover?key=k", "Z2NwLWV1"),
        ("https://demo.example/checkouts/cn/abc?key=k", "abc"),
        ("https://demo.example/checkouts/0123456789abcdef", "0123456789abcdef"),
        ("https://demo.example/cart", ""),
        ("", ""),
    ],
)
def test_the_recovery_address_holds_the_token(url, token):
    assert token_of(url) == token


def test_a_deleted_checkout_is_removed(account):
    raw = {**sample("webhook_checkouts_delete"), "_triggered_at": "2026-11-20T10:00:00+00:00"}
    assert one(account, "webhook:checkouts/delete", raw).removed


# --- the room as a whole


@pytest.mark.parametrize("name", TOPICS)
def test_every_topic_has_a_sample_and_each_hint_names_its_object(name):
    raw = sample(f"webhook_{name.replace('/', '_').replace('.', '_')}")
    call = IncomingCall(path="/", headers={"x-shopify-topic": name}, body=orjson.dumps(raw))
    (event,) = PLATFORM.webhooks.cut(ACCOUNT, call)
    assert event.hint is not TOPICS[name].full
    assert event.object_key
    assert (f"webhook:{name}" in PARSERS) is (TOPICS[name].full or name == "customers/merge")


def test_a_body_that_could_not_be_read_says_why(account):
    with pytest.raises(Unparsable, match="webhook:orders/updated: not JSON: line 1"):
        one(account, "webhook:orders/updated", {"raw": "{", "reason": "not JSON: line 1"})


def test_topics_without_a_record_give_none(account):
    assert parse(account, RawObject("webhook:themes/publish", {"id": 1})) == ()


def test_the_room_knows_no_django(request: pytest.FixtureRequest):
    room = Path(PARSERS["graphql:order"].__code__.co_filename).parents[1]
    sources: list[Callable[[], str]] = [path.read_text for path in room.rglob("*.py")]
    assert [read for read in sources if "django" in read().lower()] == []
