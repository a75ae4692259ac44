"""Comparisons as people and the night start them: begin, pause, resume, cancel, how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from integrations.models import Flow
from mapping.records import RecordType
from monitoring.models import Reconciliation, Seen
from monitoring.reconcile import suspects
from monitoring.reconcile.ends import EndFault, Ends, comparable, comparable_flows
from monitoring.reconcile.steps import STAGE_WORDS, stages_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
State, Level, Basis = Reconciliation.State, Reconciliation.Level, Reconciliation.Basis
LIVE = (State.WAITING, State.RUNNING, State.PAUSED)
PUMP = "monitoring.reconcile.tasks.compare"
COUNTED_DAYS = 30
NIGHT_HOUR = 2  # of the console's time zone
GRACE = 1800  # seconds after which a push must be visible (Ometria Data API v2 notes, reconciliation)
LONGEST = timedelta(days=731)


class CannotCompare(ValueError):
    """A comparison that makes no sense; its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a comparison is; None where it cannot be known yet."""

    stage: str
    number: int
    stages: int
    read: int
    share: float | None
    per_second: float | None
    eta: datetime | None


def start(
    flow: Flow, since: datetime, until: datetime, *, basis: str = Basis.CHANGED, level: str = Level.RECORDS, by: User | None = None,
    nightly: bool = False, grace_seconds: int = GRACE,
) -> Reconciliation:  # fmt: skip
    """Begin a comparison; raises CannotCompare when both ends cannot be read, the window is wrong, or one is under way."""
    now = timezone.now()
    if not comparable(flow):
        raise CannotCompare("This flow cannot be compared: one of its ends cannot be read for that.")
    if since >= min(until, now):
        raise CannotCompare("The window must begin before it ends, and in the past.")
    if until - since > LONGEST:
        raise CannotCompare("The window is longer than two years. Compare it in parts.")
    if Reconciliation.objects.filter(flow=flow, state__in=LIVE, level=level).exists():
        raise CannotCompare("A comparison of this flow is under way already. Wait for it, or cancel it first.")
    run = Reconciliation(
        flow=flow, window_from=since, window_to=min(until, now), basis=basis if flow.record_type == RecordType.ORDER else Basis.CHANGED,
        level=level, nightly=nightly, requested_by=by, due_at=now, grace_seconds=grace_seconds,
    )  # fmt: skip
    run.stage = stages_of(run)[0]
    run.save()
    async_task(PUMP)
    return run


def start_nightly(now: datetime | None = None) -> list[Reconciliation]:
    """Every night: yesterday record by record for each flow, and the last thirty days of orders by counts."""
    midnight = timezone.make_aware(datetime.combine(timezone.localdate(now), time()))
    started = []
    for flow in comparable_flows():
        wanted = [(midnight - timedelta(days=1), Level.RECORDS)]
        if flow.record_type == RecordType.ORDER:
            wanted.append((midnight - timedelta(days=COUNTED_DAYS), Level.COUNTS))
        for since, level in wanted:
            if not Reconciliation.objects.filter(flow=flow, state__in=LIVE, level=level).exists():
                started.append(start(flow, since, midnight, level=level, nightly=True))
    return started


def start_nightly_once(now: datetime | None = None) -> int:
    """The night's comparisons and the search for duplicates, once a day from the chosen hour on; returns how many were started."""
    local = timezone.localtime(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if local.hour < settings.RECONCILE_HOUR or Reconciliation.objects.filter(nightly=True, created_at__gte=midnight).exists():
        return 0
    started = len(start_nightly(now))
    if started:
        suspects.find_all()
    return started


def pause(run: Reconciliation) -> bool:
    """Stop after the page that is being read; resuming goes on from there."""
    return _move(run, [State.WAITING, State.RUNNING], State.PAUSED)


def resume(run: Reconciliation) -> bool:
    """Go on where it stopped."""
    moved = _move(run, [State.PAUSED, State.FAILED], State.WAITING)
    if moved:
        Reconciliation.objects.filter(pk=run.pk).update(due_at=timezone.now(), faults=0, error="", finished_at=None)
        async_task(PUMP)
    return moved


def cancel(run: Reconciliation) -> bool:
    """End it for good; the drifts it found stay."""
    moved = _move(run, [*LIVE, State.FAILED], State.CANCELLED)
    if moved:
        Reconciliation.objects.filter(pk=run.pk).update(finished_at=timezone.now())
        forget_seen(run)
        _cancel_at_source(run)
    return moved


def _cancel_at_source(run: Reconciliation) -> None:
    """End what it started there; a platform that does not answer ends it by itself in time."""
    if run.basis != Basis.PLACED or run.stage != "source" or not run.cursor:
        return
    try:
        Ends(run.flow).cancel_source(run.cursor)
    except EndFault as fault:
        log.warning("comparison not cancelled at the source", run=run.pk, fault=type(fault.fault).__name__)


def forget_seen(run: Reconciliation) -> None:
    """What it read is no longer needed."""
    Seen.objects.filter(run=run)._raw_delete(Seen.objects.db)


def _move(run: Reconciliation, states: list[str], to: str) -> bool:
    moved = bool(Reconciliation.objects.filter(pk=run.pk, state__in=states).update(state=to))
    run.refresh_from_db()
    return moved


def progress(run: Reconciliation) -> Progress:
    """Stage, what was read, speed and expected end."""
    stages = stages_of(run)
    number = stages.index(run.stage) + 1 if run.stage in stages else len(stages)
    read = run.stored_count + run.people_count + run.source_count
    end = run.finished_at or timezone.now()
    seconds = (end - run.started_at).total_seconds() if run.started_at else 0.0
    speed = read / seconds if seconds > 1 and read else None
    if run.level == Level.COUNTS:
        total, done = run.total, len(run.days)
        share = min(1.0, done / total) if total else None
    else:
        total, done = (run.stored_count + run.people_count + run.total if run.total else None), read
        share = min(0.99, done / total) if total and run.stage in stages[stages.index("source") :] else None
    if run.state == State.DONE:
        share = 1.0
    running = run.state in (State.WAITING, State.RUNNING)
    left = (total - done) / speed if running and share is not None and total and speed and total > done else None
    eta = timezone.now() + timedelta(seconds=left) if left is not None else None
    return Progress(STAGE_WORDS.get(run.stage, run.stage), number, len(stages), read, share, speed, eta)
