"""The market map, and the one name by which orders and listings of a market meet."""

from __future__ import annotations

import pytest

from integrations.platforms.commercetools.markets import Market, markets_of, page_address, problem_of, store_of

ROWS = ["GB:GBP:en-GB:UK-web", "DE:EUR:de:eu", "FR:EUR:fr:eu:eu-web", "CH:CHF:de", "CH:EUR:fr"]


def test_a_row_names_country_currency_language_store_channel_and_page():
    (market,) = markets_of({"markets": ["DE:EUR:de:eu:eu-web:https://de.example.com/{slug}"], "product_url": "https://example.com/{slug}"})
    assert market == Market("DE", "EUR", "de", "eu", "eu-web", "https://de.example.com/{slug}", "eu")


def test_every_market_has_a_name_of_its_own():
    assert [market.name for market in markets_of({"markets": ROWS})] == ["uk-web", "eu/de", "eu/fr", "ch/chf", "ch/eur"]


@pytest.mark.parametrize(
    ("store", "country", "currency", "expected"),
    [
        ("UK-web", "IE", "GBP", "uk-web"), ("eu", "FR", "EUR", "eu/fr"), ("eu", "IT", "EUR", "eu"), ("", "CH", "EUR", "ch/eur"),
        ("", "SE", "SEK", "se"), ("Outlet", "GB", "GBP", "outlet"), ("", "GB", "GBP", "uk-web"),
    ],
)  # fmt: skip
def test_an_order_lies_in_the_market_of_its_store_country_and_currency(store, country, currency, expected):
    assert store_of(markets_of({"markets": ROWS}), store, country, currency) == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"markets": ["GB:GBP"]}, "'GB:GBP' is not of the form"),
        ({"markets": ["uk:GBP:en-GB"]}, "'uk:GBP:en-GB' is not of the form"),
        ({"markets": ["GB:GBP:en-GB:a b"]}, "is not of the form"),
        ({"markets": ["GB:GBP:en-GB", "GB:GBP:cy"]}, "two rows are both gb/gbp"),
        ({"markets": ["GB:GBP:en-GB"], "product_url": "shop.example.com"}, "must begin with https://"),
        ({"markets": ["GB:GBP:en-GB"], "product_url": "https://example.com/{name}"}, "may name {slug}"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(settings, words):
    assert words in problem_of(settings)


def test_a_map_that_can_be_read_has_no_problem_and_a_broken_row_spoils_no_other():
    assert problem_of({"markets": ROWS, "product_url": "https://example.com/{locale}/{slug}"}) == ""
    assert [market.name for market in markets_of({"markets": ["nonsense", "GB:GBP:en-GB"]})] == ["gb"]
    assert markets_of({}) == ()


def test_a_page_without_all_that_it_names_is_none():
    market = Market("DE", "EUR", "de-DE", page="https://example.com/{country}/{language}/{locale}/{slug}?v={sku}")
    assert page_address(market, slug="hemd", sku="A1") == "https://example.com/de/de/de-DE/hemd?v=A1"
    assert page_address(market, slug="", sku="A1") == ""
