"""Exceptions: raise one question for all that wait for the same answer, and let go what was answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.db import connection as database
from django.db import transaction
from django.db.models import Case, F, Max, When
from django.utils import timezone

from integrations.engine.catalogue import known_skus
from integrations.engine.wake import wake_flow
from integrations.models import Connection, Delivery, ExceptionComment, Flow, Hold, SyncException
from integrations.models.kinds import KINDS
from mapping.gate import opened_by
from mapping.models import MappingVersion, SkuCrosswalk, ValueCrosswalk

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
RELEASE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Question:
    """What one delivery waits for."""

    kind: str
    subject: str
    title: str
    detail: str = ""


# A question that was settled before comes back linked to its former row, and to whoever looked after it.
RAISE = """
INSERT INTO integrations_syncexception AS e (flow_id, kind, subject, title, detail, state, occurrences, first_seen, last_seen, note,
  former_id, returned, assignee_id)
SELECT %(flow)s, k, s, t, d, 'open', n, now(), now(), '', f.id, COALESCE(f.returned + 1, 0), f.assignee_id
FROM unnest(%(kinds)s::text[], %(subjects)s::text[], %(titles)s::text[], %(details)s::text[], %(counts)s::int[]) AS q(k, s, t, d, n)
LEFT JOIN LATERAL (
  SELECT o.id, o.returned, o.assignee_id FROM integrations_syncexception o
  WHERE o.flow_id = %(flow)s AND o.kind = q.k AND o.subject = q.s AND o.state <> 'open' ORDER BY o.id DESC LIMIT 1) f ON true
ORDER BY k COLLATE "C", s COLLATE "C"
ON CONFLICT (flow_id, kind, subject) WHERE state = 'open' AND flow_id IS NOT NULL
DO UPDATE SET occurrences = e.occurrences + excluded.occurrences, last_seen = now(), detail = excluded.detail, weighed_at = NULL,
  snoozed_until = CASE WHEN e.occurrences + excluded.occurrences >= e.snooze_limit THEN NULL ELSE e.snoozed_until END
RETURNING id, kind, subject
"""


def raise_questions(flow: Flow, asked: Sequence[tuple[int, Sequence[Question]]]) -> None:
    """Hang each delivery id on its questions, one exception per question; call inside the transaction that blocks the deliveries."""
    waiting: dict[tuple[str, str], list[int]] = defaultdict(list)
    texts: dict[tuple[str, str], Question] = {}
    for delivery_id, questions in asked:
        for question in questions:
            key = (question.kind, question.subject[:200])
            waiting[key].append(delivery_id)
            texts[key] = question
    if not waiting:
        return
    keys = list(waiting)
    with database.cursor() as cursor:
        cursor.execute(
            RAISE,
            {
                "flow": flow.pk,
                "kinds": [kind for kind, _ in keys],
                "subjects": [subject for _, subject in keys],
                "titles": [texts[key].title[:300] for key in keys],
                "details": [texts[key].detail for key in keys],
                "counts": [len(waiting[key]) for key in keys],
            },
        )
        ids = {(kind, subject): pk for pk, kind, subject in cursor.fetchall()}
    Hold.objects.bulk_create(
        [Hold(exception_id=ids[key], delivery_id=delivery_id) for key, members in waiting.items() for delivery_id in members],
        ignore_conflicts=True,
    )


def raise_for_connection(connection: Connection, kind: str, subject: str, title: str, *, detail: str = "", count: int = 1) -> SyncException:
    """Ask one question about a connection as a whole; asking again only counts, `count` at a time."""
    same = SyncException.objects.filter(connection=connection, flow=None, kind=kind, subject=subject[:200])
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        row = same.filter(state=SyncException.State.OPEN).first()
        if row is not None:
            wakes = Case(When(snooze_limit__lte=F("occurrences") + count, then=None), default=F("snoozed_until"))
            seen = {"occurrences": F("occurrences") + count, "last_seen": timezone.now(), "detail": detail or row.detail}
            SyncException.objects.filter(pk=row.pk).update(snoozed_until=wakes, **seen)
            return row
        former = same.order_by("-pk").first()
        return SyncException.objects.create(
            connection=connection, kind=kind, subject=subject[:200], title=title[:300], detail=detail, occurrences=count, former=former,
            returned=former.returned + 1 if former else 0, assignee=former.assignee if former else None,
        )  # fmt: skip


def close_for_connection(connection: Connection, kind: str) -> int:
    """The cause is gone: resolve the connection's open questions of this kind."""
    return SyncException.objects.filter(connection=connection, flow=None, kind=kind, state=SyncException.State.OPEN).update(
        state=SyncException.State.RESOLVED, resolved_at=timezone.now(), note="Closed by itself: the cause is gone."
    )


def release_exceptions(ids: Iterable[int], by: User | None) -> int:
    """Let go everything that waits for these exceptions; returns how many deliveries became ready. Questions close when nothing waits."""
    released = 0
    for exception in SyncException.objects.filter(pk__in=list(ids)).select_related("flow").order_by("pk"):
        released += _release_one(exception)
        if exception.flow is None:
            _finish(SyncException.objects.filter(pk=exception.pk, state=SyncException.State.OPEN), by, "")
        else:
            wake_flow(exception.flow_id)
    log.info("exceptions released", by=by.pk if by else None, deliveries=released)
    return released


# The rows are locked by a statement of its own: only the next one sees what another answer to the same deliveries has taken away.
LOCK = """
SELECT d.id FROM integrations_delivery d WHERE d.id IN (
  SELECT h.delivery_id FROM integrations_hold h WHERE h.exception_id = %(exception)s ORDER BY h.id LIMIT %(limit)s)
ORDER BY d.record_key COLLATE "C" FOR UPDATE
"""
RELEASE = """
WITH gone AS (DELETE FROM integrations_hold WHERE exception_id = %(exception)s AND delivery_id = ANY(%(deliveries)s) RETURNING delivery_id),
free AS MATERIALIZED (SELECT d.id FROM integrations_delivery d JOIN gone ON gone.delivery_id = d.id
    WHERE d.state = 'blocked' AND NOT EXISTS (
        SELECT 1 FROM integrations_hold other WHERE other.delivery_id = d.id AND other.exception_id <> %(exception)s)
    ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET state = 'ready', due_at = now(), ready_since = now(), attempts = 0, manual = true,
  issues = '[]', updated_at = now()
FROM free WHERE d.id = free.id
"""
GONE = "SELECT EXISTS (SELECT 1 FROM integrations_hold WHERE exception_id = %s)"


def _release_one(exception: SyncException) -> int:
    released = 0
    while True:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(LOCK, {"exception": exception.pk, "limit": RELEASE_BATCH})
            deliveries = [delivery_id for (delivery_id,) in cursor.fetchall()]
            cursor.execute(RELEASE, {"exception": exception.pk, "deliveries": deliveries})
            released += cursor.rowcount
            cursor.execute(GONE, [exception.pk])
            if not cursor.fetchone()[0]:
                return released


def resolve_exceptions(ids: Iterable[int], by: User | None, note: str = "") -> int:
    """Answered by a person: close the questions and let everything go; who asks the same from now on opens a new question."""
    ids = list(ids)
    _finish(SyncException.objects.filter(pk__in=ids, state=SyncException.State.OPEN), by, note)
    return release_exceptions(ids, by)


def ignore_exceptions(ids: Iterable[int], by: User | None, note: str) -> int:
    """A person decided that these will not be sent: what waits only for them is skipped; returns the number of deliveries skipped."""
    skipped = 0
    for exception in SyncException.objects.filter(pk__in=list(ids)).order_by("pk"):
        with transaction.atomic():
            ignored = SyncException.objects.filter(pk=exception.pk, state=SyncException.State.OPEN).update(
                state=SyncException.State.IGNORED, resolved_by=by, resolved_at=timezone.now(), note=note[:500]
            )
            skipped += _skip(exception, note) if ignored else 0
    return skipped


def _skip(exception: SyncException, note: str) -> int:
    """Only held rows are touched: one that is on its way meanwhile drops its holds when its outcome is stored."""
    blocked = Delivery.objects.filter(holds__exception=exception, state=Delivery.State.BLOCKED)
    waiting = list(blocked.select_for_update(of=("self",)).order_by("record_key").values_list("pk", flat=True))
    Hold.objects.filter(exception=exception, delivery_id__in=waiting).delete()
    return Delivery.objects.filter(pk__in=waiting, state=Delivery.State.BLOCKED, holds=None).update(
        state=Delivery.State.SKIPPED, last_code=ignored_code(exception.pk), last_message=f"Ignored: {note}"[:500], updated_at=timezone.now()
    )


def ignored_code(exception_id: int) -> str:
    """What a delivery carries that was skipped because this question is ignored; by it the decision is taken back."""
    return f"ignored:{exception_id}"


def _finish(rows: object, by: User | None, note: str) -> int:
    return rows.update(state=SyncException.State.RESOLVED, resolved_by=by, resolved_at=timezone.now(), note=note[:500])


def comment(exception: SyncException, by: User | None, text: str) -> ExceptionComment:
    """Write something beside a question."""
    return ExceptionComment.objects.create(exception=exception, author=by, text=text)


def close_empty() -> int:
    """Resolve open questions of flows for which nothing waits any more: a later run succeeded or a newer version replaced what waited.

    They are locked before they are looked at again, so that one that is being asked in this moment stays open.
    """
    empty = SyncException.objects.filter(flow__isnull=False, state=SyncException.State.OPEN, holds=None)
    with transaction.atomic():
        ids = list(empty.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        return empty.filter(pk__in=ids).update(
            state=SyncException.State.RESOLVED, resolved_at=timezone.now(), note="Closed by itself: nothing waits for it any more."
        )


def release_answered() -> int:
    """The minute sweep: let go what waits for a row or a rule that exists by now; returns deliveries released."""
    released = 0
    open_rows = SyncException.objects.filter(
        state=SyncException.State.OPEN, flow__isnull=False, kind__in=[kind.slug for kind in KINDS.values() if kind.answerable]
    ).select_related("flow")
    by_flow: dict[int, list[SyncException]] = defaultdict(list)
    for row in open_rows.iterator(chunk_size=2000):
        by_flow[row.flow_id].append(row)
    for rows in by_flow.values():
        answered = _answered(rows[0].flow, rows)
        if answered:
            released += release_exceptions(answered, None)
    close_empty()
    return released


def _answered(flow: Flow, rows: Sequence[SyncException]) -> list[int]:
    """Ids of the exceptions that a crosswalk row, the flow's settings, or a mapping published after they were last seen answers now."""
    published = MappingVersion.objects.filter(flow=flow, state=MappingVersion.State.PUBLISHED).aggregate(at=Max("published_at"))["at"]
    skus = {row.subject for row in rows if row.kind == "unmapped_sku"}
    mapped = set(
        SkuCrosswalk.objects.filter(source=flow.source_id, destination=flow.destination_id, source_sku__in=skus).values_list(
            "source_sku", flat=True
        )
    )
    mapped |= set(known_skus(flow, skus - mapped).places)  # the product came after the order
    mapped |= {sku for sku in skus if opened_by(flow.settings, sku)}  # the flow's settings changed after it
    names = {row.subject.split(":", 1)[0] for row in rows if row.kind == "unmapped_value"}
    values = {f"{name}:{value}" for name, value in ValueCrosswalk.objects.filter(name__in=names).values_list("name", "source_value")}
    return [
        row.pk
        for row in rows
        if (row.kind == "unmapped_sku" and row.subject in mapped)
        or (row.kind == "unmapped_value" and row.subject in values)
        or (published is not None and published > row.last_seen)
    ]
