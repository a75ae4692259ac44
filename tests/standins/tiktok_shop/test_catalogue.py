"""Products and figures: search and details, and aggregates by day that come from the orders."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.standins.tiktok_shop.conftest import JP, Caller

PRODUCTS = "/product/202502/products/search"
SHOP, GOODS, SKUS = (f"/analytics/202509/{name}/performance" for name in ("shop", "shop_products", "shop_skus"))


def test_products_are_found_with_their_skus(caller: Caller, tee: Any) -> None:
    found = caller.post(PRODUCTS, {"status": "ACTIVATE", "seller_skus": ["TEE-M"]}, page_size=100)["products"]

    assert [(product["id"], product["title"], product["audit"]) for product in found] == [(tee.id, "Tee", {"status": "APPROVED"})]
    assert found[0]["skus"] == [
        {
            "id": tee.variants[0].id,
            "seller_sku": "TEE-M",
            "price": {"tax_exclusive_price": "20.00", "sale_price": "20.00", "currency": "GBP"},
            "inventory": [{"warehouse_id": "6955005333819123123", "quantity": 20}],
        }
    ]


def test_product_details_have_codes_options_and_components(caller: Caller, tee: Any) -> None:
    one = caller.get(f"/product/202309/products/{tee.id}")
    products = caller.post(PRODUCTS, {"seller_skus": ["SET"]}, page_size=10)["products"]
    bundle = caller.get(f"/product/202309/products/{products[0]['id']}")

    assert one["skus"][0]["identifier_code"] == {"code": "2000000000015", "type": "EAN"}
    assert [(part["name"], part["value_name"]) for part in one["skus"][0]["sales_attributes"]] == [("Size", "M")]
    assert [part["sku_count"] for part in bundle["skus"][0]["combined_skus"]] == [2, 1]
    assert caller.code("GET", "/product/202309/products/1729582718319999999") == 12052048


def test_a_product_search_is_bounded(caller: Caller, tee: Any) -> None:
    skus = [str(number) for number in range(11)]

    assert caller.code("POST", PRODUCTS, {}, page_size=101) == 98001004
    assert caller.code("POST", PRODUCTS, {"seller_skus": skus}, page_size=10) == 12019027
    assert caller.code("POST", PRODUCTS, {"sku_ids": skus}, page_size=10) == 12019087


def test_the_upper_limit_of_a_product_window_is_inclusive(caller: Caller) -> None:
    act = caller.stand_in.act
    made = [
        act("create_product", title=f"P{at}", variants=[{"seller_sku": f"S{at}", "price": "1"}], at=1_700_000_000 + at) for at in range(3)
    ]
    window = {"update_time_ge": 1_700_000_001, "update_time_le": 1_700_000_002}
    found = caller.post(PRODUCTS, window, page_size=10, sort_field="update_time", sort_order="ASC")["products"]

    assert [product["id"] for product in found] == [product.id for product in made[1:]]


def test_a_changed_variant_shows_at_once(caller: Caller, tee: Any) -> None:
    caller.stand_in.act("update_variant", sku_id="TEE-M", price="21.50", seller_sku="TEE-MEDIUM")

    assert caller.get(f"/product/202309/products/{tee.id}")["skus"][0]["price"]["sale_price"] == "21.50"
    assert caller.stand_in.act("place_order", lines=[{"seller_sku": "TEE-MEDIUM"}]).lines[0].original == 2150


def day(back: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=back)


def test_figures_of_the_shop_come_by_day_from_its_orders(caller: Caller, place: Any) -> None:
    noon = datetime(*day(2).timetuple()[:3], 12, tzinfo=UTC).timestamp()
    for _ in range(2):
        place(at=noon)
    found = caller.get(SHOP, start_date_ge=day(3), end_date_lt=day(0))

    intervals = found["performance"]["intervals"]
    assert found["latest_available_date"] == day(1).isoformat()
    assert [(one["start_date"], one["orders"], one["units_sold"], one["gmv"]["amount"]) for one in intervals] == [
        (day(3).isoformat(), 0, 0, "0.00"),
        (day(2).isoformat(), 2, 4, "80.00"),
        (day(1).isoformat(), 0, 0, "0.00"),
    ]
    whole = caller.get(SHOP, start_date_ge=day(3), end_date_lt=day(0), granularity="ALL")["performance"]["intervals"]
    assert sum(one["impressions"] for one in intervals) == whole[0]["impressions"]


def test_figures_of_products_and_skus_are_paged(caller: Caller, place: Any, tee: Any) -> None:
    noon = datetime(*day(2).timetuple()[:3], 12, tzinfo=UTC).timestamp()
    place(at=noon)
    window = {"start_date_ge": day(2), "end_date_lt": day(1), "page_size": 3, "currency": "LOCAL"}
    first = caller.get(GOODS, **window)
    second = caller.get(GOODS, **window, page_token=first["next_page_token"])
    rows = {row["id"]: row for row in first["products"] + second["products"]}

    assert (first["total_count"], len(rows), second["next_page_token"]) == (4, 4, "")
    assert (rows[tee.id]["orders"], rows[tee.id]["units_sold"], rows[tee.id]["gmv"]["amount"]) == (1, 2, "40.00")
    assert {"impressions", "clicks", "add_cart_count", "add_cart_users", "ctr"} <= rows[tee.id].keys()
    one = caller.get(f"/analytics/202509/shop_products/{tee.id}/performance", start_date_ge=day(2), end_date_lt=day(1))
    assert one["performance"]["intervals"][0]["impressions"] == rows[tee.id]["impressions"]
    skus = caller.get(SKUS, **{**window, "page_size": 100})["skus"]
    assert sum(Decimal(row["gmv"]["amount"]) for row in skus) == Decimal("40.00")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"start_date_ge": "2026-01-02"}, 36009004),
        ({"start_date_ge": "2.1.2026", "end_date_lt": "2026-01-03"}, 98001004),
        ({"start_date_ge": "2026-01-03", "end_date_lt": "2026-01-03"}, 98001004),
        ({"start_date_ge": "2026-01-01", "end_date_lt": "2026-01-03", "currency": "USD"}, 98001004),
    ],
)
def test_a_wrong_window_of_figures_is_refused(caller: Caller, place: Any, query: Any, code: int) -> None:
    place()

    assert caller.code("GET", SHOP, **query) == code


def test_a_shop_without_orders_has_no_figures(caller: Caller) -> None:
    assert caller.code("GET", SHOP, cipher=JP.cipher, start_date_ge="2026-01-01", end_date_lt="2026-01-03") == 36009003
