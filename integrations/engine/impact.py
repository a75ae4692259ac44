"""Impact runs: what a draft would do to up to 100,000 past records, and sending again what a publication changed.

A run is walked by workers in steps. Each step's counts are stored together with the key it reached, and only while the run is still in
the worker's hands, so that a worker may be killed at any moment and no record is counted twice. An impact run writes nothing but itself.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine.findings import note_changes, note_reasons
from integrations.engine.preview import Trial, Tried, Verdict, trial, try_out
from integrations.engine.pull import Progress
from integrations.engine.wake import wake_flow
from integrations.models import Delivery, Flow, Hold, ImpactRun
from integrations.platforms.base import Lane
from mapping import versions
from mapping.exchange import rules_from_json, rules_to_json
from mapping.models import MappingVersion
from mapping.plans import compile_plan, plan_from_rules
from mapping.rules import BadRules

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
State, Purpose, Scope = ImpactRun.State, ImpactRun.Purpose, ImpactRun.Scope
MOST_RECORDS = 100_000
STEP_ROWS = 500
RUN_SECONDS = 50.0
LEASE = timedelta(seconds=60)
MOST_TRIES = 5  # at one step, then it is given up
KEPT = 20  # finished runs per flow
UNDER_WAY = (State.WAITING, State.RUNNING)
IN_FLIGHT = (Delivery.State.SENDING, Delivery.State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest impact run of a version, and whether its result still speaks of these rules."""

    run: ImpactRun
    stale: str  # why it does not, in plain words; empty when it does


def start(version: MappingVersion, by: User | None, *, most: int = MOST_RECORDS) -> ImpactRun:
    """Begin looking at what this version would do; one that is under way for the same rules is returned instead. Raises BadRules."""
    version.plan()
    before = versions.published_version(version.flow_id)
    mark = versions.fingerprint(version.rules.all())
    most = max(1, min(most, MOST_RECORDS))
    under_way = ImpactRun.objects.filter(version=version, purpose=Purpose.IMPACT, state__in=UNDER_WAY)
    same = under_way.filter(fingerprint=mark, before=before, most=most).first()
    return same or _begin(version, before, by, purpose=Purpose.IMPACT, most=most)


def start_resend(version: MappingVersion, before: MappingVersion | None, by: User | None, *, scope: str) -> ImpactRun:
    """After a publication: let the flow's records go out again, all of them or those whose payload is another one than under `before`."""
    return _begin(version, before, by, purpose=Purpose.RESEND, scope=Scope(scope))


@transaction.atomic
def _begin(version: MappingVersion, before: MappingVersion | None, by: User | None, **facts: object) -> ImpactRun:
    rows = list(version.rules.all())
    run = ImpactRun.objects.create(
        flow_id=version.flow_id, version=version, before=before, requested_by=by, rules=rules_to_json(rows),
        fingerprint=versions.fingerprint(rows), **facts,
    )  # fmt: skip
    old = ImpactRun.objects.filter(flow=version.flow_id).exclude(state__in=UNDER_WAY).order_by("-created_at", "-pk")
    ImpactRun.objects.filter(pk__in=list(old.values_list("pk", flat=True)[KEPT:])).delete()
    async_task("integrations.tasks.impact", run.pk)
    log.info("impact run", run=run.pk, purpose=run.purpose, version=version.pk, by=by.pk if by else None)
    return run


def cancel(run: ImpactRun, by: User | None) -> bool:
    """Stop after the step that is being done; what was found, or queued, stays. False when it had ended."""
    done = ImpactRun.objects.filter(pk=run.pk, state__in=UNDER_WAY).update(
        state=State.CANCELLED, finished_at=timezone.now(), claim=None, lease_until=None
    )
    log.info("impact run cancelled", run=run.pk, by=by.pk if by else None, done=bool(done))
    return bool(done)


def standing(version: MappingVersion) -> Standing | None:
    """The newest impact run of this version, None when there was none."""
    run = ImpactRun.objects.filter(version=version, purpose=Purpose.IMPACT).select_related("requested_by", "before").first()
    if run is None:
        return None
    published = versions.published_version(version.flow_id)
    if run.fingerprint != versions.fingerprint(version.rules.all()):
        return Standing(run, "The draft was changed since.")
    if version.state == MappingVersion.State.DRAFT and run.before_id != (published.pk if published else None):
        return Standing(run, "Another version was published since.")
    return Standing(run, "")


def progress(run: ImpactRun) -> Progress:
    """Count, share, speed and expected end of a run."""
    end = run.finished_at or timezone.now()
    seconds = (end - run.started_at).total_seconds() if run.started_at else 0.0
    speed = run.looked_at / seconds if seconds > 1 and run.looked_at else None
    share = min(1.0, run.looked_at / run.total) if run.total else None
    left = max(0, (run.total or 0) - run.looked_at)
    eta = timezone.now() + timedelta(seconds=left / speed) if run.state in UNDER_WAY and run.total and speed else None
    return Progress(run.looked_at, run.total, share, speed, eta)


def trial_of(run: ImpactRun) -> Trial:
    """The two sets of rules that a run compares, as they were when it began; raises BadRules."""
    flow = Flow.objects.select_related("source", "destination").get(pk=run.flow_id)
    after = plan_from_rules(rules_from_json(run.rules)[0], record_type=flow.record_type, flow_id=flow.pk, version_id=run.version_id)
    return trial(flow, compile_plan(run.before) if run.before else None, after)


# --- the worker --------------------------------------------------------------------------------------------------------


def pump_impact(run_id: int, seconds: float = RUN_SECONDS) -> None:
    """Walk for one task's time; a next task goes on from the key that was reached."""
    until = time.monotonic() + seconds
    run = _take(run_id)
    if run is None:
        return
    try:
        rules = trial_of(run)
    except BadRules as fault:
        _end(run, State.FAILED, error=f"The rules cannot be used: {fault}")
        return
    while time.monotonic() < until:
        if not _step(run, rules):
            return
    ImpactRun.objects.filter(pk=run.pk, claim=run.claim).update(claim=None, lease_until=None, tries=0)
    async_task("integrations.tasks.impact", run.pk)


def wake_lost() -> int:
    """The minute sweep: runs whose worker was lost, or whose task was, go on; returns how many."""
    now = timezone.now()
    lost = ImpactRun.objects.filter(state__in=UNDER_WAY).exclude(lease_until__gt=now).filter(created_at__lt=now - timedelta(seconds=5))
    ids = list(lost.values_list("pk", flat=True)[:50])
    for pk in ids:
        async_task("integrations.tasks.impact", pk)
    return len(ids)


def _take(run_id: int) -> ImpactRun | None:
    """The run in this worker's hands, None when it ended or another worker walks it."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    claim = uuid.uuid4()
    taken = ImpactRun.objects.filter(free, pk=run_id, state__in=UNDER_WAY).update(
        state=State.RUNNING, claim=claim, lease_until=now + LEASE, tries=F("tries") + 1
    )
    if not taken:
        return None
    run = ImpactRun.objects.select_related("before").get(pk=run_id)
    if run.tries > MOST_TRIES:
        _end(run, State.FAILED, error=f"Gave up: the worker was lost {MOST_TRIES} times at the same records.")
        return None
    if run.total is None:
        run.started_at, run.total = now, _count(run)
        ImpactRun.objects.filter(pk=run.pk, claim=claim).update(started_at=now, total=run.total)
    return run


def _count(run: ImpactRun) -> int:
    rows = Delivery.objects.filter(flow=run.flow_id).order_by()
    return rows[: run.most].count() if run.most else rows.count()


def _step(run: ImpactRun, rules: Trial) -> bool:
    """Look at the next records and store what was found; False when the run has ended or is in other hands."""
    rows = _next(run, rules)
    if not rows:
        _end(run, State.DONE)
        return False
    tried = [] if run.scope == Scope.ALL else try_out(rules, rows)
    for one in tried:
        _note(run, one)
    again = [one.delivery.pk for one in tried if one.verdict in (Verdict.CHANGED, Verdict.FAILS, Verdict.ANSWERED)]
    run.looked_at += len(rows)
    run.cursor = rows[-1].record_key
    with transaction.atomic():
        if not ImpactRun.objects.select_for_update().filter(pk=run.pk, claim=run.claim, state=State.RUNNING).values_list("pk").first():
            return False
        if run.purpose == Purpose.RESEND:
            run.queued += queue_again(run.flow_id, [row.pk for row in rows] if run.scope == Scope.ALL else again)
        _store(run)
    return True


def _next(run: ImpactRun, rules: Trial) -> list[Delivery]:
    """The next records in descending order of their keys, which for numbered ones is newest first."""
    size = min(STEP_ROWS, run.most - run.looked_at) if run.most else STEP_ROWS
    if size <= 0:
        return []
    rows = Delivery.objects.filter(flow=run.flow_id).order_by("-record_key")
    if run.cursor:
        rows = rows.filter(record_key__lt=run.cursor)
    columns = ["id", "flow_id", "record_key", "record", "sent_hash"] if run.scope != Scope.ALL else ["id", "record_key"]
    return list(rows.only(*columns, *(["sent_payload"] if rules.needs_current else []))[:size])


def _note(run: ImpactRun, one: Tried) -> None:
    setattr(run, one.verdict.value, getattr(run, one.verdict.value) + 1)
    if one.verdict is Verdict.CHANGED and one.row is not None:
        note_changes(run.findings, one.delivery.pk, one.row.changes)
    elif one.verdict is Verdict.FAILS:
        note_reasons(run.findings, "fails", one.delivery.pk, one.issues)
    elif one.verdict is Verdict.ANSWERED:
        note_reasons(run.findings, "answered", one.delivery.pk, one.issues_before)


COUNTS = ("looked_at", "same", "changed", "fails", "answered", "held", "left", "queued")


def _store(run: ImpactRun) -> None:
    counts = {name: getattr(run, name) for name in COUNTS}
    ImpactRun.objects.filter(pk=run.pk).update(
        **counts, cursor=run.cursor, findings=run.findings, tries=0, lease_until=timezone.now() + LEASE
    )


def _end(run: ImpactRun, state: str, *, error: str = "") -> None:
    ended = ImpactRun.objects.filter(pk=run.pk, claim=run.claim, state=State.RUNNING).update(
        state=state, error=error[:500], finished_at=timezone.now(), claim=None, lease_until=None
    )
    log.info("impact run ended", run=run.pk, state=state, looked_at=run.looked_at, changed=run.changed, ended=bool(ended))


def queue_again(flow_id: int, ids: Sequence[int]) -> int:
    """Let these deliveries go out under the rules of today, in the bulk lane, so that live records go first; call inside a transaction.

    What waits to go does so anyway. What is in flight keeps its claimant and goes once more afterwards.
    """
    rows = Delivery.objects.select_for_update().filter(pk__in=ids).exclude(state=Delivery.State.READY).order_by("record_key")
    states = dict(rows.values_list("pk", "state"))
    flying = [pk for pk, state in states.items() if state in IN_FLIGHT]
    settled = [pk for pk, state in states.items() if state not in IN_FLIGHT]
    Delivery.objects.filter(pk__in=flying).update(version=F("version") + 1)
    now = timezone.now()
    Hold.objects.filter(delivery_id__in=settled).delete()
    Delivery.objects.filter(pk__in=settled).update(
        state=Delivery.State.READY, due_at=now, ready_since=now, attempts=0, issues=[], lane=Lane.BULK, updated_at=now
    )
    if states:
        wake_flow(flow_id)
    return len(states)
