"""Inbox to outbox: claim events, fetch what is only hinted at, parse, enqueue; each event ends with a state and a reason."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from integrations.engine import accounts, circuit, exceptions, leases, visitors
from integrations.engine.arrays import text_array
from integrations.engine.freshness import seen
from integrations.engine.outbox import Cause, backoff, enqueue
from integrations.engine.privacy import runs as privacy
from integrations.engine.recoveries import end_checkouts
from integrations.engine.siblings import drop_missing_variants
from integrations.engine.statements import bound_cursor
from integrations.engine.wake import wake_connection
from integrations.models import Connection, InboxEvent
from integrations.platforms.base import GAP, Expansion, IncomingEvent, Lane, RawObject
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown, Unparsable
from integrations.platforms.privacy import PrivacyAsk
from mapping.records import Record

log = structlog.get_logger(__name__)
LEASE_SECONDS = 60
MAX_ATTEMPTS = 8
SUSPECT_AFTER = 2  # failed calls an event may have shared with others
ASKED = {  # kind of question → what it says of events that failed
    "unparsable": "a message could not be read",
    "message_gap": "messages are missing, and what they were about could not be read",
}
Found = dict[int, list[Record]]
Expand = Callable[[Any, Sequence[IncomingEvent]], Sequence[Expansion]]

CLAIM = """
WITH chosen AS MATERIALIZED (
  SELECT id FROM integrations_inboxevent
  WHERE connection_id = %(connection)s AND state = 'new' AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY lane, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE integrations_inboxevent e SET lease_until = now() + %(lease)s * interval '1 second', attempts = attempts + 1
FROM chosen WHERE e.id = chosen.id
RETURNING e.id, e.topic, e.dedup_key, e.body, e.hint, e.object_key, e.occurred_at, e.attempts, e.lane
"""
FINISH = """
UPDATE integrations_inboxevent e SET state = r.state, error = r.error, lease_until = NULL,
  due_at = CASE WHEN r.delay IS NULL THEN e.due_at ELSE now() + r.delay * interval '1 second' END,
  attempts = GREATEST(e.attempts - r.refund, 0), done_at = CASE WHEN r.state = 'new' THEN NULL ELSE now() END
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::float8[], %s::int[]) AS r(id, state, error, delay, refund) WHERE e.id = r.id
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """One claimed inbox event."""

    id: int
    event: IncomingEvent
    attempts: int
    lane: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one inbox event; `delay` in seconds sends it back to wait. `kind` is the question a failed one asks."""

    id: int
    state: str
    error: str = ""
    delay: float | None = None
    refund: int = 0
    kind: str = "unparsable"


@dataclass(slots=True)
class ProcessResult:
    """Events taken, records found in them, deliveries changed."""

    taken: int = 0
    records: int = 0
    changed: int = 0
    failed: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    asks: list[tuple[Taken, PrivacyAsk]] = field(default_factory=list)

    def add(self, other: ProcessResult) -> None:
        """Take another result's figures into this one."""
        self.taken += other.taken
        self.records += other.records
        self.changed += other.changed
        self.failed += other.failed


def process_inbox(connection: Connection, until: float) -> ProcessResult:
    """Process what waits in this connection's inbox until it is empty or monotonic time `until` is reached."""
    total = ProcessResult()
    while time.monotonic() < until:
        batch = process_batch(connection)
        total.add(batch)
        if not batch.taken:
            break
        leases.renew(connection)
    return total


def process_batch(connection: Connection, limit: int = 200) -> ProcessResult:
    """Bring one batch of inbox events to the outbox; a message that cannot be read keeps its reason and holds up nobody."""
    taken = _claim(connection, limit)
    return _process(connection, taken) if taken else ProcessResult()


def _process(connection: Connection, taken: Sequence[Taken]) -> ProcessResult:
    """Process these events together; when something unforeseen stops them, one by one, so that only the culprit is given up."""
    try:
        return _bring(connection, taken)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the leases run out and the events are taken again
    except Exception as fault:  # noqa: BLE001 - else the same batch would fail for ever and hold up everything behind it
        log.error("inbox batch failed", connection=connection.pk, size=len(taken), exc_info=fault)
        total = ProcessResult()
        if len(taken) == 1:
            total.taken = 1
            total.verdicts.append(Verdict(taken[0].id, InboxEvent.State.FAILED, f"{type(fault).__name__}: {fault}"[:500]))
            _store(connection, {}, total)
            return total
        for item in taken:
            total.add(_process(connection, [item]))
        return total


def _bring(connection: Connection, taken: Sequence[Taken]) -> ProcessResult:
    result = ProcessResult(taken=len(taken))
    started, asked_at = time.monotonic(), timezone.now()
    objects = _expanded(connection, taken, result)
    _store(connection, _parsed(connection, objects, result, asked_at=asked_at), result)
    log.info(
        "inbox batch", connection=connection.pk, size=len(taken), records=result.records, changed=result.changed, failed=result.failed,
        ms=round((time.monotonic() - started) * 1000),
    )  # fmt: skip
    return result


def reprocess(event_ids: Iterable[int]) -> int:
    """Put inbox events back to be processed again, after a repair; returns how many."""
    ids = list(event_ids)
    with transaction.atomic():
        count = InboxEvent.objects.filter(pk__in=ids).exclude(state=InboxEvent.State.NEW).update(
            state=InboxEvent.State.NEW, attempts=0, error="", lease_until=None, due_at=timezone.now()
        )  # fmt: skip
        for connection_id in InboxEvent.objects.filter(pk__in=ids).values_list("connection_id", flat=True).distinct():
            wake_connection(connection_id)
    return count


def _claim(connection: Connection, limit: int) -> list[Taken]:
    with bound_cursor() as cursor:
        cursor.execute(CLAIM, {"connection": connection.pk, "limit": limit, "lease": LEASE_SECONDS})
        rows = sorted(cursor.fetchall())
    taken = []
    for pk, topic, key, body, hint, about, at, attempts, lane in rows:
        event = IncomingEvent(topic=topic, dedup_key=key, body=body.encode(), occurred_at=at, hint=hint, object_key=about)
        taken.append(Taken(pk, event, attempts, lane))
    return taken


def _expanded(connection: Connection, taken: Sequence[Taken], result: ProcessResult) -> list[tuple[Taken, RawObject]]:
    """The raw objects of every event; events whose fetch failed wait, events about nothing are done."""
    platform = accounts.platform_of(connection)
    objects: list[tuple[Taken, RawObject]] = []
    hints = []
    for item in taken:
        if platform.privacy and (ask := platform.privacy(item.event)):
            result.asks.append((item, ask))
            result.verdicts.append(Verdict(item.id, InboxEvent.State.DONE))
            continue
        if item.event.hint:
            hints.append(item)
            continue
        try:
            data = orjson.loads(item.event.body)
        except orjson.JSONDecodeError as fault:
            result.verdicts.append(Verdict(item.id, InboxEvent.State.FAILED, f"not JSON: {fault}"))
            continue
        if isinstance(data, dict) and "raw" in data and "reason" in data:
            result.verdicts.append(Verdict(item.id, InboxEvent.State.FAILED, str(data["reason"])[:500]))
        else:
            objects.append((item, RawObject(f"webhook:{item.event.topic}", data)))
    if hints:
        for item, expansion in _fetched(connection, platform.expand, hints, result):
            objects += [(item, raw) for raw in expansion.objects]
            if not expansion.objects:
                result.verdicts.append(Verdict(item.id, InboxEvent.State.IGNORED, expansion.note))
    return objects


def _fetched(connection: Connection, expand: Expand, hints: Sequence[Taken], result: ProcessResult) -> list[tuple[Taken, Expansion]]:
    """What the hints are about, fetched together; those of several failed calls are fetched alone, so that one cannot hold up others."""
    if not circuit.may_call(connection):
        paused = "The connection is paused."
        result.verdicts += [Verdict(item.id, InboxEvent.State.NEW, paused, delay=15.0, refund=1) for item in hints]
        return []
    together = [item for item in hints if item.attempts <= SUSPECT_AFTER]
    groups = [together] * bool(together) + [[item] for item in hints if item.attempts > SUSPECT_AFTER]
    found: list[tuple[Taken, Expansion]] = []
    for group in groups:
        client = None
        try:
            with accounts.remediable():
                client = accounts.client_for(connection, lane=Lane.REALTIME)
                expansions = expand(client, [item.event for item in group])
            found += zip(group, expansions, strict=True)
            for expansion in expansions:
                if expansion.disconnected:
                    accounts.needs_auth(connection, expansion.note)
                if expansion.ends_soon:
                    accounts.grant_ends(connection, expansion.note)
            circuit.answered(connection)
        except PlatformError as fault:
            name = type(fault).__name__
            log.warning("hints could not be fetched", connection=connection.pk, size=len(group), fault=name, code=fault.code)
            result.verdicts += _postponed(connection, group, fault, client)
        finally:
            accounts.note_version(connection, getattr(client, "version_served", ""), getattr(client, "deprecation", ""))
    return found


def _postponed(connection: Connection, hints: Sequence[Taken], fault: PlatformError, client: Any) -> list[Verdict]:
    """When the events of one failed call are tried again; after the last try each is shown with its reason."""
    reason = str(fault)[:500]
    if isinstance(fault, SlowDown):
        return [Verdict(item.id, InboxEvent.State.NEW, reason, delay=fault.seconds, refund=1) for item in hints]
    if isinstance(fault, Reconnect):
        delay = 0.0 if accounts.renewed(connection, fault, client) else 15.0
        return [Verdict(item.id, InboxEvent.State.NEW, reason, delay=delay, refund=1) for item in hints]
    down = circuit.failed(connection, reason)
    return [
        Verdict(item.id, InboxEvent.State.FAILED, f"could not be fetched: {reason}"[:500], kind=_kind(item))
        if item.attempts >= MAX_ATTEMPTS and not down
        else Verdict(item.id, InboxEvent.State.NEW, reason, delay=backoff(item.attempts), refund=int(down))
        for item in hints
    ]


def _kind(item: Taken) -> str:
    return "message_gap" if item.event.dedup_key.startswith(GAP) else "unparsable"


def _parsed(connection: Connection, objects: Sequence[tuple[Taken, RawObject]], result: ProcessResult, *, asked_at: datetime) -> Found:
    """The records in all objects by the lane of their event; what cannot be parsed fails its event alone."""
    platform, account = accounts.platform_of(connection), accounts.account_for(connection)
    records: Found = defaultdict(list)
    found: dict[int, list[Record]] = defaultdict(list)
    lanes = {item.id: item.lane for item, _ in objects}
    unreadable: set[int] = set()
    for item, raw in objects:
        seen_at = asked_at if item.event.hint else item.event.occurred_at
        try:
            found[item.id] += [seen(record, seen_at) for record in platform.parse(account, raw)]
        except Unparsable as fault:
            unreadable.add(item.id)
            result.verdicts.append(Verdict(item.id, InboxEvent.State.FAILED, str(fault)[:500]))
        except Exception as fault:  # noqa: BLE001 - one poisoned message must not hold up the others; it is logged and shown
            log.error("message could not be parsed", connection=connection.pk, event=item.id, exc_info=fault)
            unreadable.add(item.id)
            result.verdicts.append(Verdict(item.id, InboxEvent.State.FAILED, f"{type(fault).__name__}: {fault}"[:500]))
    for item_id, lane in lanes.items():
        if item_id in unreadable:
            continue
        records[lane] += found[item_id]
        state = InboxEvent.State.DONE if found[item_id] else InboxEvent.State.IGNORED
        result.verdicts.append(Verdict(item_id, state, "" if found[item_id] else "Nothing in it that a flow carries."))
    return records


def _store(connection: Connection, found: Found, result: ProcessResult) -> None:
    """Deliveries and the events' new states together: an event is done only if its records are in the outbox."""
    with transaction.atomic():
        for lane, records in sorted(found.items()):
            result.records += len(records)
            result.changed += enqueue(connection, records, cause=Cause.WEBHOOK if lane == Lane.REALTIME else Cause.ENRICHMENT)
            result.changed += drop_missing_variants(connection, records)
            result.changed += visitors.learn(connection, records) + end_checkouts(connection, records)
        for item, ask in result.asks:
            privacy.receive(connection, ask, item.event.topic, event_id=item.id)
        verdicts = result.verdicts
        with bound_cursor() as cursor:
            cursor.execute(
                FINISH,
                [
                    [verdict.id for verdict in verdicts],
                    text_array(str(verdict.state) for verdict in verdicts),
                    text_array(verdict.error.replace("\x00", "") for verdict in verdicts),
                    [verdict.delay for verdict in verdicts],
                    [verdict.refund for verdict in verdicts],
                ],
            )
        Connection.objects.filter(pk=connection.pk).update(last_event_at=timezone.now())
    failed = [verdict for verdict in verdicts if verdict.state == InboxEvent.State.FAILED]
    result.failed = len(failed)
    for kind, reason in {(verdict.kind, verdict.error) for verdict in failed}:
        title = f"{connection.name}: {ASKED[kind]}: {reason}"
        exceptions.raise_for_connection(connection, kind, reason[:200], title[:300], detail=reason)
