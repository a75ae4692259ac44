"""An order's amounts brought to our conventions: lines without tax, every discount on its line, adding up to the penny.

commercetools gives a line's total after its own discounts, with tax inside or on top as its tax rate says, and beside the lines what was
taken off the whole (`discountOnTotalPrice`) and vouchers as custom lines below zero: both are shared out over the lines that have a price.
Its own taxed prices are read, never reckoned again; only where an item has none its tax rate is used, and where there is no rate either
the order's remaining tax is spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.commercetools.parse.money import HIGH_PRECISION, ZERO, money, money_at
from integrations.platforms.commercetools.parse.values import key_of
from integrations.platforms.errors import Unparsable
from integrations.platforms.values import child, count, need, rows
from mapping.money import allocate, exponent, quantise, unit
from mapping.records import Totals


@dataclass(frozen=True, slots=True)
class Sum:
    """One amount without and with tax."""

    net: Decimal
    gross: Decimal

    @property
    def tax(self) -> Decimal:
        """What lies between."""
        return self.gross - self.net


@dataclass(frozen=True, slots=True)
class Item:
    """One line or shipment as priced, with or without tax: `listed` before its discounts, `priced` after them."""

    raw: JsonObject
    unit: Decimal
    quantity: int
    listed: Decimal
    priced: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAmounts:
    """One line by our conventions: total = subtotal - discount + tax."""

    key: str
    raw: JsonObject
    custom: bool
    quantity: int
    unit: Decimal
    subtotal: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """What the line brought in."""
        return self.subtotal - self.discount + self.tax


@dataclass(frozen=True, slots=True)
class Amounts:
    """All amounts of an order before anything came back."""

    lines: tuple[LineAmounts, ...] = ()
    totals: Totals = field(default_factory=Totals)


def order_amounts(raw: JsonObject, currency: str) -> Amounts:
    """Lines and totals of an order or a cart; raises Unparsable for amounts that are none."""
    total = money(need(raw, "totalPrice"))
    taxed = child(raw, "taxedPrice")
    whole = Sum(money(need(taxed, "totalNet")), money(need(taxed, "totalGross"))) if taxed else None
    wares = [*rows(raw, "lineItems"), *rows(raw, "customLineItems")]
    shipments = shipments_of(raw)
    items = [*(_ware(entry, currency) for entry in wares), *(_shipment(entry) for entry in shipments)]
    sums = _sums(items, whole, total, currency)
    goods, carried = sums[: len(wares)], sums[len(wares) :]
    off = _off(raw, goods, carried, whole if whole is not None else Sum(total, total))
    kept = [index for index, entry in enumerate(goods) if entry.gross >= 0]
    shares = _shares(off, [goods[index] for index in kept], currency)
    lines = tuple(
        _line(items[index], goods[index], share, currency, custom="productId" not in items[index].raw)
        for index, share in zip(kept, shares, strict=True)
    )
    shipping = sum((entry.net for entry in carried), ZERO)
    tax = whole.tax if whole is not None else sum((line.tax for line in lines), ZERO) + sum((entry.tax for entry in carried), ZERO)
    gross = whole.gross if whole is not None else total
    return Amounts(lines, _totals(lines, currency, shipping=shipping, tax=tax, total=gross))


def shipments_of(raw: JsonObject) -> list[JsonObject]:
    """The shipping of an order, one for shipping mode Single, any number for Multiple."""
    single = child(raw, "shippingInfo")
    several = [child(entry, "shippingInfo") for entry in rows(raw, "shipping")]
    return [entry for entry in ([single] if single else several) if entry]


def _ware(raw: JsonObject, currency: str) -> Item:
    quantity = count(raw, "quantity", 1)
    price = money_at(raw, "price", "value")
    price = money_at(raw, "money") if price is None else price
    priced = money_at(raw, "totalPrice")
    if priced is None:
        priced = quantise((money_at(raw, "price", "discounted", "value") or price or ZERO) * quantity, currency)
    listed = priced if price is None else quantise(price * quantity, currency)
    if listed < priced or priced < 0:  # a price from outside: nothing was taken off
        listed, price = priced, None
    return Item(raw, price if price is not None else (listed / quantity if quantity else ZERO), quantity, listed, priced)


def _shipment(raw: JsonObject) -> Item:
    price = money_at(raw, "price") or ZERO
    after = money_at(raw, "discountedPrice", "value")
    priced = price if after is None else after
    return Item(raw, priced, 1, priced, priced)


def _sums(items: Sequence[Item], whole: Sum | None, total: Decimal, currency: str) -> list[Sum]:
    """Each item without and with tax; what no item shows of the order's tax is spread over those that show none."""
    told = [_told(item, currency) for item in items]
    if whole is None:  # the order's own total says nothing of tax on top of it
        plain = [Sum(item.priced, item.priced) for item in items]
        return [entry if entry and entry.gross == bare.gross else bare for entry, bare in zip(told, plain, strict=True)]
    silent = [index for index, entry in enumerate(told) if entry is None]
    rest = whole.tax - sum((entry.tax for entry in told if entry), ZERO)
    weights = [max(items[index].priced, ZERO) for index in silent]
    parts = allocate(rest, weights, currency) if rest > 0 and any(weights) else [ZERO] * len(silent)
    inside = total == whole.gross
    for index, part in zip(silent, parts, strict=True):
        priced = items[index].priced
        told[index] = Sum(priced - part, priced) if inside else Sum(priced, priced + part)
    return [entry for entry in told if entry is not None]


def _told(item: Item, currency: str) -> Sum | None:
    """What an item says itself: its taxed price, one per shipment for several of them, else by its tax rate; None when it says neither."""
    stated = [child(item.raw, "taxedPrice"), *(child(part, "taxedPrice") for part in rows(item.raw, "taxedPricePortions"))]
    taxed = [price for price in stated if price.get("totalNet") and price.get("totalGross")]
    if not taxed:
        return _by_rate(item, child(item.raw, "taxRate"), currency)
    told = taxed[:1] if stated[0] else taxed
    return Sum(sum((money(price["totalNet"]) for price in told), ZERO), sum((money(price["totalGross"]) for price in told), ZERO))


def _by_rate(item: Item, rate: Mapping[str, Any], currency: str) -> Sum | None:
    try:
        share = Decimal(str(rate["amount"])) if rate else None
    except (KeyError, InvalidOperation) as fault:
        raise Unparsable(f"taxRate.amount is no number: {str(rate.get('amount'))[:40]!r}") from fault
    if share is None or not share.is_finite() or share < 0:
        return None
    if rate.get("includedInPrice"):
        return Sum(quantise(item.priced / (1 + share), currency), item.priced)
    return Sum(item.priced, quantise(item.priced * (1 + share), currency))


def _off(raw: JsonObject, goods: Sequence[Sum], carried: Sequence[Sum], whole: Sum) -> Sum:
    """What was taken off the order as a whole: its discount, where the lines do not hold it already, and lines below zero."""
    below = [entry for entry in goods if entry.gross < 0]
    vouchers = Sum(-sum((entry.net for entry in below), ZERO), -sum((entry.gross for entry in below), ZERO))
    before = sum((entry.gross for entry in (*goods, *carried)), ZERO)
    stated = [money_at(raw, "discountOnTotalPrice", f"discounted{kind}Amount") for kind in ("", "Gross", "Net")]
    if not any(stated) or before <= whole.gross:
        return vouchers
    _, gross, net = stated
    gross = before - whole.gross if gross is None else gross  # what is missing to the total, where it has no figures of its own
    if net is None:
        tax = sum((entry.tax for entry in (*goods, *carried)), ZERO) - whole.tax
        net = gross - max(ZERO, min(tax, gross))
    return Sum(vouchers.net + net, vouchers.gross + gross)


def _shares(off: Sum, goods: Sequence[Sum], currency: str) -> list[Sum]:
    """What falls on each line of what was taken off: by its value, never more than it has; tax by tax."""
    nets = _spread(off.net, [entry.net for entry in goods], currency)
    taxes = _spread(off.tax, [entry.tax for entry in goods], currency)
    return [Sum(net, net + tax) for net, tax in zip(nets, taxes, strict=True)]


def _spread(amount: Decimal, most: Sequence[Decimal], currency: str) -> Sequence[Decimal]:
    weights = [max(part, ZERO) for part in most]
    amount = min(amount, sum(weights, ZERO))
    return allocate(amount, weights, currency) if amount > 0 else [ZERO] * len(weights)


def _line(item: Item, told: Sum, share: Sum, currency: str, *, custom: bool) -> LineAmounts:
    """A line without tax; tax that prices contain is taken out of its unit price and its own discount in the line's own proportion."""
    own = item.listed - item.priced
    portion = _portion(item, told) if _inside(item, told) else Decimal(1)
    own = quantise(own * portion, currency)
    price = child(item.raw, "price", "value")
    digits = max(exponent(currency), count(price, "fractionDigits") if price.get("type") == HIGH_PRECISION else 0)
    return LineAmounts(
        key=key_of(item.raw),
        raw=item.raw,
        custom=custom,
        quantity=item.quantity,
        unit=(item.unit * portion).quantize(unit(digits)),
        subtotal=told.net + own,
        discount=own + share.net,
        tax=told.tax - share.tax,
    )


def _inside(item: Item, told: Sum) -> bool:
    """Whether the price of an item holds its tax."""
    rate = child(item.raw, "taxRate")
    return bool(rate["includedInPrice"]) if "includedInPrice" in rate else told.gross == item.priced


def _portion(item: Item, told: Sum) -> Decimal:
    """How much of a price with tax is left without it; by the tax rate for a line that costs nothing."""
    if told.gross:
        return told.net / told.gross
    rate = child(item.raw, "taxRate").get("amount")
    return 1 / (1 + Decimal(str(rate))) if rate else Decimal(1)


def _totals(lines: Sequence[LineAmounts], currency: str, *, shipping: Decimal, tax: Decimal, total: Decimal) -> Totals:
    subtotal, discount = sum((line.subtotal for line in lines), ZERO), sum((line.discount for line in lines), ZERO)
    found = {
        "subtotal": subtotal,
        "discount": discount,
        "shipping": shipping,
        "tax": tax,
        "other": total - (subtotal - discount + shipping + tax),
        "total": total,
        "net": total,
    }
    return Totals(**{name: quantise(value, currency) for name, value in found.items()})
