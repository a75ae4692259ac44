"""Pulling collections: changes by `lastModifiedAt` in a window that is fixed by the server's clock, history by a sweep over ids.

Both go on behind the last row (keyset), never by offset, so that what is written meanwhile shifts no page: a changed row leaves the
window and lies in the next one. The sweep misses what is made during it with a smaller id; the changes since before it began bring that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.commercetools.client import CommercetoolsClient, Query, Where
from integrations.platforms.commercetools.options import OVERLAP_SECONDS, number
from integrations.platforms.commercetools.resources import PAYMENTS, Source, query_of
from integrations.platforms.commercetools.whole import named, orders_of_payments, version_of
from integrations.platforms.errors import TryLater

WITHIN = "lastModifiedAt >= :since and lastModifiedAt < :until"
BEHIND = "lastModifiedAt > :since or (lastModifiedAt = :since and id > :id)"
BY_CHANGE, BY_ID = ("lastModifiedAt asc", "id asc"), ("id asc",)
UP_TO_NOW = timedelta(minutes=1)  # a window that ends later than so long ago means: up to now
COUNTED_TO = 10_000  # commercetools counts no further where a predicate is used
Pull = Callable[[CommercetoolsClient, Window, str | None], Page]
Made = Callable[[CommercetoolsClient, Source, Sequence[JsonObject]], tuple[RawObject, ...]]


def as_they_are(client: CommercetoolsClient, source: Source, rows: Sequence[JsonObject]) -> tuple[RawObject, ...]:
    """The rows themselves, orders and carts with the address of their customer."""
    return tuple(RawObject(source.shape, row) for row in named(client, rows))


def their_orders(client: CommercetoolsClient, source: Source, rows: Sequence[JsonObject]) -> tuple[RawObject, ...]:
    """The orders that payments belong to, each once."""
    del source
    found = orders_of_payments(client, {str(row["id"]): version_of(row) for row in rows if row.get("id")})
    return tuple({str(raw.data.get("id")): raw for _, objects in found for raw in objects}.values())


def pull_of(source: Source, made: Made = as_they_are) -> Pull:
    """Changes of the window, least recent first."""

    def pull(client: CommercetoolsClient, window: Window, cursor: str | None) -> Page:
        state = orjson.loads(cursor) if cursor else _beginning(client, source, window)
        until = datetime.fromisoformat(state["until"])
        if state["since"] >= state["until"]:
            return Page(reached=until)
        within = Where(WITHIN, {"since": state["since"], "until": state["until"]})
        behind = (Where(BEHIND, {"since": state["since"], "id": state["id"]}),) if state["id"] else ()
        found = client.page(query_of(client.account, source, within, *behind, sort=BY_CHANGE))
        last = (str(found.rows[-1].get("lastModifiedAt")), str(found.rows[-1].get("id"))) if found.rows else ("", "")
        if found.full and last == (state["since"], state["id"]):
            raise TryLater("commercetools repeated a page: the window is read again", code="cursor_loop")
        following = orjson.dumps({**state, "since": last[0], "id": last[1]}).decode() if found.full else None
        note = f"{len(found.rows)} {source.name} changed until {(last[0] or state['until'])[:16].replace('T', ' ')} UTC"
        return Page(objects=made(client, source, found.rows), cursor=following, note=note, reached=until)

    return pull


def history_of(source: Source) -> Pull:
    """Everything of the window in the order of ids, however much is written meanwhile."""

    def pull(client: CommercetoolsClient, window: Window, cursor: str | None) -> Page:
        span = Where(source.history, {"since": stamp(window.since), "until": stamp(window.until or server_time(client, source))})
        behind = (Where("id > :id", {"id": cursor}),) if cursor else ()
        found = client.page(query_of(client.account, source, span, *behind, sort=BY_ID))
        last = str(found.rows[-1].get("id")) if found.rows else ""
        if found.full and last == cursor:
            raise TryLater("commercetools repeated a page: it is read again", code="cursor_loop")
        total = None if cursor else count_of(client, source, span)
        return Page(objects=as_they_are(client, source, found.rows), cursor=last if found.full else None, total=total)

    return pull


def count_of(client: CommercetoolsClient, source: Source, span: Where) -> int | None:
    """How many lie in a span; of more than 10,000 what the collection holds beyond those outside of it, None where that is as many."""
    inside = client.count(query_of(client.account, source, span))
    if inside is None or inside < COUNTED_TO:
        return inside
    if source.only:
        return None
    everything = client.count(Query(path=source.path))
    outside = client.count(Query(path=source.path, where=(Where(f"not({span.predicate})", span.variables),)))
    return None if everything is None or outside is None or outside >= COUNTED_TO else max(inside, everything - outside)


def server_time(client: CommercetoolsClient, source: Source) -> datetime:
    """The end of the present second by commercetools' own clock, asked for with the smallest question there is."""
    client.page(Query(path=source.path, limit=1))
    return (client.server_time or datetime.now(UTC)) + timedelta(seconds=1)  # the header leaves fractions out


def stamp(moment: datetime) -> str:
    """A time as predicates take it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _beginning(client: CommercetoolsClient, source: Source, window: Window) -> dict[str, str]:
    """Where a pull begins, back by what the connection wants beyond the usual, and ends: "now" is the server's, whatever our clock says."""
    now, ours = server_time(client, source), datetime.now(UTC)
    past = window.until is not None and window.until < ours - UP_TO_NOW
    further = timedelta(seconds=max(0.0, number(client.account, "overlap_seconds") - OVERLAP_SECONDS))
    return {"since": stamp(window.since - further), "until": stamp(min(window.until, now) if past else now), "id": ""}


pull_payments = pull_of(PAYMENTS, their_orders)
