"""The SKU gate: what a line is called, whether it may pass, and what becomes of lines without any SKU. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mapping.crosswalk import PLACEHOLDER_SKU, LineWithoutSku, Lookups, SkuGate
from mapping.records import Checkout, Line, LineComponent, Order

MAX_NAME = 200  # characters of an exception's subject
NO_SKU = "no SKU: "
ONE_VARIANT = "Default Title"  # what Shopify calls the variant of a product that has only one


def name_of(line: Line) -> str:
    """What gate, crosswalk and people call a line: its SKU; one without is named by its title and variant."""
    if line.sku:
        return line.sku
    variant = f" ({line.variant_title})" if line.variant_title and line.variant_title != ONE_VARIANT else ""
    return f"{NO_SKU}{line.title or line.variant_key}{variant}"[:MAX_NAME]


def component_line(line: Line, component: LineComponent) -> Line:
    """One component of a bundle line, with the bundle's money and units still on it."""
    return replace(
        line,
        key=f"{line.key}:{component.sku or component.variant_key}",
        sku=component.sku,
        product_key=component.product_key,
        variant_key=component.variant_key,
        variant_title="" if component.sku else f"component {component.variant_key}",
        bundle_sku=line.sku or name_of(line),
        options={},
        components=(),
    )


def names_in(record: Order | Checkout) -> set[str]:
    """What the lines and the components of the bundles in them are called."""
    names = {name_of(line) for line in record.lines}
    return names | {name_of(component_line(line, part)) for line in record.lines for part in line.components}


def passes(line: Line, lookups: Lookups) -> bool:
    """Whether the gate lets this line pass, before or after the steps that translate SKUs."""
    if line.sku:
        held_open = lookups.line_without_sku is LineWithoutSku.PLACEHOLDER and line.sku == lookups.placeholder_sku
        return held_open or lookups.accepts(line.sku)
    if name_of(line) in lookups.skus or lookups.line_without_sku is not LineWithoutSku.HOLD:
        return True
    return lookups.sku_gate is SkuGate.OFF and bool(line.product_key)


def opened_by(settings: Mapping[str, Any], name: str) -> bool:
    """Whether a flow with these settings now lets a line pass that it asked about by this name, whatever catalogue and crosswalk say."""
    policy = settings.get("line_without_sku") or LineWithoutSku.HOLD
    if name.startswith(NO_SKU):
        return policy != LineWithoutSku.HOLD
    placeholder = settings.get("placeholder_sku") or PLACEHOLDER_SKU
    return settings.get("sku_gate") == SkuGate.OFF or (policy == LineWithoutSku.PLACEHOLDER and name == placeholder)


def without_sku(line: Line, lookups: Lookups) -> Line:
    """A line without SKU as the flow's setting wants it; unchanged when it is to be held or the crosswalk has an answer for it."""
    if name_of(line) in lookups.skus or lookups.line_without_sku is LineWithoutSku.THROUGH:
        return let_through(line)
    if lookups.line_without_sku is LineWithoutSku.PLACEHOLDER:
        sku = lookups.placeholder_sku
        product_key, variant_key = lookups.catalogue.get(sku, (sku, ""))
        return replace(line, sku=sku, product_key=product_key, variant_key=variant_key)
    return line


def let_through(line: Line) -> Line:
    """The line with a product key that a destination takes: its own, else one made of its title, the same for every order."""
    if line.product_key:
        return line
    word = re.sub(r"[^a-z0-9]+", "-", name_of(line).casefold()).strip("-")
    return replace(line, product_key=line.variant_key or word)


def held_lines(order: Order, lookups: Lookups) -> dict[str, int]:
    """Name → position of every line that the gate does not let pass."""
    return {name_of(line): i for i, line in enumerate(order.lines) if not passes(line, lookups)}


def stand_in_keys(order: Order, lookups: Lookups) -> Order:
    """The order with some product key on every held line, so that one unknown SKU is not asked about twice. It is not sent like that."""
    return replace(order, lines=tuple(line if passes(line, lookups) else let_through(line) for line in order.lines))
