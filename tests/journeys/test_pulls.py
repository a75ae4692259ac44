"""Pulls: history without gap or double through kills, live orders first, and polls that bring what webhooks lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.utils import timezone

from integrations.engine import pull
from integrations.engine.outbox import Cause, enqueue
from integrations.engine.pull import cancel, pause, progress, resume, run_pull, start_backfill
from integrations.models import Checkpoint, Delivery, InboxEvent, SyncException
from integrations.standins.faults import Fault
from mapping.records import CustomerRef
from tests.conftest import DOMAIN, RouteB
from tests.factories import OrderFactory
from tests.journeys.workers import Processes, database_url
from tests.quiet import pull_through

pytestmark = [pytest.mark.journey]
ORDERS = 450


@contextmanager
def earlier(route: RouteB, **span: float) -> Iterator[None]:
    """What happens in here happened that long ago, and nobody was told."""
    with route.shopify.shop(DOMAIN).past(route.shopify.clock.utc() - timedelta(**span)):
        yield


def history(route: RouteB, orders: int) -> list[int]:
    """Orders of the past days, each of another person, every fifth partly refunded."""
    made = []
    with earlier(route, days=3):
        variant = route.product()
        for number in range(orders):
            order = route.act("create_order", lines=[{"variant_id": variant, "quantity": 2}], email=f"person{number}@example.com")
            if number % 5 == 0:
                route.act("refund", order_id=order.id, lines={order.lines[0].id: 1})
            made.append(order.id)
    return made


def backfill(route: RouteB, *readers: str) -> list[Checkpoint]:
    now = timezone.now()
    return start_backfill(route.source, readers, since=now - timedelta(days=30), until=now)


def pull_until(checkpoint: Checkpoint, *states: str, seconds: float = 30.0, span: float = 0.01) -> None:
    """Run short pulls, as if each worker were taken away after a moment, until the checkpoint is in one of these states."""
    until = time.monotonic() + seconds
    while checkpoint.state not in states:
        assert time.monotonic() < until, (checkpoint.state, checkpoint.note, checkpoint.error)
        run_pull(checkpoint.pk, span)
        checkpoint.refresh_from_db()
        if checkpoint.cursor and orjson.loads(checkpoint.cursor).get("stage") == "wait":
            time.sleep(0.05)


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, settings: Any) -> Path:
    """Where results of bulk jobs are kept, for this test alone."""
    settings.SPOOL_DIR = tmp_path / "spool"
    return settings.SPOOL_DIR


def test_a_backfill_survives_kills_and_a_lost_spool_without_gap_or_double(route_b: RouteB) -> None:
    orders = history(route_b, ORDERS)
    products, checkpoint = backfill(route_b, "products", "orders")
    pull_until(products, "done")
    pulled = 0
    until = time.monotonic() + 60
    while checkpoint.state != "done":
        assert time.monotonic() < until, (checkpoint.state, checkpoint.note, checkpoint.error)
        run_pull(checkpoint.pk, 0.01)
        checkpoint.refresh_from_db()
        stage = orjson.loads(checkpoint.cursor)["stage"] if checkpoint.cursor else ""
        if stage == "read" and checkpoint.read_count > pulled:
            pulled = checkpoint.read_count
            for file in Path(settings.SPOOL_DIR).rglob("*"):  # another machine goes on
                file.unlink() if file.is_file() else None
            Checkpoint.objects.filter(pk=checkpoint.pk).update(lease_until=timezone.now() + timedelta(seconds=60))
            assert run_pull(checkpoint.pk, 0.01).read == 0  # the dead worker's lease still stands
            Checkpoint.objects.filter(pk=checkpoint.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    route_b.run(60)

    assert (checkpoint.read_count, checkpoint.record_count, checkpoint.failed_count, checkpoint.total) == (ORDERS, ORDERS, 0, ORDERS)
    assert (progress(checkpoint).share, progress(checkpoint).eta) == (1.0, None)
    stored = route_b.state("orders")
    assert set(stored) == {f"shp-{order_id}" for order_id in orders}
    assert Counter(order["status"] for order in stored.values()) == {"paid": ORDERS * 4 // 5, "partially_refunded": ORDERS // 5}
    assert set(Counter(effect.key for effect in route_b.ometria.ledger.effects("order")).values()) == {1}
    assert set(Delivery.objects.filter(flow__record_type="order").values_list("state", "lane", "cause")) == {("delivered", 2, "backfill")}
    assert len(route_b.shopify.ledger.effects("bulk")) == 2


def test_reading_a_history_again_costs_the_destination_nothing(route_b: RouteB) -> None:
    history(route_b, 30)
    for checkpoint in backfill(route_b, "products", "orders"):
        pull_until(checkpoint, "done")
    route_b.run()
    effects = route_b.ometria.ledger.counts()
    (again,) = backfill(route_b, "orders")
    pull_until(again, "done")
    route_b.run()
    assert again.read_count == 30
    assert route_b.ometria.ledger.counts() == effects


def test_a_paused_backfill_stands_still_and_goes_on_where_it_stopped(route_b: RouteB) -> None:
    history(route_b, ORDERS)
    (checkpoint,) = backfill(route_b, "orders")
    while not checkpoint.read_count:
        run_pull(checkpoint.pk, 0.01)
        checkpoint.refresh_from_db()
    pause(checkpoint, None)
    cursor = checkpoint.cursor
    for _ in range(3):
        assert run_pull(checkpoint.pk, 1.0).read == 0
    checkpoint.refresh_from_db()
    assert (checkpoint.state, checkpoint.cursor) == ("paused", cursor)
    resume(checkpoint, None)
    checkpoint.refresh_from_db()
    pull_until(checkpoint, "done")
    assert checkpoint.read_count == ORDERS
    assert Delivery.objects.filter(flow__record_type="order").count() == ORDERS


def test_a_cancelled_backfill_never_goes_on_and_keeps_what_was_read(route_b: RouteB) -> None:
    history(route_b, ORDERS)
    (checkpoint,) = backfill(route_b, "orders")
    while not checkpoint.read_count:
        run_pull(checkpoint.pk, 0.01)
        checkpoint.refresh_from_db()
    cancel(checkpoint, None)
    resume(checkpoint, None)
    assert run_pull(checkpoint.pk, 1.0).read == 0
    checkpoint.refresh_from_db()
    assert checkpoint.state == "cancelled"
    assert Delivery.objects.filter(flow__record_type="order").count() == checkpoint.read_count > 0


def test_a_backfill_whose_job_fails_half_way_brings_everything_all_the_same(route_b: RouteB) -> None:
    orders = history(route_b, 60)
    for checkpoint in backfill(route_b, "products"):
        pull_until(checkpoint, "done")
    bulk = route_b.shopify.shop(DOMAIN).bulk
    bulk.fail_next, bulk.fail_after = 1, 45
    (checkpoint,) = backfill(route_b, "orders")
    pull_until(checkpoint, "done")
    route_b.run(30)
    assert set(route_b.state("orders")) == {f"shp-{order_id}" for order_id in orders}
    assert set(Counter(effect.key for effect in route_b.ometria.ledger.effects("order")).values()) == {1}


def test_a_backfill_that_fails_again_and_again_stops_and_asks(route_b: RouteB) -> None:
    history(route_b, 3)
    (checkpoint,) = backfill(route_b, "orders")
    route_b.shopify.faults.add(Fault("status", path="graphql.json", status=500, times=0))
    for _ in range(20):
        run_pull(checkpoint.pk, 0.01)
        type(route_b.source).objects.update(resume_at=None)
    checkpoint.refresh_from_db()
    assert (checkpoint.state, checkpoint.faults) == ("failed", pull.MAX_FAULTS)
    assert set(SyncException.objects.values_list("kind", "state")) == {("backfill_failed", "open"), ("platform_down", "open")}

    route_b.shopify.faults.clear()
    resume(checkpoint, None)
    checkpoint.refresh_from_db()
    pull_until(checkpoint, "done")
    assert checkpoint.read_count == 3
    assert not SyncException.objects.filter(kind="platform_down", state="open").exists()


@pytest.mark.slow
def test_a_live_order_overtakes_a_waiting_history_within_two_seconds(route_b: RouteB, tmp_path: Path) -> None:
    assert route_b.subscribe()
    variant = route_b.product()
    route_b.run()
    template = OrderFactory(skus=("SHOE-42",))
    waiting = [replace(template, key=f"old-{n}", customer=CustomerRef(email=f"person{n}@example.com")) for n in range(8_000)]
    enqueue(route_b.source, waiting, cause=Cause.BACKFILL)
    stored, took = route_b.ometria.account().orders, []
    with Processes(database_url(), tmp_path / "worker.log") as processes:
        processes.start_worker()
        until = time.monotonic() + 30
        while stored.get("shp-old-0") is None:
            assert time.monotonic() < until, processes.said()
            time.sleep(0.02)
        for number in range(5):
            began = time.monotonic()
            order = route_b.act("create_order", lines=[{"variant_id": variant, "quantity": 1}], email=f"live{number}@example.com")
            while stored.get(f"shp-{order.id}") is None:
                assert time.monotonic() < began + 20, processes.said()
                time.sleep(0.01)
            took.append(time.monotonic() - began)
        left = Delivery.objects.filter(lane=2, state="ready").count()
    assert left >= 5_000, "the history was through before it could be overtaken"
    assert max(took) < 2.0, took


def test_a_poll_brings_everything_that_no_webhook_told_of(route_b: RouteB) -> None:
    with earlier(route_b, minutes=20):
        variant = route_b.product()
        customer = route_b.act("create_customer", email="ada@example.com", first_name="Ada")
        line = {"variant_id": variant, "quantity": 1}
        orders = [route_b.act("create_order", customer_id=customer.id, lines=[line]).id for _ in range(70)]
    pull.ensure_polls(route_b.source)
    assert len(pull.due_pulls()) == 4
    for checkpoint_id in pull.due_pulls():
        pull_through(checkpoint_id)
    route_b.run()
    assert set(route_b.state("orders")) == {f"shp-{order_id}" for order_id in orders}
    assert set(route_b.state("contacts")) == {f"shopify:{customer.id}"}
    assert set(Checkpoint.objects.values_list("state", "cursor")) == {("waiting", "")}
    assert pull.due_pulls() == []


def test_a_poll_reads_its_overlap_again_for_changes_that_showed_late(route_b: RouteB) -> None:
    with earlier(route_b, minutes=20):
        variant = route_b.product()
    pull.ensure_polls(route_b.source)
    for checkpoint_id in pull.due_pulls():
        pull_through(checkpoint_id)
    with earlier(route_b, minutes=2):
        order = route_b.act("create_order", lines=[{"variant_id": variant, "quantity": 1}], email="ada@example.com")
    poll = Checkpoint.objects.get(reader="orders")
    assert poll.window_from > timezone.now() - timedelta(minutes=1)
    pull_through(poll.pk)
    route_b.run()
    assert set(route_b.state("orders")) == {f"shp-{order.id}"}


def test_an_object_that_cannot_be_read_becomes_an_inbox_event_and_the_others_arrive(
    route_b: RouteB, monkeypatch: pytest.MonkeyPatch
) -> None:
    with earlier(route_b, minutes=20):
        variant = route_b.product()
        good = route_b.act("create_order", lines=[{"variant_id": variant, "quantity": 1}], email="ada@example.com")
        bad = route_b.act("create_order", lines=[{"variant_id": variant, "quantity": 1}], shipping="77.77", email="ada@example.com")
    handle = route_b.shopify.handle
    monkeypatch.setattr(route_b.shopify, "handle", lambda request: spoilt(handle(request), b'"amount":"97.77"', b'"amount":"a lot"'))
    pull.ensure_polls(route_b.source)
    for checkpoint_id in pull.due_pulls():
        pull_through(checkpoint_id)
    monkeypatch.undo()
    route_b.run()

    event = InboxEvent.objects.get(topic="pull:orders")
    assert event.state == "failed"
    assert "a lot" in event.error
    assert str(bad.id) in event.body
    assert SyncException.objects.get(kind="unparsable").connection == route_b.source
    assert set(route_b.state("orders")) == {f"shp-{good.id}"}
    poll = Checkpoint.objects.get(reader="orders")
    assert (poll.state, poll.read_count, poll.record_count, poll.failed_count) == ("waiting", 2, 1, 1)


def spoilt(response: Any, old: bytes, new: bytes) -> Any:
    return replace(response, body=response.body.replace(old, new))
