"""The order record: status, money, units in lines, people and parcels, with everything that was cancelled or refunded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.tiktok_shop.options import store_of
from integrations.platforms.tiktok_shop.parse.aftersales import CANCELLED, Aftersales, aftersales_of, cancelled_at, done_cancellations
from integrations.platforms.tiktok_shop.parse.buyer import address_of, buyer_ref
from integrations.platforms.tiktok_shop.parse.lines import line_of
from integrations.platforms.tiktok_shop.parse.units import ZERO, Unit, grouped, units_of
from integrations.platforms.tiktok_shop.parse.values import key_at, moment, money, needed_moment
from integrations.platforms.values import child, rows, text
from mapping.money import quantise
from mapping.records import Fulfilment, Order, OrderStatus, Refund, RefundLine, Totals

STATUSES: Mapping[str, OrderStatus] = {
    "UNPAID": OrderStatus.PENDING,
    "ON_HOLD": OrderStatus.PENDING,
    "AWAITING_SHIPMENT": OrderStatus.PAID,
    "PARTIALLY_SHIPPING": OrderStatus.PARTIALLY_SHIPPED,
    "AWAITING_COLLECTION": OrderStatus.SHIPPED,
    "IN_TRANSIT": OrderStatus.SHIPPED,
    "DELIVERED": OrderStatus.COMPLETE,
    "COMPLETED": OrderStatus.COMPLETE,
    **dict.fromkeys(CANCELLED, OrderStatus.CANCELLED),
}
# What makes an order no purchase: (field, value that says so, kind, why in plain words). All have totals of nought or stand for another.
KINDS: tuple[tuple[str, object, str, str], ...] = (
    ("is_sample_order", True, "sample", "a sample for a creator"),
    ("is_refundable_sample", True, "sample", "a sample for a creator"),
    ("is_replacement_order", True, "replacement", "the replacement of another order"),
    ("is_exchange_order", True, "exchange", "the exchange of another order"),
    ("order_type", "ZERO_LOTTERY", "lottery", "a prize of a lottery"),
)
DISCOUNTS = ("seller_discount", "platform_discount", "payment_platform_discount")
PLAIN = ("order_type", "fulfillment_type", "shipping_type", "delivery_type", "commerce_platform", "cancellation_initiator",
         "replaced_order_id", "exchange_source_order_id")  # fmt: skip
TRUE_ONLY = ("is_buyer_request_cancel", "is_cod", "is_subscription_order")
DELIVERED = frozenset({"DELIVERED", "COMPLETED"})


def parse_order(account: Account, raw: JsonObject) -> Order:
    """The order of a composite; its amounts add up to the penny. Raises Unparsable without id, currency, purchase time or line ids."""
    order = child(raw, "order")
    currency = key_at(order, "payment", "currency").upper()
    units = units_of(order, currency)
    after = aftersales_of(raw, units, currency)
    totals = _totals(order, units, after, currency)
    status = _status(order, units, after, totals)
    key, lines = key_at(order, "id"), grouped(units)
    return Order(
        key=key,
        occurred_at=newest(raw),
        number=key,
        status=status,
        placed_at=needed_moment(order, "create_time"),
        cancelled_at=(cancelled_at(raw) or newest(raw)) if status is OrderStatus.CANCELLED else None,
        cancel_reason=_cancel_reason(raw),
        currency=currency,
        local_currency=currency,
        totals=totals,
        customer=buyer_ref(account, order),
        lines=tuple(line_of(line, after, currency) for line in lines),
        refunds=_refunds(lines, after),
        fulfilments=_fulfilments(order),
        shipping_address=address_of(order),
        payment_method=text(order, "payment_method_name"),
        shipping_method=text(order, "delivery_option_name"),
        channel="tiktok_shop",
        store=store_of(account),
        attributes=_attributes(order, lines),
    )


def newest(raw: JsonObject) -> datetime:
    """The time of the newest of an order's parts; raises Unparsable when the order has none."""
    order = needed_moment(child(raw, "order"), "update_time", "create_time")
    parts = (moment(part, "update_time", "create_time") for name in ("cancellations", "returns") for part in rows(raw, name))
    return max([order, *(time for time in parts if time)])


def kind_of(order: JsonObject) -> tuple[str, str]:
    """Why an order is no purchase: kind and plain words, both empty for one that is."""
    return next(((kind, why) for field, value, kind, why in KINDS if order.get(field) == value), ("", ""))


def _totals(order: JsonObject, units: Sequence[Unit], after: Aftersales, currency: str) -> Totals:
    payment = child(order, "payment")
    subtotal, net = sum((unit.price for unit in units), ZERO), sum((unit.net for unit in units), ZERO)
    shipping, tax = money(payment, "shipping_fee", currency) or ZERO, money(payment, "tax", currency)
    tax = sum((unit.tax for unit in units), ZERO) if tax is None else tax
    total = money(payment, "total_amount", currency)
    total = net + shipping + tax if total is None else total
    repaid, on_units = after.repaid, sum(after.cancelled.values(), ZERO)
    cancelled = min(on_units + after.cancelled_beside, max(on_units, total - repaid))
    if _cancelled(order, units, after):
        cancelled = total - repaid  # shipping and fees go with the last unit
    found = {
        "subtotal": subtotal,
        "discount": subtotal - net,
        "shipping": shipping,
        "tax": tax,
        "other": total - (net + shipping + tax),
        "total": total,
        "refunded": repaid,
        "refund_other": repaid - sum(after.refunded.values(), ZERO),
        "cancelled": cancelled,
        "net": total - repaid - cancelled,
    }
    return Totals(**{name: quantise(value, currency) for name, value in found.items()})


def _cancelled(order: JsonObject, units: Sequence[Unit], after: Aftersales) -> bool:
    """Whether nothing of the order is left, by its own status or unit by unit."""
    return text(order, "status") in CANCELLED or (bool(units) and len(after.gone) == len(units))


def _status(order: JsonObject, units: Sequence[Unit], after: Aftersales, totals: Totals) -> OrderStatus:
    """Cancelled as a whole first, then money given back, which TikTok Shop's own status does not show, then its own status."""
    if _cancelled(order, units, after):
        return OrderStatus.CANCELLED
    if after.repayments and totals.refunded > 0:
        everything = all(unit.id in after.returned for unit in units if unit.id not in after.gone)
        return OrderStatus.REFUNDED if everything or totals.net <= 0 else OrderStatus.PARTIALLY_REFUNDED
    return STATUSES.get(text(order, "status"), OrderStatus.UNKNOWN)


def _cancel_reason(raw: JsonObject) -> str:
    done = done_cancellations(raw)
    return text(child(raw, "order"), "cancel_reason") or next((text(row, "cancel_reason_text", "cancel_reason") for row in done), "")


def _refunds(lines: Sequence[Sequence[Unit]], after: Aftersales) -> tuple[Refund, ...]:
    line_of_unit = {unit.id: line[0].id for line in lines for unit in line}
    refunds = []
    for repayment in after.repayments:
        by_line: dict[str, tuple[int, Decimal]] = {}
        for unit_id, part in repayment.parts.items():
            count, sum_ = by_line.get(line_of_unit[unit_id], (0, ZERO))
            by_line[line_of_unit[unit_id]] = count + (unit_id in repayment.whole), sum_ + part
        parts = tuple(RefundLine(line_key=key, quantity=count, amount=sum_) for key, (count, sum_) in by_line.items())
        refunds.append(Refund(key=repayment.key, refunded_at=repayment.at, amount=repayment.amount, lines=parts, reason=repayment.reason))
    return tuple(refunds)


def _fulfilments(order: JsonObject) -> tuple[Fulfilment, ...]:
    """One shipment per package that has left; TikTok Shop tells one time of shipment for the whole order."""
    shipped_at = moment(order, "rts_time", "collection_time")
    if shipped_at is None:
        return ()
    packages: dict[str, JsonObject] = {}
    for line in rows(order, "line_items"):
        if text(line, "package_id") and text(line, "tracking_number") and text(line, "display_status") not in CANCELLED:
            packages.setdefault(text(line, "package_id"), line)
    return tuple(
        Fulfilment(
            key=key,
            status=text(line, "package_status", "display_status").lower(),
            shipped_at=shipped_at,
            delivered_at=moment(order, "delivery_time") if text(line, "display_status") in DELIVERED else None,
            carrier=text(line, "shipping_provider_name"),
            tracking_number=text(line, "tracking_number"),
        )
        for key, line in packages.items()
    )


def _attributes(order: JsonObject, lines: Sequence[Sequence[Unit]]) -> dict[str, object]:
    """Platform facts by name; only what applies is there. `line_ids`: line → ids of its units, for calls about single units."""
    kind, why = kind_of(order)
    payment = child(order, "payment")
    found: dict[str, object] = {name: said for name in PLAIN if (said := text(order, name))}
    found |= {name: said for name in DISCOUNTS if (said := text(payment, name))}
    found |= {name: True for name in TRUE_ONLY if order.get(name) is True}
    if text(order, "status") == "ON_HOLD":
        found["on_hold"] = True
    if kind:
        found |= {"order_kind": kind, "excluded": why}
    rooms = sorted({text(unit.raw, "room_id") for line in lines for unit in line} - {"", "0"})
    if rooms:
        found["live_rooms"] = rooms
    found["tiktok_status"] = text(order, "status")
    found["line_ids"] = {line[0].id: [unit.id for unit in line] for line in lines}
    return found
