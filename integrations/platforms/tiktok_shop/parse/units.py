"""The units of an order: TikTok Shop lists each unit by itself; what each costs after discounts, and its tax.

A unit's `net` is its sale price, after both discounts. Where the sale prices do not add up to the order's sub-total, the list prices
minus discounts are tried; a difference that remains is the order's, not a line's. Tax is only that which is added to prices (US):
where prices contain it, TikTok Shop shows none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from integrations.platforms.base import JsonObject
from integrations.platforms.tiktok_shop.parse.values import key_at, money
from integrations.platforms.values import child, rows, text
from mapping.money import allocate

ZERO = Decimal(0)
TOLERANCE = Decimal("0.01")  # by how much sale prices may miss the sub-total before they are doubted


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as it was sold; `value` is what it brought in with tax."""

    id: str
    status: str
    price: Decimal
    net: Decimal
    tax: Decimal
    raw: JsonObject

    @property
    def value(self) -> Decimal:
        """After discounts, with tax."""
        return self.net + self.tax

    @property
    def group(self) -> tuple[object, ...]:
        """Units that are alike in this make one line."""
        return text(self.raw, "sku_id", "seller_sku"), self.price, self.net, self.status


def units_of(order: JsonObject, currency: str) -> tuple[Unit, ...]:
    """Every unit of the order; raises Unparsable when one has no id."""
    lines, payment = rows(order, "line_items"), child(order, "payment")
    prices = [money(line, "original_price", currency) or money(line, "sale_price", currency) or ZERO for line in lines]
    nets = _nets(lines, prices, money(payment, "sub_total", currency), currency)
    taxes = _taxes(lines, nets, payment, currency)
    return tuple(
        Unit(key_at(line, "id"), text(line, "display_status"), price, net, tax, line)
        for line, price, net, tax in zip(lines, prices, nets, taxes, strict=True)
    )


def grouped(units: Sequence[Unit]) -> tuple[tuple[Unit, ...], ...]:
    """Units in lines, each line in the place of its first unit."""
    lines: dict[tuple[object, ...], list[Unit]] = {}
    for unit in units:
        lines.setdefault(unit.group, []).append(unit)
    return tuple(tuple(line) for line in lines.values())


def _nets(lines: Sequence[JsonObject], prices: Sequence[Decimal], sub_total: Decimal | None, currency: str) -> list[Decimal]:
    reckoned = [
        price - (money(line, "seller_discount", currency) or ZERO) - (money(line, "platform_discount", currency) or ZERO)
        for line, price in zip(lines, prices, strict=True)
    ]
    stated = [money(line, "sale_price", currency) for line in lines]
    sold = [own if said is None else said for said, own in zip(stated, reckoned, strict=True)]
    fits = sub_total is None or abs(sum(sold, ZERO) - sub_total) <= TOLERANCE
    return reckoned if not fits and abs(sum(reckoned, ZERO) - (sub_total or ZERO)) <= TOLERANCE else sold


def _taxes(lines: Sequence[JsonObject], nets: Sequence[Decimal], payment: JsonObject, currency: str) -> Sequence[Decimal]:
    """The tax of each unit as its line shows it; a tax on goods that no line shows is spread over them."""
    whole = money(payment, "tax", currency) or ZERO
    goods = money(payment, "product_tax", currency)
    goods = whole - (money(payment, "shipping_fee_tax", currency) or ZERO) if goods is None else goods
    none = [ZERO] * len(lines)
    if max(whole, goods) <= 0:
        return none
    shown = [sum((money(tax, "tax_amount", currency) or ZERO for tax in rows(line, "item_tax")), ZERO) for line in lines]
    if any(shown):
        return shown
    return allocate(goods, nets, currency) if any(nets) and min(nets) >= 0 else none
