"""The master catalogue as the SKU gate sees it: variants that a product source brought, by SKU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models.fields.json import KT

from integrations.models import Delivery, Flow
from mapping.models import SkuComponent
from mapping.records import Order, Record, RecordType


def catalogue_for(flow: Flow, records: Sequence[Record]) -> Mapping[str, tuple[str, str]]:
    """SKU → (product key, variant key) for every SKU that the lines of these orders carry and the catalogue knows."""
    skus = {line.sku for record in records if isinstance(record, Order) for line in record.lines if line.sku}
    if not skus:
        return {}
    targets = SkuComponent.objects.filter(
        crosswalk__source=flow.source_id, crosswalk__destination=flow.destination_id, crosswalk__source_sku__in=skus
    )
    return known_skus(flow, skus | set(targets.values_list("target_sku", flat=True)))


def known_skus(flow: Flow, skus: set[str]) -> Mapping[str, tuple[str, str]]:
    """The part of `skus` that the catalogue of this flow knows. The flow's own source is the product source unless settings say so."""
    source = flow.settings.get("catalogue_connection", flow.source_id)
    rows = (
        Delivery.objects.filter(flow__source=source, flow__destination=flow.destination_id, flow__record_type=RecordType.VARIANT)
        .annotate(sku=KT("record__sku"), product=KT("record__product_key"))
        .filter(sku__in=skus, record__has_key="product_key")
        .values_list("sku", "product", "record_key")
    )
    return {sku: (product, key) for sku, product, key in rows}
