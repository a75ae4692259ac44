"""A fault that nobody foresaw stops its own message or page, is told, and asks a person."""

from __future__ import annotations

import orjson

from integrations.engine.ingest import ingest
from integrations.engine.process import process_batch
from integrations.engine.pull import MAX_FAULTS, run_pull, start_backfill
from integrations.models import Checkpoint, Delivery, InboxEvent, SyncException
from integrations.platforms.base import IncomingEvent
from tests.conftest import DOMAIN, RouteB


def order_event(route: RouteB, *, name: str = "") -> IncomingEvent:
    """A verified message about a new order; a name of our choice stands where no shop could put it."""
    order = route.act("create_order", lines=[{"title": "Gift wrap", "price": "2.00", "quantity": 1}], email="ada@example.com")
    _, body = route.shopify.render_webhook("orders/create", order.id, DOMAIN)
    parsed = orjson.loads(body)
    parsed["name"] = name or parsed["name"]
    return IncomingEvent(topic="orders/create", dedup_key=f"event-{order.id}", body=orjson.dumps(parsed))


def test_a_message_that_the_database_refuses_fails_alone(route_b: RouteB) -> None:
    poisoned, good = order_event(route_b, name="#\x001"), order_event(route_b)
    assert ingest(route_b.source.pk, [poisoned, good]) == 2

    result = process_batch(route_b.source)

    states = dict(InboxEvent.objects.values_list("dedup_key", "state"))
    assert states == {poisoned.dedup_key: "failed", good.dedup_key: "done"}
    assert (result.taken, result.failed) == (2, 1)
    assert Delivery.objects.filter(flow=route_b.flow("order")).count() == 1
    assert SyncException.objects.get(kind="unparsable").connection == route_b.source


def test_a_page_that_our_own_fault_stops_is_tried_again_and_then_asks(route_b: RouteB) -> None:
    (backfill,) = start_backfill(route_b.source, ["customers"], since=route_b.source.created_at.replace(year=2020))
    Checkpoint.objects.filter(pk=backfill.pk).update(cursor="{ this was never a cursor")

    for _ in range(3 * MAX_FAULTS):
        run_pull(backfill.pk, 5)
        Checkpoint.objects.filter(pk=backfill.pk).update(due_at=backfill.due_at)
        backfill.refresh_from_db()
        if backfill.state == "failed":
            break

    assert (backfill.state, backfill.faults) == ("failed", MAX_FAULTS)
    assert backfill.error
    assert SyncException.objects.get(kind="backfill_failed").detail == backfill.error
