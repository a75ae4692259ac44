"""Abandoned checkouts: told after the set time, ended by a recovery, never told when the buyer was quicker."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Connection, Delivery
from tests.conftest import RouteB

pytestmark = [pytest.mark.journey]


def begun(route: RouteB, minutes: float) -> Any:
    """A checkout of somebody known, and how long the shop waits for its end."""
    Connection.objects.filter(pk=route.source.pk).update(settings={**route.source.settings, "abandon_minutes": minutes})
    route.source.refresh_from_db()
    assert route.subscribe()
    variant = route.product()
    customer = route.act("create_customer", email="ada@example.com", first_name="Ada")
    route.run()
    return route.act("start_checkout", customer_id=customer.id, lines=[{"variant_id": variant, "quantity": 2}])


def told(route: RouteB) -> list[str]:
    return sorted(event["event_type"] for event in route.state("events").values())


def test_a_checkout_left_alone_for_the_set_time_is_told_once(route_b: RouteB) -> None:
    checkout = begun(route_b, 0.02)
    route_b.run(30)
    (event,) = route_b.state("events").values()
    assert (event["event_type"], event["identity_email"]) == ("abandoned_checkout", "ada@example.com")
    assert (event["properties"]["checkout_id"], event["properties"]["total"]) == (checkout.token, 40.0)
    assert event["profile_id"]


def test_a_checkout_is_not_told_before_the_set_time(route_b: RouteB) -> None:
    begun(route_b, 30)
    assert route_b.shopify.wait_sent(10)
    route_b.pump()
    (row,) = Delivery.objects.filter(flow__record_type="checkout")
    assert row.state == "ready"
    assert 29 * 60 < (row.due_at - row.occurred_at).total_seconds() <= 30 * 60 + 1
    assert told(route_b) == []


def test_the_buyer_who_goes_on_puts_the_time_off(route_b: RouteB) -> None:
    checkout = begun(route_b, 30)
    assert route_b.shopify.wait_sent(10)
    route_b.pump()
    before = Delivery.objects.get(flow__record_type="checkout").due_at
    route_b.shopify.clock.advance(60)
    route_b.act("update_checkout", checkout_id=checkout.id, email="ada@example.com")
    assert route_b.shopify.wait_sent(10)
    route_b.pump()
    assert (Delivery.objects.get(flow__record_type="checkout").due_at - before).total_seconds() >= 59


def test_a_recovered_checkout_is_told_after_it_was_abandoned(route_b: RouteB) -> None:
    checkout = begun(route_b, 0.02)
    route_b.run(30)
    route_b.shopify.clock.advance(2)
    order = route_b.act("complete_checkout", checkout_id=checkout.id)
    route_b.run(30)
    assert told(route_b) == ["abandoned_checkout", "checkout_recovered"]
    assert set(route_b.state("orders")) == {f"shp-{order.id}"}


def test_a_checkout_completed_in_time_is_never_told(route_b: RouteB) -> None:
    checkout = begun(route_b, 30)
    assert route_b.shopify.wait_sent(10)
    route_b.pump()
    route_b.shopify.clock.advance(2)
    route_b.act("complete_checkout", checkout_id=checkout.id)
    route_b.run(30)
    row = Delivery.objects.get(flow__record_type="checkout")
    assert (row.state, row.last_message) == ("skipped", "Completed before it counted as abandoned.")
    assert told(route_b) == []
