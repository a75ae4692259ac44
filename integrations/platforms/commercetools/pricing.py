"""Projections made ready to be parsed: what they refer to beside them, and the price that each market pays.

Embedded prices come with every projection whether one is selected or not, so for them five markets cost no call at all: the choice is
made where they are parsed, by the platform's own ladder. Prices that stand beside their products do not come along; reading them by SKU
takes a call for each 100 SKUs, while asking for a page of 100 products anew with another market's selection takes one call, and
commercetools chooses itself. So those are asked: one call for each market but the first, whose selection the page itself was read with,
and only for pages that hold such products. /standalone-prices is read only for products that got a price nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.platforms.base import JsonObject, RawObject
from integrations.platforms.commercetools.client import MAX_IN, CommercetoolsClient, Query, Where
from integrations.platforms.commercetools.lexicon import Lexicon, may
from integrations.platforms.commercetools.markets import Market, markets_of
from integrations.platforms.commercetools.parse.prices import Scope, select
from integrations.platforms.commercetools.parse.product import READ, STANDALONE
from integrations.platforms.values import child, rows, text

PATH = "/product-projections"
PAGE = 100  # products are large documents: a hundred of them are a page
MOST_PRICES = 500
PRICE_SCOPES = ("view_standalone_prices", "manage_standalone_prices")
Chosen = dict[str, dict[str, JsonObject]]  # market name → variant id → price


@dataclass(frozen=True, slots=True)
class Counter:
    """Where prices are asked for: the project, what its products refer to, its markets, and the moment that counts."""

    client: CommercetoolsClient
    lexicon: Lexicon
    markets: Sequence[Market]
    asked_at: datetime

    def selection(self, market: Market) -> tuple[tuple[str, str], ...]:
        """The parameters that let commercetools choose the price of a market."""
        found = (("priceCurrency", market.currency), ("priceCountry", market.country))
        channel = self.channel(market)
        return (*found, ("priceChannel", channel)) if channel else found

    def channel(self, market: Market) -> str:
        """The id of a market's distribution channel, empty for none."""
        return self.lexicon.channels.get(market.channel_key, "")


def counter_for(client: CommercetoolsClient, lexicon: Lexicon) -> Counter:
    """The counter of a connection, at the server's time of its last answer."""
    return Counter(client, lexicon, markets_of(client.account.settings), client.server_time or datetime.now(UTC))


def ready(counter: Counter, projections: Sequence[JsonObject], changed: Mapping[str, str], *, selected: bool = True) -> Iterator[RawObject]:
    """Each projection with what `parse` needs beside it; `changed` is when something beside a product changed, by its id.

    `selected` says that the projections were read with the selection of the first market.
    """
    prices = _standalone(counter, projections, selected=selected)
    lexicon = counter.lexicon
    for projection in projections:
        identifier = text(projection, "id")
        beside = {
            "askedAt": counter.asked_at.isoformat(),
            "changedAt": changed.get(identifier),
            "prices": prices.get(identifier, {}),
            "channels": lexicon.channels,
            "categories": lexicon.above(rows(projection, "categories")),
            "productType": lexicon.types.get(text(child(projection, "productType"), "id"), {}),
            "language": lexicon.language,
        }
        yield RawObject("product", {**projection, READ: beside})


def _standalone(counter: Counter, projections: Sequence[JsonObject], *, selected: bool) -> dict[str, Chosen]:
    """The prices of those whose prices stand beside them, by product id."""
    wanted = {text(row, "id"): row for row in projections if text(row, "priceMode") == STANDALONE}
    found: dict[str, Chosen] = {identifier: {} for identifier in wanted}
    for market in counter.markets if wanted else ():
        first = selected and market is counter.markets[0]
        query = Query(path=PATH, more=counter.selection(market), limit=PAGE)
        for row in wanted.values() if first else counter.client.among(query, list(wanted)):
            chosen = {str(variant.get("id")): child(variant, "price") for variant in _variants(row) if child(variant, "price")}
            if chosen:
                found[text(row, "id")][market.name] = chosen
    nowhere = [wanted[identifier] for identifier, chosen in found.items() if not chosen]
    return found | _by_sku(counter, nowhere) if nowhere and may(counter.client.account, *PRICE_SCOPES) else found


def _by_sku(counter: Counter, projections: Sequence[JsonObject]) -> dict[str, Chosen]:
    """The choice among all prices of the SKUs, for products that commercetools chose none for."""
    skus = [sku for row in projections for variant in _variants(row) if (sku := text(variant, "sku"))]
    by_sku: dict[str, list[JsonObject]] = {}
    for start in range(0, len(skus), MAX_IN):
        for price in _prices(counter.client, skus[start : start + MAX_IN]):
            by_sku.setdefault(text(price, "sku"), []).append(price)
    return {text(row, "id"): {market.name: _choice(counter, market, row, by_sku) for market in counter.markets} for row in projections}


def _choice(counter: Counter, market: Market, row: JsonObject, by_sku: Mapping[str, Sequence[JsonObject]]) -> dict[str, JsonObject]:
    scope = Scope(market.currency, market.country, counter.channel(market))
    chosen = ((str(variant.get("id")), select(by_sku.get(text(variant, "sku"), ()), scope, counter.asked_at)) for variant in _variants(row))
    return {identifier: price for identifier, price in chosen if price is not None}


def _prices(client: CommercetoolsClient, skus: Sequence[str]) -> Iterator[JsonObject]:
    last = ""
    while True:
        behind = (Where("id > :id", {"id": last}),) if last else ()
        where = (Where("sku in :skus", {"skus": list(skus)}), *behind)
        found = client.page(Query(path="/standalone-prices", where=where, sort=("id asc",), limit=MOST_PRICES))
        yield from found.rows
        if not found.full or not found.rows:
            return
        last = text(found.rows[-1], "id")


def _variants(projection: JsonObject) -> list[JsonObject]:
    return [child(projection, "masterVariant"), *rows(projection, "variants")]
