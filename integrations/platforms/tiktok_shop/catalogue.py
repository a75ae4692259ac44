"""Pulling products: the index by time of change, then each product in full."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import ceil

import orjson

from integrations.platforms.base import Page, Window
from integrations.platforms.errors import Misconfigured, TryLater
from integrations.platforms.tiktok_shop.answers import NO_SCOPE
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.expand import whole_products

MOST = 10_000  # products that one search gives out ("Search products", Partner docs); a longer window is halved


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull is, in Unix seconds: the search runs from `since` up to `until`, the whole pull up to `end`."""

    since: int
    until: int
    end: int
    token: str = ""

    def text(self) -> str:
        """The place as a cursor."""
        return orjson.dumps(asdict(self)).decode()


def pull_products(client: TikTokShopClient, window: Window, cursor: str | None) -> Page:
    """Products changed in the window with their SKUs; nothing, with a note, where the scope was not granted."""
    place = Place(**orjson.loads(cursor)) if cursor else _first(window)
    if place.since >= place.end:
        return Page()
    try:
        answer = client.product_page({"update_time_ge": place.since, "update_time_le": place.until - 1}, token=place.token)
    except Misconfigured as fault:
        if fault.code != NO_SCOPE:
            raise
        return Page(note="Products are not read: the scope seller.product.basic was not granted.")
    total = answer.get("total_count")
    if not place.token and isinstance(total, int) and total > MOST and place.until - place.since > 1:
        return Page(cursor=replace(place, until=(place.since + place.until) // 2).text(), note=f"{total} products: in smaller steps")
    ids = [str(row["id"]) for row in answer.get("products") or () if isinstance(row, dict) and row.get("id")]
    objects = tuple(raw for _, raw in whole_products(client, list(dict.fromkeys(ids))) if raw is not None)
    following = _next(place, str(answer.get("next_page_token") or ""))
    whole = isinstance(total, int) and cursor is None and place.until == place.end
    return Page(objects=objects, cursor=following and following.text(), total=total if whole else None, note=f"{len(objects)} products")


def _first(window: Window) -> Place:
    end = ceil((window.until or datetime.now(UTC)).timestamp())
    return Place(int(window.since.timestamp()), end, end)


def _next(place: Place, token: str) -> Place | None:
    if token:
        if token == place.token:
            raise TryLater("TikTok Shop repeated a page of products", code="cursor_loop")
        return replace(place, token=token)
    return None if place.until >= place.end else Place(place.until, place.end, place.end)
