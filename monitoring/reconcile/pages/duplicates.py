"""Suspected duplicates: two contacts side by side, and a person who decides whether they are one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, dropdown
from integrations.engine.masking import mask_email, mask_name, mask_phone
from integrations.platforms.errors import PlatformError
from integrations.platforms.survey import PersonView
from mapping.models import Contact
from monitoring.models import Duplicate
from monitoring.reconcile import merging
from monitoring.reconcile.suspects import REASONS, label

CHANGE = "monitoring.change_duplicate"
State = Duplicate.State
TONES = {"open": "warn", "asked": "info", "merging": "info", "merged": "good", "different": "quiet", "gone": "quiet"}
MASKS = {"Name": lambda text: " ".join(map(mask_name, text.split())), "E-mail": mask_email, "Phone": mask_phone}
ALL = "all"


def _states(request: HttpRequest) -> list[tuple[str, str]]:
    return [*State.choices, (ALL, "All")]


class StateFilter(dropdown("state", "state", _states, lambda rows, value, request: rows if value == ALL else rows.filter(state=value))):
    """State of a pair; those to decide unless told otherwise."""

    all_option = None

    def value(self) -> str:
        """The chosen state."""
        return super().value() or State.OPEN.value


ReasonFilter = dropdown(
    "reason", "reason", lambda request: [(slug, name) for slug, (name, _) in REASONS.items()],
    lambda rows, value, request: rows.filter(reasons__contains=[value]),
)  # fmt: skip


@admin.register(Duplicate)
class DuplicateDesk(Exports, Desk):
    """Pairs of contacts that may be one person."""

    acts = tuple(Act(name, CHANGE) for name in ("merge", "withdraw", "different", "reconsider"))
    detail_template = "monitoring/duplicates_one.html"
    list_before_template = "monitoring/duplicates_top.html"
    tabs = (
        ("To decide", {"state": "open"}), ("Under way", {"state": "merging"}), ("Merged", {"state": "merged"}),
        ("Not the same person", {"state": "different"}), ("All", {"state": ALL}),
    )  # fmt: skip
    empty_icon = "people"
    empty_words = "No two contacts look like one person. Every night the contacts are looked through again."
    list_display = ["pair_cell", "why_cell", "connection_cell", "state_cell", "found_cell"]
    list_filter = [StateFilter, ConnectionFilter, ReasonFilter]
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("Pair (masked)", "title"), Column("First id", "first"), Column("Second id", "second"),
        Column("Reasons", lambda row, personal: ", ".join(REASONS[slug][0] for slug in row.reasons if slug in REASONS)),
        Column("At", "connection.name"), Column("State", "get_state_display"), Column("Stays", "survivor"),
        Column("Decided by", lambda row, personal: str(row.decided_by or "")), Column("Found", "found_at"), Column("Ended", "ended_at"),
        Column("Note", "note"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/unmapped.css", "switchyard/recon.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Duplicate]:
        """The newest first."""
        return super().get_queryset(request).select_related("connection", "decided_by").order_by("-found_at", "-pk")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: each pair is decided by itself."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list."""
        return super().changelist_view(request, {"title": "Duplicates", **(extra_context or {})})

    @admin.display(description="Who")
    def pair_cell(self, row: Duplicate) -> SafeString:
        """Both, masked."""
        return format_html('<strong class="sy-wrap">{}</strong>', row.title)

    @admin.display(description="Why they may be one")
    def why_cell(self, row: Duplicate) -> SafeString:
        """Each reason over what it means."""
        known = [REASONS[slug] for slug in row.reasons if slug in REASONS]
        return format_html_join("", '<span class="sy-why">{}<small class="sy-under">{}</small></span>', known)

    @admin.display(description="At")
    def connection_cell(self, row: Duplicate) -> str:
        """Where they are."""
        return row.connection.name

    @admin.display(description="State")
    def state_cell(self, row: Duplicate) -> SafeString:
        """State in words."""
        return words.badge(row.get_state_display(), TONES[row.state])

    @admin.display(description="Found")
    def found_cell(self, row: Duplicate) -> str:
        """Age."""
        return words.when(row.found_at)

    # --- one pair ---

    def allowed_acts(self, request: HttpRequest, row: Duplicate | None = None) -> set[str]:
        """What makes sense in this state."""
        possible = {State.OPEN: {"merge", "different"}, State.ASKED: {"withdraw"}, State.DIFFERENT: {"reconsider"}}
        allowed = super().allowed_acts(request, row)
        return allowed if row is None else allowed & possible.get(State(row.state), set())

    def detail(self, request: HttpRequest, row: Duplicate) -> dict[str, Any]:
        """Both as our own directory knows them; what the destination shows now follows by itself."""
        personal = request.user.has_perm(MASK_PERMISSION)
        both = Contact.objects.filter(connection=row.connection_id, contact_key__in=[row.first, row.second])
        facts = dict(both.values_list("contact_key", "facts"))
        sides = [
            {"key": key, "name": label(key, facts.get(key, {}), personal=personal), "word": merging.word(key), "other": merging.word(other)}
            for key, other in ((row.first, row.second), (row.second, row.first))
        ]
        return {
            "sides": sides, "reasons": [REASONS[slug] for slug in row.reasons if slug in REASONS], "tone": TONES[row.state],
            "moving": row.state in (State.ASKED, State.MERGING), "log": self.log_of(row), "title": "May be one person",
            "decidable": row.state == State.OPEN,
        }  # fmt: skip

    def page_urls(self) -> list[URLPattern]:
        """Both as the destination shows them now, and the state that refreshes itself."""
        return [
            path("<int:object_id>/now/", self.wrapped(self.now), name="monitoring_duplicate_now"),
            path("<int:object_id>/live/", self.wrapped(self.live), name="monitoring_duplicate_live"),
        ]

    def now(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Both as the destination shows them at this moment, masked for whoever may not see people."""
        row = self.row_or_404(request, object_id)
        personal = request.user.has_perm(MASK_PERMISSION)
        try:
            first, second = merging.views(row)
        except PlatformError as fault:
            return self.show(request, "monitoring/duplicates_now.html", row, fault=str(fault), table=[])
        return self.show(request, "monitoring/duplicates_now.html", row, table=side_by_side(first, second, personal), views=(first, second))

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How far a merge is."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "monitoring/duplicates_state.html", row, **self.detail(request, row))

    # --- deciding ---

    def act_merge(self, request: HttpRequest, row: Duplicate) -> str:
        """Merge after the person typed the end of the id that disappears."""
        survivor = request.POST.get("survivor", "")
        if survivor not in (row.first, row.second):
            raise Refusal("Choose which of the two stays.")
        gone = row.second if survivor == row.first else row.first
        if request.POST.get("typed", "").strip().lower() != merging.word(gone).lower():
            raise Refusal(f"Nothing was merged: type {merging.word(gone)}, the end of the id that disappears, to confirm.")
        if not merging.ask(row, survivor, request.user):
            raise Refusal(f"It is {row.get_state_display().lower()} already, so nothing was done.")
        self.log_change(request, row, f"Merge asked for: {survivor} stays, {gone} disappears")
        return "The merge is asked for. One merge a minute is taken; its result is read back and shown here."

    def act_withdraw(self, request: HttpRequest, row: Duplicate) -> str:
        """Take the decision back while it was not carried out."""
        if not merging.withdraw(row):
            raise Refusal("It is under way already and cannot be taken back.")
        self.log_change(request, row, "Merge taken back before it was carried out")
        return "Taken back. Nothing was merged."

    def act_different(self, request: HttpRequest, row: Duplicate) -> str:
        """They are two people; the pair is not suspected again."""
        if not merging.keep_apart(row, request.user, request.POST.get("note", "").strip()):
            raise Refusal(f"It is {row.get_state_display().lower()} already, so nothing was done.")
        self.log_change(request, row, "Not the same person")
        return "Noted: not the same person. This pair is not suspected again; “Decide again” undoes this."

    def act_reconsider(self, request: HttpRequest, row: Duplicate) -> str:
        """Back to the list."""
        if not merging.reconsider(row):
            raise Refusal("It is to be decided already.")
        self.log_change(request, row, "To be decided again")
        return "Back on the list."


def side_by_side(first: PersonView | None, second: PersonView | None, personal: bool) -> list[tuple[str, str, str, bool]]:
    """Label, both values (masked unless `personal`), and whether they are the same."""
    shown = [{**(view.personal if view else {}), **(view.facts if view else {})} for view in (first, second)]
    labels = dict.fromkeys([*shown[0], *shown[1]])
    return [
        (name, _masked(name, shown[0].get(name, ""), personal), _masked(name, shown[1].get(name, ""), personal),
         bool(shown[0].get(name)) and shown[0].get(name) == shown[1].get(name))
        for name in labels
    ]  # fmt: skip


def _masked(name: str, text: str, personal: bool) -> str:
    if personal or not text:
        return text or words.NOTHING
    return MASKS[name](text) if name in MASKS else "•••" if name == "Born" else text
