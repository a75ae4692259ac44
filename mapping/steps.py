"""Record → record functions that a flow may name: translate SKUs and explode bundles. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from mapping.crosswalk import Component, Lookups
from mapping.gate import component_line, name_of, without_sku
from mapping.money import allocate, exponent, quantise, unit
from mapping.records import Checkout, Line, LineComponent, Order, Record

Step = Callable[[Record, Lookups], Record]
AMOUNTS = ("subtotal", "discount", "tax", "total", "refunded_amount", "cancelled_amount")


def apply_crosswalk(record: Record, lookups: Lookups) -> Record:
    """Give every line whose SKU is mapped one to one its target SKU, and its place in the catalogue where that is known."""
    if not isinstance(record, Order | Checkout):
        return record
    return replace(record, lines=tuple(_plain(line, lookups) for line in record.lines))


def explode_bundles(record: Record, lookups: Lookups) -> Record:
    """Put the components of every bundle in its line's place: quantities multiply, money adds up to the line's to the penny.

    The crosswalk's components win over those that the source states; components that the source states go through the crosswalk in turn.
    Lines mapped one to one only change their SKU. Units that make one source unit several (2 × single for 1 × twin pack) count as a bundle.
    """
    if not isinstance(record, Order | Checkout):
        return record
    lines = tuple(part for line in record.lines for part in _opened(line, lookups, record.currency))
    return replace(record, lines=lines)


STEPS: dict[str, Step] = {"apply_crosswalk": apply_crosswalk, "explode_bundles": explode_bundles}


def _opened(line: Line, lookups: Lookups, currency: str) -> tuple[Line, ...]:
    """A line as the source sent it, or what a bundle holds. A line that came out of a bundle already is left as it is."""
    if line.bundle_sku:
        return (line,)
    merged = [] if name_of(line) in lookups.skus else _merged(line.components)
    if not merged:
        return _translated(replace(line, components=()) if line.components else line, lookups, currency)
    parts = _shared_out(line, _source_weights(merged, lookups), [component.quantity for component in merged], currency)
    lines = [component_line(part, component) for part, component in zip(parts, merged, strict=True)]
    return tuple(inner for part in lines for inner in _translated(part, lookups, currency))


def _translated(line: Line, lookups: Lookups, currency: str) -> tuple[Line, ...]:
    """A line after the crosswalk: itself, renamed, or the components that its row names."""
    row = lookups.skus.get(name_of(line))
    if row is None or not row.components or (len(row.components) == 1 and row.components[0].quantity == 1):
        return (_renamed(line, lookups),)
    parts = _shared_out(line, _weights(row.components), [component.quantity for component in row.components], currency)
    return tuple(_part(part, component, lookups) for part, component in zip(parts, row.components, strict=True))


def _plain(line: Line, lookups: Lookups) -> Line:
    return line if line.bundle_sku else _renamed(line, lookups)


def _renamed(line: Line, lookups: Lookups) -> Line:
    row = lookups.skus.get(name_of(line))
    components = row.components if row else ()
    if len(components) == 1 and components[0].quantity == 1:
        target = components[0].target_sku
        product_key, variant_key = lookups.catalogue.get(target, (line.product_key or target, line.variant_key))
        return replace(line, sku=target, product_key=product_key, variant_key=variant_key)
    if not line.sku:
        return without_sku(line, lookups)
    if lookups.foreign_catalogue and line.sku in lookups.catalogue:
        product_key, variant_key = lookups.catalogue[line.sku]
        return replace(line, product_key=product_key, variant_key=variant_key)
    return line


def _part(line: Line, component: Component, lookups: Lookups) -> Line:
    product_key, variant_key = lookups.catalogue.get(component.target_sku, (component.target_sku, ""))
    return replace(
        line,
        key=f"{line.key}:{component.target_sku}",
        sku=component.target_sku,
        product_key=product_key,
        variant_key=variant_key,
        variant_title="",
        bundle_sku=line.bundle_sku or name_of(line),
        options={},
    )


# --- sharing out ---------------------------------------------------------------------------------------------------------


def _shared_out(line: Line, weights: Sequence[Decimal], quantities: Sequence[int], currency: str) -> list[Line]:
    """The line once per part, with that part's units and money; every amount of the parts adds up to the line's exactly."""
    subtotals, discounts, taxes = (allocate(amount, weights, currency) for amount in (line.subtotal, line.discount, line.tax))
    beyond = allocate(line.total - (line.subtotal - line.discount + line.tax), weights, currency)
    totals = tuple(s - d + t + b for s, d, t, b in zip(subtotals, discounts, taxes, beyond, strict=True))
    # By total, so that a line given back whole is given back whole in each component.
    returns = totals if min(totals) >= 0 and any(totals) else weights
    refunds, cancellations = allocate(line.refunded_amount, returns, currency), allocate(line.cancelled_amount, returns, currency)
    columns = zip(subtotals, discounts, taxes, totals, refunds, cancellations, strict=True)
    return [
        _with_units(replace(line, **dict(zip(AMOUNTS, amounts, strict=True))), quantity, currency)
        for amounts, quantity in zip(columns, quantities, strict=True)
    ]


def _with_units(line: Line, times: int, currency: str) -> Line:
    quantity = line.quantity * times
    return replace(
        line,
        quantity=quantity,
        unit_price=quantise(line.subtotal / quantity, currency) if quantity else unit(exponent(currency)) * 0,
        refunded_quantity=line.refunded_quantity * times,
        cancelled_quantity=line.cancelled_quantity * times,
    )


def _weights(components: Sequence[Component]) -> tuple[Decimal, ...]:
    """Stated shares; where one is missing, all by quantity: a half-filled table must not give something away for nothing."""
    shares = [component.share for component in components]
    if any(share is None for share in shares):
        return tuple(Decimal(component.quantity) for component in components)
    return tuple(share for share in shares if share is not None)


def _source_weights(components: Sequence[LineComponent], lookups: Lookups) -> tuple[Decimal, ...]:
    """By list price, the source's or else the catalogue's; where one is unknown, all by quantity."""
    for prices in ([part.price for part in components], [lookups.list_prices.get(part.sku) for part in components]):
        known = [price * part.quantity for price, part in zip(prices, components, strict=True) if price is not None and price >= 0]
        if len(known) == len(components) and any(known):
            return tuple(known)
    return tuple(Decimal(part.quantity) for part in components)


def _merged(components: Sequence[LineComponent]) -> list[LineComponent]:
    """One entry per thing, where the source lists units one by one; its price is then the mean."""
    found: dict[str, LineComponent] = {}
    for part in components:
        key = part.sku or part.variant_key
        known = found.get(key)
        found[key] = part if known is None else _joined(known, part)
    return [part for part in found.values() if part.quantity > 0]


def _joined(one: LineComponent, other: LineComponent) -> LineComponent:
    quantity = one.quantity + other.quantity
    if one.price is None or other.price is None or not quantity:
        return replace(one, quantity=quantity, price=None)
    return replace(one, quantity=quantity, price=(one.price * one.quantity + other.price * other.quantity) / quantity)
