"""Load everything one batch may look up, in one query per kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from mapping.crosswalk import NOTHING_KNOWN, PLACEHOLDER_SKU, Component, KnownSkus, LineWithoutSku, Lookups, SkuGate, SkuMap
from mapping.gate import names_in
from mapping.models import SkuCrosswalk, ValueCrosswalk
from mapping.plans import active_plan
from mapping.records import Checkout, Order, Record

__all__ = ["Lookups", "load_lookups", "load_values"]


class FlowRow(Protocol):
    """What is asked of a flow."""

    pk: int
    source_id: int
    destination_id: int
    settings: dict[str, Any]


def load_lookups(
    flow: FlowRow,
    records: Sequence[Record],
    *,
    tables: Iterable[str] | None = None,
    known_skus: frozenset[str] = frozenset(),
    catalogue: KnownSkus = NOTHING_KNOWN,
    gate: str = SkuGate.OFF,
) -> Lookups:
    """The lookups of a batch: at most one query each for value tables and SKU crosswalk.

    `tables` are those of the plan that will run (the published one when left out; then raises NoPlan). `known_skus` and `catalogue` are
    what the engine knows of the master catalogue; `gate` is that of a flow whose settings name none.
    """
    names = active_plan(flow.pk).tables if tables is None else frozenset(tables)
    skus = _load_skus(flow, records)
    return Lookups(
        values=load_values(names),
        skus=skus,
        sku_gate=SkuGate(flow.settings.get("sku_gate") or gate),
        known_skus=known_skus,
        catalogue=catalogue.places,
        list_prices=catalogue.prices,
        foreign_catalogue=catalogue.foreign,
        line_without_sku=LineWithoutSku(flow.settings.get("line_without_sku") or LineWithoutSku.HOLD),
        placeholder_sku=str(flow.settings.get("placeholder_sku") or PLACEHOLDER_SKU),
        target_skus=frozenset(component.target_sku for row in skus.values() for component in row.components),
    )


def load_values(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Value tables by name; one query, none when no name is asked."""
    wanted = sorted(set(names))
    found: dict[str, dict[str, str]] = {name: {} for name in wanted}
    if wanted:
        rows = ValueCrosswalk.objects.filter(name__in=wanted).values_list("name", "source_value", "target_value")
        for name, source_value, target_value in rows.iterator():
            found[name][source_value] = target_value
    return found


def _load_skus(flow: FlowRow, records: Sequence[Record]) -> dict[str, SkuMap]:
    wanted = {name for record in records if isinstance(record, Order | Checkout) for name in names_in(record)}
    if not wanted:
        return {}
    rows = SkuCrosswalk.objects.filter(source=flow.source_id, destination=flow.destination_id, source_sku__in=wanted)
    parts: dict[str, list[Component]] = {}  # a row to be translated that has no component yet answers nothing
    columns = ("source_sku", "action", "components__target_sku", "components__quantity", "components__share")
    for sku, action, target, quantity, share in rows.order_by("source_sku", "components__id").values_list(*columns):
        if action == SkuCrosswalk.Action.IGNORE:
            parts[sku] = []
        elif target:
            parts.setdefault(sku, []).append(Component(target, quantity, None if share is None else Decimal(share)))
    return {sku: SkuMap(tuple(components)) for sku, components in parts.items()}
