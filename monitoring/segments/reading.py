"""Reading the segments of a connection: once an hour and when somebody asks; each watched one is measured, judged and kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine import accounts, circuit
from integrations.engine.outbox import backoff
from integrations.models import Connection
from integrations.platforms.base import Lane
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown
from integrations.platforms.ometria.lists import READY, ListState, all_lists, find_list
from monitoring.models import Segment, SegmentFlip, SegmentReading, SegmentSource
from monitoring.models.segments import SegmentRows
from monitoring.segments import causes, facts
from monitoring.segments.verdict import USUAL_DAYS, Seen, usual_size, verdict

log = structlog.get_logger(__name__)
PLATFORM = "ometria"
EVERY = 60.0  # minutes, unless the connection's settings say otherwise
LEASE = timedelta(minutes=2)
SECONDS = 40.0  # one task works at most so long
CATCH_UP = 20.0  # seconds that a reading spends on the facts before it counts
SPANS = {"last": timedelta(), "day": timedelta(days=1), "week": timedelta(days=7)}  # what a segment is compared with
SPARK_DAYS, SPARK_POINTS = 14, 28


def sources() -> list[SegmentSource]:
    """The connections whose platform has segments."""
    rows = {row.pk: row for row in SegmentSource.objects.select_related("connection")}
    for connection in Connection.objects.filter(platform=PLATFORM).exclude(pk__in=rows):
        made, _ = SegmentSource.objects.get_or_create(connection=connection, defaults={"due_at": timezone.now()})
        rows[connection.pk] = made
    return list(rows.values())


def ask(connection_id: int) -> None:
    """A person wants to know now: a worker reads at once, and the page shows how far it is."""
    now = timezone.now()
    SegmentSource.objects.update_or_create(connection_id=connection_id, defaults={"asked_at": now, "due_at": now, "error": ""})
    async_task("monitoring.segments.tasks.read_segments", connection_id)


def due() -> list[int]:
    """Connections whose segments are to be read now."""
    now = timezone.now()
    return [
        row.pk for row in sources()
        if row.due_at <= now and (row.lease_until is None or row.lease_until < now) and circuit.may_call(row.connection)
    ]  # fmt: skip


def read(connection_id: int, seconds: float = SECONDS) -> bool:
    """List, measure and judge, or go on with what another task began; False when another worker does it or the platform does not answer.

    Safe to run twice and after a kill: what is left is every watched segment without a reading of the moment of the list.
    """
    source = _take(connection_id)
    if source is None:
        return False
    asked = source.asked_at is not None and (source.read_at is None or source.asked_at > source.read_at)
    if (asked or not _pending(source)) and not _list(source):
        return False
    left = _measure_all(source, time.monotonic() + seconds)
    due_at = timezone.now() if left else source.read_at + _every(source.connection)
    SegmentSource.objects.filter(pk=source.pk).update(due_at=due_at, lease_until=None, done=source.done if left else F("total"))
    if left:
        async_task("monitoring.segments.tasks.read_segments", connection_id)
        return True
    before = source.asked_at
    source.refresh_from_db(fields=["asked_at"])
    if source.asked_at != before:  # somebody asked meanwhile, perhaps because of a rule that was just changed
        ask(connection_id)
    return True


def _list(source: SegmentSource) -> bool:
    """Ask the platform for its segments and keep what it says; False when it does not answer."""
    client = None
    try:
        with accounts.remediable():
            client = accounts.client_for(source.connection, lane=Lane.BULK)
            states = {state.id: state for state in all_lists(client)}
            watched = Segment.objects.filter(connection=source.pk, watched=True)
            for segment in watched.exclude(list_id__in=states):  # a page may be missing: each is asked for before it is called gone
                state = find_list(client, segment.list_id)
                states |= {state.id: state} if state else {}
    except PlatformError as fault:
        _postpone(source, fault, client)
        return False
    circuit.answered(source.connection)
    source.read_at = timezone.now()
    _note(source.pk, states, source.read_at)
    facts.catch_up(CATCH_UP)
    source.done, source.total = 0, watched.count()
    SegmentSource.objects.filter(pk=source.pk).update(read_at=source.read_at, faults=0, error="", done=0, total=source.total)
    log.info("segments read", connection=source.pk, lists=len(states), watched=source.total)
    return True


def _pending(source: SegmentSource) -> QuerySet[Segment]:
    """Watched segments that the list was read for and that are not measured yet."""
    if source.read_at is None:
        return Segment.objects.none()
    measured = SegmentReading.objects.filter(segment=OuterRef("pk"), at=source.read_at)
    watched = Segment.objects.filter(connection=source.pk, watched=True, read_at=source.read_at)
    return watched.exclude(Exists(measured)).select_related("connection").order_by("pk")


def _every(connection: Connection) -> timedelta:
    return timedelta(minutes=max(1.0, float(connection.settings.get("segment_minutes") or EVERY)))


def _take(connection_id: int) -> SegmentSource | None:
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    if not SegmentSource.objects.filter(free, pk=connection_id).update(lease_until=now + LEASE):
        return None
    return SegmentSource.objects.select_related("connection").get(pk=connection_id)


def _postpone(source: SegmentSource, fault: PlatformError, client: Any) -> None:
    """Try again when the platform wants it, and tell the page why there is nothing new."""
    delay = fault.seconds if isinstance(fault, SlowDown) else max(60.0, backoff(source.faults + 1))
    if isinstance(fault, Reconnect):
        delay = 1.0 if accounts.renewed(source.connection, fault, client) else 60.0
    elif not isinstance(fault, SlowDown):
        circuit.failed(source.connection, str(fault))
    SegmentSource.objects.filter(pk=source.pk).update(
        due_at=timezone.now() + timedelta(seconds=delay), lease_until=None, error="" if isinstance(fault, SlowDown) else str(fault)[:500],
        faults=source.faults + (not isinstance(fault, SlowDown)),
    )  # fmt: skip


def _note(connection_id: int, states: Mapping[str, ListState], now: datetime) -> None:
    """Keep what was listed; what is gone stays when it is watched, and goes when nobody watches it."""
    rows = [
        Segment(
            connection_id=connection_id, list_id=state.id[:100], title=state.title[:300], kind=state.kind[:30], status=state.status[:30],
            size=state.size, refreshed_at=state.refreshed_at, present=True, read_at=now,
        )
        for state in states.values()
    ]  # fmt: skip
    with transaction.atomic():
        Segment.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["connection", "list_id"],
            update_fields=["title", "kind", "status", "size", "refreshed_at", "present", "read_at"],
        )  # fmt: skip
        gone = Segment.objects.filter(connection=connection_id).exclude(list_id__in=states)
        gone.filter(watched=False, readings=None).delete()
        gone.update(present=False, size=None, status="", read_at=now)


def _measure_all(source: SegmentSource, until: float) -> bool:
    """Measure one after the other; True when time ran out before all were."""
    for segment in _pending(source):
        if time.monotonic() > until:
            return True
        measure(segment, source.read_at)
        source.done += 1
        SegmentSource.objects.filter(pk=source.pk).update(done=source.done, lease_until=timezone.now() + LEASE)
    return False


def measure(segment: Segment, now: datetime) -> None:
    """Compare one segment with its past and with our own records; store the reading, and the flip when the answer changed."""
    past = SegmentReading.objects.filter(segment=segment, at__lt=now)
    recent = past.filter(at__gte=now - timedelta(days=USUAL_DAYS), size__isnull=False)
    segment.usual = usual_size(list(recent.values_list("size", flat=True)))
    kept: list[SegmentRows] = []
    _count(segment, now, kept)
    answer, reasons = verdict(_seen(segment, now))
    flip = answer != segment.answer
    if flip:
        SegmentFlip.objects.create(segment=segment, at=now, before=segment.answer, after=answer, reason=" ".join(reasons))
        segment.answered_at = now
    segment.answer, segment.reasons = answer, reasons
    SegmentReading.objects.update_or_create(
        segment=segment, at=now,
        defaults={"size": segment.size, "status": segment.status, "refreshed_at": segment.refreshed_at, "expected": segment.expected,
                  "answer": answer},
    )  # fmt: skip
    segment.changed = _changed(segment, now, kept)
    segment.spark = _spark(segment, now)
    with transaction.atomic():
        segment.save(update_fields=["usual", "expected", "expected_at", "missing", "answer", "reasons", "answered_at", "changed", "spark"])
        SegmentRows.objects.filter(segment=segment).delete()
        SegmentRows.objects.bulk_create(kept)


def _count(segment: Segment, now: datetime, kept: list[SegmentRows]) -> None:
    """Who should be in it by our own records, and why some may not be; nothing until the facts were complete once."""
    scope = causes.scope_of(segment, now)
    segment.expected, segment.expected_at, segment.missing = None, None, {}
    if scope is None or not facts.filled().complete:
        return
    began = time.monotonic()
    segment.expected, segment.expected_at = causes.expected_size(scope), now
    for name, cause in causes.MISSING.items():
        rows = cause.rows(scope)
        found = causes.tally(rows)
        if found.rows:
            asked = causes.questions(rows) if name in ("held", "contact_failed") else []
            segment.missing[name] = {"people": found.people, "rows": found.rows, "questions": asked}
            kept.append(SegmentRows(segment=segment, cause=name, deliveries=causes.newest(rows)))
    log.info("segment counted", segment=segment.pk, ms=round((time.monotonic() - began) * 1000))


def _seen(segment: Segment, now: datetime) -> Seen:
    return Seen(
        now=now, present=segment.present, ready=segment.status.upper() == READY, status=segment.status, size=segment.size,
        refreshed_at=segment.refreshed_at, usual=segment.usual, expected=segment.expected, median_percent=segment.median_percent,
        drift_percent=segment.drift_percent, stale_days=segment.stale_days,
    )  # fmt: skip


def _changed(segment: Segment, now: datetime, kept: list[SegmentRows]) -> dict[str, Any]:
    """Per span: the reading that the segment is compared with, and what our records say happened since."""
    found: dict[str, Any] = {}
    past = SegmentReading.objects.filter(segment=segment, at__lt=now).order_by("-at")
    for name, length in SPANS.items():
        before = past.filter(at__lte=now - length).first()
        if before is None or before.at.isoformat() in [entry["since"] for entry in found.values()]:
            continue
        entry: dict[str, Any] = {"since": before.at.isoformat(), "size": before.size, "expected": before.expected, "causes": {}}
        scope = causes.scope_of(segment, now, before.at) if segment.expected is not None else None
        for slug, cause in causes.CHANGED.items() if scope else ():
            rows = cause.rows(scope)
            tally = causes.tally(rows)
            if tally.rows:
                entry["causes"][slug] = {"people": tally.people, "rows": tally.rows}
                kept.append(SegmentRows(segment=segment, cause=slug, since=before.at, deliveries=causes.newest(rows)))
        found[name] = entry
    return found


def _spark(segment: Segment, now: datetime) -> list[int]:
    """The sizes of the last days, thinned out evenly."""
    rows = SegmentReading.objects.filter(segment=segment, at__gte=now - timedelta(days=SPARK_DAYS), size__isnull=False)
    return thinned(list(rows.order_by("at").values_list("size", flat=True)), SPARK_POINTS)


def thinned(values: Iterable[Any], most: int) -> list[Any]:
    """At most so many of the values, evenly spread, with the first and the last."""
    given = list(values)
    if len(given) <= most:
        return given
    return [given[round(place * (len(given) - 1) / (most - 1))] for place in range(most)]
