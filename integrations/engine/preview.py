"""What a draft mapping would do to records that really passed through a flow. Nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.engine.catalogue import lookups_for
from integrations.flows import spec_for
from integrations.models import Delivery, Flow
from mapping import codec
from mapping.models import MappingVersion
from mapping.plans import NoPlan, active_plan, compile_plan
from mapping.preview import PreviewRow, preview
from mapping.steps import STEPS


def latest_deliveries(flow: Flow, limit: int = 20) -> list[Delivery]:
    """The flow's most recently changed deliveries."""
    return list(Delivery.objects.filter(flow=flow).order_by("-updated_at")[:limit])


def preview_draft(version: MappingVersion, deliveries: Sequence[Delivery]) -> list[PreviewRow]:
    """Before and after per field for the records of these deliveries, and the issues the draft would raise."""
    flow = Flow.objects.select_related("source", "destination").get(pk=version.flow_id)
    records = [codec.from_json(flow.record_type, row.record) for row in deliveries]
    after = compile_plan(version)
    try:
        before = active_plan(flow.pk)
    except NoPlan:
        before = None
    tables = after.tables | (before.tables if before else frozenset())
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    lookups = lookups_for(flow, spec, records, tables)
    for name in spec.steps:
        records = [STEPS[name](record, lookups) for record in records]
    return preview(before, after, records, lookups)
