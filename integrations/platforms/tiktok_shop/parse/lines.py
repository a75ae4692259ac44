"""Alike units as one line, and the components of a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from integrations.platforms.base import JsonObject
from integrations.platforms.tiktok_shop.parse.aftersales import Aftersales
from integrations.platforms.tiktok_shop.parse.units import ZERO, Unit
from integrations.platforms.tiktok_shop.parse.values import money
from integrations.platforms.values import count, rows, text
from mapping.money import quantise
from mapping.records import Line, LineComponent


def line_of(units: Sequence[Unit], after: Aftersales, currency: str) -> Line:
    """The line of units that are alike; its key is the id of the first."""
    first = units[0].raw
    columns = zip(*((unit.price, unit.net, unit.tax) for unit in units), strict=True)
    subtotal, net, tax = (quantise(sum(column, ZERO), currency) for column in columns)
    return Line(
        key=units[0].id,
        sku=text(first, "seller_sku").strip(),
        product_key=text(first, "product_id"),
        variant_key=text(first, "sku_id"),
        title=text(first, "product_name"),
        variant_title=text(first, "sku_name"),
        quantity=len(units),
        unit_price=quantise(units[0].price, currency),
        subtotal=subtotal,
        discount=subtotal - net,
        tax=tax,
        total=net + tax,
        refunded_quantity=sum(unit.id in after.returned and unit.id not in after.gone for unit in units),
        refunded_amount=_of(units, after.refunded, currency),
        cancelled_quantity=sum(unit.id in after.gone for unit in units),
        cancelled_amount=_of(units, after.cancelled, currency),
        components=components_of(first, currency),
    )


def components_of(line: JsonObject, currency: str) -> tuple[LineComponent, ...]:
    """What one unit of a bundle holds: its own component units where they are listed (they have prices), else the combined listing."""
    found: dict[tuple[str, Decimal | None], LineComponent] = {}
    for item in rows(line, "sub_item_info"):
        _add(found, item, 1, money(item, "original_price", currency) or money(item, "sale_price", currency))
    if not found:
        for item in rows(line, "combined_listing_skus"):
            _add(found, item, max(1, count(item, "sku_count", 1)), None)
    return tuple(found.values())


def _add(found: dict[tuple[str, Decimal | None], LineComponent], item: JsonObject, quantity: int, price: Decimal | None) -> None:
    key = (text(item, "sku_id", "seller_sku"), price)
    known = found[key].quantity if key in found else 0
    found[key] = LineComponent(
        sku=text(item, "seller_sku").strip(),
        product_key=text(item, "product_id"),
        variant_key=text(item, "sku_id"),
        quantity=known + quantity,
        price=price,
    )


def _of(units: Sequence[Unit], amounts: Mapping[str, Decimal], currency: str) -> Decimal:
    return quantise(sum((amounts.get(unit.id, ZERO) for unit in units), ZERO), currency)
