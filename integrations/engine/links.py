"""Links: what a record belongs to must be at the destination first; a record waits for it, shortly at first, and is told when it came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.engine.exceptions import Question
from integrations.engine.outbox import Claimed
from integrations.engine.wake import wake_flow
from integrations.flows import FlowSpec, is_needed
from integrations.models import Delivery, Flow
from mapping.records import Record, RecordType

if TYPE_CHECKING:
    from integrations.engine.prepare import Prepared

Row = tuple[Claimed, Record]
WAITS = "waits_for_parent"
FIRST_LOOK, LAST_LOOK = 0.5, 15.0  # seconds until a record looks for its parent again: half of what it has waited, within these
HELD_LOOK = 300.0  # while a person is asked about the parent; the answer lets both go at once
PATIENCE = timedelta(days=1)  # then a person is asked
DISPENSABLE = frozenset({RecordType.CUSTOMER})  # a parent that is not to be sent holds nothing up: an order names its buyer itself

# Rows in other hands are passed over: who holds one looks again soon.
HURRY = """
WITH waiting AS MATERIALIZED (
  SELECT d.id FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
  WHERE f.source_id = %(source)s AND f.destination_id = %(destination)s AND d.parent_key = ANY(%(parents)s) AND d.parent_key <> ''
    AND d.state = 'ready' AND d.last_code = %(code)s
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d SKIP LOCKED)
UPDATE integrations_delivery d SET due_at = now(), updated_at = now() FROM waiting WHERE d.id = waiting.id RETURNING d.flow_id
"""


@dataclass(frozen=True, slots=True)
class Parent:
    """What became of a parent: whether it reached the destination (or is not going to), and whether a question holds it."""

    settled: bool
    held: bool


def linked(flow: Flow, spec: FlowSpec, rows: list[Row], batch: Prepared) -> list[Row]:
    """The rows whose parents reached the destination; the others look again later, and after a day ask a person."""
    for record_type, path in spec.needs:
        if not rows or not has_flow(flow, record_type):
            continue
        key_of = attrgetter(path)
        known = parents(flow, record_type, {key for _, record in rows if (key := key_of(record))})
        present = []
        for row, record in rows:
            key = key_of(record)
            parent = known.get(key)
            if not key or (parent is not None and parent.settled):
                present.append((row, record))
            else:
                _wait(flow, row, batch, record_type=record_type, parent=parent)
        rows = present
    return rows


def parents(flow: Flow, record_type: RecordType, keys: Collection[str]) -> dict[str, Parent]:
    """What became of the records of that type that travel between the same two connections."""
    rows = Delivery.objects.filter(
        flow__source=flow.source_id, flow__destination=flow.destination_id, flow__record_type=record_type, record_key__in=list(keys)
    )
    skipped = Delivery.State.SKIPPED if record_type in DISPENSABLE else None
    return {
        key: Parent(settled=bool(sent_hash) or state == skipped, held=state == Delivery.State.BLOCKED)
        for key, sent_hash, state in rows.values_list("record_key", "sent_hash", "state")
    }


def has_flow(flow: Flow, record_type: RecordType) -> bool:
    """Whether records of that type travel between the same two connections at all."""
    return Flow.objects.filter(source=flow.source_id, destination=flow.destination_id, record_type=record_type, enabled=True).exists()


def hurry(flow: Flow, keys: Sequence[str]) -> int:
    """What waits for these records of the flow's type may go now; returns how many deliveries."""
    if not keys or not is_needed(flow.source.platform, flow.destination.platform, flow.record_type):
        return 0
    values = {"source": flow.source_id, "destination": flow.destination_id, "parents": list(keys), "code": WAITS}
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(HURRY, values)
        flows = [flow_id for (flow_id,) in cursor.fetchall()]
        for flow_id in sorted(set(flows)):
            wake_flow(flow_id)
    return len(flows)


def _wait(flow: Flow, row: Claimed, batch: Prepared, *, record_type: RecordType, parent: Parent | None) -> None:
    waited = timezone.now() - row.ready_since
    held = parent is not None and parent.held
    if waited > PATIENCE and not held:
        title = f"{flow.record_type.capitalize()} {row.key} waits for a {record_type} that did not arrive"
        batch.ask(row, [Question("missing_link", row.key, title)])
        return
    delay = HELD_LOOK if held else min(max(waited.total_seconds() / 2, FIRST_LOOK), LAST_LOOK)
    message = f"Waits for its {record_type}{', about whom a person is asked' if held else ''}."
    batch.settle(row, Delivery.State.READY, "", delay=delay, refund=1, code=WAITS, message=message)
