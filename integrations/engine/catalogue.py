"""The master catalogue: variants that a product source brought, as the SKU gate asks for them and as suggestions search them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.db.models.fields.json import KT

from integrations.flows import FlowSpec
from integrations.models import Delivery, Flow
from mapping.crosswalk import KnownSkus
from mapping.gate import names_in
from mapping.lookups import Lookups, load_lookups
from mapping.models import SkuComponent
from mapping.records import Order, Record, RecordType


def catalogue_flows(flow: Flow) -> QuerySet[Flow]:
    """The flow whose variants are this flow's master catalogue, as a query of at most one row.

    The setting `catalogue_connection` names the product source. Without it: the flow's own source when it carries products, else the
    first connection that sends products to the same destination.
    """
    flows, chosen = Flow.objects.filter(record_type=RecordType.VARIANT), flow.settings.get("catalogue_connection")
    rank = Case(When(source=flow.source_id, then=Value(0)), default=Value(1), output_field=IntegerField())
    if chosen:
        flows = flows.filter(source=chosen)
        rank = Case(When(destination=flow.destination_id, then=Value(0)), default=Value(1), output_field=IntegerField())
    else:
        flows = flows.filter(destination=flow.destination_id)
    return flows.order_by(rank, "source", "pk")[:1]


def known_skus(flow: Flow, skus: set[str]) -> KnownSkus:
    """What the flow's master catalogue knows of these SKUs; one query over the index of SKUs."""
    if not skus:
        return KnownSkus()
    rows = (
        Delivery.objects.filter(flow=catalogue_flows(flow).values("pk"))
        .annotate(sku=KT("record__sku"), product=KT("record__product_key"), price=KT("record__prices__0__regular"))
        .filter(sku__in=sorted(skus), record__has_key="product_key")
        .values_list("sku", "product", "record_key", "price", "flow__source")
    )
    found = list(rows)
    return KnownSkus(
        places={sku: (product, key) for sku, product, key, _, _ in found},
        prices={sku: Decimal(price) for sku, _, _, price, _ in found if price},
        foreign=any(source != flow.source_id for *_, source in found),
    )


def catalogue_for(flow: Flow, records: Sequence[Record]) -> KnownSkus:
    """What the catalogue knows of every SKU that the lines of these orders carry, and of those the crosswalk turns them into."""
    names = {name for record in records if isinstance(record, Order) for name in names_in(record)}
    if not names:
        return KnownSkus()
    targets = SkuComponent.objects.filter(
        crosswalk__source=flow.source_id, crosswalk__destination=flow.destination_id, crosswalk__source_sku__in=names
    )
    extra = {str(flow.settings["placeholder_sku"])} if flow.settings.get("placeholder_sku") else set()
    return known_skus(flow, names | extra | set(targets.values_list("target_sku", flat=True)))


def lookups_for(flow: Flow, spec: FlowSpec, records: Sequence[Record], tables: frozenset[str]) -> Lookups:
    """Everything that mapping these records of a flow may look up."""
    return load_lookups(flow, records, tables=tables, catalogue=catalogue_for(flow, records), gate=spec.sku_gate)
