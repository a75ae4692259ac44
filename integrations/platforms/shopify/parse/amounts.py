"""An order's amounts in one currency, brought to our conventions: without tax, cumulative, adding up to the penny.

Shopify gives lines and shipping with tax inside when the shop's prices include it. A line's own rate r = tax / (gross - discount - tax)
takes it out again: discount / (1 + r), and subtotal = what is left after the discount, plus that discount.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from integrations.platforms.shopify.parse.facts import LineFacts, OrderFacts, Pair, RefundFacts
from mapping.money import allocate, quantise
from mapping.records import Totals

ZERO = Decimal(0)
Side = Callable[[Pair], Decimal]


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """One line by our conventions: total = subtotal - discount + tax."""

    unit: Decimal
    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal


@dataclass(slots=True)
class LineBack:
    """What left a line so far: units and money given back, units and value taken off without money."""

    refunded_units: int = 0
    refunded: Decimal = ZERO
    cancelled_units: int = 0
    cancelled: Decimal = ZERO


@dataclass(slots=True)
class Amounts:
    """All amounts of an order in one currency; `line_refunds` are the amounts of each refund's lines, in their order."""

    lines: list[LineAmounts]
    back: dict[str, LineBack]
    line_refunds: list[list[Decimal]] = field(default_factory=list)
    refund_other: Decimal = ZERO
    cancelled_other: Decimal = ZERO
    totals: Totals = field(default_factory=Totals)


def shop_side(pair: Pair) -> Decimal:
    """The shop's currency."""
    return pair.shop


def local_side(pair: Pair) -> Decimal:
    """The buyer's currency."""
    return pair.local


def order_amounts(facts: OrderFacts, side: Side, currency: str) -> Amounts:
    """Lines, refunds and totals of an order in one of its currencies."""
    shipping_tax, spread = _shipping_tax(facts, side)
    extra = _spread_tax(facts, side, spread, currency)
    lines = [_line(line, side, currency, included=facts.taxes_included, extra=tax) for line, tax in zip(facts.lines, extra, strict=True)]
    amounts = Amounts(lines, {line.key: LineBack() for line in facts.lines})
    for refund in facts.refunds:
        _take_refund(amounts, refund, side, currency, included=facts.taxes_included)
    _take_removed(amounts, facts, side, currency)
    shipping = side(facts.shipping) - (shipping_tax if facts.taxes_included else ZERO)
    amounts.totals = _totals(amounts, facts, side, shipping=shipping, currency=currency)
    return amounts


def _line(line: LineFacts, side: Side, currency: str, *, included: bool, extra: Decimal) -> LineAmounts:
    gross, discount, tax = side(line.unit) * line.quantity, side(line.discount), side(line.tax) + extra
    if not included:
        return LineAmounts(side(line.unit), gross, discount, tax, gross - discount + tax)
    net = gross - discount - tax
    if discount:
        share = net / (net + tax) if net > 0 else 1 / (1 + line.rate)
        discount = quantise(discount * share, currency)
    subtotal = net + discount
    unit = quantise(subtotal / line.quantity, currency) if line.quantity else side(line.unit)
    return LineAmounts(unit, subtotal, discount, tax, net + tax)


def _shipping_tax(facts: OrderFacts, side: Side) -> tuple[Decimal, Decimal]:
    """The tax on shipping, and the order's tax that no line shows.

    What the lines leave of the order's tax lies on shipping, as long as shipping could bear it; an order made with tax on the
    order alone shows none on its lines, and that tax is spread over them.
    """
    on_lines = sum((side(line.tax) for line in facts.lines), ZERO)
    rest, stated, shipping = side(facts.tax) - on_lines, side(facts.shipping_tax), side(facts.shipping)
    if rest == stated or (on_lines and ZERO <= rest <= shipping):
        return rest, ZERO
    return stated, rest - stated if not on_lines and rest > stated else ZERO


def _spread_tax(facts: OrderFacts, side: Side, tax: Decimal, currency: str) -> Sequence[Decimal]:
    weights = [max(ZERO, side(line.unit) * line.quantity - side(line.discount)) for line in facts.lines]
    return allocate(tax, weights, currency) if tax and any(weights) else [ZERO] * len(weights)


def _take_refund(amounts: Amounts, refund: RefundFacts, side: Side, currency: str, *, included: bool) -> None:
    """Book one refund: its money over its lines as far as they go, the rest beside them; without money its units are cancelled."""
    parts = [side(line.subtotal) + (ZERO if included else side(line.tax)) for line in refund.lines]
    expected, paid = sum(parts, ZERO), side(refund.paid)
    if paid > 0 and expected > paid and min(parts) >= 0:
        parts = list(allocate(paid, parts, currency))
    elif paid > 0:
        amounts.refund_other += paid - expected
    amounts.line_refunds.append(parts if paid > 0 else [ZERO] * len(parts))
    for line, part in zip(refund.lines, parts, strict=True):
        back = amounts.back.setdefault(line.line_key, LineBack())
        if paid > 0:
            back.refunded_units += line.quantity
            back.refunded += part
        else:
            back.cancelled_units += line.quantity
            back.cancelled += part


def _take_removed(amounts: Amounts, facts: OrderFacts, side: Side, currency: str) -> None:
    """Book units that an edit took off without a refund, then whatever Shopify's current total still leaves unexplained."""
    edited = []
    for line, money in zip(facts.lines, amounts.lines, strict=True):
        back = amounts.back[line.key]
        left = line.quantity - back.refunded_units - back.cancelled_units
        units = left - max(0, line.current)
        if units <= 0:
            continue
        value = money.total - back.refunded - back.cancelled if units == left else quantise(money.total * units / line.quantity, currency)
        back.cancelled_units += units
        back.cancelled += value
        edited.append((back, money.total))
    _explain(amounts, side(facts.total) - side(facts.current_total), edited)


def _explain(amounts: Amounts, taken_off: Decimal, edited: list[tuple[LineBack, Decimal]]) -> None:
    """Bring refunded plus cancelled to what Shopify took off: rounding into edited lines, the rest beside the lines, never below zero."""
    gap = taken_off - amounts.refund_other - sum((back.refunded + back.cancelled for back in amounts.back.values()), ZERO)
    for back, most in edited:
        value = min(max(back.cancelled + gap, ZERO), most - back.refunded)
        gap -= value - back.cancelled
        back.cancelled = value
    if gap > 0:
        amounts.cancelled_other = gap
    elif gap < 0:  # money given back that Shopify does not count against the order
        amounts.refund_other -= min(amounts.refund_other, -gap) if amounts.refund_other > 0 else ZERO


def _totals(amounts: Amounts, facts: OrderFacts, side: Side, *, shipping: Decimal, currency: str) -> Totals:
    subtotal = sum((line.subtotal for line in amounts.lines), ZERO)
    discount = sum((line.discount for line in amounts.lines), ZERO)
    refunded = sum((back.refunded for back in amounts.back.values()), amounts.refund_other)
    cancelled = sum((back.cancelled for back in amounts.back.values()), amounts.cancelled_other)
    total, tax = side(facts.total), side(facts.tax)
    found = {
        "subtotal": subtotal,
        "discount": discount,
        "shipping": shipping,
        "tax": tax,
        "other": total - (subtotal - discount + shipping + tax),
        "total": total,
        "refunded": refunded,
        "refund_other": amounts.refund_other,
        "cancelled": cancelled,
        "net": total - refunded - cancelled,
    }
    return Totals(**{name: quantise(value, currency) for name, value in found.items()})
