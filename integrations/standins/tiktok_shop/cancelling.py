"""Undoing orders before shipment: by the buyer within the hold at once, afterwards by request, by seller or system at once."""

from collections.abc import Iterable
from typing import Any

from integrations.standins.tiktok_shop.aftersales import COMPLETE, PENDING, SUCCESS, WITHDRAWN, Cancellation, Part, Refund
from integrations.standins.tiktok_shop.order_life import set_status
from integrations.standins.tiktok_shop.orders import (
    AWAITING_COLLECTION,
    AWAITING_SHIPMENT,
    CANCELLED,
    ON_HOLD,
    PARTIALLY_SHIPPING,
    UNPAID,
    Line,
    Order,
)  # fmt: skip
from integrations.standins.tiktok_shop.shops import Shop

CANCELLATION_STATUS_CHANGE = 11
# type 11 spells the withdrawn state unlike the API
WEBHOOK_SPELLING = {WITHDRAWN: "CANCELLATION_REQUEST_CANCELLED"}
ANSWER_SECONDS = 172_800
NO_LONGER_NEEDED = "ecom_order_to_ship_canceled_reason_no_longer_needed"
ROLES = ("BUYER", "SELLER", "OPERATOR", "SYSTEM")
FREE, ON_REQUEST = (UNPAID, ON_HOLD), (AWAITING_SHIPMENT, AWAITING_COLLECTION, PARTIALLY_SHIPPING)


def request_cancellation(
    shop: Shop, *, order_id: str, line_ids: Iterable[str] | None = None, role: str = "BUYER", reason: str = NO_LONGER_NEEDED
) -> Cancellation:
    """Somebody wants an order, or lines of it (US and UK), undone; only a buyer after the hold has to wait for an answer.

    Raises ValueError when it is too late, the lines are taken, or the market does not cancel single lines; KeyError.
    """
    with shop.lock:
        order = shop.orders.get(order_id)
        lines = _lines(shop, order, line_ids)
        if role not in ROLES or order.status not in (*FREE, *ON_REQUEST):
            raise ValueError(f"Order {order_id} is {order.status} and cannot be cancelled by {role}.")
        waits = role == "BUYER" and order.status in ON_REQUEST
        made = _made(shop, order, lines, role=role, reason=reason, waits=waits)
        if waits:
            order.is_buyer_request_cancel, order.request_cancel_time = True, shop.now()
            made.deadline = shop.now() + ANSWER_SECONDS
            shop.timers.at(made.deadline, lambda: _time_is_up(shop, made))
            shop.touch(order)
            _say(shop, made)
        else:
            _move(shop, made, SUCCESS)
            complete_cancellation(shop, cancel_id=made.id)
        return made


def answer_cancellation(shop: Shop, *, cancel_id: str, approve: bool = True, complete: bool = True) -> Cancellation:
    """The seller answers; approved, it is completed at once unless ``complete`` is false. Raises ValueError when it is not pending."""
    with shop.lock:
        found = _pending(shop, cancel_id)
        _move(shop, found, SUCCESS if approve else WITHDRAWN)
        _no_longer_asked(shop, found)
        if approve and complete:
            complete_cancellation(shop, cancel_id=cancel_id)
        return found


def withdraw_cancellation(shop: Shop, *, cancel_id: str) -> Cancellation:
    """The buyer thinks again; raises ValueError when it is not pending."""
    return answer_cancellation(shop, cancel_id=cancel_id, approve=False)


def complete_cancellation(shop: Shop, *, cancel_id: str) -> Cancellation:
    """The money is back: the lines, and with the last of them the order, are cancelled. Raises ValueError before the approval."""
    with shop.lock:
        found = shop.cancellations.get(cancel_id)
        if found.status != SUCCESS:
            raise ValueError(f"Cancellation {cancel_id} is {found.status}.")
        order = shop.orders.get(found.order_id)
        for part in found.parts:
            line = order.line(part.line_id)
            line.status, line.cancel_reason, line.cancel_user = CANCELLED, found.reason, found.role
            line.refunded += part.refund.subtotal + part.refund.tax
        order.shipping.refunded += found.refund.shipping
        _move(shop, found, COMPLETE)
        _settle(shop, order, found)
        return found


def cancel_data(found: Cancellation) -> dict[str, Any]:
    """The data of a type 11 webhook."""
    return {
        "order_id": found.order_id,
        "cancel_id": found.id,
        "cancellations_role": found.role,
        "cancel_status": WEBHOOK_SPELLING.get(found.status, found.status),
        "create_time": found.create_time,
    }


def _made(shop: Shop, order: Order, lines: list[Line], *, role: str, reason: str, waits: bool) -> Cancellation:
    paid = order.status != UNPAID
    parts = [Part(shop.ids.new("aftersale_line"), line.id, Refund(line.sale, 0, line.tax) if paid else Refund()) for line in lines]
    whole = paid and {line.id for line in lines} == {line.id for line in order.lines if line.status != CANCELLED}
    untouched = order.shipping.refunded == 0
    refund = Refund(
        sum(part.refund.subtotal for part in parts),
        order.shipping.fee if whole and untouched else 0,
        sum(part.refund.tax for part in parts) + (order.shipping.tax if whole and untouched else 0),
        order.shipping.delivery_fee if whole and untouched else 0,
    )
    now = shop.now()
    kind = "BUYER_CANCEL" if waits else "CANCEL"
    made = Cancellation(shop.ids.new("cancel"), order.id, kind, PENDING, role, reason, now, now, parts, refund)
    shop.cancellations.add(made)
    shop.cancellations_of.setdefault(order.id, []).append(made.id)
    payload = {"order_id": order.id, "role": role, "lines": len(parts), "refund": refund.total}
    shop.note("cancellation_requested", made.id, payload)
    return made


def _lines(shop: Shop, order: Order, line_ids: Iterable[str] | None) -> list[Line]:
    pending = {
        part.line_id
        for key in shop.cancellations_of.get(order.id, ())
        if shop.cancellations.get(key).status in (PENDING, SUCCESS)
        for part in shop.cancellations.get(key).parts
    }
    live = [line for line in order.lines if line.status in (*FREE, AWAITING_SHIPMENT, AWAITING_COLLECTION)]
    wanted = live if line_ids is None else [order.line(str(key)) for key in line_ids]
    if not wanted or any(line not in live or line.id in pending for line in wanted):
        raise ValueError(f"Order {order.id} has no such lines to cancel.")
    if len(wanted) < len(order.lines) and not shop.region.cancels_lines and line_ids is not None:
        raise ValueError(f"Single lines are not cancelled in {shop.region.code}.")
    return wanted


def _settle(shop: Shop, order: Order, found: Cancellation) -> None:
    if all(line.status == CANCELLED for line in order.lines):
        order.cancel_time, order.cancel_reason = shop.now(), found.reason
        order.cancellation_initiator = "SYSTEM" if found.role == "OPERATOR" else found.role
        order.is_buyer_request_cancel = False
        set_status(shop, order, CANCELLED)
    else:
        shop.touch(order)


def _no_longer_asked(shop: Shop, found: Cancellation) -> None:
    order = shop.orders.get(found.order_id)
    asked = [shop.cancellations.get(key) for key in shop.cancellations_of[order.id]]
    order.is_buyer_request_cancel = any(other.status == PENDING for other in asked)
    shop.touch(order)


def _time_is_up(shop: Shop, found: Cancellation) -> None:
    """An unanswered request counts as approved."""
    if found.status == PENDING and shop.cancellations.rows.get(found.id) is found:
        answer_cancellation(shop, cancel_id=found.id)


def _pending(shop: Shop, cancel_id: str) -> Cancellation:
    found = shop.cancellations.get(cancel_id)
    if found.status != PENDING:
        raise ValueError(f"Cancellation {cancel_id} is {found.status}.")
    return found


def _move(shop: Shop, found: Cancellation, status: str) -> None:
    found.status = status
    shop.cancellations.touch(found, shop.now())
    shop.note("cancellation_status", found.id, {"order_id": found.order_id, "status": status, "refund": found.refund.total})
    _say(shop, found)


def _say(shop: Shop, found: Cancellation) -> None:
    shop.emit(CANCELLATION_STATUS_CHANGE, cancel_data(found))
