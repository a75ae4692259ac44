"""Single objects by their keys, and how many there are: what a comparison of both ends asks of a shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from integrations.platforms.base import RawObject, Window
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.full import Full, full_customers, full_orders, full_products, gid
from integrations.platforms.shopify.read import between
from integrations.platforms.survey import SourceLook
from mapping.records import RecordType


class _Kind(NamedTuple):
    gid: str
    full: Full
    shape: str


KINDS: Mapping[str, _Kind] = {
    "orders": _Kind("Order", full_orders, "graphql:order"),
    "customers": _Kind("Customer", full_customers, "graphql:customer"),
    "products": _Kind("Product", full_products, "graphql:product"),
}


def fetch(client: ShopifyClient, reader: str, keys: Sequence[str]) -> Sequence[RawObject]:
    """Whole objects by their numeric ids; what is deleted or out of reach is left out."""
    kind = KINDS[reader]
    found = kind.full(client, [gid(kind.gid, key) for key in keys])
    return tuple(RawObject(kind.shape, node) for _, node in found if node is not None)


def count(client: ShopifyClient, reader: str, window: Window) -> int | None:
    """Orders placed in the window by Shopify's own count; None for what it counts by no time of purchase."""
    if reader != "orders":
        return None
    text = between("created_at", window.since, window.until or datetime.now(UTC))
    return int(client.call("orders_count", {"q": text})["ordersCount"]["count"])


LOOK = SourceLook(fetch=fetch, count=count, readers={RecordType.ORDER: "orders", RecordType.CUSTOMER: "customers"})
