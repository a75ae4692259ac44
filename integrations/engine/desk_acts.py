"""What people do to questions at the desk, one or many: assign, snooze, try again, ignore, resolve, ask again; and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Collate
from django.utils.dateparse import parse_datetime

from integrations.engine import snoozes
from integrations.engine.exceptions import ignore_exceptions, release_exceptions, resolve_exceptions
from integrations.engine.reopening import reopen
from integrations.engine.weights import store_weights
from integrations.models import DeskAct, DeskRun, SyncException

if TYPE_CHECKING:
    from django.contrib.auth.models import User

State, Kept = SyncException.State, DeskAct.State
Arguments = Mapping[str, Any]
UNDO = "undo"
CHANGED = "It was changed meanwhile, so it stays as it is."


class CannotUndo(Exception):
    """The act was not taken back; the message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One act on questions in one state: what it does to them, and what brings back how they were, if anything can.

    `do(rows, by, arguments)` returns how many deliveries it let go or skipped; `undo(act)` raises CannotUndo.
    """

    name: str
    state: SyncException.State
    do: Callable[[Sequence[SyncException], User | None, Arguments], int]
    before: Callable[[SyncException], dict[str, Any]] = lambda row: {}
    undo: Callable[[DeskAct], None] | None = None
    together: bool = False  # in one transaction that holds the rows; what lets deliveries go does so in small ones of its own


# --- doing -------------------------------------------------------------------------------------------------------------


def _assign(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    SyncException.objects.filter(pk__in=[row.pk for row in rows]).update(assignee_id=arguments["assignee"])
    return 0


def _snooze(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    store_weights([row.pk for row in rows if row.weighed_at is None])  # it comes back when it has doubled
    snoozes.snooze([row.pk for row in rows], parse_datetime(arguments["until"]))
    return 0


def _wake(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    snoozes.wake([row.pk for row in rows])
    return 0


def _retry(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    return release_exceptions([row.pk for row in rows], by)


def _ignore(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    return ignore_exceptions([row.pk for row in rows], by, arguments["note"])


def _resolve(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    return resolve_exceptions([row.pk for row in rows], by, arguments["note"])


def _reopen(rows: Sequence[SyncException], by: User | None, arguments: Arguments) -> int:
    return sum(reopen(row) for row in rows)


# --- taking back -------------------------------------------------------------------------------------------------------


def _give_back(act: DeskAct) -> None:
    given = act.after.get("assignee")
    if not SyncException.objects.filter(pk=act.exception_id, assignee=given).update(assignee=_person(act.before.get("assignee"))):
        raise CannotUndo(CHANGED)


def _person(key: int | None) -> User | None:
    return get_user_model().objects.filter(pk=key).first() if key else None


def _unsnooze(act: DeskAct) -> None:
    rows = SyncException.objects.filter(pk=act.exception_id, state=State.OPEN, snoozed_until=act.after["until"])
    if not rows.update(snoozed_until=act.before.get("until"), snooze_limit=act.before.get("limit")):
        raise CannotUndo(CHANGED)


def _unignore(act: DeskAct) -> None:
    row = SyncException.objects.select_related("flow").get(pk=act.exception_id)
    if row.state != State.IGNORED or row.resolved_by_id != act.by_id:
        raise CannotUndo(CHANGED)
    reopen(row)


def _assignee(row: SyncException) -> dict[str, Any]:
    return {"assignee": row.assignee_id}


def _snoozed(row: SyncException) -> dict[str, Any]:
    return {"until": row.snoozed_until.isoformat() if row.snoozed_until else None, "limit": row.snooze_limit}


DEEDS: Mapping[str, Deed] = {
    deed.name: deed
    for deed in (
        Deed(name="assign", state=State.OPEN, do=_assign, before=_assignee, undo=_give_back, together=True),
        Deed(name="snooze", state=State.OPEN, do=_snooze, before=_snoozed, undo=_unsnooze, together=True),
        Deed(name="wake", state=State.OPEN, do=_wake, together=True),
        Deed(name="retry", state=State.OPEN, do=_retry),
        Deed(name="ignore", state=State.OPEN, do=_ignore, undo=_unignore),
        Deed(name="resolve", state=State.OPEN, do=_resolve),
        Deed(name="reopen", state=State.IGNORED, do=_reopen),
    )
}


def carry_out(name: str, ids: Sequence[int], by: User | None, arguments: Arguments | None = None) -> tuple[list[DeskAct], int]:
    """Do one act to those of the questions that are in the state for it; raises KeyError for an act that is not there.

    Returns one unsaved DeskAct per question that was there, done or left, and how many deliveries were let go or skipped.
    """
    deed, given = DEEDS[name], dict(arguments or {})
    with transaction.atomic() if deed.together else nullcontext():
        rows = list(_locked(ids) if deed.together else SyncException.objects.filter(pk__in=ids).select_related("flow").order_by("pk"))
        mine = [row for row in rows if row.state == deed.state]
        acts = [DeskAct(exception=row, name=name, by=by, before=deed.before(row), after=given) for row in mine]
        deliveries = deed.do(mine, by, given) if mine else 0
    left = [
        DeskAct(exception=row, name=name, by=by, state=Kept.LEFT, why=f"It is {row.get_state_display().lower()} already.")
        for row in rows
        if row.state != deed.state
    ]
    return [*acts, *left], deliveries


def _locked(ids: Sequence[int]) -> QuerySet[SyncException]:
    """In the order in which questions are raised, so that the two never wait for each other."""
    rows = SyncException.objects.select_for_update(of=("self",)).filter(pk__in=ids).select_related("flow")
    return rows.order_by("flow_id", Collate("kind", "C"), Collate("subject", "C"))


def do(name: str, ids: Sequence[int], by: User | None, arguments: Arguments | None = None) -> tuple[list[DeskAct], int]:
    """Do one act to these questions now, and remember it so that it can be taken back; returns what `carry_out` does."""
    acts, deliveries = carry_out(name, ids, by, arguments)
    return DeskAct.objects.bulk_create(acts), deliveries


def undo(act: DeskAct) -> None:
    """Take one act back; raises CannotUndo when that is impossible or something else happened since."""
    with transaction.atomic():
        act = DeskAct.objects.select_for_update(of=("self",)).get(pk=act.pk)
        take_back = DEEDS[act.name].undo
        if act.state != Kept.DONE or take_back is None:
            raise CannotUndo("This cannot be taken back.")
        take_back(act)
        act.state = Kept.UNDONE
        act.save(update_fields=["state"])


def undo_last(by: User, exception_id: int) -> DeskAct:
    """Take back the last thing this person did to a question, and say what it was; raises CannotUndo."""
    act = last_act(by, exception_id)
    if act is None:
        raise CannotUndo("There is nothing of yours to take back here.")
    undo(act)
    return act


def undoable(name: str) -> bool:
    """Whether an act of that name can be taken back."""
    return name in DEEDS and DEEDS[name].undo is not None


def last_act(by: User, exception_id: int | None = None, since: datetime | None = None) -> DeskAct | None:
    """The last thing this person did to one question, or to any, and that can still be taken back."""
    acts = DeskAct.objects.filter(by=by, run__isnull=True).select_related("exception").order_by("-pk")
    acts = acts if exception_id is None else acts.filter(exception=exception_id)
    act = (acts if since is None else acts.filter(at__gte=since)).first()
    return act if act is not None and act.state == Kept.DONE and undoable(act.name) else None


def take_back_run(run: DeskRun) -> bool:
    """Whether what a run did can be taken back as a whole."""
    over = run.state in (DeskRun.State.DONE, DeskRun.State.CANCELLED)
    return over and run.done > 0 and undoable(run.act) and not run.taken_back.exists()
