"""What the fields of a flow hold in real life: one value per field of the record, and one per field that a set of rules fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.engine.catalogue import lookups_for
from integrations.engine.preview import latest_deliveries, prepared_records
from integrations.flows import spec_for
from integrations.models import Flow
from mapping.crosswalk import NO_LOOKUPS, Lookups
from mapping.fields import source_fields
from mapping.plans import Plan, plan_from_rules
from mapping.preview import generic, leaves
from mapping.records import Record, RecordType
from mapping.rules import BadRules, OnInvalid, Rule
from mapping.steps import STEPS
from mapping.transform import transform

LOOKED_AT = 10
EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Examples:
    """Source path → a value of the latest records, and target path → what rules make of them. Fields that are empty everywhere miss."""

    sources: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    key: str = ""  # of the newest record that was looked at


def examples(flow: Flow, rules: Sequence[Rule]) -> Examples:
    """Values of the flow's latest records; `flow` comes with its connections."""
    records = prepared_records(flow, latest_deliveries(flow, LOOKED_AT))
    if not records:
        return Examples()
    plan = _compiled(rules, flow)
    results = _results(flow, plan, records) if plan else {}
    return Examples(_sources(RecordType(flow.record_type), records), results, records[0].key)


def result_of(flow: Flow, rule: Rule) -> tuple[str, Any]:
    """What one rule alone makes of the latest record for which it gives anything: that record's key and the value; raises BadRules."""
    plan = plan_from_rules([rule], record_type=flow.record_type, flow_id=flow.pk)
    records = prepared_records(flow, latest_deliveries(flow, LOOKED_AT))
    for record, payload in zip(records, _payloads(flow, plan, records), strict=True):
        for path, value in leaves(payload):
            if value not in EMPTY and _of(path) == _of(rule.target):
                return record.key, value
    return "", None


def _compiled(rules: Sequence[Rule], flow: Flow) -> Plan | None:
    try:
        return plan_from_rules(rules, record_type=flow.record_type, flow_id=flow.pk)
    except BadRules:
        return None


def _sources(record_type: RecordType, records: Sequence[Record]) -> dict[str, Any]:
    paths = [source.path for source in source_fields(record_type)]
    reads = [Rule(target=f"f{number}", source=path, on_invalid=OnInvalid.DROP) for number, path in enumerate(paths)]
    plan = plan_from_rules(reads, record_type=record_type)
    found: dict[str, Any] = {}
    for record in records:
        payload = transform(record, plan, NO_LOOKUPS).payload
        for number, path in enumerate(paths):
            if path not in found and (value := _one(payload.get(f"f{number}"))) not in EMPTY:
                found[path] = value
    return found


def _results(flow: Flow, plan: Plan, records: Sequence[Record]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for payload in _payloads(flow, plan, records):
        for path, value in leaves(payload):
            if value not in EMPTY:
                found.setdefault(_of(path), value)
    return found


def _payloads(flow: Flow, plan: Plan, records: Sequence[Record]) -> list[dict[str, Any]]:
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    lookups = lookups_for(flow, spec, records, plan.tables)
    return [transform(_stepped(record, spec.steps, lookups), plan, lookups).payload for record in records]


def _stepped(record: Record, steps: Sequence[str], lookups: Lookups) -> Record:
    for name in steps:
        record = STEPS[name](record, lookups)
    return record


def _one(value: Any) -> Any:
    """The first entry that is not empty, of a field inside a list."""
    if not isinstance(value, list):
        return value
    return next((one for entry in value if (one := _one(entry)) not in EMPTY), None)


def _of(path: str) -> str:
    """The target that a payload path belongs to: entries of a list of plain values belong to the list."""
    return generic(path).removesuffix("[]")
