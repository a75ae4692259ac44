"""What waits for an unknown SKU, read from the held orders themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingSku:
    """One unknown SKU as the orders show it; `value` is the net value of the waiting orders per currency, prices are of one unit.

    `component_of` is the bundle's SKU when the unknown SKU is only a part of what was sold: title and prices are then the bundle's.
    """

    exception_id: int
    sku: str
    flow_id: int
    source_id: int
    source: str
    destination: str
    title: str = ""
    variant_title: str = ""
    options: dict[str, str] = field(default_factory=dict)
    product_key: str = ""
    variant_key: str = ""
    component_of: str = ""
    prices: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  # currency → lowest and highest
    units: int = 0
    orders: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    first_seen: datetime
    last_seen: datetime


def waiting_lines(exception_ids: Collection[int]) -> dict[int, WaitingSku]:
    """What waits for each of these unmapped-SKU exceptions, by id; one query. An exception for which nothing waits any more is left out."""
    raise NotImplementedError
