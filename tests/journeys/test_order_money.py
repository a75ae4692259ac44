"""Money is the same on both sides: lines − discounts + shipping + tax − refunds = net, in every currency and tax regime."""

from __future__ import annotations

import random
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from integrations.models import Delivery
from integrations.standins.shopify import ShopSpec
from tests.conftest import DOMAIN, RouteB

pytestmark = [pytest.mark.journey]
DIGITS = {"GBP": 2, "EUR": 2, "JPY": 0, "KWD": 3}
ORDERS = 18
SHOPS = [
    pytest.param(
        ShopSpec(domain=DOMAIN, currency=currency, taxes_included=included, tax_rate=Decimal(rate), rates={"USD": Decimal("1.2734")}),
        id=f"{currency}-{'tax included' if included else 'tax on top'}-{rate}",
    )
    for currency, included, rate in [
        ("GBP", True, "0.2"), ("GBP", False, "0.0725"), ("EUR", True, "0.19"), ("EUR", False, "0.19"),
        ("JPY", True, "0.1"), ("JPY", False, "0.08"), ("KWD", True, "0.05"), ("KWD", False, "0.05"),
    ]
]  # fmt: skip


class Lives:
    """Random but repeatable lives of orders: discounts, edits, refunds of every kind, cancellations."""

    def __init__(self, route: RouteB, currency: str, variants: list[int], seed: str) -> None:
        self.route, self.variants, self.random = route, variants, random.Random(seed)
        self.digits = DIGITS[currency]
        self.currency = currency

    def money(self, low: int, high: int) -> str:
        return str(Decimal(self.random.randint(low * 10**self.digits, high * 10**self.digits)).scaleb(-self.digits))

    def live(self) -> int:
        chosen = self.random.sample(self.variants, self.random.randint(1, 4))
        order = self.route.act(
            "create_order", lines=[{"variant_id": variant, "quantity": self.random.randint(1, 4)} for variant in chosen],
            discounts=self.random.choice([[], [self.percentage()], [self.fixed()], [self.percentage(), self.fixed()]]),
            shipping=self.random.choice(["0", self.money(1, 15)]), paid=self.random.random() < 0.85, email="ada@example.com",
            presentment_currency=self.random.choice([None, None, "USD"]),
        )  # fmt: skip
        for step in self.random.choices([self.shrink, self.grow, self.back, self.goodwill, self.freight, self.ship, self.cancel], k=3):
            with suppress(ValueError):  # what this order's state does not allow
                step(order)
        return order.id

    def percentage(self) -> dict[str, Any]:
        return {"kind": "code", "title": "TEN", "value": self.random.randint(3, 60), "percentage": True}

    def fixed(self) -> dict[str, Any]:
        return {"kind": "manual", "title": "Sorry", "value": self.money(1, 8), "line": 0}

    def shrink(self, order: Any) -> None:
        line = self.random.choice(order.lines)
        if order.refunds:
            raise ValueError("taking units off after money went back would leave the shop owing more than was paid")
        self.route.act("edit_order", order_id=order.id, quantities={line.id: max(line.current - 1, 0)})

    def grow(self, order: Any) -> None:
        self.route.act("edit_order", order_id=order.id, add=[{"variant_id": self.random.choice(self.variants), "quantity": 2}])

    def back(self, order: Any) -> None:
        line = self.random.choice(order.lines)
        self.route.act("refund", order_id=order.id, lines={line.id: 1})

    def goodwill(self, order: Any) -> None:
        self.route.act("refund", order_id=order.id, amount=self.money(1, 5))

    def freight(self, order: Any) -> None:
        self.route.act("refund", order_id=order.id, shipping=order.shipping)

    def ship(self, order: Any) -> None:
        self.route.act("fulfil", order_id=order.id)

    def cancel(self, order: Any) -> None:
        self.route.act("cancel_order", order_id=order.id)


def amount(holder: dict[str, Any], name: str) -> Decimal:
    return Decimal(str(holder.get(name) or 0))


def unbalanced(stored: dict[str, Any]) -> list[str]:
    """What does not add up in an order as the destination holds it."""
    lines = stored["lineitems"]
    sums = {name: sum((amount(line, name) for line in lines), Decimal(0)) for name in ("subtotal", "discount", "tax", "total")}
    checks = {
        "grand total": (sum(amount(stored, name) for name in ("subtotal", "discount", "tax", "shipping")), amount(stored, "grand_total")),
        "subtotal of lines": (sums["subtotal"], amount(stored, "subtotal")),
        "discount of lines": (sums["discount"], amount(stored, "discount")),
        "totals of lines": (sums["subtotal"] + sums["discount"] + sums["tax"], sums["total"]),
        "no negative amount": (sum(min(amount(line, name), Decimal(0)) for line in lines for name in ("subtotal", "refunded")), Decimal(0)),
    }
    return [f"{name}: {left} is not {right}" for name, (left, right) in checks.items() if left != right]


@pytest.mark.parametrize("stand_ins", SHOPS, indirect=True)
def test_amounts_add_up_and_are_equal_on_both_sides(route_b: RouteB, request: pytest.FixtureRequest) -> None:
    currency = route_b.shopify.shop(DOMAIN).spec.currency
    prices = {"JPY": ("1980", "350", "12000", "77", "1")}.get(currency, ("19.99", "3.35", "120.00", "7.77", "0.05"))
    variants = [route_b.product(f"SKU-{number}", price) for number, price in enumerate(prices)]
    assert route_b.subscribe()
    for variant in variants:
        route_b.act("update_variant", variant_id=variant, inventory=99_999)
    route_b.run()
    lives = Lives(route_b, currency, variants, request.node.callspec.id)
    orders = [lives.live() for _ in range(ORDERS)]
    route_b.run()

    stored, shop = route_b.state("orders"), route_b.shopify.shop(DOMAIN)
    records = {delivery.record_key: delivery.record["totals"] for delivery in Delivery.objects.filter(flow__record_type="order")}
    wrong = {}
    for order_id in orders:
        order, far, near = shop.orders.live[order_id], stored[f"shp-{order_id}"], records[str(order_id)]
        found = unbalanced(far)
        gone = sum((amount(line, "refunded") for line in far["lineitems"]), amount(far.get("properties", {}), "refund_other"))
        if far["status"] == "cancelled":  # a cancellation is not told as a refund, the destination sees only the money that went back
            gone += Decimal(near["cancelled"])
        expected = {
            "total": (order.total, amount(far, "grand_total"), Decimal(near["total"])),
            "net": (order.current_total, amount(far, "grand_total") - gone, Decimal(near["net"])),
            "refunded": (order.refunded, Decimal(near["refunded"])),
        }
        found += [f"{name}: {values}" for name, values in expected.items() if len(set(values)) != 1]
        if found:
            wrong[order.name] = found
    assert wrong == {}
    assert len(stored) == ORDERS
