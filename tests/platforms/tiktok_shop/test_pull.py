"""Pulling over real HTTP: pages of an index that moves, history in steps, products, figures."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from integrations.platforms.base import Window
from integrations.platforms.errors import Misconfigured, Refused
from integrations.platforms.tiktok_shop import PLATFORM, read
from integrations.platforms.tiktok_shop.expand import whole_products
from integrations.platforms.tiktok_shop.parse import parse
from integrations.standins.tiktok_shop.failures import Failure
from mapping.records import Price, Product, Variant
from tests.platforms.tiktok_shop.conftest import last_days, pull_all

D = Decimal


def keys(objects) -> list[str]:
    return [raw.data["order"]["id"] for raw in objects]


def placed(place, count: int, *, every: int = 60, days_ago: float = 1.0) -> list[str]:
    begin = int(time.time() - days_ago * 86_400)
    return [place(units=1, at=begin + number * every).id for number in range(count)]


def test_changes_come_oldest_first_and_each_order_whole(stand_in, client, place):
    ids = placed(place, 130)
    stand_in.act("request_cancellation", order_id=ids[7])

    objects = pull_all(client, "orders", last_days())

    assert list(dict.fromkeys(keys(objects))) == [*ids[:7], *ids[8:], ids[7]]
    assert [len(raw.data["cancellations"]) for raw in objects if raw.data["order"]["id"] == ids[7]] == [1]


def test_nothing_is_passed_over_while_orders_change_between_the_pages(stand_in, client, place):
    ids = placed(place, 120)
    pull, window, cursor, found = PLATFORM.readers["orders"].pull, last_days(), None, set()
    for page_number in range(20):
        page = pull(client, window, cursor)
        found |= set(keys(page.objects))
        if page_number == 0:
            for order_id in ids[:40]:  # what was read already moves to the end
                stand_in.act("touch_order", order_id=order_id)
        cursor = page.cursor
        if cursor is None:
            break
    assert found == set(ids)


def test_more_orders_in_one_second_than_fit_a_page_are_all_read(client, place):
    ids = placed(place, 170, every=0)
    assert sorted(set(keys(pull_all(client, "orders", last_days())))) == sorted(ids)


def test_a_page_token_that_died_is_replaced_by_reading_its_second_again(stand_in, client, place):
    ids = placed(place, 170, every=0)
    pull, window = PLATFORM.readers["orders"].pull, last_days()
    first = pull(client, window, None)
    second = pull(client, window, first.cursor)
    assert '"token":""' not in second.cursor
    stand_in.advance(3_600)

    page = pull(client, window, second.cursor)

    assert page.objects == ()
    assert "read again" in page.note
    rest, cursor = [], page.cursor
    while cursor:
        page = pull(client, window, cursor)
        rest += keys(page.objects)
        cursor = page.cursor
    assert set(rest) == set(ids)


def test_a_refusal_that_is_not_the_tokens_fault_is_told(stand_in, client, place):
    placed(place, 170, every=0)
    pull, window = PLATFORM.readers["orders"].pull, last_days()
    cursor = pull(client, window, pull(client, window, None).cursor).cursor
    stand_in.failures.add(Failure(98001004, "Invalid parameter", path="/orders/search", times=0))
    again = pull(client, window, cursor).cursor
    with pytest.raises(Refused):
        pull(client, window, again)


def test_history_counts_beforehand_and_goes_by_thirty_days(client, place):
    old, young = placed(place, 3, days_ago=200), placed(place, 60, days_ago=20)
    window = Window(since=datetime.now(UTC) - timedelta(days=365), until=datetime.now(UTC))

    first = PLATFORM.readers["orders"].backfill(client, window, None)
    objects = pull_all(client, "orders", window, backfill=True)

    assert (first.total, first.objects) == (63, ())
    assert list(dict.fromkeys(keys(objects))) == [*old, *young]


@pytest.mark.parametrize("reader", ["cancellations", "returns"])
def test_requests_lead_to_their_orders_even_when_nobody_told_of_them(stand_in, client, place, reader):
    order, _other = place(at=int(time.time()) - 9_000), place()
    if reader == "cancellations":
        stand_in.act("request_cancellation", order_id=order.id, at=int(time.time()) - 600)
    else:
        stand_in.act("advance_order", order_id=order.id, to="DELIVERED", at=int(time.time()) - 900)
        stand_in.act("open_return", order_id=order.id, at=int(time.time()) - 600)
    objects = pull_all(client, reader, last_days(1))
    assert keys(objects) == [order.id]
    assert len(objects[0].data[reader]) == 1


def test_windows_end_where_they_are_told_to(client, place):
    now = int(time.time())
    ids = [place(at=now - minutes * 60).id for minutes in (60, 30, 10)]
    window = Window(since=datetime.fromtimestamp(now - 2_400, UTC), until=datetime.fromtimestamp(now - 1_200, UTC))
    assert keys(pull_all(client, "orders", window)) == [ids[1]]


def test_an_empty_window_makes_no_call(client, pacer):
    moment = datetime.now(UTC)
    assert PLATFORM.readers["orders"].pull(client, Window(since=moment, until=moment - timedelta(hours=1)), None) == read.Page()
    assert pacer.taken == []


# --- products and figures -------------------------------------------------------------------------------------------------


def test_products_come_with_skus_prices_options_and_barcodes(stand_in, client, goods):
    stand_in.act("update_product", product_id=next(iter(stand_in.shop().products.rows)), title="Tee, organic")

    records = [record for raw in pull_all(client, "products", last_days()) for record in parse(client.account, raw)]

    product, variant = records
    assert isinstance(product, Product)
    assert isinstance(variant, Variant)
    assert (product.title, product.skus, product.active, product.in_stock) == ("Tee, organic", ("TEE-M",), True, True)
    assert (variant.sku, variant.barcode, variant.options, variant.product_key) == ("TEE-M", "2000000000015", {"Size": "M"}, product.key)
    assert variant.prices == (Price(market="", currency="GBP", regular=D("20.00")),) == product.prices


def test_every_page_of_products_is_read_once(stand_in, client):
    for number in range(45):
        stand_in.act("create_product", title=f"P{number}", variants=[{"seller_sku": f"SKU-{number}", "price": "1.00"}])
    objects = pull_all(client, "products", last_days())
    assert sorted(raw.data["title"] for raw in objects) == sorted(f"P{number}" for number in range(45))


def test_a_bundle_says_what_it_is_made_of(stand_in, client, goods):
    bundle = next(key for key, product in stand_in.shop().products.rows.items() if product.title == "Gift set")
    (product, variant) = parse(client.account, next(raw for _, raw in whole_products(client, [bundle])))
    assert [part["quantity"] for part in variant.attributes["combined_skus"]] == [2, 1]
    assert product.skus == ("SET",)


def test_figures_of_shop_and_products_come_day_by_day(client, place):
    noon = (datetime.now(UTC) - timedelta(days=3)).replace(hour=12)
    place(units=3, at=int(noon.timestamp()))

    records = [record for raw in pull_all(client, "analytics", last_days(6)) for record in parse(client.account, raw)]

    shop = {record.day: record.values for record in records if record.subject == "shop"}
    day = noon.date().isoformat()
    assert (shop[day]["gmv"], shop[day]["orders"], shop[day]["units_sold"]) == (D("60.00"), 1, 3)
    assert {record.currency for record in records} == {"GBP"}
    assert len({record.key for record in records}) == len(records)
    assert sum(record.values["units_sold"] for record in records if record.subject.startswith("product:") and record.day == day) == 3


def test_a_shop_without_data_is_no_alarm(client):
    assert pull_all(client, "analytics", last_days(4)) == []


@pytest.mark.parametrize(("reader", "scope"), [("products", "seller.product.basic"), ("analytics", "data.shop_analytics.public.read")])
def test_a_scope_that_orders_do_not_need_only_leaves_a_note(stand_in, client, reader, scope):
    stand_in.failures.add(Failure(105005, "scope missing"))
    page = PLATFORM.readers[reader].pull(client, last_days(), None)
    assert (page.objects, page.cursor) == ((), None)
    assert scope in page.note


def test_a_scope_that_orders_need_stops_the_pull_with_the_remedy(stand_in, client):
    stand_in.failures.add(Failure(105005, "scope missing"))
    with pytest.raises(Misconfigured, match="authorise it again"):
        PLATFORM.readers["orders"].pull(client, last_days(), None)
