"""Generated shops: the same seed gives the same past, ticks go on plausibly, fillers answer like orders that lived."""

import io
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from integrations.standins.shopify import ShopifyStandIn, ShopSpec, words
from integrations.standins.shopify.bulk_lines import understand_bulk, write_lines
from integrations.standins.shopify.filler import fill_orders
from integrations.standins.shopify.lives import Lives
from integrations.standins.shopify.resolvers import Call
from integrations.standins.shopify.shops import Shop
from tests.standins.shopify.conftest import OPERATIONS, SHOP, Caller, gid
from tests.standins.shopify.test_amounts import check


def tell(shop: Shop) -> list[Any]:
    return [
        (order.name, str(order.total), str(order.current_total), order.financial_status, order.fulfillment_status, order.email)
        for order in shop.orders
    ]


def test_the_same_seed_lives_the_same_lives() -> None:
    stories = []
    for seed in (5, 5, 6):
        stand_in = ShopifyStandIn([ShopSpec(SHOP)])
        Lives(stand_in, SHOP, seed).history(customers=20, orders=40, days=30)
        stories.append(tell(stand_in.shop()))
        stand_in.close()

    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_a_history_has_every_kind_of_order_in_the_right_times(stand_in: ShopifyStandIn) -> None:
    lives = Lives(stand_in, SHOP, seed=3)
    lives.history(customers=40, orders=200, days=60)
    shop = stand_in.shop()
    orders = list(shop.orders)

    kinds = Counter(order.financial_status for order in orders)
    assert {"PAID", "PARTIALLY_REFUNDED", "REFUNDED", "VOIDED"} <= kinds.keys()
    assert {"FULFILLED", "UNFULFILLED"} <= {order.fulfillment_status for order in orders}
    assert len(shop.products) == 60
    assert any(checkout.completed_at is None for checkout in shop.checkouts)
    assert any(line.removed for order in orders for line in order.lines)
    numbers = [order.number for order in sorted(orders, key=lambda order: order.created_at)]
    assert numbers == sorted(numbers)
    assert all(shop.now() - timedelta(days=61) < order.created_at <= order.updated_at <= shop.now() for order in orders)
    for order in orders:
        check(order)


def test_a_history_tells_nobody(caller: Caller, inbox: Any, subscribe: Any) -> None:
    subscribe("ORDERS_CREATE", "CUSTOMERS_CREATE", "PRODUCTS_CREATE")
    Lives(caller.stand_in, SHOP, seed=3).history(customers=5, orders=5, days=5)

    assert (caller.stand_in.wait_sent(), inbox.received) == (True, [])


def test_ticks_say_what_happened_and_keep_the_amounts_right(stand_in: ShopifyStandIn) -> None:
    lives = Lives(stand_in, SHOP, seed=4)
    lives.history(customers=20, orders=30, days=20)
    said = [lives.tick() for _ in range(150)]

    assert all(said)
    assert {"placed", "shipped", "delivered", "signed", "refunded"} <= {word for line in said for word in line.split()}
    for order in stand_in.shop().orders:
        check(order)


def test_invented_people_are_unreachable() -> None:
    assert (words.phone(0), words.phone(999), words.phone(1000)) == ("+442079460000", "+442079460999", None)
    assert words.gtin(1) == "2000000000015"
    assert sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(words.gtin(123456789))) % 10 == 0


def test_filled_orders_answer_like_orders_that_lived(caller: Caller) -> None:
    shop = fill_orders(caller.stand_in, 500, lines=2, refunded=0.3, fulfilled=0.5)
    first = shop.orders.filler.first_id

    full = caller.order(first + 123)
    listed = caller.ask("{ orders(first: 2, sortKey: CREATED_AT, reverse: true) { nodes { id } } ordersCount { count } }")

    assert (full["name"], full["id"]) == ("#1124", gid("Order", first + 123))
    assert full["customer"]["defaultEmailAddress"]["emailAddress"] == full["email"]
    assert len(full["lineItems"]["nodes"]) in (2, 3)
    assert listed["orders"]["nodes"] == [{"id": gid("Order", first + 499)}, {"id": gid("Order", first + 498)}]
    assert listed["ordersCount"] == {"count": 500}
    for order in shop.orders:
        check(order)


def test_a_filled_customer_is_found_by_address(caller: Caller) -> None:
    shop = fill_orders(caller.stand_in, 100, customers=10)

    found = caller.run("customer_by_key", {"k": {"emailAddress": "filler.7@example.com"}})["customerByIdentifier"]

    assert found["id"] == gid("Customer", shop.customers.filler.first_id + 7)
    assert caller.run("customer_by_key", {"k": {"emailAddress": "filler.10@example.com"}})["customerByIdentifier"] is None


def test_windows_over_a_filler_count_and_page_exactly(caller: Caller) -> None:
    shop = fill_orders(caller.stand_in, 400, days=40)
    since = shop.now() - timedelta(days=10)
    query = f"created_at:>='{since.isoformat()}'"
    text = """query($q: String, $after: String) { ordersCount(query: $q) { count }
              orders(first: 60, after: $after, query: $q, sortKey: CREATED_AT) { pageInfo { hasNextPage endCursor } nodes { id } } }"""

    expected = [gid("Order", order.id) for order in shop.orders if order.created_at >= since]
    found: list[str] = []
    page = caller.ask(text, {"q": query})
    found += [node["id"] for node in page["orders"]["nodes"]]
    while page["orders"]["pageInfo"]["hasNextPage"]:
        page = caller.ask(text, {"q": query, "after": page["orders"]["pageInfo"]["endCursor"]})
        found += [node["id"] for node in page["orders"]["nodes"]]

    assert found == expected
    assert page["ordersCount"]["count"] == len(expected)


def test_a_changed_filler_order_keeps_its_change(caller: Caller) -> None:
    shop = fill_orders(caller.stand_in, 50)
    number = shop.orders.filler.first_id + 10
    order = shop.orders.get(number)
    caller.stand_in.act("refund", order_id=number, lines={order.lines[0].id: 1})
    caller.stand_in.act("delete_order", order_id=number + 1)

    assert caller.order(number)["displayFinancialStatus"] in ("PARTIALLY_REFUNDED", "REFUNDED")
    assert caller.order(number + 1) is None
    assert (len(shop.orders), len(list(shop.orders))) == (49, 49)
    assert caller.ask("{ ordersCount { count } }") == {"ordersCount": {"count": 49}}


@pytest.mark.parametrize("name", ["bulk_orders", "bulk_customers"])
def test_stencilled_lines_are_those_of_the_orders_themselves(stand_in: ShopifyStandIn, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    shop = fill_orders(stand_in, 700, refunded=0.2, fulfilled=0.5)
    stand_in.act("update_order", order_id=shop.orders.filler.first_id + 3, note="changed")
    query, _ = understand_bulk((OPERATIONS / f"{name}.graphql").read_text(), "2026-10")

    def written() -> list[Any]:
        file = io.BytesIO()
        counts = list(write_lines(query, Call(shop, "2026-10", bulk=True), file))
        found = [json.loads(line) for line in file.getvalue().splitlines()]
        assert counts[-1][0] == len(found)
        return sorted(found, key=lambda line: (line["id"], line.get("__parentId", "")))

    quick = written()
    monkeypatch.setattr("integrations.standins.shopify.bulk_lines.fits", lambda *_: False)

    assert quick == written()


def test_a_shop_is_filled_once(stand_in: ShopifyStandIn) -> None:
    fill_orders(stand_in, 10)

    with pytest.raises(ValueError, match="filled already"):
        fill_orders(stand_in, 10)
