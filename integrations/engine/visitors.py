"""Who visitors turned out to be: what a browser did before it had a name waits for the name, gets it, or becomes a counted orphan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.engine import exceptions
from integrations.engine.arrays import text_array
from integrations.engine.erased import without_erased
from integrations.engine.masks import unmasked
from integrations.engine.outbox import Claimed, Result
from integrations.engine.wake import wake_flow
from integrations.models import Attempt, Connection, Delivery, Flow, SyncException, VisitorIdentity
from mapping.anonymous import is_anonymous
from mapping.records import Checkout, CustomerRef, Event, Record

if TYPE_CHECKING:
    from integrations.engine.prepare import Prepared

Row = tuple[Claimed, Record]
WAITS, ORPHAN, KIND = "waits_for_visitor", "orphan", "orphaned_events"
ORPHAN_AFTER_HOURS = 24.0  # unless the source's connection says otherwise
FIRST_LOOK = 5.0  # seconds until an unknown visitor is looked up again: then after as long as it has waited already
DAYS_SHOWN = 7  # that the count of a day stays an open question

# The newest statement counts. One that contradicts an earlier one speaks of another person at the same browser and replaces it whole.
LEARN = """
INSERT INTO integrations_visitoridentity AS v (connection_id, anonymous_id, email, phone, customer_id, seen_at)
SELECT %(connection)s, a, e, p, c, t
FROM unnest(%(visitors)s::text[], %(emails)s::text[], %(phones)s::text[], %(customers)s::text[], %(times)s::timestamptz[])
     AS n(a, e, p, c, t)
ORDER BY a COLLATE "C"
ON CONFLICT (connection_id, anonymous_id) DO UPDATE SET
  email = CASE WHEN {other} THEN excluded.email ELSE COALESCE(NULLIF(excluded.email, ''), v.email) END,
  phone = CASE WHEN {other} THEN excluded.phone ELSE COALESCE(NULLIF(excluded.phone, ''), v.phone) END,
  customer_id = CASE WHEN {other} THEN excluded.customer_id ELSE COALESCE(NULLIF(excluded.customer_id, ''), v.customer_id) END,
  seen_at = excluded.seen_at
WHERE excluded.seen_at >= v.seen_at
""".replace(
    "{other}",
    "(excluded.email <> '' AND v.email <> '' AND excluded.email <> v.email"
    " OR excluded.customer_id <> '' AND v.customer_id <> '' AND excluded.customer_id <> v.customer_id)",
)

# Rows in other hands are passed over: who holds one looks again soon.
RELEASE = """
WITH waiting AS MATERIALIZED (
  SELECT d.id FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
  WHERE f.source_id = %(connection)s AND d.parent_key = ANY(%(visitors)s) AND d.state = 'ready' AND d.last_code = %(code)s
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d SKIP LOCKED)
UPDATE integrations_delivery d SET due_at = now(), updated_at = now() FROM waiting WHERE d.id = waiting.id RETURNING d.flow_id
"""


def learn(connection: Connection, records: Iterable[Record]) -> int:
    """Keep what visitors said of themselves and let go what waited for it; call inside the transaction that stores the records.

    Returns how many deliveries were let go.
    """
    told: dict[str, Event | Checkout] = {}
    said = [record for record in records if isinstance(record, Event | Checkout) and record.visitor and _has_name(record.customer)]
    plain = without_erased(connection.pk, [record for record in unmasked(connection.platform, said) if _has_name(record.customer)])
    for record in sorted(plain, key=lambda record: record.occurred_at):
        if is_anonymous(record):
            continue
        told[record.visitor] = _joined(record, told.get(record.visitor))
    if not told:
        return 0
    people = [record.customer for record in told.values()]
    with database.cursor() as cursor:
        cursor.execute(LEARN, {
            "connection": connection.pk, "visitors": text_array(told), "emails": text_array(who.email.strip().lower() for who in people),
            "phones": text_array(who.phone for who in people), "customers": text_array(who.key for who in people),
            "times": [record.occurred_at for record in told.values()],
        })  # fmt: skip
        cursor.execute(RELEASE, {"connection": connection.pk, "visitors": list(told), "code": WAITS})
        flows = [flow_id for (flow_id,) in cursor.fetchall()]
    for flow_id in set(flows):
        wake_flow(flow_id)
    return len(flows)


def named(flow: Flow, rows: list[Row], batch: Prepared) -> list[Row]:
    """The rows whose person is known, with that person; the others wait for a name, and are skipped as orphans when their time is over."""
    unknown = {record.visitor for _, record in rows if _asks(record)}
    if not unknown:
        return rows
    found = VisitorIdentity.objects.filter(connection=flow.source_id, anonymous_id__in=unknown)
    people = {who.anonymous_id: CustomerRef(key=who.customer_id, email=who.email, phone=who.phone) for who in found}
    ready: list[Row] = []
    for row, record in rows:
        if not _asks(record):
            ready.append((row, record))
        elif record.visitor in people:
            ready.append((row, replace(record, customer=people[record.visitor])))
        else:
            _wait(flow, row, batch)
    return ready


def count_orphans(flow: Flow, results: Sequence[Result]) -> None:
    """Count orphans among results once they are stored: one exception per connection and day."""
    orphans = sum(result.code == ORPHAN for result in results)
    if orphans:
        transaction.on_commit(lambda: _raise(flow.source, orphans))  # the connection's row is locked after the deliveries', never before


def _raise(source: Connection, orphans: int) -> None:
    today = timezone.localdate()
    exceptions.raise_for_connection(
        source, KIND, today.isoformat(), f"{source.name}: visitors of {today:%-d %B %Y} stayed unknown", count=orphans,
        detail="Events whose visitor gave no name in time. They are among the deliveries as skipped, with the reason “orphan”.",
    )  # fmt: skip
    past = (today - timedelta(days=DAYS_SHOWN)).isoformat()
    SyncException.objects.filter(connection=source, flow=None, kind=KIND, state=SyncException.State.OPEN, subject__lt=past).update(
        state=SyncException.State.RESOLVED, resolved_at=timezone.now(), note=f"Closed by itself after {DAYS_SHOWN} days; the count stays."
    )


def _joined(newer: Event | Checkout, older: Event | Checkout | None) -> Event | Checkout:
    """The newer statement with what only the older one of the same batch says, unless they speak of different people."""
    if older is None:
        return newer
    said, before = newer.customer, older.customer
    if (said.email and before.email and said.email != before.email) or (said.key and before.key and said.key != before.key):
        return newer
    who = replace(said, key=said.key or before.key, email=said.email or before.email, phone=said.phone or before.phone)
    return replace(newer, customer=who)


def _has_name(who: CustomerRef) -> bool:
    return bool(who.key or who.email or who.phone)


def _asks(record: Record) -> bool:
    return isinstance(record, Event | Checkout) and bool(record.visitor) and not _has_name(record.customer)


def _wait(flow: Flow, row: Claimed, batch: Prepared) -> None:
    patience = float(flow.source.settings.get("orphan_after_hours") or ORPHAN_AFTER_HOURS) * 3600
    waited = (timezone.now() - row.ready_since).total_seconds()
    if waited < patience:
        delay = min(patience - waited, max(FIRST_LOOK, waited))
        message = "Waits until its visitor gives a name."
        batch.settle(row, Delivery.State.READY, "", delay=delay, refund=1, code=WAITS, message=message)
    else:
        message = f"Nobody knows whose it is: its visitor gave no name within {patience / 3600:g} hours."
        batch.settle(row, Delivery.State.SKIPPED, Attempt.Outcome.SKIPPED, code=ORPHAN, message=message)
