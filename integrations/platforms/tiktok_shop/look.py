"""Single orders by their ids, and how many there are: what a comparison of both ends asks of a shop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

from integrations.platforms.base import RawObject, Window
from integrations.platforms.survey import SourceLook
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.expand import whole_orders
from mapping.records import RecordType

COUNT_SIZE = 10


def fetch(client: TikTokShopClient, reader: str, keys: Sequence[str]) -> Sequence[RawObject]:
    """Orders with all that befell them, by order id; those that are gone are left out. Buyers come with their orders."""
    del reader  # everything here is read with its order
    return tuple(raw for _, raw in whole_orders(client, list(keys)) if raw is not None)


def count(client: TikTokShopClient, reader: str, window: Window) -> int | None:
    """Orders placed in the window by the index's own count."""
    until = window.until or datetime.now(UTC)
    filters = {"create_time_ge": int(window.since.timestamp()), "create_time_lt": ceil(until.timestamp())}
    total = client.order_page(filters, field="create_time", size=COUNT_SIZE).get("total_count")
    return total if isinstance(total, int) and reader == "orders" else None


LOOK = SourceLook(fetch=fetch, count=count, readers={RecordType.ORDER: "orders", RecordType.CUSTOMER: "orders"})
