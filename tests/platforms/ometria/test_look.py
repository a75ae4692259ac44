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
    assert (shown.of("order", ["l1", "l2"]), shown.of("contact", ["l1"])) == ({"l1": {"id": "l1"}}, {})
    shown._pages["order"] = (time.monotonic() - 0.01, {"l1": {"id": "l1"}})
    assert shown.of("order", ["l1"]) == {}
