"""Every flow there may be, one table: the five routes are lines here."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.platforms.base import Lane
from mapping.records import RecordType


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSpec:
    """One pair of platforms and one record type; `needs` names (record type, path of its key) whose link must exist first."""

    route: str
    source: str
    destination: str
    record_type: RecordType
    lane: Lane = Lane.REALTIME
    settle_seconds: float = 0.0  # changes within this span travel as one; live flows do not wait
    steps: tuple[str, ...] = ()
    needs: tuple[tuple[RecordType, str], ...] = ()
    unpaid: bool = True  # whether orders that nobody paid yet are sent
    sku_gate: str = "off"  # where a flow's settings name none; the words are those of `mapping.crosswalk.SkuGate`


FLOWS: tuple[FlowSpec, ...] = (
    FlowSpec(route="B", source="shopify", destination="ometria", record_type=RecordType.CUSTOMER, lane=Lane.REALTIME, settle_seconds=2),
    FlowSpec(route="B", source="shopify", destination="ometria", record_type=RecordType.ORDER, steps=("explode_bundles",)),
    FlowSpec(route="B", source="shopify", destination="ometria", record_type=RecordType.CHECKOUT),
    FlowSpec(route="B", source="shopify", destination="ometria", record_type=RecordType.PRODUCT, lane=Lane.STANDARD, settle_seconds=5),
    FlowSpec(
        route="B", source="shopify", destination="ometria", record_type=RecordType.VARIANT, lane=Lane.STANDARD, settle_seconds=5,
        needs=((RecordType.PRODUCT, "product_key"),),
    ),
    FlowSpec(route="A", source="tiktok_shop", destination="ometria", record_type=RecordType.CUSTOMER),
    FlowSpec(
        route="A", source="tiktok_shop", destination="ometria", record_type=RecordType.ORDER, steps=("explode_bundles",), unpaid=False,
        needs=((RecordType.CUSTOMER, "customer.key"),), sku_gate="catalogue",
    ),
    FlowSpec(
        route="A", source="tiktok_shop", destination="ometria", record_type=RecordType.EVENT,
        needs=((RecordType.CUSTOMER, "customer.key"),),
    ),
    FlowSpec(route="A", source="site", destination="ometria", record_type=RecordType.EVENT),
    FlowSpec(route="A", source="site", destination="ometria", record_type=RecordType.CHECKOUT),
    # Consent: each side tells the others what people said there; into Ometria it travels with the customers themselves.
    FlowSpec(route="B", source="ometria", destination="shopify", record_type=RecordType.CONSENT),
    FlowSpec(route="E", source="ometria", destination="commercetools", record_type=RecordType.CONSENT),
    FlowSpec(route="E", source="shopify", destination="commercetools", record_type=RecordType.CONSENT),
    FlowSpec(route="E", source="commercetools", destination="shopify", record_type=RecordType.CONSENT),
    FlowSpec(route="E", source="commercetools", destination="ometria", record_type=RecordType.CUSTOMER, settle_seconds=2),
    FlowSpec(route="E", source="commercetools", destination="ometria", record_type=RecordType.ORDER, steps=("explode_bundles",)),
    FlowSpec(route="E", source="commercetools", destination="ometria", record_type=RecordType.CHECKOUT),
    FlowSpec(
        route="E", source="commercetools", destination="ometria", record_type=RecordType.PRODUCT, lane=Lane.STANDARD, settle_seconds=5,
    ),
    FlowSpec(
        route="E", source="commercetools", destination="ometria", record_type=RecordType.VARIANT, lane=Lane.STANDARD, settle_seconds=5,
        needs=((RecordType.PRODUCT, "product_key"),),
    ),
)  # fmt: skip

_NEEDED = {(spec.source, spec.destination, record_type) for spec in FLOWS for record_type, _ in spec.needs}
_BY_KEY = {(spec.source, spec.destination, spec.record_type): spec for spec in FLOWS}


def spec_for(source: str, destination: str, record_type: str) -> FlowSpec:
    """The spec of a flow; raises KeyError for a pair that no route knows."""
    return _BY_KEY[(source, destination, RecordType(record_type))]


def is_needed(source: str, destination: str, record_type: str) -> bool:
    """Whether records of another type wait for those of this type."""
    return (source, destination, RecordType(record_type)) in _NEEDED


def specs_between(source: str, destination: str) -> tuple[FlowSpec, ...]:
    """Every flow that may run from one platform to another."""
    return tuple(spec for spec in FLOWS if (spec.source, spec.destination) == (source, destination))
