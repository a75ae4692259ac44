"""Questions that close by themselves because their cause is gone, for the kinds that no answer, later run or test call closes already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from operator import attrgetter
from typing import Any

import structlog
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from integrations.engine.exceptions import release_exceptions
from integrations.engine.links import parents
from integrations.engine.visitors import DAYS_SHOWN
from integrations.flows import spec_for
from integrations.models import Checkpoint, Delivery, Flow, Hold, InboxEvent, SyncException
from mapping import codec
from mapping.records import Record, RecordType

log = structlog.get_logger(__name__)
LOOKED_AT = 500  # questions of a kind per minute, those seen longest ago first
OVER = (Checkpoint.State.DONE, Checkpoint.State.CANCELLED)
WORKS = (Checkpoint.State.WAITING, Checkpoint.State.RUNNING, Checkpoint.State.PAUSED)


def _readable(rows: Iterable[SyncException]) -> list[int]:
    """No message that could not be read for this reason is left."""
    failed = InboxEvent.objects.filter(state=InboxEvent.State.FAILED)
    return [row.pk for row in rows if not failed.filter(connection=row.connection_id, error__startswith=row.subject).exists()]


def _pulled(rows: Iterable[SyncException]) -> list[int]:
    """The pull is over, works again, or is not there any more."""
    rows = [row for row in rows if row.subject.isdecimal()]
    known = {str(pull.pk): pull for pull in Checkpoint.objects.filter(pk__in=[row.subject for row in rows])}
    return [row.pk for row in rows if _works(known.get(row.subject))]


def _works(pull: Checkpoint | None) -> bool:
    return pull is None or pull.state in OVER or (pull.state in WORKS and not pull.faults and not pull.error)


def _past(rows: Iterable[SyncException]) -> list[int]:
    """The day is long over; its count stays."""
    first = (timezone.localdate() - timedelta(days=DAYS_SHOWN)).isoformat()
    return [row.pk for row in rows if row.subject < first]


def _linked(rows: Iterable[SyncException]) -> list[int]:
    """What the record belongs to has reached the destination."""
    by_flow: dict[Flow, list[SyncException]] = {}
    for row in rows:
        if row.flow is not None:
            by_flow.setdefault(row.flow, []).append(row)
    return [pk for flow, asked in by_flow.items() for pk in _linked_in(flow, asked)]


def _linked_in(flow: Flow, rows: Collection[SyncException]) -> list[int]:
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    waiting = Delivery.objects.filter(flow=flow, record_key__in=[row.subject for row in rows]).values_list("record_key", "record")
    records = {key: record for key, raw in waiting if (record := _record(flow, raw)) is not None}
    missing: set[str] = set()
    for record_type, path in spec.needs:
        keys = {key: attrgetter(path)(record) for key, record in records.items()}
        known = parents(flow, record_type, set(keys.values()))
        missing |= {key for key, parent in keys.items() if parent and not (parent in known and known[parent].settled)}
    return [row.pk for row in rows if row.subject in records and row.subject not in missing]


def _record(flow: Flow, raw: dict[str, Any]) -> Record | None:
    """None for one that this program cannot read any more; its delivery says so when it is tried."""
    try:
        return codec.from_json(flow.record_type, raw)
    except (KeyError, ValueError, TypeError):
        return None


def _with_profile(rows: Iterable[SyncException]) -> list[int]:
    """A contact that some event waits for was delivered after it was held."""
    came = Delivery.objects.filter(
        flow__source=OuterRef("delivery__flow__source"), flow__destination=OuterRef("delivery__flow__destination"),
        flow__record_type=RecordType.CUSTOMER, record_key=OuterRef("delivery__parent_key"), delivered_at__gt=OuterRef("since"),
    )  # fmt: skip
    holds = Hold.objects.filter(exception__in=[row.pk for row in rows]).exclude(delivery__parent_key="").filter(Exists(came))
    return list(holds.values_list("exception", flat=True).distinct())


CLOSERS: Mapping[str, Callable[[Iterable[SyncException]], list[int]]] = {
    "unparsable": _readable,
    "message_gap": _readable,
    "backfill_failed": _pulled,
    "orphaned_events": _past,
    "missing_link": _linked,
    "no_profile": _with_profile,
}


def close_gone() -> int:
    """Every minute: close the questions whose cause is gone and let go what waits for them; returns how many."""
    closed = 0
    for kind, gone in CLOSERS.items():
        ids = gone(list(_open(kind)[:LOOKED_AT]))
        if not ids:
            continue
        release_exceptions(ids, None)
        about_connections = SyncException.objects.filter(pk__in=ids, flow=None, state=SyncException.State.RESOLVED)
        about_connections.update(note="Closed by itself: the cause is gone.")
        closed += len(ids)
    if closed:
        log.info("questions closed by themselves", number=closed)
    return closed


def _open(kind: str) -> QuerySet[SyncException]:
    rows = SyncException.objects.filter(kind=kind, state=SyncException.State.OPEN)
    return rows.select_related("flow__source", "flow__destination").order_by(F("last_seen").asc())
