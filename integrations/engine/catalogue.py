"""The master catalogue: variants that a product source brought, as the SKU gate asks for them and as suggestions search them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import connection as database
from django.db.models import Case, IntegerField, QuerySet, Value, When

from integrations.engine.arrays import text_array
from integrations.flows import FlowSpec
from integrations.models import Flow
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
    return flows.order_by(rank, "source_id", "pk")[:1]


SAME_SKU = 5  # variants with one SKU that are looked at

# One look into the index of SKUs for each SKU that is asked for. A plain IN would do it, were the planner not blind to the statistics of
# partial indexes: it takes each SKU for a two-hundredth of all rows and reads them all. Of two variants with one SKU the active one counts.
KNOWN = """
WITH chosen AS MATERIALIZED ({chosen})
SELECT DISTINCT ON (asked.sku) asked.sku, found.product, found.key, found.price, chosen.source_id
FROM chosen CROSS JOIN unnest(%s::text[]) AS asked(sku) CROSS JOIN LATERAL (
  SELECT d.record_key AS key, d.record ->> 'product_key' AS product, d.record #>> '{{prices,0,regular}}' AS price,
    d.record ->> 'active' AS active
  FROM integrations_delivery d WHERE d.record ->> 'sku' = asked.sku AND d.record ? 'product_key' AND d.flow_id = chosen.id
  LIMIT {same}) found
ORDER BY asked.sku, found.active DESC, found.key
"""


def known_skus(flow: Flow, skus: set[str]) -> KnownSkus:
    """What the flow's master catalogue knows of these SKUs; one query over the index of SKUs."""
    if not skus:
        return KnownSkus()
    chosen, values = catalogue_flows(flow).values("id", "source_id").query.sql_with_params()
    with database.cursor() as cursor:
        cursor.execute(KNOWN.format(chosen=chosen, same=SAME_SKU), [*values, text_array(sorted(skus))])
        found = cursor.fetchall()
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
