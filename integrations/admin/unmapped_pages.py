"""The parts and further pages of unmapped products: candidates, catalogue search, last answers with undo, many at once, spreadsheets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone

from integrations import words
from integrations.access import answerable
from integrations.admin.desk import Refusal
from integrations.admin.sheets import FORMATS, Unreadable, read_sheet
from integrations.admin.unmapped_bulk import preview, run
from integrations.admin.unmapped_parts import in_words
from integrations.admin.unmapped_sheet import HELP, MOST_BYTES, MOST_ROWS, dry_run
from integrations.engine import backlog
from integrations.engine.suggest import CannotAnswer, search_catalogue, suggestions_for, undo_answer
from integrations.engine.waiting import UNMAPPED_SKU
from integrations.models import SkuAnswer, SkuBacklog, SyncException
from mapping.suggestions import CatalogueEntry, Component

if TYPE_CHECKING:
    from integrations.admin.unmapped import UnmappedDesk

CANDIDATES = 5
FOUND = 12
ANSWERS_SHOWN = 3
ANSWERS_KEPT = timedelta(hours=24)
LEAST_LETTERS = 2


def urls(desk: UnmappedDesk) -> list[URLPattern]:
    """Addresses below the list's."""
    name = "integrations_unmappedsku"
    views: tuple[tuple[str, str, Callable[..., HttpResponse], bool], ...] = (
        ("first/", "first", first, False),
        ("answers/", "answers", last_answers, False),
        ("answers/<int:answer_id>/undo/", "undo", undo, True),
        ("upload/", "upload", upload, True),
        ("run/", "run", run_many, True),
        ("<int:object_id>/candidates/", "candidates", candidates, False),
        ("<int:object_id>/search/", "search", search, False),
    )
    return [path(part, desk.wrapped(_guarded(desk, view, answers)), name=f"{name}_{view_name}") for part, view_name, view, answers in views]


def _guarded(desk: UnmappedDesk, view: Callable[..., HttpResponse], answers: bool) -> Callable[..., HttpResponse]:
    def shown(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not desk.has_view_permission(request) or (answers and not desk.has_answer_permission(request)):
            raise PermissionDenied
        return view(desk, request, **kwargs)

    return shown


def neighbours(row: SyncException) -> tuple[int | None, int | None]:
    """Ids of the open SKUs before and after this one, the most valuable first; after the last one it begins again."""
    shown = {"exception__state": SyncException.State.OPEN, "exception__snoozed_until": None}
    queue = SkuBacklog.objects.filter(exception__kind=UNMAPPED_SKU, **shown).exclude(exception=row.pk)
    mine = SkuBacklog.objects.filter(exception=row.pk).first()
    fresh = backlog.open_questions().filter(backlog=None, snoozed_until=None).exclude(pk=row.pk).order_by("pk").values_list("pk", flat=True)
    ids = queue.order_by("-value", "exception").values_list("exception", flat=True)
    if mine is None:
        return ids.last(), fresh.filter(pk__gt=row.pk).first() or ids.first() or fresh.first()
    later = ids.filter(Q(value__lt=mine.value) | Q(exception__gt=row.pk), value__lte=mine.value).first()
    earlier = ids.filter(Q(value__gt=mine.value) | Q(exception__lt=row.pk), value__gte=mine.value).last()
    return earlier, later or fresh.first() or ids.first()


def first(desk: UnmappedDesk, request: HttpRequest) -> HttpResponse:
    """The SKU that is worth most; the list when there is none."""
    backlog.adopt()
    following = neighbours(SyncException(pk=0))[1]
    return HttpResponseRedirect(desk.view_url("change", following) if following else desk.view_url("changelist"))


def candidates(desk: UnmappedDesk, request: HttpRequest, object_id: int) -> HttpResponse:
    """What the SKU may be, best first, with reasons; the best one is remembered for the list."""
    row = desk.row_or_404(request, object_id)
    found = suggestions_for(row, CANDIDATES)
    backlog.remember_best(row.pk, found)
    shown = [
        {
            "suggestion": one,
            "number": number,
            "target": in_words(one.components),
            "parts": parts_text(one.components),
            "entries": [(entry, entry_price(entry)) for entry in one.entries],
        }
        for number, one in enumerate(found, 1)
    ]
    return desk.show(request, "integrations/unmapped_candidates.html", row, candidates=shown)


def parts_text(components: tuple[Component, ...]) -> str:
    """Components as a button carries them."""
    return orjson.dumps(backlog.plain_parts(components)).decode()


def entry_price(entry: CatalogueEntry) -> str:
    """The catalogue's price in words, empty when it has none."""
    return words.money(entry.price, entry.currency) if entry.price is not None else ""


def search(desk: UnmappedDesk, request: HttpRequest, object_id: int) -> HttpResponse:
    """Entries of the catalogue that match what somebody types."""
    row, text = desk.row_or_404(request, object_id), request.GET.get("q", "").strip()
    found = search_catalogue(row.flow, text, FOUND) if len(text) >= LEAST_LETTERS else []
    entries = [{"entry": entry, "price": entry_price(entry), "parts": parts_text(((entry.sku, 1, None),))} for entry in found]
    return desk.show(request, "integrations/unmapped_found.html", row, entries=entries, text=text, too_short=len(text) < LEAST_LETTERS)


def last_answers(desk: UnmappedDesk, request: HttpRequest) -> HttpResponse:
    """The last answers of this person with how far their orders are, each with its undo."""
    since = timezone.now() - ANSWERS_KEPT
    rows = SkuAnswer.objects.filter(by=request.user, at__gte=since).select_related("destination").order_by("-at", "-pk")[:ANSWERS_SHOWN]
    shown = [{"answer": row, "progress": None if row.undone_at else backlog.progress(row)} for row in rows]
    moving = any(one["progress"] and one["progress"].moving for one in shown)
    may = desk.has_answer_permission(request)
    back = request.GET.get("next", "")
    return desk.show(request, "integrations/unmapped_answers.html", answers=shown, moving=moving, may_answer=may, next=back)


def undo(desk: UnmappedDesk, request: HttpRequest, answer_id: int) -> HttpResponse:
    """Take an answer back and show its SKU again."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    answer = SkuAnswer.objects.filter(pk=answer_id).select_related("exception").first()
    if answer is None:
        raise Http404(f"There is no answer {answer_id}.")
    try:
        touched = undo_answer(answer, request.user)
    except CannotAnswer as reason:
        messages.error(request, str(reason))
    else:
        looked_at = words.plural(touched, "order is", "orders are")
        messages.success(request, f"Taken back: {answer.source_sku} is not {answer.words} any more. {looked_at} looked at again.")
    again = backlog.open_questions().filter(subject=answer.source_sku, flow__source=answer.source_id)
    row = again.filter(flow__destination=answer.destination_id).first()
    if row is not None:
        backlog.store_facts([row.pk])
    return HttpResponseRedirect(desk.view_url("change", row.pk) if row else desk.view_url("changelist"))


def upload(desk: UnmappedDesk, request: HttpRequest) -> HttpResponse:
    """The form for a filled-in sheet, and its dry run."""
    file, fault = request.FILES.get("sheet"), ""
    if request.method == "POST":
        try:
            if file is None:
                raise Refusal("Choose a file first.")
            if file.size > MOST_BYTES:
                raise Refusal(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB. Split it into several files.")
            mine = answerable(request.user, desk.model.objects.filter(kind=UNMAPPED_SKU))
            return preview(desk, request, dry_run(read_sheet(file.name or "", file, MOST_ROWS), mine), "What the sheet would do")
        except (Refusal, Unreadable) as reason:
            fault = str(reason)
    sheets = [(form.upper(), desk.view_url("export", form)) for form in FORMATS]
    return desk.show(request, "integrations/unmapped_upload.html", title="Upload a sheet", fault=fault, help=HELP, sheets=sheets)


def run_many(desk: UnmappedDesk, request: HttpRequest) -> HttpResponse:
    """A step of answering many."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        return run(desk, request)
    except Refusal as reason:
        messages.error(request, str(reason))
        return HttpResponseRedirect(desk.view_url("changelist"))
