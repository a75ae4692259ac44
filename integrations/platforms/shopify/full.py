"""Whole objects by id, in batches: every inner page that matters is followed to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import TryLater
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.documents import checked_locale, checked_markets, checked_metafields, market_variables
from integrations.platforms.shopify.parse.product import CURRENCY_KEY

Full = Callable[[ShopifyClient, Sequence[str]], Iterator[tuple[str, JsonObject | None]]]
ALL_FULFILMENTS = 100  # asked for one order alone, when it fills the first list; a list has no further page


def gid(kind: str, key: str) -> str:
    """The GID of a numeric id."""
    return f"gid://shopify/{kind}/{key}"


def full_orders(client: ShopifyClient, ids: Sequence[str]) -> Iterator[tuple[str, JsonObject | None]]:
    """Each order with all lines, refunds and fulfilments; None for one that is deleted or out of reach."""
    for order_id, order in client.nodes("orders_full", ids):
        if order is not None:
            _complete_order(client, order)
        yield order_id, order


def full_customers(client: ShopifyClient, ids: Sequence[str]) -> Iterator[tuple[str, JsonObject | None]]:
    """Each customer with the metafields the connection asks for."""
    return client.nodes("customers_full", ids, _metafields(client))


def full_products(client: ShopifyClient, ids: Sequence[str]) -> Iterator[tuple[str, JsonObject | None]]:
    """Each product with all variants, prices per market, and the shop's currency written in."""
    locale = checked_locale(client.setting("locale"))
    markets = market_variables(checked_markets(client.setting("market_countries")))
    variables = {**_metafields(client), **markets, "locale": locale or "en", "translated": bool(locale)}
    for product_id, product in client.nodes("products_full", ids, variables):
        if product is not None:
            _follow(client, product, "variants", "product_variants", markets)
            product[CURRENCY_KEY] = client.shop_currency()
        yield product_id, product


FULL: dict[str, Full] = {
    "Order": full_orders,
    "Customer": full_customers,
    "Product": full_products,
}


def _complete_order(client: ShopifyClient, order: JsonObject) -> None:
    _follow(client, order, "lineItems", "order_lines")
    if len(order["fulfillments"]) >= client.size("orders_full", "fulfilments"):
        for _, again in client.nodes("orders_full", [order["id"]], {"fulfilments": ALL_FULFILMENTS}):
            order["fulfillments"] = (again or order)["fulfillments"]
    if not order["refunds"]:
        return
    refunds = []
    for refund_id, refund in list(client.nodes("refunds_full", [entry["id"] for entry in order["refunds"]])):
        if refund is None:
            raise TryLater(f"refund {refund_id} vanished while its order was read", code="moved")
        _follow(client, refund, "refundLineItems", "refund_lines")
        refunds.append(refund)
    order["refunds"] = refunds


def _follow(client: ShopifyClient, node: JsonObject, field: str, document: str, variables: JsonObject | None = None) -> None:
    """Append the pages of an inner connection that lie beyond its first; raises TryLater when a page repeats."""
    info, seen = node[field]["pageInfo"], set()
    while info["hasNextPage"]:
        after = info["endCursor"]
        if after in seen:
            raise TryLater(f"Shopify repeated a page of {field}", code="cursor_loop")
        seen.add(after)
        page = (client.call(document, {**(variables or {}), "id": node["id"], "after": after})["node"] or {}).get(field)
        if page is None:
            raise TryLater(f"{field} vanished while they were read", code="moved")
        node[field]["nodes"] += page["nodes"]
        info = page["pageInfo"]


def _metafields(client: ShopifyClient) -> JsonObject:
    keys = checked_metafields(client.setting("metafields"))
    return {"keys": list(keys) or None, "wanted": bool(keys)}
