"""Goods read from the stand-in over HTTP: by change, in whole, and when something beside them changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.platforms.base import IncomingEvent, Window
from integrations.platforms.commercetools.catalogue import all_products, whole_products
from integrations.platforms.commercetools.expand import expand
from integrations.platforms.commercetools.lexicon import lexicon_of
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.server import StandInServer
from tests.platforms.commercetools.shelf import Shelf, account_at, five_prices, money, products, variants

D = Decimal
STANDALONE = "/standalone-prices"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    stand_in = CommercetoolsStandIn()
    with StandInServer([stand_in]) as server:
        yield Shelf(stand_in, account_at(server.url("commercetools")))
        stand_in.close()


def tee(sku: str, *prices: dict, **more: object) -> dict:
    return {"sku": sku, "prices": list(prices) or five_prices(1999), **more}


def test_five_markets_cost_one_call_a_page_while_prices_are_embedded(shelf: Shelf) -> None:
    before = shelf.now()
    for number in range(3):
        shelf.product(tee(f"TEE-{number}"))
    lexicon_of(shelf.client)
    shelf.pacer.calls = 0
    found, notes = shelf.pull("products", before)
    assert [[(price.market, price.regular, price.currency, price.title) for price in product.prices] for product in products(found)] == [
        [
            ("uk", D("19.99"), "GBP", "Basic tee"), ("de", D("20.00"), "EUR", "T-Shirt"), ("fr", D("20.01"), "EUR", "Basic tee"),
            ("es", D("20.02"), "EUR", "Basic tee"), ("us", D("20.03"), "USD", "Basic tee"),
        ]
    ] * 3  # fmt: skip
    assert notes == ["3 products changed", "0 products changed"]
    assert shelf.pacer.calls == 3  # the server's time, a page of what changed, a page of what was withdrawn


def test_prices_beside_the_products_are_asked_once_for_each_further_market(shelf: Shelf) -> None:
    before = shelf.now()
    shelf.product(tee("ALONE", {"value": money(1), "country": "GB"}), tee("NONE", {"value": money(1)}), priceMode="Standalone")
    for price in five_prices(3000):
        shelf.client.post(STANDALONE, {"sku": "ALONE", "active": True, **price})
    lexicon_of(shelf.client)
    shelf.pacer.calls = 0
    found, _ = shelf.pull("products", before)
    sold, unsold = variants(found)
    assert [(price.market, price.regular) for price in sold.prices] == [
        ("uk", D("30.00")), ("de", D("30.01")), ("fr", D("30.02")), ("es", D("30.03")), ("us", D("30.04")),
    ]  # fmt: skip
    assert (sold.active, unsold.active, unsold.removed) == (True, False, True)
    assert shelf.pacer.calls == 3 + 4


def test_a_changed_price_beside_a_product_brings_the_product_with_the_prices_time(shelf: Shelf) -> None:
    made = shelf.product(tee("ALONE"), priceMode="Standalone")
    price = shelf.client.post(STANDALONE, {"sku": "ALONE", "value": money(1000), "country": "GB", "active": True})
    shelf.stand_in.clock.advance(3600)
    before = shelf.now()
    changed = shelf.change(f"{STANDALONE}/{price['id']}", {"action": "changeValue", "value": money(900)})
    assert shelf.pull("products", before)[0] == []
    (product,) = products(shelf.pull("prices", before)[0])
    assert (product.key, product.prices[0].regular) == (made["id"], D("9.00"))
    assert product.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == changed["lastModifiedAt"]


@pytest.mark.parametrize("mode", ["Embedded", "Standalone"])
def test_a_price_that_begins_and_ends_by_itself_is_found_without_any_event(shelf: Shelf, mode: str) -> None:
    begins, ends = shelf.now() + timedelta(hours=2), shelf.now() + timedelta(hours=4)
    usual = {"value": money(2000), "country": "GB"}
    sale = {"value": money(1500), "country": "GB", "validFrom": begins.isoformat(), "validUntil": ends.isoformat()}
    shelf.product(tee("SALE", *((usual, sale) if mode == "Embedded" else ())), priceMode=mode)
    if mode == "Standalone":
        for price in (usual, sale):
            shelf.client.post(STANDALONE, {"sku": "SALE", "active": True, **price})
    (before,) = products(shelf.pull("products", shelf.now() - timedelta(hours=1))[0])
    seen = [before.prices[0].regular]
    moments = [before.occurred_at]
    for _ in range(2):
        since = shelf.now()
        shelf.stand_in.clock.advance(2.5 * 3600)
        (product,) = products(shelf.pull("prices", since)[0])
        seen.append(product.prices[0].regular)
        moments.append(product.occurred_at)
    assert seen == [D("20.00"), D("15.00"), D("20.00")]
    assert [moment.replace(microsecond=0) for moment in moments[1:]] == [begins.replace(microsecond=0), ends.replace(microsecond=0)]
    assert products(shelf.pull("prices", shelf.now())[0]) == []


def test_a_product_that_is_withdrawn_is_gone_and_comes_back_when_it_is_published_again(shelf: Shelf) -> None:
    made = shelf.product(tee("TEE"))
    shelf.stand_in.clock.advance(60)
    before = shelf.now()
    shelf.change(f"/products/{made['id']}", {"action": "unpublish"})
    (gone,) = products(shelf.pull("products", before)[0])
    assert (gone.key, gone.removed, gone.active) == (made["id"], True, False)
    assert [product.removed for product in products(shelf.records(whole(shelf, made["id"])))] == [True]
    shelf.change(f"/products/{made['id']}", {"action": "publish"})
    (back,) = products(shelf.pull("products", before)[0])
    assert (back.key, back.removed, back.active, back.occurred_at > gone.occurred_at) == (made["id"], False, True, True)


def whole(shelf: Shelf, key: str, version: int = 0) -> list:
    return [raw for _, found in whole_products(shelf.client, {key: version}) for raw in found]


def test_a_hint_is_read_anew_where_queries_do_not_show_it_yet(shelf: Shelf) -> None:
    made = shelf.product(tee("TEE"))
    shelf.stand_in.clock.advance(60)
    shelf.stand_in.change_settings({"query_lag": 3600.0})
    changed = shelf.change(f"/products/{made['id']}", {"action": "changeName", "name": {"en-GB": "Better tee"}, "staged": False})
    (product,) = products(shelf.records(whole(shelf, made["id"], changed["version"])))
    assert (product.title, len(product.prices)) == ("Better tee", 5)


def test_hints_about_a_product_and_about_a_price_beside_it_bring_the_product(shelf: Shelf) -> None:
    made = shelf.product(tee("ALONE"), priceMode="Standalone")
    price = shelf.client.post(STANDALONE, {"sku": "ALONE", "value": money(900), "country": "GB", "active": True})
    topics = {
        "product/ProductPublished": made["id"], "standalone-price/StandalonePriceValueChanged": price["id"],
        "product/ProductDeleted": "9e1b0000-0000-4000-8000-00000000dead",
    }  # fmt: skip
    events = [IncomingEvent(topic=topic, dedup_key=key, body=b"{}", hint=True, object_key=key) for topic, key in topics.items()]
    found = [products(shelf.records(list(expansion.objects))) for expansion in expand(shelf.client, events)]
    assert [[(product.key, product.removed) for product in each] for each in found] == [
        [(made["id"], False)], [(made["id"], False)], [("9e1b0000-0000-4000-8000-00000000dead", True)],
    ]  # fmt: skip
    assert found[1][0].occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == price["lastModifiedAt"]


def test_renaming_a_category_brings_the_products_of_all_below_it(shelf: Shelf) -> None:
    women = shelf.category("women", {"en-GB": "Women", "de": "Damen"})
    tops = shelf.category("tops", {"en-GB": "Tops", "de": "Oberteile"}, women["id"])
    for number, category in enumerate((women, tops)):
        shelf.product(tee(f"TEE-{number}"), categories=[{"typeId": "category", "id": category["id"]}])
    shelf.product(tee("OTHER"))
    shelf.stand_in.clock.advance(60)
    before = shelf.now()
    shelf.change(f"/categories/{women['id']}", {"action": "changeName", "name": {"en-GB": "Ladies", "de": "Damen"}})
    found = products(shelf.pull("categories", before)[0])
    assert sorted(tuple(product.categories.items()) for product in found) == [
        (("women", "Ladies"),), (("women", "Ladies"), ("tops", "Ladies > Tops")),
    ]  # fmt: skip
    assert all(product.occurred_at >= before for product in found)


def test_stock_that_changes_brings_its_product(shelf: Shelf) -> None:
    shelf.product(tee("TEE"))
    shelf.product(tee("OTHER"))
    shelf.stand_in.clock.advance(60)
    before = shelf.now()
    shelf.client.post("/inventory", {"sku": "TEE", "quantityOnStock": 0})
    assert [product.skus for product in products(shelf.pull("stock", before)[0])] == [("TEE",)]


def test_history_is_read_by_id_with_its_number(shelf: Shelf) -> None:
    for number in range(5):
        shelf.product(tee(f"TEE-{number}"))
    shelf.stand_in.clock.advance(5)
    page = all_products(shelf.client, Window(since=shelf.now() - timedelta(days=1), until=shelf.now()), None)
    keys = [product.key for product in products(shelf.records(list(page.objects)))]
    assert (keys, page.total, page.cursor) == (sorted(keys), 5, None)


def test_a_channels_price_is_selected_by_the_id_of_its_key(shelf: Shelf) -> None:
    channel = shelf.client.post("/channels", {"key": "uk-web", "roles": ["ProductDistribution"]})
    own = {"value": money(1100), "country": "GB", "channel": {"typeId": "channel", "id": channel["id"]}}
    for mode in ("Embedded", "Standalone"):
        shelf.product(tee(mode, {"value": money(1999), "country": "GB"}, own), priceMode=mode)
    for price in ({"value": money(1999), "country": "GB"}, own):
        shelf.client.post(STANDALONE, {"sku": "Standalone", "active": True, **price})
    client = shelf.another_client(markets=["GB:GBP:en-GB:uk:uk-web"])
    shelf.account = client.account
    found = products(shelf.pull("products", shelf.now() - timedelta(hours=1), client)[0])
    assert [product.prices[0].regular for product in found] == [D("11.00")] * 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"markets": []}, "no markets"), ({"markets": ["GB:GBP"]}, "'GB:GBP' is not of the form"),
        ({"granted_scopes": ["view_orders:acme-demo"]}, "view_products"),
    ],
    ids=["no markets", "a broken row", "no scope"],
)  # fmt: skip
def test_goods_that_cannot_be_read_are_refused_in_words(shelf: Shelf, settings: dict, words: str) -> None:
    shelf.product(tee("TEE"))
    found, notes = shelf.pull("products", shelf.now() - timedelta(hours=1), shelf.another_client(**settings))
    assert (found, len(notes)) == ([], 1)
    assert words in notes[0]


def test_a_modular_catalogue_is_refused_in_words(shelf: Shelf) -> None:
    shelf.stand_in.change_settings({"product_catalog_model": "Modular"})
    found, notes = shelf.pull("products", shelf.now() - timedelta(hours=1), shelf.another_client())
    assert (found, "modular kind" in notes[0]) == ([], True)
