"""The order record: status, money, people and parcels, from the facts of any shape."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.platforms.base import Account
from integrations.platforms.shopify.parse.amounts import Amounts, LineBack, local_side, order_amounts, shop_side
from integrations.platforms.shopify.parse.facts import LineFacts, OrderFacts
from mapping.money import quantise
from mapping.records import Line, Order, OrderStatus, Refund, RefundLine

MONEY_DECIDES: Mapping[str, OrderStatus] = {
    "REFUNDED": OrderStatus.REFUNDED,
    "PARTIALLY_REFUNDED": OrderStatus.PARTIALLY_REFUNDED,
    "VOIDED": OrderStatus.CANCELLED,
}
GOODS_DECIDE: Mapping[str, OrderStatus] = {
    "FULFILLED": OrderStatus.SHIPPED,
    "PARTIALLY_FULFILLED": OrderStatus.PARTIALLY_SHIPPED,
}
MONEY_LEFT: Mapping[str, OrderStatus] = {
    "PAID": OrderStatus.PAID,
    "PENDING": OrderStatus.PENDING,
    "AUTHORIZED": OrderStatus.PENDING,
    "PARTIALLY_PAID": OrderStatus.PENDING,
    "EXPIRED": OrderStatus.PENDING,
}
CHANNELS: Mapping[str, str] = {
    "web": "online",
    "pos": "pos",
    "shopify_draft_order": "draft",
    "iphone": "pos",
    "android": "pos",
    "": "online",
}


def parse_order(account: Account, facts: OrderFacts) -> Order:
    """The order; its amounts add up to Shopify's total and, wherever its parts explain it, to Shopify's current total."""
    shop = order_amounts(facts, shop_side, facts.currency)
    foreign = facts.local_currency != facts.currency
    return Order(
        key=facts.key,
        occurred_at=facts.updated_at,
        number=facts.number,
        status=order_status(facts),
        placed_at=facts.placed_at,
        cancelled_at=facts.cancelled_at,
        cancel_reason=facts.cancel_reason,
        currency=facts.currency,
        local_currency=facts.local_currency,
        totals=shop.totals,
        local_totals=order_amounts(facts, local_side, facts.local_currency).totals if foreign else None,
        customer=facts.customer,
        lines=tuple(_line(line, shop, index, facts.currency) for index, line in enumerate(facts.lines)),
        refunds=_refunds(facts, shop),
        fulfilments=facts.fulfilments,
        shipping_address=facts.shipping_address,
        billing_address=facts.billing_address,
        coupon_codes=facts.coupons,
        payment_method=facts.payment,
        shipping_method=facts.shipping_method,
        channel=CHANNELS.get(facts.source, facts.source),
        store=store_of(account),
        checkout_key=facts.checkout_key,
        ip_address=facts.ip_address,
        test=facts.test,
        tags=facts.tags,
        attributes=facts.attributes,
    )


def order_status(facts: OrderFacts) -> OrderStatus:
    """Cancellation first, then money given back, then where the goods are, then whether it is paid."""
    if facts.cancelled_at is not None:
        return OrderStatus.CANCELLED
    if facts.financial in MONEY_DECIDES:
        return MONEY_DECIDES[facts.financial]
    if facts.fulfilment in GOODS_DECIDE:
        shipped = [shipment for shipment in facts.fulfilments if shipment.status == "success"]
        whole = facts.fulfilment == "FULFILLED" and bool(shipped) and all(shipment.delivered_at for shipment in shipped)
        return OrderStatus.COMPLETE if whole else GOODS_DECIDE[facts.fulfilment]
    if not facts.financial and facts.total.shop == 0:  # nothing to pay
        return OrderStatus.PAID
    return MONEY_LEFT.get(facts.financial, OrderStatus.UNKNOWN)


def store_of(account: Account) -> str:
    """The store's name in records: the `store_handle` setting, else the myshopify domain."""
    return str(account.settings.get("store_handle") or account.external_id)


def _line(line: LineFacts, amounts: Amounts, index: int, currency: str) -> Line:
    money, back = amounts.lines[index], amounts.back.get(line.key, LineBack())
    return Line(
        key=line.key,
        sku=line.sku,
        product_key=line.product_key,
        variant_key=line.variant_key,
        title=line.title,
        variant_title=line.variant_title,
        quantity=line.quantity,
        unit_price=quantise(money.unit, currency),
        subtotal=quantise(money.subtotal, currency),
        discount=quantise(money.discount, currency),
        tax=quantise(money.tax, currency),
        total=quantise(money.total, currency),
        refunded_quantity=back.refunded_units,
        refunded_amount=quantise(back.refunded, currency),
        cancelled_quantity=back.cancelled_units,
        cancelled_amount=quantise(back.cancelled, currency),
        bundle_sku=line.bundle_sku,
    )


def _refunds(facts: OrderFacts, amounts: Amounts) -> tuple[Refund, ...]:
    return tuple(
        Refund(
            key=refund.key,
            refunded_at=refund.at,
            amount=quantise(refund.paid.shop, facts.currency),
            lines=tuple(
                RefundLine(line_key=line.line_key, quantity=line.quantity, amount=quantise(part, facts.currency))
                for line, part in zip(refund.lines, parts, strict=True)
            ),
            reason=refund.note,
        )
        for refund, parts in zip(facts.refunds, amounts.line_refunds, strict=True)
    )
