"""Pulling orders: by time of change, of the order or of a request to cancel or return it; history by time of purchase.

The index moves while it is read, because what changes goes to its end, and its page tokens do not live long. So each page begins where
the last one's newest change lies, and tokens are only followed within one second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

import orjson

from integrations.platforms.base import JsonObject, Page, Window
from integrations.platforms.errors import Refused, TryLater
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.expand import whole_orders

UPDATED, CREATED = "update_time", "create_time"
HISTORY_STEP = 30 * 86_400  # seconds of history in one search
COUNT_SIZE = 10
Pull = Callable[[TikTokShopClient, Window, str | None], Page]


@dataclass(frozen=True, slots=True)
class Source:
    """One index that leads to orders: its search, the list in its answer, and the field that holds the order's id."""

    search: Callable[..., JsonObject]
    rows: str
    order_id: str
    label: str


ORDERS = Source(TikTokShopClient.order_page, "orders", "id", "orders")
CANCELLATIONS = Source(TikTokShopClient.cancellation_page, "cancellations", "order_id", "requests to cancel")
RETURNS = Source(TikTokShopClient.return_page, "return_orders", "order_id", "requests to return")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull is, in Unix seconds: the search runs from `since` up to `until`, the whole pull up to `end`.

    `token` goes on within the second `since`; `again` marks a search begun anew because its token had died.
    """

    since: int
    until: int
    end: int
    token: str = ""
    again: bool = False

    def text(self) -> str:
        """The place as a cursor."""
        return orjson.dumps(asdict(self)).decode()


def pull_of(source: Source) -> Pull:
    """Changes of the window, oldest first."""

    def pull(client: TikTokShopClient, window: Window, cursor: str | None) -> Page:
        return _page(source, client, _place(window, cursor, step=None), UPDATED)

    return pull


def history_of(source: Source) -> Pull:
    """What was begun in the window, oldest first, in searches of thirty days."""

    def pull(client: TikTokShopClient, window: Window, cursor: str | None) -> Page:
        place = _place(window, cursor, step=HISTORY_STEP)
        page = _page(source, client, place, CREATED)
        return page if cursor else replace(page, total=_count(source, client, place))

    return pull


def _place(window: Window, cursor: str | None, *, step: int | None) -> Place:
    if cursor:
        return Place(**orjson.loads(cursor))
    since = int(window.since.timestamp())
    end = ceil((window.until or datetime.now(UTC)).timestamp())
    return Place(since, end if step is None else min(end, since + step), end)


def _page(source: Source, client: TikTokShopClient, place: Place, field: str) -> Page:
    if place.since >= place.end:
        return Page()
    try:
        answer = source.search(client, _between(place.since, place.until, field), field=field, token=place.token)
    except Refused:
        if not place.token or place.again:
            raise
        return Page(cursor=replace(place, token="", again=True).text(), note="The page token had ended: this second is read again.")
    rows = [row for row in answer.get(source.rows) or () if isinstance(row, dict)]
    ids = list(dict.fromkeys(str(row[source.order_id]) for row in rows if row.get(source.order_id)))
    objects = tuple(raw for _, raw in whole_orders(client, ids) if raw is not None)
    following = _next(place, answer, rows, field)
    until = datetime.fromtimestamp(place.until if following is None else following.since, UTC)
    note = f"{len(rows)} {source.label} until {until:%Y-%m-%d %H:%M} UTC"
    return Page(objects=objects, cursor=following and following.text(), note=note)


def _next(place: Place, answer: JsonObject, rows: list[JsonObject], field: str) -> Place | None:
    """The place of the next page, None at the end; raises TryLater when a page repeats."""
    token = str(answer.get("next_page_token") or "")
    if not token:
        return None if place.until >= place.end else _onward(place)
    if token == place.token:
        raise TryLater("TikTok Shop repeated a page: the window is read again", code="cursor_loop")
    newest = max((_seconds(row, field) for row in rows), default=0)
    if newest > place.since:
        return Place(newest, place.until, place.end)
    return replace(place, token=token, again=place.again)


def _onward(place: Place) -> Place:
    return Place(place.until, min(place.end, place.until + HISTORY_STEP), place.end)


def _count(source: Source, client: TikTokShopClient, place: Place) -> int | None:
    """How many the whole history holds, by the index's own count."""
    answer = source.search(client, _between(place.since, place.end, CREATED), field=CREATED, size=COUNT_SIZE)
    total = answer.get("total_count")
    return total if isinstance(total, int) else None


def _between(since: int, until: int, field: str) -> dict[str, Any]:
    return {f"{field}_ge": since, f"{field}_lt": until}


def _seconds(row: Mapping[str, Any], field: str) -> int:
    value = row.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
