"""Shopify orders reach Ometria, over real HTTP on both sides."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.models import Delivery
from tests.conftest import RouteB

pytestmark = [pytest.mark.journey]


def test_a_paid_order_arrives_with_lines_discount_and_tax_and_a_refund_is_cumulative(route_b: RouteB) -> None:
    assert route_b.subscribe()
    variant = route_b.product()
    customer = route_b.act("create_customer", email="ada@example.com", first_name="Ada", last_name="Byron")
    order = route_b.act("create_order", customer_id=customer.id, lines=[{"variant_id": variant, "quantity": 2}], shipping="4.99", paid=True)
    route_b.run()

    stored = route_b.state("orders")[f"shp-{order.id}"]
    assert stored["is_valid"] is True
    assert stored["lineitems"][0]["sku"] == "SHOE-42"
    assert Decimal(str(stored["grand_total"])) == Decimal("44.99")

    route_b.act("refund", order_id=order.id, lines={order.lines[0].id: 1})
    route_b.run()
    stored = route_b.state("orders")[f"shp-{order.id}"]
    assert stored["status"] == "partially_refunded"
    assert stored["total_unit_quantity_refunded"] == 1
    assert not Delivery.objects.exclude(state="delivered").exists()
