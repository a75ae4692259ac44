"""Whole objects by id, in batches: every inner page that matters is followed to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from integrations.platforms.base import JsonObject
from integrations.platforms.errors import TryLater
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.documents import checked_locale, checked_markets, checked_metafields, market_variables
from integrations.platforms.shopify.parse.product import CURRENCY_KEY

Full = Callable[[ShopifyClient, Sequence[str]], Iterator[tuple[str, JsonObject | None]]]
LONGEST_LIST = 100  # refunds or fulfilments of one order


def gid(kind: str, key: str) -> str:
    """The GID of a numeric id."""
    return f"gid://shopify/{kind}/{key}"


def full_orders(client: ShopifyClient, ids: Sequence[str]) -> Iterator[tuple[str, JsonObject | None]]:
    """Each order with all lines, refunds and fulfilments; None for one that is deleted or out of reach."""
    waiting = list(ids)
    while waiting:
        batch = waiting[: client.size("orders_full", "batch")]
        orders = dict(client.nodes("orders_full", batch))
        for order in orders.values():
            if order is not None:
                _follow(client, order, "lineItems", "order_lines")
                _all_of_a_list(client, order, "fulfillments", document="orders_full", size="fulfilments")
        _with_refunds(client, {order_id: order for order_id, order in orders.items() if order is not None and order["refunds"]})
        yield from orders.items()
        waiting = waiting[len(batch) :]


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
            _follow(client, product, "variants", "product_variants", variables=markets)
            product[CURRENCY_KEY] = client.shop_currency()
        yield product_id, product


FULL: dict[str, Full] = {
    "Order": full_orders,
    "Customer": full_customers,
    "Product": full_products,
}


def _with_refunds(client: ShopifyClient, orders: Mapping[str, JsonObject]) -> None:
    """Write each order's refunds into it with their lines and movements of money."""
    for order_id, found in client.nodes("order_refunds", list(orders)):
        if found is None:
            raise TryLater(f"{order_id} vanished while it was read", code="moved")
        _all_of_a_list(client, found, "refunds", document="order_refunds", size="refunds")
        for refund in found["refunds"]:
            _follow(client, refund, "refundLineItems", "refund_lines")
        orders[order_id]["refunds"] = found["refunds"]


def _all_of_a_list(client: ShopifyClient, node: JsonObject, field: str, *, document: str, size: str) -> None:
    """A list has no further page: one that came full is asked for again, for this object alone, as long as it may be."""
    if len(node[field]) < client.size(document, size):
        return
    for _, again in client.nodes(document, [node["id"]], {size: LONGEST_LIST}):
        node[field] = (again or node)[field]


def _follow(client: ShopifyClient, node: JsonObject, field: str, document: str, *, variables: JsonObject | None = None) -> None:
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
