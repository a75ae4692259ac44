"""The webhook watchdog and Shopify's own throttling."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine import pull, pumps
from integrations.engine.watch import check_subscriptions
from integrations.models import Checkpoint, Connection, Delivery, SyncException
from tests.conftest import DOMAIN, RouteB
from tests.quiet import pull_through

pytestmark = [pytest.mark.journey]


def test_a_subscription_that_was_removed_is_put_back_and_the_gap_is_pulled(route_b: RouteB) -> None:
    assert len(route_b.subscribe()) == len(route_b.shopify.shop(DOMAIN).hooks.subscriptions())
    pull.ensure_polls(route_b.source)
    Checkpoint.objects.update(due_at=timezone.now() + timedelta(minutes=10))
    hooks = route_b.shopify.shop(DOMAIN).hooks
    gone = next(hook for hook in hooks.subscriptions() if hook.header == "customers/create")
    hooks.remove(gone.id)
    hooks.remove(next(hook for hook in hooks.subscriptions() if hook.header == "customers/update").id)
    with route_b.shopify.shop(DOMAIN).past(route_b.shopify.clock.utc() - timedelta(minutes=5)):
        missed = route_b.act("create_customer", email="ada@example.com", first_name="Ada")

    pumps.hourly()
    assert {hook.header for hook in hooks.subscriptions()} >= {"customers/create", "customers/update"}
    assert len(pull.due_pulls()) == 4
    for checkpoint_id in pull.due_pulls():
        pull_through(checkpoint_id)
    route_b.run()
    assert set(route_b.state("contacts")) == {f"shopify:{missed.id}"}
    assert check_subscriptions(route_b.source) == []


def test_a_subscription_that_lacks_its_scope_is_asked_about_with_the_scope(route_b: RouteB) -> None:
    scopes = route_b.shopify.shop(DOMAIN).scopes
    scopes.discard("read_fulfillments")
    said = check_subscriptions(route_b.source)
    asked = SyncException.objects.get()
    assert (asked.kind, asked.state) == ("missing_subscription", "open")
    assert "fulfillments/create" in asked.detail
    assert "read_fulfillments" in asked.detail
    assert any(line.startswith("Subscribed to orders/create") for line in said)

    scopes.add("read_fulfillments")
    check_subscriptions(route_b.source)
    asked.refresh_from_db()
    assert asked.state == "resolved"


def test_a_shop_that_throttles_is_waited_for_and_costs_no_try(route_b: RouteB) -> None:
    assert route_b.subscribe()
    service = route_b.shopify.service(DOMAIN)
    service.bucket = type(service.bucket)(1000, 400.0, service.bucket.now)
    service.bucket.level = 0.0
    customers = [route_b.act("create_customer", email=f"person{number}@example.com").id for number in range(120)]
    route_b.run(60)
    assert set(route_b.state("contacts")) == {f"shopify:{customer_id}" for customer_id in customers}
    assert not SyncException.objects.exists()
    assert Connection.objects.get(pk=route_b.source.pk).faults == 0
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
