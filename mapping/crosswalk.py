"""What one batch may look up while it is mapped: value tables, SKU crosswalk, catalogue; and contacts. Plain values, loaded elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class SkuGate(StrEnum):
    """Which SKUs an order line may carry: any, those of the catalogue, or only those with a crosswalk row.

    CATALOGUE lets crosswalked SKUs pass too, CROSSWALK also the SKUs the engine says are known: what differs is whom the engine asks.
    """

    OFF = "off"
    CATALOGUE = "catalogue"
    CROSSWALK = "crosswalk"


class LineWithoutSku(StrEnum):
    """What becomes of an order with a line that has no SKU at all: it waits, the line gets a stated SKU, or goes out without one."""

    HOLD = "hold"
    PLACEHOLDER = "placeholder"
    THROUGH = "pass"


PLACEHOLDER_SKU = "NO-SKU"


@dataclass(frozen=True, slots=True)
class Component:
    """One target SKU of a crosswalk row; `share` weighs its part of the money, None = by quantity."""

    target_sku: str
    quantity: int = 1
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SkuMap:
    """What becomes of one source SKU; no components = it is to be let through as it is."""

    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownSkus:
    """What the master catalogue knows of the SKUs of a batch: SKU → (product key, variant key), and list prices in its own currency.

    `foreign`: the catalogue is another connection's, so its keys take the place of those that the source writes.
    """

    places: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    foreign: bool = False


NOTHING_KNOWN = KnownSkus()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """A contact that a destination holds, or will hold: what it is recognised by, and what else is known of it.

    `fields` are target fields that are filled there (path → value); `first_seen` is ISO text, `label` is masked, for people.
    """

    contact_key: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    customer_ids: tuple[str, ...] = ()
    label: str = ""
    first_name: str = ""
    last_name: str = ""
    first_seen: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """Everything a batch may look up; the catalogue's fields are those of `KnownSkus`."""

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skus: Mapping[str, SkuMap] = field(default_factory=dict)
    sku_gate: SkuGate = SkuGate.OFF
    known_skus: frozenset[str] = frozenset()
    catalogue: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    list_prices: Mapping[str, Decimal] = field(default_factory=dict)
    foreign_catalogue: bool = False
    line_without_sku: LineWithoutSku = LineWithoutSku.HOLD
    placeholder_sku: str = PLACEHOLDER_SKU
    target_skus: frozenset[str] = frozenset()  # what the crosswalk's rows lead to: the SKUs of records whose steps already ran

    def accepts(self, sku: str) -> bool:
        """Whether the gate lets a line with this SKU pass, before or after the steps that translate SKUs."""
        if self.sku_gate is SkuGate.OFF:
            return True
        return sku in self.known_skus or sku in self.skus or sku in self.target_skus or sku in self.catalogue


NO_LOOKUPS = Lookups()
