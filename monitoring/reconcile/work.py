"""The pump of comparisons: page after page with the cursor stored beside what was found, so that a kill costs one page."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine import accounts, circuit, turns
from integrations.engine.outbox import backoff
from integrations.models import Connection
from integrations.platforms.errors import Reconnect, SlowDown
from monitoring.models import Reconciliation, Seen
from monitoring.reconcile import drifts, steps, suspects
from monitoring.reconcile.ends import EndFault, Ends
from monitoring.reconcile.judge import Result
from monitoring.reconcile.runs import PUMP, forget_seen
from monitoring.reconcile.steps import STAGES, Step, Work, stages_of

log = structlog.get_logger(__name__)
State = Reconciliation.State
PUMP_SECONDS = 50
LEASE = timedelta(seconds=120)
LONGEST_NAP = 5.0
MAX_FAULTS = 8
AWAY = 60.0  # seconds until a connection that may not be called is looked at again
AGAIN = 0.05


def pump(seconds: float = PUMP_SECONDS) -> int:
    """Work at the comparison that is due for one task's time; returns the number of pages. The next task goes on."""
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        run = take()
        if run is None:
            return done
        try:
            pages, more = _drive(run, began, began + seconds)
        finally:
            Reconciliation.objects.filter(pk=run.pk).update(lease_until=None)
        done += pages
        if not more:
            async_task(PUMP)
            return done
    async_task(PUMP)
    return done


def take() -> Reconciliation | None:
    """The next due comparison under a fresh lease; one at a time, so that workers are left for what is live."""
    now = timezone.now()
    if Reconciliation.objects.filter(lease_until__gt=now).exists():
        return None
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    due = Reconciliation.objects.filter(free, state__in=[State.WAITING, State.RUNNING], due_at__lte=now).order_by("due_at")
    for pk in due.values_list("pk", flat=True)[:5]:
        if Reconciliation.objects.filter(free, pk=pk).update(lease_until=now + LEASE, started_at=Coalesce("started_at", now)):
            return Reconciliation.objects.select_related("flow__source", "flow__destination").get(pk=pk)
    return None


def _drive(run: Reconciliation, began: float, until: float) -> tuple[int, bool]:
    """Page after page; False as the second value when others need the worker."""
    work, pages = Work(run, Ends(run.flow)), 0
    while time.monotonic() < until:
        wait = _page(work)
        pages += 1
        run.refresh_from_db()
        if run.state != State.RUNNING or wait > min(LONGEST_NAP, max(until - time.monotonic(), 0)):
            return pages, True
        if not turns.nap(wait, began):
            return pages, False
    return pages, True


def _page(work: Work) -> float:
    """One page of the present stage; returns the seconds to wait for the next."""
    run = work.run
    for connection in (run.flow.source, run.flow.destination):
        connection.refresh_from_db()
        if not circuit.may_call(connection):
            return _later(run, AWAY, f"{connection.name} cannot be called at the moment", counts=False)
    try:
        step = STAGES[run.stage](work, run.cursor or None)
    except EndFault as fault:
        return _postpone(run, fault)
    except (OperationalError, InterfaceError):
        raise
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not make the same page fail for ever unseen
        log.error("comparison failed", run=run.pk, stage=run.stage, exc_info=fault)
        return _later(run, backoff(run.faults + 1), f"{type(fault).__name__}: {fault}")
    with transaction.atomic():
        _store(work, step)
    return step.resume_in


def _store(work: Work, step: Step) -> None:
    run = work.run
    if step.seen:
        steps.keep(step.seen)
    if step.met:
        Seen.objects.filter(run=run, side=steps.AT_DESTINATION, key__in=step.met).update(met=True)
    if step.lying:
        suspects.left_behind(run.flow, step.lying)
    kept = drifts.record(run.flow, run, step.verdicts, of_consent=step.of_consent) if step.verdicts else drifts.Kept()
    counts = {**step.counts, "closed": step.counts.get("closed", 0) + kept.closed}
    for result in Result:
        counts[result.value] = sum(verdict.result is result for verdict in step.verdicts if step.counted or verdict.finding)
    counts[Result.DRIFT.value] -= kept.let_be
    counts[Result.LEFT_OUT.value] += kept.let_be
    values = [verdict.finding.value for verdict in step.verdicts if verdict.finding and verdict.finding.value]
    changes = {name: F(name) + number for name, number in counts.items() if number}
    changes |= {"value": F("value") + sum(values, Decimal(0))} if values else {}
    if currency := next((verdict.finding.currency for verdict in step.verdicts if verdict.finding and verdict.finding.currency), ""):
        changes["currency"] = currency
    changes |= {"days": step.days} if step.days is not None else {}
    Reconciliation.objects.filter(pk=run.pk).update(**changes, **_onward(run, step))


def _onward(run: Reconciliation, step: Step) -> dict[str, object]:
    """Where the comparison goes on: the next page, the next stage, or its end."""
    now = timezone.now()
    onward: dict[str, object] = {
        "faults": 0, "error": "", "note": step.note[:300], "cursor": step.cursor or "", "lease_until": now + LEASE,
        "due_at": now + timedelta(seconds=step.resume_in), "total": step.total or run.total,
    }  # fmt: skip
    stages = stages_of(run)
    live = Reconciliation.objects.filter(pk=run.pk, state__in=[State.WAITING, State.RUNNING])  # a pause meanwhile stays a pause
    if step.cursor is not None:
        live.update(state=State.RUNNING)
        return onward
    following = stages.index(run.stage) + 1
    if following < len(stages):
        live.update(state=State.RUNNING)
        total = onward["total"] or (run.stored_count + len(step.seen) if run.stage == "destination" else None)
        return {**onward, "stage": stages[following], "total": total or None}
    live.update(state=State.DONE)
    forget_seen(run)
    log.info("compared", run=run.pk, flow=run.flow_id, level=run.level)
    return {**onward, "stage": "over", "finished_at": now, "note": ""}


def _postpone(run: Reconciliation, fault: EndFault) -> float:
    """Keep the cursor and read the same page later; one that fails again and again stops and says why."""
    reason = fault.fault
    if isinstance(reason, SlowDown):
        return _later(run, reason.seconds, str(reason), counts=False)
    if isinstance(reason, Reconnect):
        renewed = accounts.renewed(fault.connection, reason, fault.client)
        return _later(run, AGAIN if renewed else AWAY, str(reason), counts=False)
    circuit.failed(_fresh(fault.connection), str(reason))
    return _later(run, max(1.0, backoff(run.faults + 1)), f"{fault.connection.name}: {reason}")


def _fresh(connection: Connection) -> Connection:
    connection.refresh_from_db()
    return connection


def _later(run: Reconciliation, delay: float, reason: str, *, counts: bool = True) -> float:
    changes: dict[str, object] = {"due_at": timezone.now() + timedelta(seconds=delay), "error": reason[:500]}
    if counts:
        changes["faults"] = run.faults + 1
    if counts and run.faults + 1 >= MAX_FAULTS:
        changes |= {"state": State.FAILED, "finished_at": timezone.now()}
    Reconciliation.objects.filter(pk=run.pk, state__in=[State.WAITING, State.RUNNING]).update(**{"state": State.RUNNING, **changes})
    return delay
