"""Two real workers, killed with SIGKILL in the middle of their work again and again: nothing is lost, nothing goes backwards."""

from __future__ import annotations

import random
import time
from itertools import groupby
from pathlib import Path

import pytest
from django_q.models import OrmQ

from integrations.models import Delivery, InboxEvent
from integrations.standins.faults import Fault
from tests.conftest import RouteB
from tests.journeys.workers import Processes, database_url, minutes_later, wait_until_settled

pytestmark = [pytest.mark.journey, pytest.mark.slow]
ORDERS, ROUNDS = 120, 4


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
