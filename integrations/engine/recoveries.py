"""Checkouts that a purchase ended: by the key an order names, or because the same person bought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection as database
from django.db.models import Q

from integrations.engine.arrays import text_array
from integrations.engine.wake import wake_flow
from integrations.models import Connection, Flow, VisitorIdentity
from mapping.records import CustomerRef, Event, EventRole, Order, Record, RecordType

REACH = timedelta(days=30)  # a purchase ends no checkout that was begun longer ago

END = """
WITH bought AS (SELECT * FROM unnest(%(keys)s::text[], %(parents)s::text[], %(times)s::timestamptz[]) AS b(k, p, t)),
hit AS (
  SELECT d.id, b.t FROM bought b JOIN integrations_delivery d ON d.record_key = b.k
  WHERE b.k <> '' AND d.flow_id = ANY(%(flows)s)
  UNION ALL
  SELECT d.id, b.t FROM bought b JOIN integrations_delivery d ON d.parent_key = b.p
  WHERE b.p <> '' AND d.parent_key <> '' AND d.flow_id = ANY(%(flows)s)),
ended AS MATERIALIZED (
  SELECT d.id, (SELECT min(h.t) FROM hit h WHERE h.id = d.id AND h.t >= d.occurred_at AND h.t < d.occurred_at + %(reach)s) AS at
  FROM integrations_delivery d
  WHERE d.id IN (SELECT id FROM hit) AND d.record ->> 'completed_at' IS NULL AND NOT (d.record ->> 'removed')::bool
    AND d.state <> 'skipped'
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d SKIP LOCKED)
UPDATE integrations_delivery d SET
  record = d.record || jsonb_build_object('completed_at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                                          'occurred_at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
  occurred_at = e.at, version = version + 1, state = CASE WHEN state IN ('sending', 'accepted') THEN state ELSE 'ready' END,
  due_at = now(), ready_since = now(), attempts = CASE WHEN state = 'sending' THEN attempts ELSE 0 END, updated_at = now()
FROM ended e WHERE d.id = e.id AND e.at IS NOT NULL RETURNING d.flow_id
"""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What was bought when, by whom, and in which checkout if that is known."""

    at: datetime
    who: CustomerRef
    visitor: str = ""
    checkout_key: str = ""


def end_checkouts(connection: Connection, records: Iterable[Record]) -> int:
    """End the open checkouts of those who bought, at every source that shares a destination with this one; returns how many.

    An order's own source ends its checkouts itself. Call inside the transaction that stores the records.
    """
    orders = [Purchase(record.placed_at, record.customer, checkout_key=record.checkout_key) for record in records if _counts(record)]
    events = [
        Purchase(record.occurred_at, record.customer, record.visitor)
        for record in records
        if isinstance(record, Event) and record.role is EventRole.PURCHASE
    ]
    return (_end(_elsewhere(connection), orders) if orders else 0) + (_end(_own(connection), events) if events else 0)


def _counts(record: Record) -> bool:
    return isinstance(record, Order) and not record.removed and not record.test and record.cancelled_at is None


def _own(connection: Connection) -> list[tuple[int, int]]:
    """Flow and source of this connection's own checkouts."""
    return list(Flow.objects.filter(source=connection, record_type=RecordType.CHECKOUT, enabled=True).values_list("pk", "source"))


def _elsewhere(connection: Connection) -> list[tuple[int, int]]:
    """Flow and source of checkouts that other sources bring to the destinations of this one."""
    destinations = Flow.objects.filter(source=connection, enabled=True).values("destination")
    others = Flow.objects.filter(record_type=RecordType.CHECKOUT, enabled=True, destination__in=destinations).exclude(source=connection)
    return list(others.values_list("pk", "source"))


def _end(flows: Sequence[tuple[int, int]], purchases: Sequence[Purchase]) -> int:
    if not flows:
        return 0
    ended = [(purchase.checkout_key, "", purchase.at) for purchase in purchases if purchase.checkout_key]
    ended += [("", parent, at) for parent, at in _parents({source for _, source in flows}, purchases)]
    if not ended:
        return 0
    keys, parents, times = zip(*ended, strict=True)
    with database.cursor() as cursor:
        cursor.execute(END, {
            "flows": [flow for flow, _ in flows], "keys": text_array(keys), "parents": text_array(parents),
            "times": [at.astimezone(UTC) for at in times], "reach": REACH,
        })  # fmt: skip
        woken = [flow_id for (flow_id,) in cursor.fetchall()]
    for flow_id in set(woken):
        wake_flow(flow_id)
    return len(woken)


def _parents(sources: set[int], purchases: Sequence[Purchase]) -> list[tuple[str, datetime]]:
    """What the checkouts of each buyer hang on: customer ids, and the browsers that said they are that person."""
    found = {(parent, bought.at) for bought in purchases for parent in (bought.visitor, bought.who.key) if parent}
    emails = {bought.who.email.strip().lower() for bought in purchases} - {""}
    phones, keys = {bought.who.phone for bought in purchases} - {""}, {bought.who.key for bought in purchases} - {""}
    if not (emails or phones or keys):
        return sorted(found)
    same = Q(email__in=emails) | Q(phone__in=phones) | Q(customer_id__in=keys)
    for visitor in VisitorIdentity.objects.filter(same, connection__in=sources):
        for bought in purchases:
            if _is(visitor, bought.who):
                found |= {(parent, bought.at) for parent in (visitor.anonymous_id, visitor.customer_id) if parent}
    return sorted(found)


def _is(visitor: VisitorIdentity, who: CustomerRef) -> bool:
    pairs = ((visitor.email, who.email.strip().lower()), (visitor.phone, who.phone), (visitor.customer_id, who.key))
    return any(ours and ours == theirs for ours, theirs in pairs)
