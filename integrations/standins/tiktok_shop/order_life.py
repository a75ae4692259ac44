"""What happens to an order until it is complete: paid, released, shipped, delivered, closed. Each act tells the webhook addresses."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from integrations.standins.tiktok_shop.orders import (
    AWAITING_COLLECTION,
    AWAITING_SHIPMENT,
    CANCELLED,
    COMPLETED,
    DELIVERED,
    IN_TRANSIT,
    ON_HOLD,
    PARTIALLY_SHIPPING,
    UNPAID,
    Line,
    Order,
)  # fmt: skip
from integrations.standins.tiktok_shop.shops import Shop

ORDER_STATUS_CHANGE, RECIPIENT_ADDRESS_UPDATE = 1, 3
# type 1 spells one value unlike the API (its documented example)
WEBHOOK_SPELLING = {CANCELLED: "CANCEL"}
SHIPPABLE = (AWAITING_SHIPMENT, AWAITING_COLLECTION)
STEPS = (UNPAID, ON_HOLD, AWAITING_SHIPMENT, IN_TRANSIT, DELIVERED, COMPLETED)
BETWEEN = {PARTIALLY_SHIPPING: AWAITING_SHIPMENT, AWAITING_COLLECTION: AWAITING_SHIPMENT}


def say_status(shop: Shop, order: Order) -> None:
    """Send type 1 for an order as it is now."""
    shop.emit(ORDER_STATUS_CHANGE, status_data(order))


def status_data(order: Order) -> dict[str, Any]:
    """The data of a type 1 webhook."""
    return {
        "order_id": order.id,
        "order_status": WEBHOOK_SPELLING.get(order.status, order.status),
        "is_on_hold_order": order.is_on_hold_order,
        "update_time": order.update_time,
    }


def set_status(shop: Shop, order: Order, status: str) -> None:
    """Give an order another status, note it and tell; the same one changes only its time."""
    before = order.status
    order.status_before, order.status, order.status_changed = before, status, shop.clock.now()
    shop.touch(order)
    if before != status:
        shop.note("order_status", order.id, {"from": before, "to": status})
        say_status(shop, order)


def hold(shop: Shop, order: Order) -> None:
    """Let the hold of a paid order end when its hour is over; a pre-order waits for the seller instead."""
    if order.order_type == "PRE_ORDER":
        return

    def end() -> None:
        if order.status == ON_HOLD and shop.orders.rows.get(order.id) is order:
            release_hold(shop, order_id=order.id)

    shop.timers.at(order.paid_time + shop.settings.hold_seconds, end)


def pay_order(shop: Shop, *, order_id: str) -> Order:
    """An unpaid order is paid and goes on hold; raises ValueError for another."""
    with shop.lock:
        order = _in(shop, order_id, UNPAID)
        order.paid_time = shop.now()
        _lines(order, ON_HOLD)
        set_status(shop, order, ON_HOLD)
        hold(shop, order)
        return order


def release_hold(shop: Shop, *, order_id: str) -> Order:
    """The hour of the buyer's regret is over; raises ValueError for an order that is not on hold."""
    with shop.lock:
        order = _in(shop, order_id, ON_HOLD)
        order.released = True
        _lines(order, AWAITING_SHIPMENT)
        set_status(shop, order, AWAITING_SHIPMENT)
        return order


def ship(shop: Shop, *, order_id: str, line_ids: Iterable[str] | None = None, collected: bool = True, tracking: str = "") -> Order:
    """Lines (all that are left, unsaid) leave in one package; raises ValueError when there is nothing to ship, KeyError."""
    with shop.lock:
        order = shop.orders.get(order_id)
        wanted = [order.line(str(key)) for key in line_ids] if line_ids else [one for one in order.lines if one.status in SHIPPABLE]
        if not wanted or any(line.status not in SHIPPABLE for line in wanted):
            raise ValueError(f"Order {order_id} has nothing to ship like that.")
        package, number = shop.ids.new("package"), tracking or f"DEMO{order.id[-8:]}{len(wanted)}"
        for line in wanted:
            line.package_id, line.tracking_number = line.package_id or package, line.tracking_number or number
            line.status = IN_TRANSIT if collected else AWAITING_COLLECTION
        order.rts_time = shop.now()
        set_status(shop, order, _shipped_status(order))
        return order


def deliver(shop: Shop, *, order_id: str) -> Order:
    """The parcels arrive; raises ValueError for an order that is not under way."""
    with shop.lock:
        order = _in(shop, order_id, IN_TRANSIT)
        order.delivery_time = shop.now()
        _lines(order, DELIVERED)
        set_status(shop, order, DELIVERED)
        return order


def complete(shop: Shop, *, order_id: str) -> Order:
    """The time for returns is over; raises ValueError for an order that is not delivered."""
    with shop.lock:
        order = _in(shop, order_id, DELIVERED)
        _lines(order, COMPLETED)
        set_status(shop, order, COMPLETED)
        return order


ADVANCE = {
    UNPAID: pay_order, ON_HOLD: release_hold, AWAITING_SHIPMENT: ship, PARTIALLY_SHIPPING: ship, AWAITING_COLLECTION: ship,
    IN_TRANSIT: deliver, DELIVERED: complete,
}  # fmt: skip


def advance_order(shop: Shop, *, order_id: str, to: str = "") -> Order:
    """One step on, or all steps up to a status; raises ValueError when there is no way there."""
    with shop.lock:
        order = shop.orders.get(order_id)
        if to and (to not in STEPS or order.status == CANCELLED or _rank(order.status) >= STEPS.index(to)):
            raise ValueError(f"Order {order_id} cannot go from {order.status} to {to}.")
        while True:
            step = ADVANCE.get(order.status)
            if step is None:
                raise ValueError(f"Order {order_id} is {order.status} and goes nowhere.")
            step(shop, order_id=order_id)
            if not to or order.status == to:
                return order


def update_address(shop: Shop, *, order_id: str, **recipient: Any) -> Order:
    """The buyer corrects the address before shipment; raises ValueError afterwards."""
    with shop.lock:
        order = _in(shop, order_id, UNPAID, ON_HOLD, AWAITING_SHIPMENT)
        order.recipient = replace(order.recipient, **recipient)
        order.has_updated_recipient_address = True
        shop.touch(order)
        shop.note("address_updated", order.id, {})
        shop.emit(RECIPIENT_ADDRESS_UPDATE, {"order_id": order.id, "update_time": order.update_time})
        return order


def touch_order(shop: Shop, *, order_id: str, buyer_message: str | None = None) -> Order:
    """Something changes that nobody is told of, so that only a poll finds it."""
    with shop.lock:
        order = shop.orders.get(order_id)
        order.buyer_message = order.buyer_message if buyer_message is None else buyer_message
        shop.touch(order)
        return order


def force_status(shop: Shop, *, order_id: str, status: str) -> Order:
    """A status out of turn, or one that no documentation knows yet."""
    with shop.lock:
        order = shop.orders.get(order_id)
        _lines(order, status)
        set_status(shop, order, status)
        return order


def _in(shop: Shop, order_id: str, *statuses: str) -> Order:
    order = shop.orders.get(order_id)
    if order.status not in statuses:
        raise ValueError(f"Order {order_id} is {order.status}, not {' or '.join(statuses)}.")
    return order


def _lines(order: Order, status: str) -> None:
    for line in order.lines:
        if line.status != CANCELLED:
            line.status = status


def _live(order: Order) -> list[Line]:
    return [line for line in order.lines if line.status != CANCELLED]


def _shipped_status(order: Order) -> str:
    statuses = {line.status for line in _live(order)}
    if AWAITING_SHIPMENT in statuses:
        return PARTIALLY_SHIPPING
    return IN_TRANSIT if IN_TRANSIT in statuses else AWAITING_COLLECTION


def _rank(status: str) -> int:
    return STEPS.index(BETWEEN.get(status, status))
