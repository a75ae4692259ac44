"""Records as a platform room would parse them, for tests that begin at the outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory

from mapping.records import Customer, CustomerRef, Line, Order, OrderStatus, Totals

BEGAN = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A version time, counted from a fixed moment."""
    return BEGAN + timedelta(seconds=seconds)


class LineFactory(factory.Factory):
    """One unit at 10.00 without tax."""

    class Meta:
        model = Line

    key = "line-0"
    sku = "TEE-RED"
    product_key = "P1"
    quantity = 1
    unit_price = subtotal = total = Decimal("10.00")


class OrderFactory(factory.Factory):
    """A paid order of one line."""

    class Meta:
        model = Order

    class Params:
        skus: Any = ("TEE-RED",)
        second: float = 0.0

    key = factory.Sequence(lambda number: str(1001 + number))
    number = factory.LazyAttribute(lambda order: f"#{order.key}")
    occurred_at = factory.LazyAttribute(lambda order: at(order.second))
    placed_at = BEGAN
    status = OrderStatus.PAID
    currency = "GBP"
    customer = CustomerRef(key="7", email="ada@example.com", first_name="Ada")
    lines = factory.LazyAttribute(lambda order: tuple(LineFactory(key=f"line-{n}", sku=sku) for n, sku in enumerate(order.skus)))
    totals = factory.LazyAttribute(
        lambda order: Totals(
            subtotal=Decimal("10.00") * len(order.skus), total=Decimal("10.00") * len(order.skus), net=Decimal("10.00") * len(order.skus)
        )
    )


class CustomerFactory(factory.Factory):
    """A person with an e-mail address."""

    class Meta:
        model = Customer

    key = factory.Sequence(lambda number: str(501 + number))
    occurred_at = BEGAN
    email = factory.LazyAttribute(lambda customer: f"person{customer.key}@example.com")
    first_name = "Ada"
