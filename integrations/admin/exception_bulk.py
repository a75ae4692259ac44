"""One act for everything that a filter leaves: what would happen first, then a run that a worker carries out, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone

from integrations import words
from integrations.access import answerable
from integrations.admin.desk import Refusal
from integrations.admin.exception_page import kind_of, people, value_words
from integrations.admin.exception_snooze import CHOICES, until
from integrations.admin.filters import chosen_filters
from integrations.engine import desk_runs
from integrations.engine.desk_acts import take_back_run
from integrations.engine.snoozes import UNTIL_IT_CHANGES
from integrations.engine.weights import NOTHING_WAITS, Weight, stored_values, weights
from integrations.models import DeskAct, DeskRun, SyncException
from integrations.models.kinds import KINDS

if TYPE_CHECKING:
    from integrations.admin.exception import ExceptionDesk

SAMPLE = 10
RESULTS_SHOWN = 200
RUNS_SHOWN = 50
CHOSEN = "ids"  # in the address: questions that were ticked instead of filtered
State = SyncException.State


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAct:
    """How one act is offered for many: what it is called, what it does in plain words, and what its form asks for."""

    name: str
    label: str
    does: str  # what happens; {questions} and {deliveries} are filled in
    form: str  # assignee | until | note | nothing
    read: Callable[[HttpRequest], tuple[dict[str, Any], str]]  # arguments, and the act in words
    state: SyncException.State = State.OPEN
    tone: str = "sy-primary"
    back: bool = False  # whether it can be taken back


def _assignee(request: HttpRequest) -> tuple[dict[str, Any], str]:
    chosen = request.POST.get("assignee", "")
    person = people().filter(pk=chosen).first() if chosen.isdecimal() else None
    if chosen and person is None:
        raise Refusal("There is no such person.")
    return {"assignee": person.pk if person else None}, f"Assigned to {person.get_username() if person else 'nobody'}"


def _until(request: HttpRequest) -> tuple[dict[str, Any], str]:
    moment = until(request.POST.get("until", ""), request.POST.get("day", ""))
    said = "until it changes" if moment >= UNTIL_IT_CHANGES else f"until {words.stamp(moment)}"
    return {"until": moment.isoformat()}, f"Snoozed {said}"


def _note(label: str) -> Callable[[HttpRequest], tuple[dict[str, Any], str]]:
    def read(request: HttpRequest) -> tuple[dict[str, Any], str]:
        note = request.POST.get("note", "").strip()
        if not note:
            raise Refusal("Write why; others will read it.")
        return {"note": note[:500]}, f"{label}: {note}"

    return read


def _nothing(request: HttpRequest) -> tuple[dict[str, Any], str]:
    return {}, "Retried what waits"


def _again(request: HttpRequest) -> tuple[dict[str, Any], str]:
    return {}, "Asked again"


ACTS: Mapping[str, BulkAct] = {
    act.name: act
    for act in (
        BulkAct(name="assign", label="Assign", form="assignee", read=_assignee, back=True,
                does="{questions} will be given to one person. Nothing is sent, and nothing that waits moves."),
        BulkAct(name="snooze", label="Snooze", form="until", read=_until, back=True,
                does="{questions} will be put away. What waits goes on waiting; a question that doubles comes back at once."),
        BulkAct(name="retry", label="Try again", form="nothing", read=_nothing,
                does="{deliveries} that wait for {questions} will be sent again as they are. What fails for the same reason comes back."),
        BulkAct(name="ignore", label="Ignore", form="note", read=_note("Ignored"), tone="sy-danger", back=True,
                does="{questions} will be closed, and {deliveries} that wait only for them will not be sent until their record changes."),
        BulkAct(name="resolve", label="Resolve", form="note", read=_note("Resolved"),
                does="{questions} will be closed with your note, and {deliveries} that wait for them will be sent."),
        BulkAct(name="reopen", label="Ask again", form="nothing", read=_again, state=State.IGNORED,
                does="{questions} that were ignored will be open again, and what was not sent for them waits again."),
    )
}  # fmt: skip


def address(desk: ExceptionDesk, act: str, ids: Iterable[int]) -> str:
    """The page for one act on these questions."""
    return f"{desk.view_url('bulk', act)}?{CHOSEN}={'.'.join(str(pk) for pk in ids)}"


def bulk(desk: ExceptionDesk, request: HttpRequest, act: str) -> HttpResponse:
    """What an act would do to all that the filter leaves (GET), or the run that does it (POST)."""
    if not desk.has_settle_permission(request):
        raise PermissionDenied
    chosen = ACTS.get(act)
    if chosen is None:
        raise Http404("There is no such act.")
    rows = _rows(desk, request, chosen)
    if request.method == "POST":
        return _start(desk, request, chosen, rows)
    return desk.show(request, "integrations/exception_bulk.html", **_preview(desk, request, chosen, rows))


def _rows(desk: ExceptionDesk, request: HttpRequest, act: BulkAct) -> QuerySet[SyncException]:
    """What the filter of the address leaves, or what was ticked, as far as it is this person's to settle and in the act's state."""
    ticked = request.GET.get(CHOSEN)
    if ticked is None:
        rows = desk.filtered(request)
    else:
        ids = [int(part) for part in ticked.split(".") if part.isdecimal()]
        rows = SyncException.objects.filter(pk__in=ids)
    return answerable(request.user, rows).filter(state=act.state).order_by()


def _start(desk: ExceptionDesk, request: HttpRequest, act: BulkAct, rows: QuerySet[SyncException]) -> HttpResponse:
    try:
        arguments, said = act.read(request)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(request.get_full_path())
    run = desk_runs.start(act.name, rows, request.user, arguments=arguments, query=request.GET.urlencode(), words=said)
    return HttpResponseRedirect(desk.view_url("run", run.pk))


def _preview(desk: ExceptionDesk, request: HttpRequest, act: BulkAct, rows: QuerySet[SyncException]) -> dict[str, Any]:
    kinds = _kinds(rows)
    best = rows.select_related("flow__source", "flow__destination", "assignee").order_by("-waiting_value", "-waiting_count", "-pk")
    chosen = list(best[:SAMPLE])
    waiting = weights([row.pk for row in chosen])
    sample = [(row, waiting.get(row.pk, NOTHING_WAITS)) for row in chosen]
    count, deliveries = sum(number for _, number, _ in kinds), sum(waiting or 0 for *_, waiting in kinds)
    query = request.GET.urlencode()
    return {
        "title": "Act on all that the filter leaves",
        "act": act,
        "others": [(one, f"{desk.view_url('bulk', one.name)}?{query}", one.name == act.name) for one in ACTS.values()],
        "count": count,
        "deliveries": deliveries,
        "values": value_words(Weight(deliveries, stored_values(rows))),
        "does": act.does.format(questions=words.plural(count, "question"), deliveries=words.plural(deliveries, "delivery", "deliveries")),
        "kinds": [(KINDS[slug], number) for slug, number, _ in kinds if slug in KINDS],
        "sample": [(row, kind_of(row), weight, value_words(weight)) for row, weight in sample],
        "filters": [] if CHOSEN in request.GET else _filters(desk, request),
        "ticked": CHOSEN in request.GET,
        "query": query,
        "people": people() if act.form == "assignee" else [],
        "snoozes": CHOICES,
        "now": timezone.now(),
    }


def _filters(desk: ExceptionDesk, request: HttpRequest) -> list[tuple[str, str]]:
    found = chosen_filters(desk.get_changelist_instance(request))
    term = request.GET.get("q", "").strip()
    return [*found, *([("subject", term)] if term else [])]


def _kinds(rows: QuerySet[SyncException]) -> list[tuple[str, int, int]]:
    """Per kind how many questions and how many deliveries wait for them: one walk over all of them."""
    return list(rows.values_list("kind").annotate(number=Count("pk"), waiting=Sum("waiting_count")).order_by("-number"))


# --- runs --------------------------------------------------------------------------------------------------------------


def run_or_404(desk: ExceptionDesk, request: HttpRequest, run_id: int) -> DeskRun:
    """The run; everybody who sees the desk may read what was done."""
    run = DeskRun.objects.select_related("by", "takes_back").filter(pk=run_id).first()
    if run is None:
        raise Http404("There is no such run.")
    return run


def run(desk: ExceptionDesk, request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a run is, what it did, and what it left and why; the part that changes refreshes itself."""
    row = run_or_404(desk, request, run_id)
    template = "exception_run_live.html" if request.headers.get("HX-Request") else "exception_run.html"
    return desk.show(request, f"integrations/{template}", title=str(row), **_progress(desk, request, row))


def _progress(desk: ExceptionDesk, request: HttpRequest, row: DeskRun) -> dict[str, Any]:
    over = row.state in (DeskRun.State.DONE, DeskRun.State.CANCELLED)
    seen = row.done + row.left + row.failed
    problems = row.items.filter(state__in=[DeskAct.State.LEFT, DeskAct.State.FAILED]).select_related("exception").order_by("pk")
    mine = row.by_id == request.user.pk or request.user.has_perm("integrations.change_flow")
    return {
        "run": row,
        "over": over,
        "seen": seen,
        "share": seen / row.total if row.total else 1.0,
        "problems": problems[:RESULTS_SHOWN] if row.left or row.failed else [],
        "may_stop": mine and not over and desk.has_settle_permission(request),
        "may_undo": mine and take_back_run(row) and desk.has_settle_permission(request),
        "back": row.taken_back.first(),
        "list_query": "" if row.query.startswith(f"{CHOSEN}=") else row.query,
        "now": timezone.now(),
    }


def runs(desk: ExceptionDesk, request: HttpRequest) -> HttpResponse:
    """The latest runs of everybody."""
    rows = DeskRun.objects.select_related("by").order_by("-created_at")[:RUNS_SHOWN]
    return desk.show(request, "integrations/exception_runs.html", title="Runs over many questions", runs=rows, now=timezone.now())


def cancel(desk: ExceptionDesk, request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop a run; what was done stays done."""
    row = _mine(desk, request, run_id)
    stopped = desk_runs.cancel(row)
    messages.success(request, "Stopped. What was done stays done." if stopped else "It was over already.")
    return HttpResponseRedirect(desk.view_url("run", row.pk))


def take_back(desk: ExceptionDesk, request: HttpRequest, run_id: int) -> HttpResponse:
    """Take back what a run did, by another run."""
    row = _mine(desk, request, run_id)
    if not take_back_run(row):
        messages.error(request, "This run cannot be taken back.")
        return HttpResponseRedirect(desk.view_url("run", row.pk))
    return HttpResponseRedirect(desk.view_url("run", desk_runs.start_undo(row, request.user).pk))


def _mine(desk: ExceptionDesk, request: HttpRequest, run_id: int) -> DeskRun:
    """The run for somebody who may change it: who began it, or who may change flows. Raises PermissionDenied, also for a link."""
    row = run_or_404(desk, request, run_id)
    if request.method != "POST" or not desk.has_settle_permission(request):
        raise PermissionDenied
    if row.by_id != request.user.pk and not request.user.has_perm("integrations.change_flow"):
        raise PermissionDenied
    return row


def posted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view for POST alone."""

    def inner(desk: ExceptionDesk, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return view(desk, request, **kwargs) if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    return inner


PAGES = (
    ("bulk/<slug:act>/", "bulk", bulk),
    ("runs/", "runs", runs),
    ("runs/<int:run_id>/", "run", run),
    ("runs/<int:run_id>/cancel/", "run_cancel", posted(cancel)),
    ("runs/<int:run_id>/take-back/", "run_take_back", posted(take_back)),
)
