"""A projection and what lies beside it as product and variants."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integrations.platforms.base import RawObject
from integrations.platforms.commercetools.catalogue import GONE
from integrations.platforms.commercetools.parse import parse
from integrations.platforms.commercetools.parse.product import READ
from integrations.platforms.errors import Unparsable
from mapping.records import Facet, Price, Product, Variant
from tests.platforms.commercetools.goods import CHANGED, PRODUCT_ID, account, cents, projection, variant

D = Decimal
AT = datetime(2026, 10, 1, tzinfo=UTC)
PAGES = {"GB": "https://shop.example.com/en/p/basic-tee", "DE": "https://shop.example.com/de/p/t-shirt"}
BLACK = {"name": "color", "value": {"key": "black", "label": {"en-GB": "Black", "de": "Schwarz"}}}
RED = {"name": "color", "value": {"key": "red", "label": {"en-GB": "Red", "de": "Rot"}}}
SALE = {"discounted": {"value": cents(1499)["value"], "discount": {"typeId": "product-discount", "id": "d1"}}}


def read(raw, **settings):
    product, *variants = parse(account(**settings), raw)
    return product, variants


def test_a_product_is_what_each_market_sees_of_it():
    black = variant(
        1, "TEE-1", cents(1999, country="GB", **SALE), cents(2500, "EUR"), attributes=[BLACK, {"name": "ean", "value": "5012345678900"}],
        images=[{"url": "https://cdn.example.com/black.jpg", "dimensions": {"w": 1, "h": 1}}], key="tee-black",
    )  # fmt: skip
    red = variant(2, "TEE-2", cents(2999, country="GB"), attributes=[RED])
    product, variants = read(projection(black, red, attributes=[{"name": "brand", "value": "Acme"}]))
    gb = Price(market="uk", currency="GBP", regular=D("19.99"), sale=D("14.99"), title="Basic tee", url=PAGES["GB"])
    de = Price(market="de", currency="EUR", regular=D("25.00"), title="T-Shirt", url=PAGES["DE"])
    brand, colours = Facet(kind="brand", key="Acme", label="Acme"), {"color": "Black", "color.key": "black"}
    assert product == Product(
        key=PRODUCT_ID, occurred_at=AT, title="Basic tee", handle="basic-tee", url=PAGES["GB"], image_url="https://cdn.example.com/black.jpg",
        images=("https://cdn.example.com/black.jpg",), vendor="Acme", product_type="Shirts",
        categories={"women": "Women", "tops": "Women > Tops"},
        facets=(Facet(kind="color", key="black", label="Black"), Facet(kind="color", key="red", label="Red")), prices=(gb, de),
        skus=("TEE-1", "TEE-2"),
        attributes={
            "product_key": "tee-basic", "categories.en-GB": ["Women", "Women > Tops"], "categories.de": ["Damen", "Damen > Oberteile"],
            "brand": "Acme", "color": ["Black", "Red"], "color.keys": ["black", "red"], "color.en-GB": ["Black", "Red"],
            "color.de": ["Schwarz", "Rot"], "ean": "5012345678900",
        },
    )  # fmt: skip
    assert variants[0] == Variant(
        key="TEE-1", occurred_at=AT, product_key=PRODUCT_ID, sku="TEE-1", title="Black", product_title="Basic tee", barcode="5012345678900",
        options={"Colour": "Black"}, prices=(replace(gb, title="Basic tee Black"), replace(de, title="T-Shirt Schwarz")), url=PAGES["GB"],
        image_url="https://cdn.example.com/black.jpg", facets=(brand, product.facets[0]),
        attributes={
            "variant_key": "tee-black", "brand": "Acme", **colours, "color.en-GB": "Black", "color.de": "Schwarz", "ean": "5012345678900",
        },
    )  # fmt: skip
    assert (variants[1].key, variants[1].image_url, [price.market for price in variants[1].prices]) == (
        "TEE-2", "https://cdn.example.com/black.jpg", ["uk"],
    )  # fmt: skip


def test_a_variants_own_attribute_wins_over_the_products():
    product, (first,) = read(projection(variant(1, "TEE-1", cents(1), attributes=[RED]), attributes=[BLACK]))
    assert (first.attributes["color"], product.attributes["color"]) == ("Red", "Red")


@pytest.mark.parametrize(
    ("wanted", "title"),
    [("de-AT", "T-Shirt"), ("en-US", "Basic tee"), ("fr", "Basic tee"), ("de", "T-Shirt")],
)
def test_a_missing_language_falls_back_to_a_near_one_then_to_the_projects(wanted, title):
    product, _ = read(projection(), markets=[f"GB:GBP:{wanted}"])
    assert product.prices[0].title == title


def test_high_precision_is_not_rounded_and_yen_have_no_decimals():
    fine = {"type": "highPrecision", "currencyCode": "GBP", "centAmount": 1, "preciseAmount": 1234, "fractionDigits": 5}
    yen = {"type": "centPrecision", "currencyCode": "JPY", "centAmount": 480, "fractionDigits": 0}
    raw = projection(variant(1, "A", {"id": "1", "value": fine}, {"id": "2", "value": yen}))
    product, _ = read(raw, markets=["GB:GBP:en-GB", "JP:JPY:ja"])
    assert [price.regular for price in product.prices] == [D("0.01234"), D("480")]


def test_a_variant_without_sku_is_left_out_and_counted():
    product, variants = read(projection(variant(1, "TEE-1", cents(1999)), variant(2, None, cents(999))))
    assert ([entry.sku for entry in variants], product.prices[0].regular, product.attributes["variants_without_sku"]) == (
        ["TEE-1"], D("19.99"), 1,
    )  # fmt: skip


def test_a_variant_without_price_in_any_market_counts_as_taken_away_and_so_does_a_product_of_such():
    product, (sold, unsold) = read(projection(variant(1, "TEE-1", cents(1999)), variant(2, "TEE-2", cents(1, "USD"))))
    assert [(entry.active, entry.removed) for entry in (product, sold, unsold)] == [(True, False), (True, False), (False, True)]
    product, (unsold,) = read(projection(variant(1, "TEE-1")))
    assert (product.active, product.removed, product.prices, unsold.removed) == (False, True, (), True)


def test_prices_beside_the_product_are_those_that_commercetools_chose():
    beside = {"prices": {"uk": {"1": cents(1500)}, "de": {"2": cents(1800, "EUR")}}}
    raw = projection(variant(1, "TEE-1", cents(9999)), variant(2, "TEE-2"), priceMode="Standalone", beside=beside)
    product, variants = read(raw)
    assert [[(price.market, price.regular) for price in entry.prices] for entry in (product, *variants)] == [
        [("uk", D("15.00")), ("de", D("18.00"))], [("uk", D("15.00"))], [("de", D("18.00"))],
    ]  # fmt: skip


def test_a_channels_price_is_for_its_market_alone():
    web = cents(1100, channel={"typeId": "channel", "id": "ch-1"})
    raw = projection(variant(1, "TEE-1", cents(1999), web), beside={"channels": {"uk-web": "ch-1"}})
    product, _ = read(raw, markets=["GB:GBP:en-GB:uk:uk-web", "IE:GBP:en-IE"])
    assert [(price.market, price.regular) for price in product.prices] == [("uk", D("11.00")), ("ie", D("19.99"))]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (projection(), AT),
        (projection(beside={"changedAt": "2026-10-20T08:00:00.000Z"}), datetime(2026, 10, 20, 8, tzinfo=UTC)),
        (projection(beside={"changedAt": "2026-09-20T08:00:00.000Z"}), AT),
        (projection(variant(1, "A", cents(1, validFrom="2026-10-31T00:00:00.000Z"))), datetime(2026, 10, 31, tzinfo=UTC)),
        (projection(variant(1, "A", cents(1, validFrom="2026-11-30T00:00:00.000Z"))), AT),
    ],
)
def test_the_newest_change_counts_whether_of_the_product_or_beside_it(raw, expected):
    product, variants = read(raw)
    assert {product.occurred_at, *(entry.occurred_at for entry in variants)} == {expected}


@pytest.mark.parametrize(
    ("availability", "expected"),
    [
        (None, True), ({"isOnStock": True, "availableQuantity": 3}, True), ({"isOnStock": False, "availableQuantity": 0}, False),
        ({"availableQuantity": 0}, False), ({"channels": {"a": {"isOnStock": False}, "b": {"isOnStock": True}}}, True),
    ],
)  # fmt: skip
def test_goods_are_in_stock_unless_commercetools_counts_none(availability, expected):
    product, (only,) = read(projection(variant(1, "A", cents(1), **({"availability": availability} if availability else {}))))
    assert (product.in_stock, only.in_stock) == (expected, expected)


def test_a_product_that_is_gone_is_taken_away():
    gone = parse(account(), RawObject(GONE, {"id": PRODUCT_ID, "at": CHANGED}))
    assert gone == (Product(key=PRODUCT_ID, occurred_at=AT, removed=True, active=False),)


def test_a_projection_that_nobody_made_ready_is_still_read():
    raw = projection(variant(1, "TEE-1", cents(1999), attributes=[BLACK]))
    del raw.data[READ]
    product, _ = read(raw)
    assert (product.title, product.categories, product.product_type) == ("Basic tee", {"c2": "c2"}, "")


@pytest.mark.parametrize("name", ["id", "lastModifiedAt"])
def test_a_projection_that_lacks_what_every_one_has_cannot_be_read(name):
    raw = projection()
    del raw.data[name]
    with pytest.raises(Unparsable, match=name):
        parse(account(), raw)
