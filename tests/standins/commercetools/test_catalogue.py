"""Products, prices for markets, what is published and what is not."""

from typing import Any

import pytest

from integrations.standins.commercetools import CommercetoolsStandIn
from tests.standins.commercetools.conftest import Caller


def _price(product: Any) -> Any:
    price = product["masterVariant"].get("price")
    return price and price["value"]["centAmount"]


def _ladder(caller: Caller, *prices: Any) -> None:
    caller.act("create_product", name="Ladder", variants=[{"sku": "LADDER", "prices": list(prices)}])


def test_only_what_is_published_is_shown(caller: Caller, tee: str) -> None:
    (shown,) = caller.query("/product-projections")
    hidden = caller.act("create_product", name="Hidden", variants=[{"sku": "HID", "price": 1}], publish=False)

    assert (shown["key"], shown["masterVariant"]["sku"], [item["sku"] for item in shown["variants"]]) == ("tee", "TEE", ["TEE-L"])
    assert caller.refusal("GET", f"/product-projections/{hidden['id']}") == (404, "ResourceNotFound")
    assert {one["key"] for one in caller.query("/product-projections", staged="true")} == {"tee", "hidden"}
    caller.act("unpublish", product="tee")
    assert caller.query("/product-projections") == []


def test_a_staged_edit_moves_the_version_and_nothing_that_is_seen(caller: Caller, tee: str) -> None:
    (before,) = caller.query("/product-projections")
    caller.act("edit_product", product=tee, name="Better tee", publish=False)
    (after,) = caller.query("/product-projections")
    (staged,) = caller.query("/product-projections", staged="true")
    caller.act("publish", product=tee)
    (published,) = caller.query("/product-projections")

    assert (after["name"], after["hasStagedChanges"], after["version"] > before["version"]) == (before["name"], True, True)
    assert staged["name"]["en-GB"] == published["name"]["en-GB"] == "Better tee"


def test_prices_are_chosen_for_a_market_only_when_asked(caller: Caller, tee: str) -> None:
    (bare,) = caller.query("/product-projections")
    (pounds,) = caller.query("/product-projections", priceCurrency="GBP", priceCountry="GB")
    (dollars,) = caller.query("/product-projections", priceCurrency="USD")

    assert (_price(bare), _price(pounds), _price(dollars)) == (None, 2000, None)
    assert caller.refusal("GET", "/product-projections", priceCountry="GB") == (400, "InvalidInput")


def test_the_ladder_prefers_valid_dates_then_group_then_channel_then_country(caller: Caller, stand_in: CommercetoolsStandIn) -> None:
    _ladder(
        caller, {"price": 10}, {"price": 9, "country": "GB"}, {"price": 8, "channel": "shop-uk"}, {"price": 7, "customerGroup": "vip"},
        {"price": 6, "country": "DE", "validFrom": "2020-01-01T00:00:00.000Z"},
        {"price": 5, "country": "GB", "validFrom": "2020-01-01T00:00:00.000Z", "validUntil": "2020-02-01T00:00:00.000Z"},
    )  # fmt: skip
    project = stand_in.project()
    channel, group = (project.named(kind, "key", key).id for kind, key in (("channel", "shop-uk"), ("customer-group", "vip")))

    def chosen(**market: str) -> Any:
        (found,) = caller.query("/product-projections", priceCurrency="GBP", **market)
        return _price(found)

    assert chosen() == 1000
    assert chosen(priceCountry="GB") == 900
    assert chosen(priceCountry="GB", priceChannel=channel) == 800
    assert chosen(priceCountry="GB", priceChannel=channel, priceCustomerGroup=group) == 700
    assert chosen(priceCountry="DE", priceCustomerGroup=group) == 600
    assert chosen(priceCountry="FR") == 1000


def test_a_price_begins_without_any_event(caller: Caller, stand_in: CommercetoolsStandIn) -> None:
    tomorrow = stand_in.clock.utc().timestamp() + 86_400
    _ladder(caller, {"price": 10}, {"price": 5, "validFrom": _iso(tomorrow)})
    (before,) = caller.query("/product-projections", priceCurrency="GBP")
    caller.control("POST", "/clock", {"advance": 90_000})
    (after,) = caller.query("/product-projections", priceCurrency="GBP")

    assert (_price(before), _price(after), before["version"] == after["version"]) == (1000, 500, True)


def _iso(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_discount_stands_beside_the_list_price(caller: Caller, tee: str) -> None:
    caller.act("discount_price", sku=tee, price=15)
    (found,) = caller.query("/product-projections", priceCurrency="GBP")
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], shipping=False)

    price = found["masterVariant"]["price"]
    assert (price["value"]["centAmount"], price["discounted"]["value"]["centAmount"]) == (2000, 1500)
    assert order["totalPrice"]["centAmount"] == 1500


def test_standalone_prices_count_where_the_product_says_so(caller: Caller) -> None:
    caller.act("create_product", name="Alone", variants=[{"sku": "ALONE", "price": 10}], priceMode="Standalone")
    price = caller.act("standalone_price", sku="ALONE", price=7, key="alone-gb", country="GB")
    (product,) = caller.query("/product-projections", priceCurrency="GBP", priceCountry="GB")
    caller.act("standalone_price", sku="ALONE", price=6, key="alone-gb")
    (again,) = caller.query("/product-projections", priceCurrency="GBP", priceCountry="GB")

    assert (_price(product), _price(again), product["version"] == again["version"]) == (700, 600, True)
    assert [one["id"] for one in caller.query("/standalone-prices", "sku in :skus", var_skus="ALONE")] == [price["id"]]
    assert caller.messages(price["id"]) == ["StandalonePriceCreated", "StandalonePriceValueChanged"]


def test_a_modular_project_shows_no_variants(caller: Caller, tee: str) -> None:
    caller.control("POST", "/settings", {"product_catalog_model": "Modular"})
    (found,) = caller.query("/product-projections", priceCurrency="GBP")

    assert caller.get("")["productCatalogModel"] == "Modular"
    assert ("masterVariant" in found, found["variants"]) == (False, [])


@pytest.mark.parametrize("staged", [True, False])
def test_a_price_change_is_seen_when_it_is_not_staged(caller: Caller, tee: str, staged: bool) -> None:
    caller.act("change_price", sku=tee, price=25, publish=not staged)
    (found,) = caller.query("/product-projections", priceCurrency="GBP")

    assert _price(found) == (2000 if staged else 2500)
    assert caller.messages(found["id"])[-1] == "ProductPriceChanged"


def test_products_are_found_by_sku_and_by_change(caller: Caller, tee: str) -> None:
    caller.act("create_product", name="Other", variants=[{"sku": "OTHER", "price": 1}])
    where = "masterVariant(sku in :skus) or variants(sku in :skus)"
    (found,) = caller.query("/product-projections", where, var_skus=["TEE-L"])

    assert found["key"] == "tee"
    assert caller.query("/product-projections", f'lastModifiedAt > "{found["lastModifiedAt"]}"')[0]["key"] == "other"


def test_a_sku_belongs_to_one_product_and_a_scope_to_one_price(caller: Caller, tee: str) -> None:
    kind = {"key": "apparel"}
    draft = {"productType": kind, "name": {"en-GB": "X"}, "slug": {"en-GB": "x"}, "masterVariant": {"sku": "TEE"}}
    price = {"value": {"currencyCode": "GBP", "centAmount": 1}}

    assert caller.refusal("POST", "/products", draft) == (400, "DuplicateField")
    assert caller.refusal("POST", "/products", {**draft, "masterVariant": {"prices": [price, price]}}) == (400, "DuplicatePriceScope")


def test_categories_know_what_is_above_them(caller: Caller) -> None:
    shirts = caller.get("/categories/key=shirts", expand="ancestors[*]")

    assert [item["obj"]["key"] for item in shirts["ancestors"]] == ["all", "wear"]
    assert shirts["parent"]["id"] == shirts["ancestors"][-1]["id"]
