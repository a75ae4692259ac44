"""Field owners in the engine: which rules hold for a flow, and what a destination has; the rules are read again every few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from integrations.models import Delivery, Flow
from mapping.models import FieldOwner
from mapping.ownership import Owned

FRESH = 5.0  # seconds for which a process trusts its copy of the rules
_known: dict[int, tuple[float, dict[str, tuple[Owned, ...]]]] = {}


def held_by_others(flow: Flow, key: str) -> Mapping[str, Any]:
    """What other sources sent last for the same thing at the destination."""
    if not key:
        return {}
    flows = Flow.objects.filter(destination=flow.destination_id, record_type=flow.record_type).exclude(pk=flow.pk)
    rows = Delivery.objects.filter(flow__in=list(flows.values_list("pk", flat=True)), destination_key=key, sent_payload__isnull=False)
    return {name: value for row in rows.order_by("sent_at") for name, value in row.sent_payload.items()}


def owned_by_others(flow: Flow) -> tuple[Owned, ...]:
    """The fields of this flow's records that another source decides."""
    return tuple(rule for rule in _rules(flow.destination_id).get(flow.record_type, ()) if rule.owner != flow.source_id)


def forget() -> None:
    """Read the rules again at once."""
    _known.clear()


def _rules(destination: int) -> dict[str, tuple[Owned, ...]]:
    until, rules = _known.get(destination, (0.0, {}))
    if time.monotonic() >= until:
        found: dict[str, list[Owned]] = {}
        for row in FieldOwner.objects.filter(destination=destination).select_related("owner"):
            found.setdefault(row.record_type, []).append(row.value())
        rules = {kind: tuple(rows) for kind, rows in found.items()}
        _known[destination] = time.monotonic() + FRESH, rules
    return rules
