"""Pulling figures: what TikTok Shop counted for shop and products, one day after the other, never of any person."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.errors import Misconfigured, TryLater
from integrations.platforms.tiktok_shop.answers import NO_DATA, NO_SCOPE
from integrations.platforms.tiktok_shop.client import TikTokShopClient

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull is: the day, and the token within the products of that day."""

    day: str
    token: str = ""

    def text(self) -> str:
        """The place as a cursor."""
        return orjson.dumps(asdict(self)).decode()


def pull_figures(client: TikTokShopClient, window: Window, cursor: str | None) -> Page:
    """One day's figures, or one page of its products; a day without data is no fault, nor is a scope that was not granted."""
    place = Place(**orjson.loads(cursor)) if cursor else Place(window.since.date().isoformat())
    day = date.fromisoformat(place.day)
    last = (window.until or datetime.now(UTC)).date() - DAY  # a day is counted when it is over
    if day > last:
        return Page()
    try:
        objects, following, latest = _day(client, place, (day + DAY).isoformat())
    except Misconfigured as fault:
        if fault.code != NO_SCOPE:
            raise
        return Page(note="Figures are not read: the scope data.shop_analytics.public.read was not granted.")
    except TryLater as fault:
        if fault.code != NO_DATA:
            raise
        objects, following, latest = (), None, ""
    if following is None and day < last and not (latest and place.day >= latest):
        following = Place((day + DAY).isoformat())
    return Page(objects=objects, cursor=following and following.text(), note=f"figures of {place.day}")


def _day(client: TikTokShopClient, place: Place, end: str) -> tuple[tuple[RawObject, ...], Place | None, str]:
    """The objects of one step, the place of the next one within this day, and the latest day that is counted yet."""
    objects: list[RawObject] = []
    latest = ""
    if not place.token:
        answer = client.shop_figures(place.day, end)
        latest = str(answer.get("latest_available_date") or "")
        objects += [_figures("shop", place.day, interval) for interval in _intervals(answer)]
    answer = client.product_figures(place.day, end, token=place.token)
    products = [row for row in answer.get("products") or () if isinstance(row, dict) and row.get("id")]
    objects += [_figures(f"product:{row['id']}", place.day, row) for row in products]
    token = str(answer.get("next_page_token") or "")
    if token and token == place.token:
        raise TryLater("TikTok Shop repeated a page of figures", code="cursor_loop")
    return tuple(objects), replace(place, token=token) if token else None, latest


def _intervals(answer: JsonObject) -> list[JsonObject]:
    performance = answer.get("performance")
    intervals = performance.get("intervals") if isinstance(performance, dict) else None
    return [row for row in intervals if isinstance(row, dict)] if isinstance(intervals, list) else []


def _figures(subject: str, day: str, figures: JsonObject) -> RawObject:
    return RawObject("figures", {"subject": subject, "day": day, "figures": figures})
