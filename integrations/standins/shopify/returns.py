"""Money and goods going back: refunds by line, by amount or of shipping, and cancellations before and after payment."""

from collections.abc import Mapping
from decimal import Decimal

from integrations.standins.shopify.customers import Rejected, note_spending
from integrations.standins.shopify.money import rounded, tax_of
from integrations.standins.shopify.order_life import book, touched
from integrations.standins.shopify.orders import Order, Refund, RefundLine
from integrations.standins.shopify.pricing import take
from integrations.standins.shopify.products import move_stock
from integrations.standins.shopify.shops import Shop

RESTOCKING = {"RETURN", "CANCEL"}


def refund(
    shop: Shop,
    order_id: int,
    *,
    lines: Mapping[int, int] | None = None,
    shipping: Decimal | str | int = 0,
    amount: Decimal | str | int | None = None,
    restock_type: str = "RETURN",
    note: str | None = None,
) -> Refund:
    """Take back units (line id → quantity), give back shipping, or pay back an amount of money.

    ``amount`` is what is really paid back; left out, it is what the lines and the shipping come to. The difference is booked
    as a discrepancy. Raises Rejected when more money or units would go back than there are.
    """
    with shop.lock:
        order = shop.orders.own(order_id)
        charge = rounded(str(shipping), order.currency)
        made = _refund(shop, order, lines or {}, shipping=charge, amount=amount, restock_type=restock_type, note=note)
        shop.emit("refunds/create", made.id)
        touched(shop, order, "orders/updated")
        note_spending(shop, order.customer_id, -made.paid_back)
        return made


def refund_all(shop: Shop, order_id: int, *, restock_type: str = "RETURN", note: str | None = None) -> Refund:
    """Pay back everything that is left of an order."""
    with shop.lock:
        order = shop.orders.own(order_id)
        left = {line.id: line.current for line in order.lines if line.current}
        return refund(
            shop,
            order_id,
            lines=left,
            shipping=order.shipping - order.refunded_shipping,
            amount=order.paid - order.refunded,
            restock_type=restock_type,
            note=note,
        )


def cancel_order(shop: Shop, order_id: int, *, reason: str = "CUSTOMER", note: str | None = None) -> Order:
    """Before payment the order is void and nothing is refunded; after it, all that is left goes back. Raises Rejected."""
    with shop.lock:
        order = shop.orders.own(order_id)
        if order.cancelled_at is not None:
            raise Rejected("The order is already cancelled.")
        if order.fulfillments:
            raise Rejected("Cannot cancel an order that has been fulfilled.")
        order.cancelled_at = order.closed_at = shop.now()
        order.cancel_reason = reason
        if order.paid > order.refunded:
            refund_all(shop, order_id, restock_type="CANCEL", note=note)
        else:
            _void(shop, order)
        touched(shop, order, "orders/cancelled", "orders/updated")
        return order


def _void(shop: Shop, order: Order) -> None:
    authorization = next((t for t in order.transactions if t.kind == "AUTHORIZATION"), None)
    if authorization is not None:
        book(shop, order, "VOID", authorization.amount, parent=authorization)
    for line in order.lines:
        move_stock(shop, line.variant_id, line.unfulfilled)


def _refund(
    shop: Shop,
    order: Order,
    lines: Mapping[int, int],
    *,
    shipping: Decimal,
    amount: Decimal | str | int | None,
    restock_type: str,
    note: str | None,
) -> Refund:
    if shipping > order.shipping - order.refunded_shipping:
        raise Rejected("Refund shipping amount is more than what is left.")
    wanted = {int(line_id): quantity for line_id, quantity in lines.items()}
    expected = _expected(order, wanted, shipping)
    paid_back = expected if amount is None else rounded(str(amount), order.currency)
    if paid_back > order.paid - order.refunded:
        raise Rejected("Refund amount is more than what was paid.")
    shipping_tax = _shipping_tax(order, shipping)
    made = Refund(
        id=shop.new_id("Refund"),
        created_at=shop.now(),
        note=note,
        lines=[_take_back(shop, order, line_id, quantity, restock_type=restock_type) for line_id, quantity in wanted.items()],
        shipping=shipping,
        shipping_tax=shipping_tax,
        discrepancy=expected - paid_back,
        transactions=[],
    )
    if made.discrepancy:
        made.adjustment_id = shop.new_id("OrderAdjustment")
    if shipping:
        made.shipping_line_id = shop.new_id("RefundShippingLine")
    if paid_back:
        sale = next((t for t in order.transactions if t.kind in ("SALE", "CAPTURE")), None)
        made.transactions.append(book(shop, order, "REFUND", paid_back, parent=sale))
    order.refunds.append(made)
    shop.owners["Refund", made.id] = order.id
    return made


def _expected(order: Order, wanted: Mapping[int, int], shipping: Decimal) -> Decimal:
    """What the lines and the shipping come to, without taking anything yet; raises ValueError for units that are not there."""
    total = shipping if order.taxes_included else shipping + _shipping_tax(order, shipping)
    for line_id, quantity in wanted.items():
        line = order.line(line_id)
        before = line.gone_net, line.gone_tax
        net, tax = take(line, quantity, order.currency)
        line.gone_net, line.gone_tax = before
        total += net if order.taxes_included else net + tax
    return total


def _shipping_tax(order: Order, shipping: Decimal) -> Decimal:
    """The tax that goes with a part of the shipping; the last part takes what is left."""
    if shipping == order.shipping - order.refunded_shipping:
        return order.shipping_tax - sum((made.shipping_tax for made in order.refunds), order.zero)
    return tax_of(shipping, order.tax_rate, order.currency, included=order.taxes_included)


def _take_back(shop: Shop, order: Order, line_id: int, quantity: int, *, restock_type: str) -> RefundLine:
    line = order.line(line_id)
    net, tax = take(line, quantity, order.currency)
    from_buyer = min(quantity, line.fulfilled - (line.refunded - line.cancelled)) if restock_type == "RETURN" else 0
    line.cancelled += min(quantity - from_buyer, line.unfulfilled)
    line.refunded += quantity
    if restock_type in RESTOCKING:
        move_stock(shop, line.variant_id, quantity)
    return RefundLine(shop.new_id("RefundLineItem"), line_id, quantity, restock_type, net, tax)
