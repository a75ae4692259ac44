"""Looking at many orders at once costs few reads, also when history and live orders travelled together."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.platforms.base import Sent
from integrations.platforms.ometria.client import MAX_PAGE
from integrations.platforms.ometria.shown import Shown
from integrations.platforms.ometria.write.look import look

LONG_AGO, TODAY = datetime(2020, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


class Shelf:
    """A client that holds one order a minute since 2020 and counts what it is asked."""

    def __init__(self, orders: dict[str, datetime]) -> None:
        self.stored, self.reads, self.shown = orders, 0, Shown()

    def orders(self, field: str, since: datetime, before: datetime | None = None, *, offset: int = 0) -> list[dict[str, Any]]:
        self.reads += 1
        rows = [{"id": key} for key, at in self.stored.items() if since <= at and (before is None or at < before)]
        return rows[offset : offset + MAX_PAGE]

    def order(self, key: str) -> dict[str, Any]:
        self.reads += 1
        return {"id": key}


def sent(orders: dict[str, datetime]) -> list[Sent]:
    return [Sent(key, key, {"id": key, "timestamp": at.isoformat()}) for key, at in orders.items()]


def every_minute(count: int, begin: datetime, name: str) -> dict[str, datetime]:
    return {f"{name}{number}": begin + timedelta(minutes=number) for number in range(count)}


def test_a_batch_of_history_is_seen_in_one_read() -> None:
    history = every_minute(5000, LONG_AGO, "h")
    client = Shelf(history)
    batch = dict(list(history.items())[300:400])
    assert (set(look(client, "order", sent(batch), TODAY)), client.reads) == (set(batch), 1)


def test_live_orders_among_history_cost_one_read_more() -> None:
    history, live = every_minute(5000, LONG_AGO, "h"), every_minute(3, TODAY, "l")
    client = Shelf({**history, **live})
    batch = {**dict(list(history.items())[300:397]), **live}
    assert (set(look(client, "order", sent(batch), TODAY)), client.reads) == (set(batch), 2)


def test_pushes_on_the_same_page_cost_one_read_together() -> None:
    orders = every_minute(100, TODAY, "l")
    client = Shelf(orders)
    first, second = dict(list(orders.items())[::2]), dict(list(orders.items())[1:-1:2])
    assert (set(look(client, "order", sent(first), TODAY)), client.reads) == (set(first), 1)
    assert (set(look(client, "order", sent(second), TODAY)), client.reads) == (set(second), 1)


def test_what_was_shown_is_not_believed_for_long() -> None:
    shown = Shown()
    shown.note("order", {"l1": {"id": "l1"}})
    assert (shown.of("order", ["l1", "l2"], TODAY), shown.of("contact", ["l1"], TODAY)) == ({"l1": {"id": "l1"}}, {})
    shown._pages["order"] = (time.monotonic() - 0.01, {"l1": {"id": "l1"}})
    assert shown.of("order", ["l1"], TODAY) == {}


class Listings:
    """A client whose account is being filled with listings, so many a second; at most as many pages are read as are asked for."""

    def __init__(self, rate: int) -> None:
        self.rate, self.reads, self.shown, self.stored = rate, 0, Shown(), {}

    def push(self, second: int, **changed: str) -> list[Sent]:
        """One second's listings, all at once, as of a whole second; those that are named are changed once more."""
        at = TODAY + timedelta(seconds=second)
        keys = [changed.get(str(number), f"{second}-{number}") for number in range(self.rate)]
        for key in keys:
            self.stored.pop(key, None)
            self.stored[key] = at
        return [Sent(key, f"shop:{key}", {"id": key}) for key in keys]

    def contacts(self, collection: str, *, since: datetime, offset: int) -> list[dict[str, Any]]:
        self.reads += 1
        rows = [{"@collection": "shop", "id": key, "dt_object_updated": at.isoformat()} for key, at in self.stored.items() if at >= since]
        return rows[offset : offset + MAX_PAGE]

    def contact(self, collection: str, key: str) -> dict[str, Any] | None:
        self.reads += 1
        return {"@collection": "shop", "id": key} if key in self.stored else None


def test_listings_of_a_long_push_are_each_read_about_once() -> None:
    client, seen = Listings(800), 0
    for second in range(20):
        pushed = client.push(second)
        for begin in range(0, 800, 100):
            batch = pushed[begin : begin + 100]
            seen += len(look(client, "contact", batch, TODAY + timedelta(seconds=second)))
    assert seen > 0.95 * 20 * 800
    assert client.reads < 1.5 * 20 * 800 / MAX_PAGE + 20


def test_a_listing_that_changed_again_is_read_again() -> None:
    client = Listings(100)
    look(client, "contact", client.push(0), TODAY)
    client.shown._pages.clear()
    again = client.push(30, **{"5": "0-5"})

    assert look(client, "contact", again, TODAY + timedelta(seconds=30))["shop:0-5"]["dt_object_updated"] == "2026-05-01T00:00:30+00:00"


def test_a_page_that_tells_no_times_is_read_from_the_push_on_each_time(monkeypatch: Any) -> None:
    monkeypatch.setattr("integrations.platforms.ometria.moments.CHANGED", ())
    client = Listings(100)
    for second in (0, 1):
        assert len(look(client, "contact", client.push(second), TODAY + timedelta(seconds=second))) == 100
        client.shown._pages.clear()
