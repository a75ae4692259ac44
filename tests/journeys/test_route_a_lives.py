"""Generated lives of a whole shop, told badly: in the end both sides agree on every order, every buyer and every penny."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Delivery, InboxEvent, SyncException
from integrations.standins.tiktok_shop.lives import Lives
from integrations.standins.tiktok_shop.orders import Order
from tests.route_a import RouteA

pytestmark = [pytest.mark.journey, pytest.mark.slow]
TICKS, ROUNDS = 60, 4
STATUS = {
    "AWAITING_SHIPMENT": "paid", "PARTIALLY_SHIPPING": "partially_shipped", "IN_TRANSIT": "shipped", "DELIVERED": "complete",
    "COMPLETED": "complete", "CANCELLED": "cancelled",
}  # fmt: skip
NO_SALE = ("is_sample_order", "replaced_order_id", "exchange_source_order_id")


@pytest.mark.parametrize("seed", [5, 6])
def test_both_sides_agree_in_the_end_however_badly_it_was_told(route_a: RouteA, seed: int) -> None:
    flow = route_a.flow("order")
    flow.settings = {"sku_gate": "off", "line_without_sku": "pass"}
    flow.save()
    shop = route_a.tiktok.shop("GB")
    lives = Lives(shop, seed=seed)
    lives.history(orders=10, days=3)
    assert route_a.subscribe()
    shop.hooks.switches.set(duplicate=0.3, reorder=0.4, reorder_seconds=0.3, drop=0.15)
    for _ in range(ROUNDS):
        for _ in range(TICKS):
            lives.tick()
        route_a.run(60)
    for order in shop.orders:
        route_a.act("touch_order", order_id=order.id)
    for reader in ("orders", "cancellations", "returns"):
        route_a.poll(reader, 30)
    route_a.run(60)

    stored = route_a.state("orders")
    wrong = {order.id: problems for order in shop.orders if (problems := disagreements(order, stored.get(f"tts-{order.id}"), shop))}
    assert wrong == {}
    assert len(stored) > 20
    assert list(SyncException.objects.filter(state="open").values_list("kind", "title")) == []
    assert not InboxEvent.objects.exclude(state__in=["done", "ignored"]).exists()
    assert not Delivery.objects.filter(state__in=["ready", "sending", "accepted", "blocked", "failed"]).exists()
    assert shop.region.alias_domain not in route_a.told()


def disagreements(order: Order, stored: dict[str, Any] | None, shop: Any) -> list[str]:
    """What Ometria has wrong about an order."""
    if any(getattr(order, name) for name in NO_SALE) or order.status in ("UNPAID", "ON_HOLD"):
        return ["it should not be there"] if stored else []
    if order.status == "CANCELLED":
        return [f"valid although cancelled: {stored['status']}"] if stored and stored["is_valid"] else []
    if stored is None:
        return ["missing"]
    refunded = sum(line.refunded for line in order.lines) + order.shipping.refunded
    repaid = any(shop.returns.get(key).refund.total for key in shop.returns_of.get(order.id, ()) if is_paid_back(shop.returns.get(key)))
    lines = stored["lineitems"]
    told = sum(line.get("refunded", 0) for line in lines) + stored.get("properties", {}).get("refund_other", 0)
    parts = stored["subtotal"] + stored["discount"] + stored["shipping"] + stored["tax"]
    unit = 10**shop.region.exponent
    checks = {
        f"total {stored['grand_total']}, not {order.total / unit}": round(stored["grand_total"] * unit) == order.total,
        f"parts add up to {parts}": round(parts * unit) == order.total,
        f"refunded {told}, not {refunded / unit}": round(told * unit) == refunded,
        f"status {stored['status']}, not {order.status}": repaid or stored["status"] == STATUS[order.status],
        f"status {stored['status']} although money came back": not repaid or stored["status"] in ("partially_refunded", "refunded"),
        "invalid": stored["is_valid"] or stored["status"] == "refunded",
    }
    return [words for words, holds in checks.items() if not holds]


def is_paid_back(request: Any) -> bool:
    return request.status in ("RETURN_OR_REFUND_REQUEST_COMPLETE", "REPLACEMENT_REQUEST_REFUND_SUCCESS", "EXCHANGE_REQUEST_REFUND_SUCCESS")
