"""Links: the key a record has at a destination, known once its delivery was accepted there."""

from __future__ import annotations

from collections.abc import Collection

from integrations.models import Delivery, Flow
from mapping.records import RecordType


def links(flow: Flow, record_type: RecordType, keys: Collection[str]) -> dict[str, str]:
    """Source key → destination key of records that reached the destination of this flow."""
    rows = Delivery.objects.filter(
        flow__source=flow.source_id, flow__destination=flow.destination_id, flow__record_type=record_type, record_key__in=list(keys)
    ).exclude(sent_hash="")
    return dict(rows.values_list("record_key", "destination_key"))


def has_flow(flow: Flow, record_type: RecordType) -> bool:
    """Whether records of that type travel between the same two connections at all."""
    return Flow.objects.filter(source=flow.source_id, destination=flow.destination_id, record_type=record_type, enabled=True).exists()
