"""Wishes after shipment: money for goods, whole or in part, with or without sending them back, replacements and exchanges."""

from collections.abc import Iterable
from typing import Any

from integrations.standins.tiktok_shop.aftersales import (
    AWAITING_BUYER_RESPONSE,
    AWAITING_BUYER_SHIP,
    BUYER_SHIPPED_ITEM,
    EXCHANGE,
    FIRST_STATUS,
    NEXT,
    REFUNDED,
    REPLACEMENT,
    RETURN_COMPLETE,
    RETURN_PENDING,
    RETURN_SUCCESS,
    Part,
    Refund,
    Return,
)  # fmt: skip
from integrations.standins.tiktok_shop.money import minor, split, text
from integrations.standins.tiktok_shop.orders import AWAITING_SHIPMENT, COMPLETED, DELIVERED, IN_TRANSIT, Line, Order
from integrations.standins.tiktok_shop.placing import place_order
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.webhooks import REFUND_SUCCESS

RETURN_STATUS_CHANGE = 12
RETURNABLE = (IN_TRANSIT, DELIVERED, COMPLETED)
# how a request of each type reaches its good end
PATHS = {
    "REFUND": (RETURN_SUCCESS, RETURN_COMPLETE),
    "RETURN_AND_REFUND": (AWAITING_BUYER_SHIP, BUYER_SHIPPED_ITEM, RETURN_SUCCESS, RETURN_COMPLETE),
    "REPLACEMENT": (REPLACEMENT + "COMPLETE",),
    "EXCHANGE": (EXCHANGE + "COMPLETE",),
}
FOLLOWS = {REPLACEMENT + "COMPLETE": "replaced_order_id", EXCHANGE + "COMPLETE": "exchange_source_order_id"}


def open_return(
    shop: Shop,
    *,
    order_id: str,
    line_ids: Iterable[str] | None = None,
    amount: str | None = None,
    return_type: str = "REFUND",
    role: str = "BUYER",
    reason: str = "item_damaged",
    with_shipping: bool = False,
    previous: Return | None = None,
) -> Return:
    """A request for lines (all that left, unsaid); ``amount`` in major units asks for less than everything.

    Raises ValueError for more than is left to refund, lines that have not left, or an unknown type; KeyError.
    """
    with shop.lock:
        order = shop.orders.get(order_id)
        lines = _lines(order, line_ids)
        if return_type not in FIRST_STATUS:
            raise ValueError(f"There is no return type {return_type}; there are {sorted(FIRST_STATUS)}.")
        wanted = None if amount is None else minor(amount, shop.region.exponent)
        parts = _parts(shop, lines, wanted)
        refund = _total(order, parts, with_shipping=with_shipping)
        now = shop.now()
        made = Return(shop.ids.new("return"), order_id, return_type, FIRST_STATUS[return_type], role, reason, now, now, parts, refund)
        if previous is not None:
            made.previous_id, previous.next_id = previous.id, made.id
        _claim(order, parts, 1)
        made.history.append((now, made.status))
        shop.returns.add(made)
        shop.returns_of.setdefault(order_id, []).append(made.id)
        shop.note("return_opened", made.id, {"order_id": order_id, "type": return_type, "refund": refund.total})
        _say(shop, made)
        return made


def advance_return(shop: Shop, *, return_id: str, to: str, tracking: str = "") -> Return:
    """One allowed step; raises ValueError for another."""
    with shop.lock:
        found = shop.returns.get(return_id)
        if to not in NEXT.get(found.status, ()) or (to == AWAITING_BUYER_SHIP and found.type == "REFUND"):
            raise ValueError(f"Return {return_id} cannot go from {found.status} to {to}.")
        found.status, found.tracking_number = to, tracking or found.tracking_number
        found.history.append((shop.now(), to))
        shop.returns.touch(found, shop.now())
        order = shop.orders.get(found.order_id)
        if to not in NEXT:
            _claim(order, found.parts, -1)
        shop.note("return_status", found.id, {"order_id": order.id, "status": to, "refund": found.refund.total})
        if to in REFUNDED:
            _pay_back(shop, order, found)
        _say(shop, found)
        if to in FOLLOWS:
            _send_another(shop, order, found)
        return found


def complete_return(shop: Shop, *, return_id: str) -> Return:
    """All steps that are left to the good end; raises ValueError when it ended otherwise."""
    with shop.lock:
        found = shop.returns.get(return_id)
        path = PATHS[found.type]
        left = path[path.index(found.status) + 1 :] if found.status in path else path
        if not left:
            raise ValueError(f"Return {return_id} is {found.status}.")
        for status in left if found.status != AWAITING_BUYER_RESPONSE else path[-2:]:
            advance_return(shop, return_id=return_id, to=status)
        return found


def reject_return(shop: Shop, *, return_id: str) -> Return:
    """The seller says no; raises ValueError when it is too late for that."""
    return _end(shop, return_id, "REJECT")


def cancel_return(shop: Shop, *, return_id: str) -> Return:
    """The buyer gives up; raises ValueError when it is too late for that."""
    return _end(shop, return_id, "CANCEL")


def offer_partial(shop: Shop, *, return_id: str, amount: str) -> Return:
    """The seller offers part of the money; raises ValueError for more than was asked."""
    with shop.lock:
        found = shop.returns.get(return_id)
        offer = minor(amount, shop.region.exponent)
        if not 0 < offer <= found.refund.total:
            raise ValueError("A partial refund is more than nothing and no more than was asked.")
        found.offer, found.offer_refused = offer, False
        return advance_return(shop, return_id=return_id, to=AWAITING_BUYER_RESPONSE)


def answer_offer(shop: Shop, *, return_id: str, accept: bool = True) -> Return:
    """The buyer takes the offer, which then is the refund, or goes back to the request; raises ValueError without an offer."""
    with shop.lock:
        found = shop.returns.get(return_id)
        if found.offer is None or found.status != AWAITING_BUYER_RESPONSE:
            raise ValueError(f"Return {return_id} waits for no answer.")
        order = shop.orders.get(found.order_id)
        if not accept:
            found.offer_refused = True
            return advance_return(shop, return_id=return_id, to=RETURN_PENDING)
        _claim(order, found.parts, -1)
        found.parts = _shared(found.parts, found.offer, order)
        found.refund = _total(order, found.parts, with_shipping=False)
        _claim(order, found.parts, 1)
        return advance_return(shop, return_id=return_id, to=RETURN_SUCCESS)


def edit_return(shop: Shop, *, return_id: str, amount: str | None = None, line_ids: Iterable[str] | None = None) -> Return:
    """The buyer edits the request: it ends and another with the same order takes its place; raises ValueError, KeyError."""
    with shop.lock:
        found = shop.returns.get(return_id)
        lines = [part.line_id for part in found.parts] if line_ids is None else line_ids
        cancel_return(shop, return_id=return_id)
        return open_return(
            shop, order_id=found.order_id, line_ids=lines, amount=amount, return_type=found.type, reason=found.reason, previous=found
        )


def return_data(found: Return) -> dict[str, Any]:
    """The data of a type 12 webhook."""
    return {
        "order_id": found.order_id,
        "return_id": found.id,
        "return_role": found.role,
        "return_type": found.type,
        "return_status": found.status,
        "create_time": found.create_time,
        "update_time": found.update_time,
    }


def _end(shop: Shop, return_id: str, word: str) -> Return:
    with shop.lock:
        found = shop.returns.get(return_id)
        ends = sorted(status for status in NEXT.get(found.status, ()) if status.endswith(word))
        if not ends:
            raise ValueError(f"Return {return_id} is {found.status} and cannot end in {word}.")
        return advance_return(shop, return_id=return_id, to=ends[0])


def _lines(order: Order, line_ids: Iterable[str] | None) -> list[Line]:
    left = [line for line in order.lines if line.status in RETURNABLE]
    wanted = [line for line in left if line.refundable > 0] if line_ids is None else [order.line(str(key)) for key in line_ids]
    if not wanted or any(line not in left for line in wanted):
        raise ValueError(f"Order {order.id} has no such lines that left.")
    return wanted


def _parts(shop: Shop, lines: list[Line], wanted: int | None) -> list[Part]:
    most = [line.refundable for line in lines]
    if wanted is not None and not 0 < wanted <= sum(most):
        raise ValueError(f"At most {text(sum(most), shop.region.exponent)} can be refunded.")
    if wanted is None and any(amount <= 0 for amount in most) and any(line.sale for line in lines):
        raise ValueError("Nothing is left to refund for one of the lines.")
    amounts = most if wanted is None else split(wanted, most)
    return [
        Part(shop.ids.new("aftersale_line"), line.id, _goods_and_tax(line, amount)) for line, amount in zip(lines, amounts, strict=True)
    ]


def _goods_and_tax(line: Line, amount: int) -> Refund:
    tax = amount * line.tax // (line.sale + line.tax) if line.tax else 0
    return Refund(amount - tax, 0, tax)


def _shared(parts: list[Part], offer: int, order: Order) -> list[Part]:
    amounts = split(offer, [part.refund.total for part in parts])
    return [
        Part(part.id, part.line_id, _goods_and_tax(order.line(part.line_id), amount)) for part, amount in zip(parts, amounts, strict=True)
    ]


def _total(order: Order, parts: list[Part], *, with_shipping: bool) -> Refund:
    shipping = order.shipping.fee - order.shipping.refunded if with_shipping else 0
    tax = order.shipping.tax if shipping and with_shipping else 0
    return Refund(sum(part.refund.subtotal for part in parts), shipping, sum(part.refund.tax for part in parts) + tax)


def _claim(order: Order, parts: list[Part], sign: int) -> None:
    """Reserve (or give free) what open requests ask back, so that no line is refunded twice."""
    for part in parts:
        order.line(part.line_id).claimed += sign * part.refund.total


def _pay_back(shop: Shop, order: Order, found: Return) -> None:
    for part in found.parts:
        order.line(part.line_id).refunded += part.refund.total
    order.shipping.refunded += found.refund.shipping
    payload = {"order_id": order.id, "return_id": found.id, "amount": found.refund.total, "currency": shop.region.currency}
    shop.note("refund", found.id, payload)
    shop.emit(REFUND_SUCCESS, _refund_data(shop, order, found))


def _refund_data(shop: Shop, order: Order, found: Return) -> dict[str, Any]:
    return {
        "aftersales_request_id": found.id,
        "rma_id": found.id,
        "refund_status": "SUCCESS",
        "refund_total": text(found.refund.total, shop.region.exponent),
        "refund_currency": shop.region.currency,
        "refund_timestamp": shop.now(),
        "line_items": [
            {"main_order_id": order.id, "return_line_item_id": part.id, "sku_id": order.line(part.line_id).sku.id} for part in found.parts
        ],
    }


def _send_another(shop: Shop, order: Order, found: Return) -> None:
    """The order that follows a replacement or an exchange: the same goods, free of charge."""
    place_order(
        shop,
        buyer=order.buyer,
        lines=[{"sku_id": order.line(part.line_id).sku.id} for part in found.parts],
        status=AWAITING_SHIPMENT,
        free=True,
        **{FOLLOWS[found.status]: order.id},
    )


def _say(shop: Shop, found: Return) -> None:
    shop.emit(RETURN_STATUS_CHANGE, return_data(found))
