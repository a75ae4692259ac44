"""The outbox, and the only raw SQL on deliveries: upsert, claim, store, sweep.

Every statement that locks many rows takes them by `record_key` in collation "C"; two orders would deadlock under load.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import orjson
from django.db import OperationalError, transaction
from django.db import connection as database

from integrations.engine import consent
from integrations.engine.arrays import text_array
from integrations.engine.erased import without_erased
from integrations.engine.find_terms import remember_later
from integrations.engine.masks import unmasked
from integrations.engine.observed import with_turns
from integrations.engine.statements import bound_cursor
from integrations.engine.wake import wake_flow
from integrations.flows import FlowSpec, spec_for
from integrations.models import Connection, Delivery, Flow
from integrations.models.outbox import SUSPECT_AFTER
from integrations.platforms.base import Lane
from mapping import codec
from mapping.records import Checkout, ConsentChange, Customer, Event, Order, OrderStatus, Record, RecordType, Variant

MAX_ATTEMPTS = 8
FIRST_DELAY, LONGEST_DELAY = 2.0, 900.0  # seconds between tries: doubling, full jitter, capped
LEASE = timedelta(seconds=90)
UPSERT_BATCH = 500
DEADLOCK = "40P01"  # SQLSTATE
Answer = TypeVar("Answer")


class Cause(StrEnum):
    """Why a record came to the outbox; history travels in the bulk lane."""

    WEBHOOK = "webhook"
    ENRICHMENT = "enrichment"
    POLL = "poll"
    BACKFILL = "backfill"
    REPAIR = "repair"
    REPLAY = "replay"


LANES = {Cause.ENRICHMENT: Lane.STANDARD, Cause.BACKFILL: Lane.BULK}  # of causes that never go first
# Both states of a person show only part of them: their fields are joined, by time field by field.
PARTIAL = "((excluded.record ->> 'partial')::bool AND (d.record ->> 'partial')::bool AND NOT (excluded.record ->> 'removed')::bool)"
JOINED = "merge_partial(d.record, excluded.record)"
# A cancellation is final: within its second, as far as most sources tell the time, no other state of the order comes before it.
ONE_SECOND = "date_trunc('second', excluded.occurred_at) = date_trunc('second', d.occurred_at)"
CANCELS = f"(excluded.record ->> 'status' = 'cancelled' AND d.record ->> 'status' <> 'cancelled' AND {ONE_SECOND})"
REVIVES = f"(d.record ->> 'status' = 'cancelled' AND excluded.record ->> 'status' <> 'cancelled' AND {ONE_SECOND})"
CLOCKS = "'{occurred_at,seen}'::text[]"
UPSERT = f"""
INSERT INTO integrations_delivery AS d (flow_id, record_key, record, occurred_at, version, lane, state, due_at, ready_since, attempts,
       parent_key, destination_key, sent_hash, last_code, last_message, issues, manual, cause)
SELECT %(flow)s, k, r, o, 1, %(lane)s, 'ready', GREATEST(now() + %(settle)s * interval '1 second', COALESCE(b, now())), now(), 0,
       p, '', '', '', '', '[]', false, %(cause)s
FROM unnest(%(keys)s::text[], %(records)s::jsonb[], %(times)s::timestamptz[], %(befores)s::timestamptz[], %(parents)s::text[])
     AS t(k, r, o, b, p)
ORDER BY k COLLATE "C"
ON CONFLICT (flow_id, record_key) DO UPDATE SET
  record = CASE WHEN (excluded.record ->> 'removed')::bool
                THEN d.record || jsonb_build_object('removed', true, 'active', false, 'occurred_at', excluded.record -> 'occurred_at',
                                                    'merged_into', excluded.record -> 'merged_into')
                WHEN {PARTIAL} THEN {JOINED}
                ELSE excluded.record END,
  occurred_at = GREATEST(excluded.occurred_at, d.occurred_at), version = d.version + 1,
  lane = CASE WHEN d.state = 'ready' THEN LEAST(d.lane, excluded.lane) ELSE excluded.lane END,
  state = CASE WHEN d.state IN ('sending', 'accepted') THEN d.state ELSE 'ready' END,
  due_at = CASE WHEN d.state = 'ready' AND d.attempts > 0 THEN d.due_at
                WHEN d.state = 'ready' AND %(collapse)s THEN LEAST(d.due_at, excluded.due_at)
                ELSE excluded.due_at END,
  ready_since = CASE WHEN d.state = 'ready' THEN d.ready_since ELSE now() END,
  attempts = CASE WHEN d.state IN ('ready', 'sending') THEN d.attempts ELSE 0 END,
  cause = excluded.cause, updated_at = now()
WHERE CASE WHEN {PARTIAL} THEN {JOINED} - {CLOCKS} <> d.record - {CLOCKS}
           WHEN {CANCELS} THEN true
           WHEN {REVIVES} THEN false
           ELSE (excluded.occurred_at > d.occurred_at AND excluded.record - 'occurred_at' <> d.record - 'occurred_at')
             OR (excluded.occurred_at = d.occurred_at AND excluded.record <> d.record) END
"""  # noqa: S608 - joined from the constants above alone

# The same content seen again later: only the version moves on, so that a state from between the two loses. Nothing is sent for it.
TOUCH = """
WITH seen AS MATERIALIZED (
  SELECT d.id, n.r, t.o FROM integrations_delivery d
  JOIN unnest(%(keys)s::text[], %(records)s::jsonb[], %(times)s::timestamptz[]) AS t(k, r, o) ON d.record_key = t.k
  CROSS JOIN LATERAL (SELECT (t.r ->> 'partial')::bool AND (d.record ->> 'partial')::bool AS partial) AS p
  CROSS JOIN LATERAL (SELECT CASE WHEN p.partial THEN merge_partial(d.record, t.r) ELSE t.r END AS r OFFSET 0) AS n
  WHERE d.flow_id = %(flow)s AND t.r <> d.record AND CASE
    WHEN p.partial THEN n.r <> d.record AND n.r - '{occurred_at,seen}'::text[] = d.record - '{occurred_at,seen}'::text[]
    ELSE t.o > d.occurred_at AND t.r - 'occurred_at' = d.record - 'occurred_at' END
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET record = seen.r, occurred_at = GREATEST(seen.o, d.occurred_at) FROM seen WHERE d.id = seen.id
"""

_CLAIM = """
WITH chosen AS MATERIALIZED (
  SELECT id FROM integrations_delivery WHERE flow_id = %(flow)s AND state = 'ready' AND due_at <= now()
    AND attempts {tried}
  ORDER BY lane, due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE integrations_delivery d SET state = 'sending', claim = %(claim)s, claimed_version = version, attempts = attempts + 1,
  lease_until = now() + %(lease)s, updated_at = now()
FROM chosen WHERE d.id = chosen.id
RETURNING d.id, d.record_key, d.record::text, d.occurred_at, d.lane, d.attempts, d.destination_key, d.sent_hash, d.sent_payload::text,
  d.manual,
  d.due_at, d.ready_since
"""

# Suspects are looked for after every batch, and a long backlog holds hardly any: they have an index of their own.
CLAIM = {suspects: _CLAIM.replace("{tried}", f"{'>=' if suspects else '<'} {SUSPECT_AFTER}") for suspects in (False, True)}

_WRITE = """
WITH results AS MATERIALIZED (
  SELECT * FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(delays)s::float8[], %(destinations)s::text[], %(hashes)s::text[],
    %(payloads)s::jsonb[], %(codes)s::text[], %(messages)s::text[], %(issues)s::jsonb[], %(refunds)s::int[])
    AS r(id, state, delay, destination_key, sent_hash, payload, code, message, issues, refund)),
mine AS MATERIALIZED (
  SELECT d.id FROM integrations_delivery d JOIN results USING (id)
  WHERE {guard} ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET
  state = CASE WHEN d.version > d.claimed_version AND r.state <> 'accepted' THEN 'ready' ELSE r.state END,
  due_at = CASE WHEN r.delay IS NOT NULL THEN clock_timestamp() + r.delay * interval '1 second' ELSE now() END,
  attempts = CASE WHEN r.state IN ('delivered', 'skipped', 'blocked') THEN 0 ELSE GREATEST(d.attempts - r.refund, 0) END,
  ready_since = CASE WHEN d.version > d.claimed_version THEN now() ELSE d.ready_since END,
  destination_key = COALESCE(NULLIF(r.destination_key, ''), d.destination_key),
  sent_hash = COALESCE(r.sent_hash, d.sent_hash), sent_payload = COALESCE(r.payload, d.sent_payload),
  sent_at = CASE WHEN r.payload IS NULL THEN d.sent_at ELSE now() END,
  receipt_id = CASE WHEN r.state = 'accepted' THEN %(receipt)s::bigint ELSE NULL END,
  delivered_at = CASE WHEN r.state = 'delivered' AND r.code <> 'unchanged' THEN now() ELSE d.delivered_at END,
  mapping_version = COALESCE(%(mapping)s::bigint, d.mapping_version),
  last_code = r.code, last_message = r.message, issues = r.issues,
  manual = CASE WHEN r.state = 'ready' THEN d.manual ELSE false END,
  claim = NULL, lease_until = NULL, updated_at = now()
FROM mine JOIN results r USING (id) WHERE d.id = mine.id
RETURNING d.id, d.state
"""
STORE = _WRITE.replace("{guard}", "d.claim = %(claim)s")
CONFIRM = _WRITE.replace("{guard}", "d.state = 'accepted' AND d.receipt_id = ANY(%(confirmed)s)")

SWEEP = """
WITH lost AS MATERIALIZED (
  SELECT id FROM integrations_delivery WHERE state = 'sending' AND lease_until < now()
  ORDER BY record_key COLLATE "C" LIMIT 5000 FOR UPDATE SKIP LOCKED)
UPDATE integrations_delivery d SET state = 'ready', due_at = now(), claim = NULL, lease_until = NULL, updated_at = now()
FROM lost WHERE d.id = lost.id RETURNING d.flow_id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery in this worker's hands; nobody else writes its outcome."""

    id: int
    key: str
    record_json: str
    occurred_at: datetime
    lane: Lane
    attempts: int
    destination_key: str
    sent_hash: str
    sent_payload: dict[str, object] | None
    manual: bool
    due_at: datetime
    ready_since: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch of claimed deliveries under one claim id."""

    id: uuid.UUID
    rows: tuple[Claimed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What becomes of one claimed delivery. `refund` gives attempts back that should not count."""

    delivery_id: int
    state: Delivery.State
    outcome: str  # an Attempt.Outcome, empty = no attempt row
    number: int = 0
    delay: float | None = None
    destination_key: str = ""
    sent_hash: str | None = None
    payload: dict[str, object] | None = None
    code: str = ""
    message: str = ""
    issues: tuple[dict[str, str], ...] = ()
    refund: int = 0
    request_id: str = ""
    ms: int = 0
    manual: bool = False


def enqueue(connection: Connection, records: Iterable[Record], *, cause: Cause) -> int:
    """Bring records to every enabled flow of this source: one row per flow and record, the newest source version wins.

    What they say about being written to goes into the ledger, which alone fills the flows of type consent.
    """
    records = without_erased(connection.pk, unmasked(connection.platform, records))
    changed, carries = 0, False
    for flow in Flow.objects.filter(source=connection, enabled=True).select_related("destination"):
        if flow.record_type == RecordType.CONSENT:
            carries = True
            continue
        mine = [record for record in records if record.record_type == flow.record_type]
        late = cause is Cause.BACKFILL and flow.record_type == RecordType.EVENT  # an old event could set off an automation today
        if mine and not (late and not flow.settings.get("history_events")):
            spec = spec_for(connection.platform, flow.destination.platform, flow.record_type)
            changed += upsert(flow, spec, mine, cause=cause)
    words = records if cause is Cause.BACKFILL else with_turns(connection, records)
    consent.note(connection, words, history=cause is Cause.BACKFILL, carries=carries, bring=bring_consents)
    remember_later(connection, records)
    return changed


def bring_consents(flow: Flow, changes: Sequence[ConsentChange], history: bool) -> int:
    """Put consent changes of the ledger into a flow; returns how many deliveries changed."""
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    return upsert(flow, spec, changes, cause=Cause.BACKFILL if history else Cause.WEBHOOK)


def upsert(flow: Flow, spec: FlowSpec, records: Sequence[Record], *, cause: Cause) -> int:
    """Insert or renew one delivery per record key; returns how many rows changed and wakes the flow when any did."""
    bulk = cause is Cause.BACKFILL
    settle = 0.0 if bulk else float(flow.settings.get("settle_seconds", spec.settle_seconds))
    changed = 0
    for part in _parts(records):
        values = {
            "flow": flow.pk,
            "lane": int(max(spec.lane, LANES.get(cause, Lane.REALTIME))),
            "settle": settle,
            "cause": str(cause),
            "collapse": not any(isinstance(record, Checkout) for record in part),
            "keys": text_array(record.key[:200] for record in part),
            "records": text_array(codec.dumps(record).decode() for record in part),
            "times": [record.occurred_at for record in part],
            "parents": text_array(parent_key(record)[:200] for record in part),
            "befores": [getattr(record, "not_before", None) for record in part],
        }
        changed += _despite_deadlock(lambda values=values: _upsert(values))
    if changed:
        wake_flow(flow.pk)  # after the last row: a delivering worker locks rows first and the flow second as well
    return changed


def _parts(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The newest state of each record in batches by key; the states of a partial person all count, so each takes a round of its own."""
    rounds: list[dict[str, Record]] = [{}]
    for record in records:
        if isinstance(record, Customer) and record.partial:
            free = next((states for states in rounds if record.key not in states), None)
            if free is None:
                rounds.append(free := {})
            free[record.key] = record
        elif (known := rounds[0].get(record.key)) is None or _is_newer(record, known):
            rounds[0][record.key] = record
    for states in rounds:
        rows = sorted(states.values(), key=lambda record: record.key.encode())
        yield from (rows[start : start + UPSERT_BATCH] for start in range(0, len(rows), UPSERT_BATCH))


def _is_newer(record: Record, known: Record) -> bool:
    """By the source's version time; within the second of a cancellation the cancelled state is the newer one, as in UPSERT."""
    gone, was_gone = (isinstance(state, Order) and state.status is OrderStatus.CANCELLED for state in (record, known))
    if gone is not was_gone and record.occurred_at.replace(microsecond=0) == known.occurred_at.replace(microsecond=0):
        return gone
    return record.occurred_at >= known.occurred_at


def _upsert(values: dict[str, Any]) -> int:
    with transaction.atomic(), bound_cursor() as cursor:
        cursor.execute(UPSERT, values)
        changed = cursor.rowcount
        if changed < len(values["times"]):
            cursor.execute(TOUCH, values)
    return changed


def _despite_deadlock(work: Callable[[], Answer], tries: int = 3) -> Answer:
    """Do it again when the database made it a deadlock's victim: under load an upsert and a claim of the same rows can meet."""
    try:
        return work()
    except OperationalError as fault:
        if tries <= 1 or getattr(fault.__cause__, "sqlstate", "") != DEADLOCK:
            raise
    return _despite_deadlock(work, tries - 1)


def parent_key(record: Record) -> str:
    """The key of what a record belongs to: a variant's product, the customer or visitor of an order, a checkout or an event."""
    if isinstance(record, Variant):
        return record.product_key
    if isinstance(record, Checkout | Event):
        return record.visitor or record.customer.key
    return record.customer.key if isinstance(record, Order) else ""


def claim_deliveries(flow: Flow, limit: int, *, suspects: bool = False, lease: timedelta = LEASE) -> Claim:
    """Take up to `limit` due deliveries, live ones first; rows in other hands are passed over.

    `suspects` takes one of those that failed with others too often: alone, it can neither hold up nor take down anything else.
    """
    claim = uuid.uuid4()
    wanted = {"flow": flow.pk, "claim": claim, "lease": lease, "limit": 1 if suspects else limit}
    rows = _despite_deadlock(lambda: _claim(CLAIM[suspects], wanted))
    claimed = [
        Claimed(
            pk,
            key,
            record,
            occurred,
            Lane(lane),
            attempts,
            destination,
            sent,
            orjson.loads(payload) if payload else None,
            manual,
            due,
            since,
        )
        for pk, key, record, occurred, lane, attempts, destination, sent, payload, manual, due, since in rows
    ]
    claimed.sort(key=lambda row: (row.lane, row.due_at, row.id))
    return Claim(claim, tuple(claimed))


def _claim(statement: str, values: dict[str, object]) -> list[tuple]:
    with bound_cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def store_results(
    claim: Claim, results: Sequence[Result], *, mapping_version: int | None = None, receipt: int | None = None
) -> dict[int, str]:
    """Write what became of claimed deliveries; rows that another hand took over are left alone. Returns id → state of those written."""
    return _write(STORE, results, claim=claim.id, mapping=mapping_version, receipt=receipt)


def confirm_results(receipts: Sequence[int], results: Sequence[Result]) -> dict[int, str]:
    """Write what these receipts turned out to be, and nothing of deliveries that wait for none of them; returns id → state."""
    return _write(CONFIRM, results, confirmed=list(receipts), mapping=None, receipt=None)


def _write(statement: str, results: Sequence[Result], **values: object) -> dict[int, str]:
    if not results:
        return {}
    columns = {
        "ids": [result.delivery_id for result in results],
        "states": text_array(str(result.state) for result in results),
        "delays": [result.delay for result in results],
        "destinations": text_array(result.destination_key for result in results),
        "hashes": text_array(result.sent_hash for result in results),
        "payloads": text_array(None if result.payload is None else orjson.dumps(result.payload).decode() for result in results),
        "codes": text_array(result.code[:60] for result in results),
        "messages": text_array(result.message[:500] for result in results),
        "issues": text_array(orjson.dumps(list(result.issues)).decode() for result in results),
        "refunds": [result.refund for result in results],
    }
    with bound_cursor() as cursor:
        cursor.execute(statement, {**columns, **values})
        return dict(cursor.fetchall())


def sweep_leases() -> int:
    """Deliveries whose worker died become ready again; their attempt counts, so a record that kills workers is found."""
    with database.cursor() as cursor:
        cursor.execute(SWEEP)
        flows = [flow_id for (flow_id,) in cursor.fetchall()]
    for flow_id in set(flows):
        wake_flow(flow_id)
    return len(flows)


def backoff(attempts: int) -> float:
    """Seconds until the next try: doubling with full jitter, at least half a second, at most fifteen minutes."""
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2 ** max(attempts - 1, 0))
    return max(0.5, random.uniform(0, ceiling))  # noqa: S311 - jitter, not a secret
