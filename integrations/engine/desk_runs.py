"""Runs: one act for everything that a filter left, carried out by a worker step by step, whether anybody looks on or not."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine.arrays import text_array
from integrations.engine.desk_acts import UNDO, CannotUndo, carry_out, undo
from integrations.models import DeskAct, DeskRun, SyncException

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
STEP = 200  # questions that are done together; a step takes well under a second unless very much waits for them
RUN_SECONDS = 45.0  # of one task
LEASE = timedelta(seconds=90)
State, Kept = DeskRun.State, DeskAct.State

ASK = """
INSERT INTO integrations_deskact (exception_id, run_id, name, by_id, state, before, after, why)
SELECT chosen.id, %s, %s, %s, 'asked', {before}, '{{}}', '' FROM ({rows}) AS chosen (id{more})
"""


def start(act: str, rows: QuerySet[SyncException], by: User, *, arguments: Mapping[str, Any], query: str = "", words: str = "") -> DeskRun:
    """Remember exactly these questions and let a worker do the act to them; `words` says to people what is done to what."""
    with transaction.atomic():
        run = DeskRun.objects.create(act=act, by=by, arguments=dict(arguments), query=query, words=words[:500])
        _remember(run, rows.order_by().values_list("pk"), by, before="'{}'", more="")
    async_task("integrations.tasks.desk_run", run.pk)
    return run


def start_undo(run: DeskRun, by: User) -> DeskRun:
    """Let a worker take back everything that a run did."""
    done = run.items.filter(state=Kept.DONE).order_by().values_list("exception", "pk")
    with transaction.atomic():
        back = DeskRun.objects.create(act=UNDO, by=by, takes_back=run, query=run.query, words=f"Taken back: {run.words}"[:500])
        _remember(back, done, by, before="jsonb_build_object('act', chosen.act)", more=", act")
    async_task("integrations.tasks.desk_run", back.pk)
    return back


def _remember(run: DeskRun, rows: QuerySet, by: User, *, before: str, more: str) -> None:
    sql, params = rows.query.sql_with_params()
    with database.cursor() as cursor:
        cursor.execute(ASK.format(before=before, rows=sql, more=more), [run.pk, run.act, by.pk, *params])
        run.total = cursor.rowcount
    run.save(update_fields=["total"])


def cancel(run: DeskRun) -> bool:
    """Stop before the next step; what was done stays done. False when it was over already."""
    under_way = DeskRun.objects.filter(pk=run.pk, state__in=[State.WAITING, State.RUNNING])
    return bool(under_way.update(state=State.CANCELLED, ended_at=timezone.now()))


def work(run_id: int, seconds: float = RUN_SECONDS) -> bool:
    """Do steps of one run for so long; returns whether something is left. Two workers never do the same run."""
    until = time.monotonic() + seconds
    if not _lease(run_id):
        return False
    left = True
    while left and time.monotonic() < until and _renew(run_id):
        left = _step(run_id)
    DeskRun.objects.filter(pk=run_id).update(lease_until=None)
    return left and DeskRun.objects.filter(pk=run_id, state=State.RUNNING).exists()


def _lease(run_id: int) -> bool:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    mine = DeskRun.objects.filter(free, pk=run_id, state__in=[State.WAITING, State.RUNNING])
    if not mine.update(state=State.RUNNING, lease_until=now + LEASE):
        return False
    DeskRun.objects.filter(pk=run_id, started_at=None).update(started_at=now)
    return True


def _renew(run_id: int) -> bool:
    """False once somebody cancelled it."""
    return bool(DeskRun.objects.filter(pk=run_id, state=State.RUNNING).update(lease_until=timezone.now() + LEASE))


def _step(run_id: int) -> bool:
    """Do the next few; returns whether there are more."""
    run = DeskRun.objects.select_related("by").get(pk=run_id)
    items = list(run.items.filter(state=Kept.ASKED).order_by("pk")[:STEP])
    if not items:
        DeskRun.objects.filter(pk=run_id, state=State.RUNNING).update(state=State.DONE, ended_at=timezone.now())
        return False
    deliveries = _undo_items(run, items) if run.act == UNDO else _do_items(run, items)
    _store(items)
    counts = {kept: sum(item.state == kept for item in items) for kept in (Kept.DONE, Kept.LEFT, Kept.FAILED)}
    DeskRun.objects.filter(pk=run_id).update(
        done=F("done") + counts[Kept.DONE], left=F("left") + counts[Kept.LEFT], failed=F("failed") + counts[Kept.FAILED],
        deliveries=F("deliveries") + deliveries,
    )  # fmt: skip
    _tell(run, [item.exception_id for item in items if item.state == Kept.DONE])
    return True


STORE = """
UPDATE integrations_deskact a SET state = t.state, before = t.before, after = t.after, why = t.why, at = now()
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(befores)s::jsonb[], %(afters)s::jsonb[], %(whys)s::text[])
  AS t (id, state, before, after, why) WHERE a.id = t.id
"""


def _store(items: Sequence[DeskAct]) -> None:
    values = {
        "ids": [item.pk for item in items],
        "states": text_array(str(item.state) for item in items),
        "befores": text_array(orjson.dumps(item.before).decode() for item in items),
        "afters": text_array(orjson.dumps(item.after).decode() for item in items),
        "whys": text_array(item.why for item in items),
    }
    with database.cursor() as cursor:
        cursor.execute(STORE, values)


def _do_items(run: DeskRun, items: Sequence[DeskAct]) -> int:
    try:
        acts, deliveries = carry_out(run.act, [item.exception_id for item in items], run.by, run.arguments)
    except DatabaseError as fault:
        if len(items) > 1:  # find out whose fault it is
            return sum(_do_items(run, [item]) for item in items)
        log.error("desk act failed", run=run.pk, exception=items[0].exception_id, exc_info=fault)
        _mark(items[0], Kept.FAILED, f"The database would not do it: {type(fault).__name__}.")
        return 0
    found = {act.exception_id: act for act in acts}
    for item in items:
        act = found.get(item.exception_id)
        if act is None:
            _mark(item, Kept.LEFT, "It is not there any more.")
        else:
            item.before, item.after = act.before, act.after
            _mark(item, act.state, act.why)
    return deliveries


def _undo_items(run: DeskRun, items: Sequence[DeskAct]) -> int:
    before = DeskAct.objects.in_bulk([item.before["act"] for item in items])
    for item in items:
        try:
            undo(before[item.before["act"]])
        except CannotUndo as reason:
            _mark(item, Kept.LEFT, str(reason))
        else:
            _mark(item, Kept.DONE)
    return 0


def _mark(item: DeskAct, state: DeskAct.State, why: str = "") -> None:
    item.state, item.why = state, why[:300]


def _tell(run: DeskRun, ids: Sequence[int]) -> None:
    """Everybody can read on each question who did it, and as part of which run."""
    if run.by is not None and ids:
        LogEntry.objects.log_actions(run.by_id, SyncException.objects.filter(pk__in=ids), CHANGE, f"{run.words} (run {run.pk})")


def resume_lost() -> int:
    """Every minute: runs whose worker is gone, or that nobody took up, go on; returns how many."""
    now = timezone.now()
    lost = DeskRun.objects.filter(state__in=[State.WAITING, State.RUNNING]).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    ids = list(lost.filter(created_at__lt=now - timedelta(seconds=30)).values_list("pk", flat=True))
    for run_id in ids:
        async_task("integrations.tasks.desk_run", run_id)
    return len(ids)


def pump(run_id: int, seconds: float = RUN_SECONDS) -> None:
    """Worker entry: do what one task's time allows, and ask for the next task when something is left."""
    if work(run_id, seconds):
        async_task("integrations.tasks.desk_run", run_id)
