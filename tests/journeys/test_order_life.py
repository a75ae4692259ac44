"""Whatever order an order's webhooks arrive in, the destination ends in the same state."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pytest

from integrations.models import Delivery, InboxEvent
from tests.conftest import RouteB

pytestmark = [pytest.mark.journey]
ORDERS = 60


def fulfilled_life(route: RouteB, customer_id: int, variants: Sequence[int]) -> int:
    """Created, paid, updated twice, fulfilled, one unit refunded."""
    order = begin(route, customer_id, variants)
    route.act("fulfil", order_id=order.id)
    route.act("refund", order_id=order.id, lines={order.lines[0].id: 1})
    return order.id


def cancelled_life(route: RouteB, customer_id: int, variants: Sequence[int]) -> int:
    """Created, paid, updated twice, one unit refunded, cancelled."""
    order = begin(route, customer_id, variants)
    route.act("refund", order_id=order.id, lines={order.lines[0].id: 1}, shipping="1.00")
    route.act("cancel_order", order_id=order.id)
    return order.id


def begin(route: RouteB, customer_id: int, variants: Sequence[int]) -> Any:
    lines = [{"variant_id": variants[0], "quantity": 2}, {"variant_id": variants[1], "quantity": 1}]
    discounts = [{"kind": "code", "title": "TEN", "value": 10, "percentage": True}]
    order = route.act("create_order", customer_id=customer_id, lines=lines, discounts=discounts, shipping="4.99", paid=False)
    steps = [("mark_paid", {}), ("update_order", {"email": "ada@example.com"}), ("update_order", {"shipping_title": "Express"})]
    for do, arguments in steps:
        route.act(do, order_id=order.id, **arguments)
    return order


LIVES = {"fulfilled": (fulfilled_life, "partially_refunded", True), "cancelled": (cancelled_life, "cancelled", False)}


def prepared(route: RouteB) -> tuple[int, list[int]]:
    """A customer and two variants that have arrived."""
    assert route.subscribe()
    variants = [route.product("SHOE-42"), route.product("SHOE-43", "7.35")]
    customer = route.act("create_customer", email="ada@example.com", first_name="Ada", last_name="Byron")
    route.run()
    route.hold_webhooks()
    return customer.id, variants


def without_ids(order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in ("id", "web_id", "timestamp", "@version")}


def never_goes_back(route: RouteB, key: str) -> bool:
    """Whether no state of this order was written again after another one had followed it."""
    digests = [digest for digest, _ in groupby(effect.digest for effect in route.ometria.ledger.effects("order", key))]
    return len(digests) == len(set(digests))


@pytest.mark.parametrize("life", LIVES)
def test_every_arrival_order_with_duplicates_ends_in_the_same_state(route_b: RouteB, life: str) -> None:
    """All changes of an order fall into one or two seconds, so that the source's own times hardly tell them apart."""
    live, status, valid = LIVES[life]
    customer_id, variants = prepared(route_b)
    orders = [live(route_b, customer_id, variants) for _ in range(ORDERS + 1)]
    reference, *others = orders
    generator = random.Random(20260110)
    arrivals = [route_b.held(reference)]
    for order_id in others:
        webhooks = route_b.held(order_id)
        shuffled = webhooks + generator.choices(webhooks, k=3)
        generator.shuffle(shuffled)
        arrivals.append(shuffled)

    for step in range(max(map(len, arrivals))):
        for webhooks in arrivals:
            if step < len(webhooks):
                assert route_b.post(webhooks[step].headers, webhooks[step].body) == 200
        route_b.pump()
    route_b.run()

    stored = route_b.state("orders")
    expected = without_ids(stored[f"shp-{reference}"])
    assert (expected["status"], expected["is_valid"]) == (status, valid)
    assert {key for key, order in stored.items() if without_ids(order) != expected} == set()
    assert len(stored) == ORDERS + 1
    assert [key for key in stored if not never_goes_back(route_b, key)] == []
    assert InboxEvent.objects.filter(object_key__in=orders).count() == sum(len(route_b.held(order_id)) for order_id in orders)
    assert not Delivery.objects.exclude(state="delivered").exists()
