"""Unmapped products: one line per unknown SKU with what waits for it, and one screen per SKU where it is answered in a key or a click."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.access import answerable, may_answer
from integrations.admin import unmapped_pages
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.exports import Exports
from integrations.admin.filters import age_filter, dropdown
from integrations.admin.summaries import headline
from integrations.admin.unmapped_bulk import best_rows, preview, value_words
from integrations.admin.unmapped_parts import give, in_words, parts_from_form, parts_from_json
from integrations.admin.unmapped_sheet import HEADER, options_words, price_words, sheet_rows
from integrations.engine import backlog
from integrations.engine.suggest import preview_answer
from integrations.engine.waiting import UNMAPPED_SKU, waiting_shown
from integrations.models import Flow, SyncException, UnmappedSku

CHANGE = "integrations.change_syncexception"
CROSSWALK = "mapping.add_skucrosswalk"
BULK_LIMIT = 1000
ORDERS_SHOWN = 20
GOOD_SCORE, FAIR_SCORE = 85, 60
VALUES = (("1", "Anything"), ("100", "100 and more"), ("1000", "1,000 and more"), ("10000", "10,000 and more"))
SUGGESTED = {
    "strong": (f"A strong one ({GOOD_SCORE} and more)", {"backlog__score__gte": GOOD_SCORE}),
    "any": ("Any", {"backlog__score__isnull": False}),
    "none": ("None", {"backlog__suggested_at__isnull": False, "backlog__score": None}),
}
BY_VALUE = ("-backlog__value", "backlog__exception")  # the index made for it
SORTS = {
    "value": ("Value waiting", BY_VALUE),
    "score": ("Best suggestion", (F("backlog__score").desc(nulls_last=True), *BY_VALUE)),
    "orders": ("Orders waiting", ("-backlog__orders", *BY_VALUE)),
    "newest": ("Last seen", ("-last_seen", "-pk")),
    "oldest": ("First seen", ("backlog__exception",)),  # numbered as they were asked
}


def _sources(request: HttpRequest) -> list[tuple[str, str]]:
    rows = Flow.objects.filter(record_type="order").order_by("source__name")
    return [(str(pk), name) for pk, name in rows.values_list("source", "source__name").distinct()]


SourceFilter = dropdown("connection", "source", _sources, lambda rows, value, request: rows.filter(flow__source_id=value))
ValueFilter = dropdown(
    "value waiting", "value", lambda request: VALUES, lambda rows, value, request: rows.filter(backlog__value__gte=value)
)  # fmt: skip
SuggestionFilter = dropdown(
    "suggestion", "suggestion", lambda request: [(key, label) for key, (label, _) in SUGGESTED.items()],
    lambda rows, value, request: rows.filter(**SUGGESTED[value][1]),
)  # fmt: skip
SortFilter = dropdown(
    "order of the list", "sort", lambda request: [(key, label) for key, (label, _) in SORTS.items()],
    lambda rows, value, request: rows.order_by(*SORTS[value][1]),
)  # fmt: skip


@admin.register(UnmappedSku)
class UnmappedDesk(Exports, Desk):
    """Where unknown SKUs get their place in the catalogue."""

    acts = (Act("accept", CROSSWALK), Act("quick", CROSSWALK), Act("through", CROSSWALK))
    detail_template = "integrations/unmapped.html"
    list_before_template = "integrations/unmapped_top.html"
    empty_icon = "inventory_2"
    empty_words = (
        "Every SKU that the orders carry is known, so no order waits for one. "
        "A SKU appears here when an order names one that is neither in the catalogue nor in the SKU crosswalk."
    )
    list_display = ["product_cell", "price_cell", "waiting_cell", "value_cell", "suggestion_cell", "seen_cell"]
    list_filter = [SourceFilter, ValueFilter, SuggestionFilter, age_filter("last seen", "last_seen"), SortFilter]
    list_filter_submit = True
    search_fields = ["subject"]
    search_help_text = "Exact SKU"
    actions = ["accept_many"]

    class Media:
        css = {"all": ["switchyard/desk.css", "switchyard/unmapped.css"]}
        js = ["switchyard/unmapped.js"]

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnmappedSku]:
        """Open ones, what is worth most first; the page of a settled one is still there."""
        rows = super().get_queryset(request).filter(kind=UNMAPPED_SKU, flow__isnull=False)
        rows = rows.select_related("flow__source", "flow__destination", "backlog", "resolved_by").order_by(*BY_VALUE)
        one = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        return rows if one else rows.filter(state="open", snoozed_until=None, backlog__isnull=False)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact SKUs only."""
        term = search_term.strip()
        return (queryset.filter(subject=term) if term else queryset), False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list with what was asked a moment ago."""
        backlog.adopt()
        return super().get_changelist_instance(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the last answers and the ways of spreadsheets."""
        top = {
            "title": "Unmapped products",
            "answers_url": self.view_url("answers"),
            "may_answer": self.has_answer_permission(request),
            "upload_url": self.view_url("upload"),
            "first_url": self.view_url("first"),
        }
        return super().changelist_view(request, {**top, **(extra_context or {})})

    def complete(self, request: HttpRequest, rows: list[UnmappedSku]) -> None:
        """What waits for the SKUs of the page: one query."""
        waiting = waiting_shown([row.pk for row in rows]) if rows else {}
        may = self.has_answer_permission(request)
        for row in rows:
            row.waiting, row.may_answer = waiting.get(row.pk), may and may_answer(request.user, row)

    def export_header(self) -> list[str]:
        """The headings of the sheet that comes back."""
        return list(HEADER)

    def export_rows(self, rows: Sequence[UnmappedSku], *, personal: bool) -> Iterator[list[object]]:
        """The sheet that comes back; nothing in it is about a person."""
        return sheet_rows(rows)

    @admin.display(description="Product")
    def product_cell(self, row: UnmappedSku) -> SafeString:
        """Title over SKU, options and where it comes from."""
        found = row.waiting
        parts = [f"SKU {row.subject}", options_words(found) if found else "", f"{row.flow.source} → {row.flow.destination}"]
        if found and found.component_of:
            parts.insert(1, f"part of {found.component_of}")
        under = " · ".join(part for part in parts if part)
        title = (found.title if found else "") or row.subject
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', title, under)

    @admin.display(description="Price")
    def price_cell(self, row: UnmappedSku) -> str:
        """Price of one, or its range."""
        return price_words(row.waiting) if row.waiting else words.NOTHING

    @admin.display(description="Waiting")
    def waiting_cell(self, row: UnmappedSku) -> SafeString | str:
        """Orders over units."""
        if row.waiting is None:
            return words.NOTHING
        orders, units = words.plural(row.waiting.orders, "order"), words.plural(row.waiting.units, "unit")
        return format_html('{}<small class="sy-under">{}</small>', orders, units)

    @admin.display(description="Value waiting")
    def value_cell(self, row: UnmappedSku) -> str:
        """What the waiting orders are worth."""
        return value_words(row.waiting.value) if row.waiting else words.NOTHING

    @admin.display(description="First / last seen")
    def seen_cell(self, row: UnmappedSku) -> SafeString:
        """Both ages."""
        return format_html('{}<small class="sy-under">first {}</small>', words.when(row.last_seen), words.when(row.first_seen))

    @admin.display(description="Best suggestion")
    def suggestion_cell(self, row: UnmappedSku) -> SafeString:
        """Target and score over the first reason, with the button that takes it."""
        stored = getattr(row, "backlog", None)
        if stored is None or stored.suggested_at is None:
            return format_html('<span class="sy-quiet">{}</span>', "being looked for")
        if stored.score is None:
            return format_html('<span class="sy-quiet">{}</span>', "none found")
        target = in_words(tuple(part) for part in stored.suggestion["parts"])
        reason = next(iter(stored.suggestion.get("reasons", [])), "")
        return format_html(
            '<span class="sy-wrap sy-suggested">{} {}<small class="sy-under">{}</small></span>{}',
            target, score_badge(stored.score), reason, self._accept(row, target),
        )  # fmt: skip

    def _accept(self, row: UnmappedSku, target: str) -> SafeString | str:
        if not row.may_answer:
            return ""
        parts = orjson.dumps(row.backlog.suggestion["parts"]).decode()
        return format_html(
            '<button type="submit" class="sy-button sy-small" data-do="accept" formaction="{}" name="parts" value="{}" aria-label="{}">'
            "Accept</button>",
            self.view_url("quick", row.pk), parts, f"Accept {target} for {row.subject}",
        )  # fmt: skip

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """People who may settle questions and write the crosswalk."""
        return request.user.has_perm(CHANGE) and request.user.has_perm(CROSSWALK)

    @admin.action(description="Accept the best suggestions…", permissions=["answer"])
    def accept_many(self, request: HttpRequest, queryset: QuerySet[UnmappedSku]) -> HttpResponse | None:
        """Show what accepting the best suggestions of the ticked rows would let go."""
        rows = list(answerable(request.user, queryset)[: BULK_LIMIT + 1])
        if len(rows) > BULK_LIMIT:
            self.message_user(request, f"At most {BULK_LIMIT:,} SKUs at a time.", messages.ERROR)
            return None
        return preview(self, request, best_rows(rows), "Accept the best suggestions")

    # --- one SKU ---

    def may(self, request: HttpRequest, act: Act, row: UnmappedSku | None = None) -> bool:
        """An answer settles a question and writes a crosswalk row, so it takes both rights."""
        return self.has_answer_permission(request) and (row is None or may_answer(request.user, row))

    def allowed_acts(self, request: HttpRequest, row: UnmappedSku | None = None) -> set[str]:
        """What is settled is not settled again."""
        allowed = super().allowed_acts(request, row)
        return allowed if row is None or row.state == SyncException.State.OPEN else set()

    def detail(self, request: HttpRequest, row: UnmappedSku) -> dict[str, Any]:
        """The line as the orders show it, what an answer lets go, and the way to the next SKU; candidates come by themselves."""
        waiting, is_open = waiting_shown([row.pk]).get(row.pk), row.state == SyncException.State.OPEN
        lets_go = preview_answer(row) if is_open else None
        personal = request.user.has_perm(MASK_PERMISSION)
        holds = list(row.holds.select_related("delivery").defer("delivery__sent_payload").order_by("pk")[:ORDERS_SHOWN])
        previous, following = unmapped_pages.neighbours(row)
        return {
            "title": (waiting.title if waiting else "") or row.subject,
            "waiting": waiting,
            "options": options_words(waiting) if waiting else "",
            "price": price_words(waiting) if waiting else "",
            "lets_go": lets_go,
            "lets_go_value": value_words(lets_go.value) if lets_go else "",
            "holds": [(hold, headline(row.flow.record_type, hold.delivery.record, personal=personal)) for hold in holds],
            "previous": previous,
            "following": following,
            "answers_url": self.view_url("answers"),
            "answers": row.sku_answers.all()[:3] if not is_open else [],
            "question_url": reverse("admin:integrations_syncexception_change", args=[row.pk]),
        }

    def act_accept(self, request: HttpRequest, row: UnmappedSku) -> HttpResponse:
        """Take a suggestion or the chosen components, and go on to the next SKU."""
        following = unmapped_pages.neighbours(row)[1]
        self._answer(request, row)
        return HttpResponseRedirect(self.view_url("change", following) if following else self.view_url("changelist"))

    def act_quick(self, request: HttpRequest, row: UnmappedSku) -> HttpResponse:
        """Take the suggestion from the list, and stay there."""
        self._answer(request, row)
        return HttpResponseRedirect(self.view_url("changelist"))

    def act_through(self, request: HttpRequest, row: UnmappedSku) -> HttpResponse:
        """Let the SKU through as it is, and go on to the next."""
        following = unmapped_pages.neighbours(row)[1]
        self._answer(request, row, through=True)
        return HttpResponseRedirect(self.view_url("change", following) if following else self.view_url("changelist"))

    def _answer(self, request: HttpRequest, row: UnmappedSku, *, through: bool = False) -> None:
        if row.state != SyncException.State.OPEN:
            raise Refusal(f"{row.subject} is {row.get_state_display().lower()} already, so nothing was done.")
        data = request.POST
        components = () if through else parts_from_json(data["parts"]) if data.get("parts") else parts_from_form(data)
        answer = give(row, components, request.user, note=data.get("note", "").strip()[:300])
        self.log_change(request, row, f"Answered: {answer.words}")
        goes = words.plural(answer.released, "waiting order goes", "waiting orders go")
        messages.success(request, f"{row.subject}: {in_words(components)}. {goes} out now.")

    def log_change(self, request: HttpRequest, obj: Model, message: object) -> Any:
        """Kept in the log of the question itself, where its other pages show it too."""
        return super().log_change(request, SyncException(pk=obj.pk, title=str(obj)), message)

    def page_urls(self) -> list[URLPattern]:
        """Candidates, search, last answers, many at once, and spreadsheets."""
        return unmapped_pages.urls(self)


def score_badge(score: int) -> SafeString:
    """The score with its tone."""
    tone = "good" if score >= GOOD_SCORE else "info" if score >= FAIR_SCORE else "quiet"
    return words.badge(f"{score} of 100", tone)
