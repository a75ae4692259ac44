"""Two real workers, killed with SIGKILL in the middle of their work again and again: nothing is lost, nothing goes backwards."""

from __future__ import annotations

import random
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from integrations.models import Connection, Delivery, Flow, InboxEvent, Receipt
from integrations.standins.faults import Fault
from tests.conftest import RouteB
from tests.journeys.workers import Processes, database_url

pytestmark = [pytest.mark.journey, pytest.mark.slow]
ORDERS, ROUNDS = 120, 4

LET_TIME_PASS = """
UPDATE integrations_delivery SET lease_until = lease_until - interval '2 minutes' WHERE state = 'sending';
UPDATE integrations_inboxevent SET lease_until = lease_until - interval '2 minutes' WHERE state = 'new';
UPDATE integrations_connection SET pump_until = pump_until - interval '2 minutes', woken_at = woken_at - interval '2 minutes';
UPDATE integrations_flow SET pump_until = pump_until - interval '2 minutes', woken_at = woken_at - interval '2 minutes';
UPDATE django_q_ormq SET lock = lock - interval '5 minutes';
"""


def minutes_later() -> None:
    """All leases of the dead have run out, and the minute's sweep comes round."""
    with connection.cursor() as cursor:
        cursor.execute(LET_TIME_PASS)
    async_task("integrations.tasks.sweep")


def settled() -> bool:
    waiting = Delivery.objects.filter(state__in=["ready", "sending", "accepted"]).exists() or Receipt.objects.filter(state="open").exists()
    return not waiting and not InboxEvent.objects.filter(state="new").exists()


def wait_until_settled(processes: Processes, seconds: float = 45) -> None:
    until = time.monotonic() + seconds
    while not settled():
        assert time.monotonic() < until, f"{left()} {processes.said()}"
        time.sleep(0.1)


def left() -> dict[str, Any]:
    """What still waits, and for what."""
    waiting = Delivery.objects.exclude(state="delivered").values("flow__record_type", "state", "due_at", "lease_until", "attempts")
    pumps = [*Flow.objects.values("record_type", "woken_at", "pump_until"), *Connection.objects.values("woken_at", "pump_until")]
    return {
        "deliveries": list(waiting[:5]),
        "events": list(InboxEvent.objects.filter(state="new").values("topic", "due_at", "lease_until", "attempts", "error")[:5]),
        "receipts": list(Receipt.objects.filter(state="open").values("check_at", "tries")[:5]),
        "pumps": pumps,
        "tasks": [(row.func(), row.lock) for row in OrmQ.objects.all()],
        "now": timezone.now(),
    }


def regressions(route: RouteB) -> list[str]:
    """Orders of which an older state was written after a newer one."""
    found = []
    for key in route.state("orders"):
        digests = [digest for digest, _ in groupby(effect.digest for effect in route.ometria.ledger.effects("order", key))]
        if len(digests) != len(set(digests)):
            found.append(key)
    return found


def test_workers_killed_in_mid_batch_lose_nothing_and_never_write_an_older_state(route_b: RouteB, tmp_path: Path) -> None:
    assert route_b.subscribe()
    variant = route_b.product()
    customer = route_b.act("create_customer", email="ada@example.com", first_name="Ada")
    route_b.run()
    generator = random.Random(7)
    orders: list[int] = []
    caught = 0
    route_b.ometria.faults.add(Fault("latency", path="/v2/push", seconds=0.2, times=0))  # a kill finds a push accepted but not stored
    with Processes(database_url(), tmp_path / "workers.log") as processes:
        for _ in range(ROUNDS):
            pair = [processes.start_worker(), processes.start_worker()]
            done = Delivery.objects.filter(flow__record_type="order").exclude(sent_hash="").count()
            for _ in range(ORDERS // ROUNDS):
                order = route_b.act("create_order", customer_id=customer.id, lines=[{"variant_id": variant, "quantity": 2}], paid=False)
                orders.append(order.id)
                route_b.act("mark_paid", order_id=order.id)
                older = generator.choice(orders)
                if not route_b.shopify.shop().orders.live[older].refunds:
                    route_b.act("refund", order_id=older, lines={route_b.shopify.shop().orders.live[older].lines[0].id: 1})
            until = time.monotonic() + 30
            while Delivery.objects.filter(flow__record_type="order").exclude(sent_hash="").count() <= done:
                assert time.monotonic() < until, processes.said()
                time.sleep(0.02)
            for process in pair:
                time.sleep(generator.uniform(0, 0.15))
                processes.kill(process)
            caught += Delivery.objects.filter(state="sending").count()
            minutes_later()
        route_b.ometria.faults.clear()
        processes.start_worker()
        assert route_b.shopify.wait_sent(30)
        wait_until_settled(processes)

    shop, stored = route_b.shopify.shop(), route_b.state("orders")
    assert caught > 0
    assert set(stored) == {f"shp-{order_id}" for order_id in orders}
    refunded = {key: order["total_unit_quantity_refunded"] for key, order in stored.items()}
    assert refunded == {f"shp-{order_id}": int(bool(shop.orders.live[order_id].refunds)) for order_id in orders}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert Delivery.objects.filter(flow__record_type="order").count() == len(orders)
    assert regressions(route_b) == []
    assert not InboxEvent.objects.exclude(state__in=["done", "ignored"]).exists()
    assert OrmQ.objects.count() < 20
