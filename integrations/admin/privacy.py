"""Requests of people about their own data: what came and how far it is, the person's file, and the certificate of an erasure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, age_filter, field_filter
from integrations.admin.privacy_ask import ask_page, erase_page, export_page, let_back_page
from integrations.engine.privacy import asks, runs, shop, work
from integrations.engine.privacy.erase import WHAT
from integrations.engine.privacy.export import read_file
from integrations.models import PrivacyRequest

CHANGE = "integrations.change_privacyrequest"
State, Kind = PrivacyRequest.State, PrivacyRequest.Kind
LIVE = (State.WAITING, State.RUNNING, State.FOLLOWING)
SOON = timedelta(days=7)
OPEN_STATES = [State.WAITING, State.RUNNING, State.FOLLOWING, State.READY, State.FAILED]
TONES = {
    State.WAITING: "info", State.RUNNING: "info", State.FOLLOWING: "info", State.READY: "warn", State.DONE: "good", State.FAILED: "bad",
    State.CANCELLED: "quiet",
}  # fmt: skip
ASK_WORDS = {
    asks.TO_ASK: ("Still to be asked", "info"), asks.ASKED: ("Asked, not finished", "info"), asks.DONE: ("Done there", "good"),
    asks.REFUSED: ("Turned down", "bad"), asks.BY_HAND: ("By hand", "warn"),
}  # fmt: skip


def rows_of(request: PrivacyRequest) -> int:
    """How many rows were found, or changed, so far."""
    return sum(rows for step in request.steps if step["name"] not in (work.FIND, work.MARK) for rows in step["done"].values())


@admin.register(PrivacyRequest)
class PrivacyDesk(Exports, Desk):
    """Every request, newest first."""

    acts = (Act("cancel", CHANGE), Act("again", CHANGE), Act("hand-over", CHANGE))
    detail_template = "integrations/privacy.html"
    list_before_template = "integrations/privacy_top.html"
    tabs = (("All", {}), *((state.label, {"state": str(state)}) for state in (State.FOLLOWING, State.READY, State.DONE)))
    empty_icon = "shield_person"
    empty_words = (
        "No request yet. Shopify's privacy messages make one by themselves; when somebody writes to you, use the buttons above this list."
    )
    list_display = ["name_cell", "through_cell", "state_cell", "rows_cell", "due_cell", "who_cell"]
    list_filter = [
        field_filter("kind", "kind", Kind.choices), field_filter("state", "state", State.choices), ConnectionFilter,
        field_filter("asked through", "origin", PrivacyRequest.Origin.choices), age_filter("asked", "asked_at"),
    ]  # fmt: skip
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("Kind", "get_kind_display"), Column("Asked through", "get_origin_display"),
        Column("Connection", lambda row, personal: str(row.connection or "")), Column("State", "get_state_display"),
        Column("Asked", "asked_at"), Column("Due", "due_at"), Column("Began", "started_at"), Column("Ended", "ended_at"),
        Column("By", "by_name"), Column("Rows", lambda row, personal: rows_of(row)), Column("Digest of the certificate", "digest"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/rules.css", "switchyard/privacy.css"]}
        js = ["switchyard/privacy.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PrivacyRequest]:
        """Newest first."""
        return super().get_queryset(request).select_related("connection", "by").defer("subject", "codes").order_by("-asked_at", "-id")

    @admin.display(description="Request")
    def name_cell(self, row: PrivacyRequest) -> SafeString:
        """What is asked for, and its number."""
        return format_html('<strong>{}</strong><small class="sy-under">request {}</small>', row.get_kind_display(), row.pk)

    @admin.display(description="Asked through")
    def through_cell(self, row: PrivacyRequest) -> SafeString | str:
        """A platform's message, or this console."""
        if row.connection is None:
            return row.get_origin_display()
        return format_html('{}<small class="sy-under">{}</small>', row.connection, row.topic)

    @admin.display(description="State")
    def state_cell(self, row: PrivacyRequest) -> SafeString:
        """State in words."""
        return words.badge(row.get_state_display(), TONES.get(State(row.state), "quiet"))

    @admin.display(description="Rows")
    def rows_cell(self, row: PrivacyRequest) -> str:
        """How many rows were found or changed."""
        return f"{rows_of(row):,}"

    @admin.display(description="Due")
    def due_cell(self, row: PrivacyRequest) -> SafeString | str:
        """The last day, loud when it is near."""
        if row.state in runs.ENDED:
            return "–"
        near = row.due_at < timezone.now() + SOON
        return format_html('<span class="{}">{}</span>', "pv-near" if near else "", words.when(row.due_at))

    @admin.display(description="By")
    def who_cell(self, row: PrivacyRequest) -> SafeString:
        """Who asked here, and when."""
        return format_html('{}<small class="sy-under">{}</small>', row.by_name or "the platform", words.when(row.asked_at))

    def page_urls(self) -> list[URLPattern]:
        """Asking, progress, the person's file and the certificate."""
        name = "integrations_privacyrequest"
        return [
            path("person/", self.viewed(ask_page), name=f"{name}_person"),
            path("person/export/", self.viewed(export_page), name=f"{name}_ask_export"),
            path("person/erase/", self.viewed(erase_page), name=f"{name}_ask_erasure"),
            path("person/back/", self.viewed(let_back_page), name=f"{name}_let_back"),
            path("<int:object_id>/live/", self.wrapped(self.live), name=f"{name}_live"),
            path("<int:object_id>/file/", self.wrapped(self.file), name=f"{name}_file"),
            path("<int:object_id>/certificate/", self.wrapped(self.certificate), name=f"{name}_certificate"),
        ]

    def allowed_acts(self, request: HttpRequest, row: PrivacyRequest | None = None) -> set[str]:
        """What is permitted and makes sense in this state."""
        allowed = super().allowed_acts(request, row)
        if row is None:
            return allowed
        waits = row.state == State.WAITING and row.origin == PrivacyRequest.Origin.CONSOLE
        possible = {"cancel"} if waits else {"again"} if row.state == State.FAILED else set()
        if row.state == State.READY:
            possible |= {"hand-over"} if row.file_until else {"again"}
        return allowed & possible

    def detail(self, request: HttpRequest, row: PrivacyRequest) -> dict[str, Any]:
        """Progress, platforms and result of one request."""
        done = [step for step in row.steps if step["state"] == "done"]
        now = next((step for step in row.steps if step["state"] != "done"), None)
        label = shop.label_of if row.kind == Kind.SHOP else work.label_of
        return {
            "title": f"{row.get_kind_display()}, request {row.pk}",
            "tone": TONES.get(State(row.state), "quiet"),
            "live": row.state in LIVE,
            "share": 1.0 if row.state in (State.READY, *runs.ENDED, State.FOLLOWING) else len(done) / max(len(row.steps), 1),
            "now": label(now["name"]) if now and row.state == State.RUNNING else "",
            "done": len(done),
            "looked": sum(step["looked"] for step in row.steps),
            "tables": row.report.get("tables") or _so_far(row, label),
            "platforms": [(ask, *ASK_WORDS[ask["state"]]) for ask in row.asks],
            "near": row.state not in runs.ENDED and row.due_at < timezone.now() + SOON,
            "has_file": bool(row.file_until),
            "log": self.log_of(row),
        }

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Progress and result as an HTML part."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "integrations/privacy_live.html", row, **self.detail(request, row))

    def file(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The person's file; raises Http404 when it is not there (any more). Every download is written down."""
        row = self.row_or_404(request, object_id)
        if not row.file_until:
            raise Http404("The file is not there any more.")
        self.log_change(request, row, "The file was downloaded")
        answer = StreamingHttpResponse(read_file(row), content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="data-of-a-person-request-{row.pk}.zip"'
        answer["Cache-Control"] = "no-store"
        return answer

    def certificate(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The certificate as JSON with its digest; raises Http404 before there is one."""
        row = self.row_or_404(request, object_id)
        if not row.digest:
            raise Http404("There is no certificate yet.")
        answer = JsonResponse({"certificate": row.report, "sha256": row.digest}, json_dumps_params={"indent": 2})
        answer["Content-Disposition"] = f'attachment; filename="certificate-of-erasure-{row.pk}.json"'
        return answer

    def act_cancel(self, request: HttpRequest, row: PrivacyRequest) -> str:
        """Take it back before it starts."""
        if not runs.cancel(row):
            raise Refusal("It has begun already, and an erasure that has begun cannot be stopped half way.")
        self.log_change(request, row, "Cancelled before it started")
        return "Cancelled. Nothing was changed."

    def act_again(self, request: HttpRequest, row: PrivacyRequest) -> str:
        """Go on where it stopped, or make the file once more."""
        if not runs.again(row):
            raise Refusal("There is nothing to go on with.")
        self.log_change(request, row, "Started again")
        return "Started again."

    def act_hand_over(self, request: HttpRequest, row: PrivacyRequest) -> str:
        """The person, or the shop, has the file."""
        if not runs.hand_over(row, request.user):
            raise Refusal("It was handed over already.")
        self.log_change(request, row, "Handed over")
        return "Noted. The request is done; the file stays until its last day."


def _so_far(row: PrivacyRequest, label: Any) -> list[dict[str, Any]]:
    """What was done so far, in the words of the certificate."""
    left_out = (work.FIND, work.MARK, work.ASK)
    told = [(step["name"], step["done"]) for step in row.steps if step["done"] and step["name"] not in left_out]
    return [{"table": label(name), "done": {WHAT.get(what, what): rows for what, rows in done.items()}} for name, done in told]
