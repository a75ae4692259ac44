"""Record → record functions that a flow may name: translate SKUs and explode bundles. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from mapping.crosswalk import Component, Lookups
from mapping.money import allocate, exponent, quantise, unit
from mapping.records import Checkout, Line, Order, Record

Step = Callable[[Record, Lookups], Record]


def apply_crosswalk(record: Record, lookups: Lookups) -> Record:
    """Give every line whose SKU is mapped one to one its target SKU, and its place in the catalogue where that is known."""
    if not isinstance(record, Order | Checkout) or not lookups.skus:
        return record
    return replace(record, lines=tuple(_renamed(line, lookups) for line in record.lines))


def explode_bundles(record: Record, lookups: Lookups) -> Record:
    """Put the components of every mapped bundle in its line's place: quantities multiply, money adds up to the line's to the penny.

    Lines mapped one to one only change their SKU. Units that make one source unit several (2 × single for 1 × twin pack) count as a bundle.
    """
    if not isinstance(record, Order | Checkout) or not lookups.skus:
        return record
    lines = tuple(part for line in record.lines for part in _exploded(line, lookups, record.currency))
    return replace(record, lines=lines)


STEPS: dict[str, Step] = {"apply_crosswalk": apply_crosswalk, "explode_bundles": explode_bundles}


def _components(line: Line, lookups: Lookups) -> tuple[Component, ...]:
    row = lookups.skus.get(line.sku) if line.sku and not line.bundle_sku else None
    return row.components if row else ()


def _renamed(line: Line, lookups: Lookups) -> Line:
    components = _components(line, lookups)
    if len(components) != 1 or components[0].quantity != 1:
        return line
    target = components[0].target_sku
    product_key, variant_key = lookups.catalogue.get(target, (line.product_key or target, line.variant_key))
    return replace(line, sku=target, product_key=product_key, variant_key=variant_key)


def _exploded(line: Line, lookups: Lookups, currency: str) -> tuple[Line, ...]:
    components = _components(line, lookups)
    if not components or (len(components) == 1 and components[0].quantity == 1):
        return (_renamed(line, lookups),)
    weights = _weights(components)
    subtotals, discounts, taxes = (allocate(amount, weights, currency) for amount in (line.subtotal, line.discount, line.tax))
    beyond = allocate(line.total - (line.subtotal - line.discount + line.tax), weights, currency)
    totals = tuple(s - d + t + b for s, d, t, b in zip(subtotals, discounts, taxes, beyond, strict=True))
    # By total, so that a line given back whole is given back whole in each component.
    returns = totals if min(totals) >= 0 and any(totals) else weights
    refunds, cancellations = allocate(line.refunded_amount, returns, currency), allocate(line.cancelled_amount, returns, currency)
    return tuple(
        _part(
            line, component, lookups, currency=currency, subtotal=subtotals[i], discount=discounts[i], tax=taxes[i], total=totals[i],
            refunded_amount=refunds[i], cancelled_amount=cancellations[i],
        )
        for i, component in enumerate(components)
    )  # fmt: skip


def _weights(components: tuple[Component, ...]) -> tuple[Decimal, ...]:
    """Stated shares; where one is missing, all by quantity: a half-filled table must not give something away for nothing."""
    shares = [component.share for component in components]
    if any(share is None for share in shares):
        return tuple(Decimal(component.quantity) for component in components)
    return tuple(share for share in shares if share is not None)


def _part(line: Line, component: Component, lookups: Lookups, *, currency: str, subtotal: Decimal, **amounts: Decimal) -> Line:
    quantity = line.quantity * component.quantity
    product_key, variant_key = lookups.catalogue.get(component.target_sku, (component.target_sku, ""))
    return replace(
        line,
        key=f"{line.key}:{component.target_sku}",
        sku=component.target_sku,
        product_key=product_key,
        variant_key=variant_key,
        variant_title="",
        quantity=quantity,
        unit_price=quantise(subtotal / quantity, currency) if quantity else unit(exponent(currency)) * 0,
        subtotal=subtotal,
        refunded_quantity=line.refunded_quantity * component.quantity,
        cancelled_quantity=line.cancelled_quantity * component.quantity,
        bundle_sku=line.sku,
        options={},
        **amounts,
    )
