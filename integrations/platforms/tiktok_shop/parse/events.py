"""What happened in an order's life, as events of its buyer: delivered, cancellation requested, return opened and closed, refunded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from integrations.platforms.base import JsonObject
from integrations.platforms.tiktok_shop.parse.aftersales import REFUNDED
from integrations.platforms.tiktok_shop.parse.values import key_at, moment
from integrations.platforms.values import child, rows, text
from mapping.records import Event, Order

BUYER_CANCELS = "BUYER_CANCEL"
CLOSED = REFUNDED | {
    "REFUND_OR_RETURN_REQUEST_REJECT",
    "RETURN_OR_REFUND_REQUEST_CANCEL",
    "REPLACEMENT_REQUEST_REJECT",
    "REPLACEMENT_REQUEST_CANCEL",
    "REPLACEMENT_REQUEST_COMPLETE",
    "EXCHANGE_REQUEST_CANCEL",
    "EXCHANGE_REQUEST_COMPLETE",
}


def order_events(raw: JsonObject, order: Order) -> Iterator[Event]:
    """The events of an order that has a buyer and is a purchase; each has a key of its own and keeps it."""
    if not order.customer.key or "order_kind" in order.attributes:
        return
    yield from _delivered(raw, order)
    for request in rows(raw, "cancellations"):
        if text(request, "cancel_type") == BUYER_CANCELS:
            about = {"reason": text(request, "cancel_reason_text", "cancel_reason"), "items": _skus(request, "cancel_line_items")}
            key = f"cancel:{key_at(request, 'cancel_id')}:requested"
            yield from _event(order, "cancellation_requested", key, at=moment(request, "create_time"), about=about)
    for request in rows(raw, "returns"):
        yield from _return_events(request, order)
    for refund in order.refunds:
        about = {"amount": str(refund.amount), "currency": order.currency, "reason": refund.reason}
        yield from _event(order, "order_refunded", f"refund:{refund.key}", at=refund.refunded_at, about=about)


def _delivered(raw: JsonObject, order: Order) -> Iterator[Event]:
    about = {"total": str(order.totals.total), "currency": order.currency, "items": sorted({line.sku for line in order.lines} - {""})}
    at = moment(child(raw, "order"), "delivery_time")
    yield from _event(order, "order_delivered", f"order:{order.key}:delivered", at=at, about=about)


def _return_events(request: JsonObject, order: Order) -> Iterator[Event]:
    """A request that replaces an edited one was opened before; one that was edited is not closed by that."""
    key, about = key_at(request, "return_id"), {"reason": text(request, "return_reason_text", "return_reason")}
    about |= {"return_type": text(request, "return_type").lower(), "items": _skus(request, "return_line_items")}
    if not text(request, "pre_return_id"):
        yield from _event(order, "return_opened", f"return:{key}:opened", at=moment(request, "create_time"), about=about)
    status = text(request, "return_status")
    if status in CLOSED and not text(request, "next_return_id"):
        outcome = {**about, "outcome": "refunded" if status in REFUNDED else status.rpartition("_")[2].lower()}
        yield from _event(order, "return_closed", f"return:{key}:closed", at=moment(request, "update_time"), about=outcome)


def _event(order: Order, name: str, key: str, *, at: datetime | None, about: dict[str, object]) -> Iterator[Event]:
    if at is not None:
        known = {field: value for field, value in about.items() if value not in ("", [])}
        properties = {"order_id": order.key, "store": order.store, "channel": order.channel, **known}
        yield Event(key=key, occurred_at=at, name=name, customer=order.customer, properties=properties)


def _skus(request: JsonObject, name: str) -> list[str]:
    return sorted({text(line, "seller_sku", "sku_id") for line in rows(request, name)} - {""})
