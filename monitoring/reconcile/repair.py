"""Repairing drifts: read again from the source, send again, and look whether it helped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.utils import timezone
from django_q.tasks import async_task

from integrations.access import scope_of
from integrations.engine import circuit
from integrations.engine.fetch import fetch_records
from integrations.engine.replay import replay
from integrations.models import Delivery, Flow
from integrations.platforms.base import Lane
from integrations.platforms.errors import PlatformError
from monitoring.models import Drift
from monitoring.reconcile import drifts
from monitoring.reconcile.causes import CAUSES, REPAIRABLE, Repair
from monitoring.reconcile.ends import EndFault, Ends
from monitoring.reconcile.steps import look_again

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

log = structlog.get_logger(__name__)
REPAIR = "integrations.change_delivery"
PULL_TASK = "monitoring.reconcile.tasks.pull_drifts"
CHUNK = 50  # keys that one task reads again
LOOKS = 20  # repaired drifts looked at each minute
SETTLED = (Delivery.State.DELIVERED, Delivery.State.BLOCKED, Delivery.State.SKIPPED)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair began: records read again, records sent again, and those it could do nothing about."""

    pulled: int = 0
    resent: int = 0
    left: int = 0

    @property
    def done(self) -> int:
        """How many are being repaired."""
        return self.pulled + self.resent

    def __add__(self, other: Repaired) -> Repaired:
        return Repaired(self.pulled + other.pulled, self.resent + other.resent, self.left + other.left)


def repairable(user: User, rows: QuerySet[Drift]) -> QuerySet[Drift]:
    """Those of the drifts that this person may repair and that a repair can do something about."""
    if not user.has_perm(REPAIR):
        return rows.none()
    rows = rows.filter(state__in=drifts.STANDING, cause__in=REPAIRABLE)
    scope = scope_of(user)
    return rows if scope is None else rows.filter(flow__record_type__in=scope.record_types)


def may_repair(user: User, drift: Drift) -> bool:
    """Whether this person may repair drifts of this record type."""
    scope = scope_of(user)
    return user.has_perm(REPAIR) and (scope is None or drift.flow.record_type in scope.record_types)


def repair(rows: Sequence[Drift], by: User) -> Repaired:
    """Begin to repair these drifts: what is resent goes out now, what must be read again is read by a worker."""
    parts: dict[Repair, list[Drift]] = defaultdict(list)
    for row in rows:
        parts[CAUSES[row.cause].repair].append(row)
    total = Repaired()
    for kind, part in parts.items():
        total += ACTS[kind](part, by) if kind in ACTS else Repaired(left=len(part))
    return total


def _resend(rows: list[Drift], by: User) -> Repaired:
    known = {row.delivery_id: row for row in rows if row.delivery_id is not None}
    deliveries = Delivery.objects.filter(pk__in=list(known)).exclude(state__in=[Delivery.State.SENDING, Delivery.State.ACCEPTED])
    ids = list(deliveries.values_list("pk", flat=True))
    resent = replay(ids, by) if ids else 0
    _note([known[pk] for pk in ids], by, "Sent again")
    return Repaired(resent=resent, left=len(rows) - resent)


def _pull(rows: list[Drift], by: User) -> Repaired:
    _note(rows, by, "Read again from the source")
    groups: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        groups[row.flow_id].append(row.pk)
    for flow_id, keys in groups.items():
        for start in range(0, len(keys), CHUNK):
            async_task(PULL_TASK, flow_id, keys[start : start + CHUNK])
    return Repaired(pulled=len(rows))


ACTS: dict[Repair, Callable[[list[Drift], User], Repaired]] = {Repair.RESEND: _resend, Repair.PULL: _pull}


def _note(rows: list[Drift], by: User, text: str) -> None:
    """Mark the rows as being repaired, and write into each one's log who asked for it."""
    if not rows:
        return
    drifts.asked([row.pk for row in rows], by.pk)
    LogEntry.objects.log_actions(by.pk, rows, CHANGE, text)


def pull_drifts(flow_id: int, keys: Sequence[int]) -> int:
    """Worker's part: read the records of these drifts from the source again; returns how many records changed.

    When the source does not answer the drifts stay as being repaired, and the minute's look tries once more.
    """
    flow = Flow.objects.select_related("source", "destination").get(pk=flow_id)
    rows = list(Drift.objects.filter(pk__in=list(keys), state=Drift.State.REPAIRING))
    if not rows or not circuit.may_call(flow.source):
        return 0
    names = {row.pull_key or row.record_key for row in rows}
    try:
        found = fetch_records(flow.source, Ends(flow).reader, sorted(names), lane=Lane.STANDARD)
    except PlatformError as fault:
        Drift.objects.filter(pk__in=[row.pk for row in rows]).update(note=f"The source did not give it: {fault}"[:500])
        return 0
    if found.found < found.asked:
        log.info("source gave less than was asked for", flow=flow_id, asked=found.asked, found=found.found)
    return found.changed


def check_repairs() -> int:
    """Every minute: drifts whose repair has settled are looked at again, and closed when they are healed; returns how many were."""
    rows = Drift.objects.filter(state=Drift.State.REPAIRING).select_related("flow__source", "flow__destination", "delivery")
    closed = 0
    for row in rows.order_by("asked_at", "pk")[:LOOKS]:
        closed += _check(row)
    return closed


def _check(row: Drift) -> int:
    delivery = row.delivery or Delivery.objects.filter(flow=row.flow_id, record_key=row.record_key).first()
    if delivery is None or delivery.state not in SETTLED:
        return _pull_once_more(row) if delivery is None else 0
    if not circuit.may_call(row.flow.destination):
        return 0
    try:
        verdict = look_again(Ends(row.flow, lane=Lane.STANDARD), row)
    except EndFault as fault:
        log.info("repair not looked at yet", drift=row.pk, fault=type(fault.fault).__name__)
        return 0
    return drifts.record(row.flow, None, [verdict], of_consent=row.aspect == drifts.CONSENT).closed if verdict else 0


def _pull_once_more(row: Drift) -> int:
    """The record is not here yet: its source is asked again now and then, and after a while the drift is open again."""
    age = timezone.now() - (row.asked_at or timezone.now())
    if age > timedelta(minutes=10):
        row.note = row.note or "It was read again, and the source did not give it."
        Drift.objects.filter(pk=row.pk).update(state=Drift.State.OPEN, note=row.note)
    elif age > drifts.PATIENCE:
        async_task(PULL_TASK, row.flow_id, [row.pk])
    return 0
