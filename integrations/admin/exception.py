"""The exception desk: one line per open question, answered on its page or in the list, put away, handed on, ignored, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

from integrations import words
from integrations.access import answerable, may_answer
from integrations.admin import exception_bulk, exception_edit, exception_page, exception_views
from integrations.admin.answers import ANSWERS
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exception_filters import FILTERS, TABS, note_visit
from integrations.admin.exception_page import kind_of, people, snooze_words, value_words
from integrations.admin.exception_rows import buttons, marks_of
from integrations.admin.exception_snooze import CHOICES, until
from integrations.admin.export_columns import EXCEPTIONS
from integrations.admin.exports import Exports
from integrations.admin.unmapped_parts import give, parts_from_json
from integrations.engine import exceptions as engine
from integrations.engine.desk_acts import CannotUndo, do, undo_last
from integrations.engine.weights import NOTHING_WAITS, weights
from integrations.models import SyncException

CHANGE = "integrations.change_syncexception"
COMMENT = "integrations.add_exceptioncomment"
CROSSWALK = "mapping.add_skucrosswalk"
BULK_LIMIT = 1000
State = SyncException.State
ANSWERING = frozenset({"answer", "accept"})  # acts that write a row of a table, and take the right to it
# What may be done to a question in each state.
POSSIBLE: Mapping[str, frozenset[str]] = {
    State.OPEN: frozenset({"answer", "accept", "retry", "ignore", "resolve", "assign", "snooze", "wake", "comment", "undo"}),
    State.IGNORED: frozenset({"reopen", "comment", "undo"}),
    State.RESOLVED: frozenset({"comment"}),
}


@admin.register(SyncException)
class ExceptionDesk(Exports, Desk):
    """Where people decide."""

    acts = (
        *(Act(name, CHANGE) for name in ("answer", "accept", "retry", "ignore", "resolve", "reopen", "assign", "snooze", "wake", "undo")),
        Act("comment", COMMENT),
    )
    detail_template = "integrations/exception.html"
    list_before_template = "integrations/exception_top.html"
    tabs = TABS
    empty_icon = "task_alt"
    empty_words = "Nothing waits for anybody here. That is the good news; other filters show what was settled."
    list_display = ["title_cell", "waiting_cell", "seen_cell", "assignee_cell", "next_cell"]
    export_columns = EXCEPTIONS
    list_filter = FILTERS
    list_filter_submit = True
    search_fields = ["subject"]
    search_help_text = "Exact subject: a SKU, a word, a key"
    actions = ["retry_many", "take_many", "more_many", "ignore_many"]

    class Media:
        css = {"all": ["switchyard/desk.css"]}
        js = ["switchyard/desk.js"]

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncException]:
        """The newest first; a list of one state walks the index made for it, only the list of all is sorted, open ones first."""
        rows = super().get_queryset(request)
        rows = rows.select_related("flow__source", "flow__destination", "connection", "assignee", "resolved_by", "backlog")
        return rows.order_by("-last_seen")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact subjects only."""
        term = search_term.strip()
        return (queryset.filter(subject=term) if term else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under its views, the filters that people kept, and the last act to take back."""
        note_visit(request)
        top = exception_views.top(self, request)
        return super().changelist_view(request, {**top, "snoozes": CHOICES, **(extra_context or {})})

    def complete(self, request: HttpRequest, rows: list[SyncException]) -> None:
        """How much waits for each question of the page, and what its orders are worth: one query."""
        waiting, back, general = weights([row.pk for row in rows]), quote(request.get_full_path()), self.allowed_acts(request)
        for row in rows:
            row.waiting = waiting.get(row.pk, NOTHING_WAITS)
            row.acts, row.back, row.mine = self._narrowed(request, general, row), back, row.assignee_id == request.user.pk

    def _narrowed(self, request: HttpRequest, general: set[str], row: SyncException) -> set[str]:
        """What this person may do to this row, of what they may do at all."""
        if not may_answer(request.user, row):
            return set()
        possible = general & POSSIBLE[row.state]
        return {name for name in possible if name not in ANSWERING or self.may(request, Act(name, CHANGE), row)}

    @admin.display(description="Question")
    def title_cell(self, row: SyncException) -> SafeString:
        """Title over origin, what is special, kind, flow and team."""
        kind = kind_of(row)
        under = " · ".join(str(part) for part in (kind.label, kind.team.capitalize(), row.flow or row.connection) if part)
        marks = format_html_join(" ", "{}", ((mark,) for mark in marks_of(row)))
        return format_html(
            '<strong class="sy-wrap">{}</strong><span class="sy-marks">{}</span><small class="sy-under">{}</small>', row.title, marks, under
        )

    @admin.display(description="Waiting")
    def waiting_cell(self, row: SyncException) -> SafeString:
        """How many deliveries wait over what the orders among them are worth, per currency."""
        value = value_words(row.waiting)
        under = format_html('<small class="sy-under sy-money">{}</small>', value) if value else ""
        return format_html("{}{}", f"{row.waiting.count:,}", under)

    @admin.display(description="Last / first seen")
    def seen_cell(self, row: SyncException) -> SafeString:
        """Both ages."""
        return format_html('{}<small class="sy-under">first {}</small>', words.when(row.last_seen), words.when(row.first_seen))

    @admin.display(description="Assignee")
    def assignee_cell(self, row: SyncException) -> str:
        """Whom it was given to."""
        return row.assignee.get_username() if row.assignee else "nobody"

    @admin.display(description="Next step")
    def next_cell(self, row: SyncException) -> SafeString:
        """What can be done from here: answer, take, put away."""
        return format_html('<span class="sy-buttons">{}</span>', buttons(self, row))

    # --- many at once ---

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """People who may settle exceptions."""
        return request.user.has_perm(CHANGE)

    def _chosen(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> list[int]:
        rows = answerable(request.user, queryset).filter(state=State.OPEN).order_by()
        ids = list(rows.values_list("pk", flat=True)[: BULK_LIMIT + 1])
        if len(ids) > BULK_LIMIT:
            self.message_user(request, f"At most {BULK_LIMIT:,} exceptions at a time.", messages.ERROR)
            return []
        if not ids:
            self.message_user(request, "None of these is open and yours to settle, so nothing was done.", messages.WARNING)
        return ids

    @admin.action(description="Try the waiting deliveries again", permissions=["settle"])
    def retry_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> None:
        """Release what waits for the chosen questions."""
        if ids := self._chosen(request, queryset):
            released = do("retry", ids, request.user)[1]
            self.tell_bulk(request, SyncException.objects.filter(pk__in=ids), "Retried what waits")
            self.message_user(request, f"{words.plural(released, 'delivery', 'deliveries')} will be tried again.")

    @admin.action(description="Assign to me", permissions=["settle"])
    def take_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> None:
        """Take the chosen questions."""
        if ids := self._chosen(request, queryset):
            do("assign", ids, request.user, {"assignee": request.user.pk})
            self.tell_bulk(request, SyncException.objects.filter(pk__in=ids), f"Assigned to {request.user.get_username()}")
            self.message_user(request, f"{words.plural(len(ids), 'exception')} assigned to you.")

    @admin.action(description="Snooze, hand on, resolve… with a preview", permissions=["settle"])
    def more_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> HttpResponse | None:
        """Go to the page that acts on many, with the chosen questions."""
        ids = self._chosen(request, queryset)
        return HttpResponseRedirect(exception_bulk.address(self, "assign", ids)) if ids else None

    @admin.action(description="Ignore: do not send what waits", permissions=["settle"])
    def ignore_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> None:
        """Decide that what waits for the chosen questions will not be sent."""
        if ids := self._chosen(request, queryset):
            skipped = do("ignore", ids, request.user, {"note": f"Ignored from the list by {request.user.get_username()}"})[1]
            self.tell_bulk(request, SyncException.objects.filter(pk__in=ids), "Ignored")
            self.message_user(
                request, f"{words.plural(len(ids), 'exception')} ignored; {words.plural(skipped, 'delivery', 'deliveries')} skipped."
            )

    # --- the page ---

    def allowed_acts(self, request: HttpRequest, row: SyncException | None = None) -> set[str]:
        """What the question's state leaves; a settled question takes comments only."""
        allowed = super().allowed_acts(request, row)
        return allowed if row is None else allowed & POSSIBLE[row.state]

    def may(self, request: HttpRequest, act: Act, row: SyncException | None = None) -> bool:
        """An answer that writes a crosswalk or value row takes the permission for that row too."""
        if not super().may(request, act, row) or (row is not None and not may_answer(request.user, row)):
            return False
        if act.name not in ANSWERING or row is None:
            return True
        answer = ANSWERS.get(row.kind)
        return answer is not None and request.user.has_perm(answer.permission) and (act.name == "answer" or row.kind == "unmapped_sku")

    def detail(self, request: HttpRequest, row: SyncException) -> dict[str, Any]:
        """The question, its cause and remedy, what waits, and how to answer it."""
        return {**exception_page.page(self, request, row), "snoozes": CHOICES, "marks": marks_of(row)}

    def way_back(self, request: HttpRequest, row: Model) -> str:
        """Buttons in the list name the list in their address."""
        asked = request.GET.get("next", "")
        if asked and url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
            return asked
        return super().way_back(request, row)

    def act_answer(self, request: HttpRequest, row: SyncException) -> str:
        """Answer it by the form of its kind."""
        _must_be(row, State.OPEN)
        released = ANSWERS[row.kind].give(row, request.POST, request.user)
        self.log_change(request, row, "Answered")
        return f"Answered. {words.plural(released, 'waiting delivery goes', 'waiting deliveries go')} out now."

    def act_accept(self, request: HttpRequest, row: SyncException) -> str:
        """Take the suggestion for an unknown SKU."""
        _must_be(row, State.OPEN)
        answer = give(row, parts_from_json(request.POST.get("parts", "")), request.user)
        self.log_change(request, row, f"Answered: {answer.words}")
        goes = words.plural(answer.released, "waiting order goes", "waiting orders go")
        return f"{row.subject}: {answer.words}. {goes} out now."

    def act_retry(self, request: HttpRequest, row: SyncException) -> str:
        """Try what waits again without an answer."""
        _must_be(row, State.OPEN)
        released = do("retry", [row.pk], request.user)[1]
        self.log_change(request, row, "Retried what waits")
        return f"{words.plural(released, 'delivery', 'deliveries')} will be tried again."

    def act_ignore(self, request: HttpRequest, row: SyncException) -> str:
        """Decide that what waits will not be sent; takes a reason."""
        _must_be(row, State.OPEN)
        reason = _text(request, "reason", "Say why it is ignored; others will read it.")
        skipped = do("ignore", [row.pk], request.user, {"note": reason})[1]
        self.log_change(request, row, f"Ignored: {reason}")
        return f"Ignored. {words.plural(skipped, 'delivery', 'deliveries')} will not be sent."

    def act_resolve(self, request: HttpRequest, row: SyncException) -> str:
        """Say that it is settled elsewhere, and let go what waits; takes a note."""
        _must_be(row, State.OPEN)
        note = _text(request, "note", "Say how it was settled; it is shown when the question comes back.")
        released = do("resolve", [row.pk], request.user, {"note": note})[1]
        self.log_change(request, row, f"Resolved: {note}")
        return f"Resolved. {words.plural(released, 'waiting delivery goes', 'waiting deliveries go')} out now."

    def act_reopen(self, request: HttpRequest, row: SyncException) -> str:
        """Ask again what was ignored."""
        _must_be(row, State.IGNORED)
        held = do("reopen", [row.pk], request.user)[1]
        self.log_change(request, row, "Asked again")
        return f"It is open again. {words.plural(held, 'delivery waits', 'deliveries wait')} for it."

    def act_assign(self, request: HttpRequest, row: SyncException) -> str:
        """Give it to a person, to oneself, or to nobody."""
        _must_be(row, State.OPEN)
        person = chosen_person(request)
        do("assign", [row.pk], request.user, {"assignee": person.pk if person else None})
        said = f"Assigned to {person.get_username() if person else 'nobody'}"
        self.log_change(request, row, said)
        return f"{said}."

    def act_snooze(self, request: HttpRequest, row: SyncException) -> str:
        """Put it away until a day, or until it changes."""
        _must_be(row, State.OPEN)
        moment = until(request.POST.get("until", ""), request.POST.get("day", ""))
        do("snooze", [row.pk], request.user, {"until": moment.isoformat()})
        row.snoozed_until = moment
        self.log_change(request, row, f"Snoozed {snooze_words(row)}")
        return f"Snoozed {snooze_words(row)}. It comes back sooner if it gets worse."

    def act_wake(self, request: HttpRequest, row: SyncException) -> str:
        """Show it among the open ones again."""
        _must_be(row, State.OPEN)
        do("wake", [row.pk], request.user)
        self.log_change(request, row, "Woken")
        return "It is among the open ones again."

    def act_undo(self, request: HttpRequest, row: SyncException) -> str:
        """Take back the last thing this person did to it."""
        try:
            act = undo_last(request.user, row.pk)
        except CannotUndo as reason:
            raise Refusal(str(reason)) from reason
        self.log_change(request, row, f"Took back: {DONE_WORDS[act.name]}")
        return f"Taken back: {DONE_WORDS[act.name]}."

    def act_comment(self, request: HttpRequest, row: SyncException) -> str:
        """Write something beside it."""
        engine.comment(row, request.user, _text(request, "text", "The comment is empty."))
        return "Comment added."

    def page_urls(self) -> list[URLPattern]:
        """Saved filters, acts on all that a filter leaves with their runs, and values put right."""
        pages = (
            ("views/save/", "save_view", exception_views.save), ("views/<int:view_id>/delete/", "delete_view", exception_views.delete),
            *exception_bulk.PAGES, *exception_edit.PAGES,
        )  # fmt: skip
        return [
            path(address, self.wrapped(partial(self._page, view)), name=f"integrations_syncexception_{name}")
            for address, name, view in pages
        ]

    def _page(self, view: Any, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return view(self, request, **kwargs)


DONE_WORDS = {"assign": "the assignment", "snooze": "the snooze", "ignore": "the decision to ignore it"}


def _must_be(row: SyncException, state: State) -> None:
    if row.state != state:
        raise Refusal(f"It is {row.get_state_display().lower()} already, so nothing was done.")


def _text(request: HttpRequest, name: str, missing: str) -> str:
    text = request.POST.get(name, "").strip()
    if not text:
        raise Refusal(missing)
    return text


def chosen_person(request: HttpRequest) -> Any:
    """Whom a form names: a person of the staff, `me`, or None for nobody; raises Refusal."""
    chosen = request.POST.get("assignee", "")
    if chosen == "me":
        return request.user
    person = people().filter(pk=chosen).first() if chosen.isdecimal() else None
    if chosen and person is None:
        raise Refusal("There is no such person.")
    return person
