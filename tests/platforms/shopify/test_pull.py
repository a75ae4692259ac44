"""Pulling changes over real HTTP: pages, windows, inner pages, and records equal to those of the webhooks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from integrations.platforms.base import Page, RawObject, Window
from integrations.platforms.errors import TryLater
from integrations.platforms.shopify import PLATFORM
from integrations.platforms.shopify.parse import parse
from integrations.platforms.shopify.read import between
from mapping import codec
from mapping.records import ConsentState, Order, Price

D = Decimal


def everything() -> Window:
    return Window(since=datetime.now(UTC) - timedelta(days=400))


def pull_all(client: Any, reader: str, window: Window) -> list[RawObject]:
    objects, cursor, seen = [], None, 0
    while True:
        page = PLATFORM.readers[reader].pull(client, window, cursor)
        objects += page.objects
        seen += 1
        if page.cursor is None:
            return objects
        assert seen < 100
        cursor = page.cursor


def order_of(client, raw: RawObject) -> Order:
    return parse(client.account, raw)[0]


def lives(stand_in, goods, person) -> list[int]:
    """Orders in every state a shop knows, by id."""
    first, second = goods.variant_ids
    wish = [{"variant_id": first, "quantity": 2}, {"variant_id": second, "quantity": 1}]
    code = [{"kind": "code", "title": "TEN", "value": "10", "percentage": True}]

    def order(**more: Any) -> Any:
        return stand_in.act("create_order", **{"lines": wish, "customer_id": person.id, "shipping": "4.99", **more})

    paid, edited, pending = order(discounts=code), order(paid=False), order(paid=False, customer_id=None, email="guest@example.com")
    shipped, part, whole = order(), order(discounts=code), order()
    void, cancelled, euros = order(paid=False), order(), order(presentment_currency="EUR")
    stand_in.act("edit_order", order_id=edited.id, quantities={edited.lines[0].id: 1}, add=[{"variant_id": second, "quantity": 3}])
    parcel = stand_in.act("fulfil", order_id=shipped.id, company="Royal Mail", tracking="AB123456789GB")
    stand_in.act("deliver", fulfillment_id=parcel.id)
    stand_in.act("refund", order_id=part.id, lines={part.lines[0].id: 1}, note="too small")
    stand_in.act("refund", order_id=part.id, amount="2.00")
    stand_in.act("refund_all", order_id=whole.id)
    stand_in.act("refund", order_id=euros.id, lines={euros.lines[1].id: 1}, shipping="4.99")
    stand_in.act("cancel_order", order_id=void.id)
    stand_in.act("cancel_order", order_id=cancelled.id)
    return [order.id for order in (paid, edited, pending, shipped, part, whole, void, cancelled, euros)]


def test_orders_of_every_life_parse_alike_from_webhook_and_pull(stand_in, client, goods, person, earlier):
    with earlier():
        ids = lives(stand_in, goods, person)
    pulled = {order.key: order for order in (order_of(client, raw) for raw in pull_all(client, "orders", everything()))}
    received = {}
    for order_id in ids:
        _, body = stand_in.render_webhook("orders/updated", order_id)
        order = order_of(client, RawObject("webhook:orders/updated", orjson.loads(body)))
        received[order.key] = order
    assert {key: orjson.loads(codec.dumps(order)) for key, order in pulled.items()} == {
        key: orjson.loads(codec.dumps(order)) for key, order in received.items()
    }


def test_net_is_shopifys_current_total_for_every_life(stand_in, client, goods, person, earlier):
    with earlier():
        lives(stand_in, goods, person)
    shop = stand_in.shop()
    for raw in pull_all(client, "orders", everything()):
        order, own = order_of(client, raw), shop.orders.get(int(raw.data["legacyResourceId"]))
        assert (order.number, order.totals.net, order.totals.total) == (own.name, own.current_total, own.total)
        assert order.totals.other == 0


def test_a_pull_walks_every_page_once_and_ends(stand_in, connect, goods, earlier):
    with earlier():
        made = [stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}]).id for _ in range(7)]
    client = connect(page_size=3)
    objects = pull_all(client, "orders", everything())
    assert sorted(int(raw.data["legacyResourceId"]) for raw in objects) == made


def test_what_changed_in_the_last_thirty_seconds_waits_for_the_next_pull(stand_in, client, goods):
    stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}])
    assert pull_all(client, "orders", everything()) == []


def test_a_window_ends_where_it_is_told_to(stand_in, client, goods, earlier):
    for minutes in (60, 20):
        with earlier(minutes):
            stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}])
    now = datetime.now(UTC)
    window = Window(since=now - timedelta(minutes=30), until=now - timedelta(minutes=15))
    assert [raw.data["name"] for raw in pull_all(client, "orders", window)] == ["#1002"]
    assert PLATFORM.readers["orders"].pull(client, Window(since=now, until=now - timedelta(hours=1)), None) == Page()


def test_inner_pages_are_followed_to_their_end(stand_in, client, goods, earlier):
    with earlier():
        order = stand_in.act("create_order", lines=[{"title": f"Thing {n}", "price": "3.00", "quantity": 2} for n in range(27)])
        for line in order.lines[:12]:
            stand_in.act("fulfil", order_id=order.id, lines={line.id: 1})
        stand_in.act("refund", order_id=order.id, lines={line.id: 1 for line in order.lines[:15]})
        for _ in range(11):
            stand_in.act("refund", order_id=order.id, amount="0.10")
    record = order_of(client, pull_all(client, "orders", everything())[0])
    assert (len(record.lines), len(record.fulfilments), len(record.refunds)) == (27, 12, 12)
    assert len(record.refunds[0].lines) == 15
    assert (record.totals.refunded, record.totals.net) == (D("46.10"), D("115.90"))


def test_a_cheap_limit_shrinks_the_pages_until_they_pass(stand_in, client, goods, person, earlier):
    with earlier():
        ids = lives(stand_in, goods, person)
    stand_in.service().limits.max_cost = 120
    assert len(pull_all(client, "orders", everything())) == len(ids)
    assert client.size("orders_full", "batch") < 20


def test_customers_come_with_consent_tags_addresses_and_chosen_metafields(stand_in, connect, person, earlier):
    with earlier(5):
        stand_in.act("set_sms_consent", customer_id=person.id, state="UNSUBSCRIBED")
    client = connect(metafields=["custom.birthday"])
    (customer,) = parse(client.account, pull_all(client, "customers", everything())[0])
    assert (customer.key, customer.email, customer.phone, customer.country) == (str(person.id), "zoe@example.com", "+447700900123", "GB")
    assert (customer.tags, customer.addresses[0].city) == (("vip",), "Leeds")
    assert [(consent.channel, consent.state, consent.explicit) for consent in customer.consents] == [
        ("email", ConsentState.GRANTED, True),
        ("sms", ConsentState.WITHDRAWN, True),
    ]
    assert customer.attributes["metafield.custom.birthday"] == "1990-05-01"


def test_metafields_nobody_asked_for_stay_away(client, person):
    (customer,) = parse(client.account, pull_all(client, "customers", everything())[0])
    assert [name for name in customer.attributes if name.startswith("metafield")] == []


def test_the_older_version_reads_sms_consent_from_its_flat_fields(stand_in, connect, person, earlier):
    with earlier(5):
        stand_in.act("set_sms_consent", customer_id=person.id, state="SUBSCRIBED")
    client = connect(api_version="2026-07")
    (customer,) = parse(client.account, pull_all(client, "customers", everything())[0])
    assert (customer.consents[1].channel, customer.consents[1].state) == ("sms", ConsentState.GRANTED)
    assert client.version_served == "2026-07"


def test_products_come_with_variants_sale_prices_and_markets(connect, goods):
    client = connect(market_countries=["DE"])
    product, first, second = parse(client.account, pull_all(client, "products", everything())[0])
    assert (product.title, product.vendor, product.image_url, product.skus) == (
        "Shoe",
        "Acme",
        "https://cdn.example.com/a.jpg",
        ("SHOE-41", "SHOE-42"),
    )
    assert first.prices[0] == Price(market="", currency="GBP", regular=D("25.00"), sale=D("20.00"))
    assert second.prices[0] == Price(market="", currency="GBP", regular=D("30.00"))
    assert [price.market for price in first.prices] == ["", "DE"]
    assert (first.product_key, first.options, first.in_stock) == (product.key, {"Size": "41"}, True)
    assert product.prices[0] == first.prices[0]


def test_a_product_with_many_variants_has_them_all(stand_in, client, earlier):
    with earlier():
        stand_in.act("create_product", handle="many", title="Many", variants=[{"sku": f"M-{n}", "price": "1.00"} for n in range(75)])
    product, *variants = parse(client.account, pull_all(client, "products", everything())[0])
    assert (len(product.skus), len({variant.key for variant in variants})) == (75, 75)


def test_an_abandoned_checkout_carries_the_token_that_its_webhook_has(stand_in, client, goods, person, earlier):
    with earlier():
        made = stand_in.act("start_checkout", lines=[{"variant_id": goods.variant_ids[0], "quantity": 2}], customer_id=person.id)
    _, body = stand_in.render_webhook("checkouts/update", made.id)
    (received,) = parse(client.account, RawObject("webhook:checkouts/update", orjson.loads(body)))
    (pulled,) = parse(client.account, pull_all(client, "checkouts", everything())[0])
    assert pulled.key == received.key == made.token
    assert (pulled.total, pulled.customer.email, pulled.url) == (received.total, "zoe@example.com", made.url)
    assert [(line.sku, line.quantity, line.total) for line in pulled.lines] == [("SHOE-41", 2, D("40.00"))]
    assert pulled.not_before == pulled.occurred_at + timedelta(minutes=30)


def test_a_repeated_page_stops_the_pull(client, goods, monkeypatch):
    listed = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "same"}}
    monkeypatch.setattr(client, "call", lambda name, variables=None: {"orders": listed})
    first = PLATFORM.readers["orders"].pull(client, everything(), None)
    with pytest.raises(TryLater, match="repeated"):
        PLATFORM.readers["orders"].pull(client, everything(), first.cursor)


def test_a_window_is_written_as_quoted_utc_seconds():
    since = datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC).astimezone()
    until = datetime(2026, 11, 21, tzinfo=UTC)
    assert between("updated_at", since, until) == "updated_at:>='2026-11-20T12:00:01Z' AND updated_at:<'2026-11-21T00:00:00Z'"
