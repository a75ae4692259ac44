"""Drifts: each difference between the two ends with both values, its probable cause and its repair."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import FlowFilter, dropdown, field_filter
from integrations.platforms.registry import PLATFORMS
from mapping.preview import generic
from mapping.records import RecordType
from monitoring.models import Drift
from monitoring.reconcile import drifts, repair
from monitoring.reconcile.causes import ASPECTS, CAUSES, REPAIR_LABELS, Cause, Repair, cause_choices
from monitoring.reconcile.numbers import open_by_cause
from monitoring.reconcile.pages import bulk

State = Drift.State
TONES = {"open": "warn", "repairing": "info", "closed": "good", "dismissed": "quiet"}
ALL = "all"
NO_REASON = "Say in a few words why it may stay as it is."


def _states(request: HttpRequest) -> list[tuple[str, str]]:
    return [*State.choices, (ALL, "All")]


def _by_run(request: HttpRequest) -> list[tuple[str, str]]:
    wanted = request.GET.get("run", "")
    return [(wanted, f"Comparison {wanted}")] if wanted.isdecimal() and len(wanted) < 10 else []


class StateFilter(dropdown("state", "state", _states, lambda rows, value, request: rows if value == ALL else rows.filter(state=value))):
    """State of a drift; open ones unless told otherwise, and on a drift's own page any."""

    all_option = None

    def value(self) -> str:
        """The chosen state."""
        return super().value() or State.OPEN.value


RunFilter = dropdown("comparison", "run", _by_run, lambda rows, value, request: rows.filter(run_id=value))
CauseFilter = field_filter("cause", "cause", cause_choices())
AspectFilter = field_filter("what", "aspect", tuple(ASPECTS.items()))


@admin.register(Drift)
class DriftDesk(Exports, Desk):
    """Everything on which the two ends of a flow do not agree."""

    acts = (Act("repair", repair.REPAIR), Act("dismiss", repair.REPAIR), Act("reopen", repair.REPAIR))
    detail_template = "monitoring/recon_drift.html"
    list_before_template = "monitoring/recon_drifts_top.html"
    tabs = (
        ("Open", {"state": "open"}), ("Being repaired", {"state": "repairing"}), ("Healed", {"state": "closed"}),
        ("Left as they are", {"state": "dismissed"}), ("All", {"state": ALL}),
    )  # fmt: skip
    empty_icon = "task_alt"
    empty_words = "Both ends agree on everything that was compared. A drift appears here when a comparison finds a difference."
    list_display = ["what_cell", "differs_cell", "cause_cell", "value_cell", "seen_cell", "next_cell"]
    list_filter = [StateFilter, FlowFilter, CauseFilter, AspectFilter, RunFilter]
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("Record (masked)", "title"), Column("Key", "record_key"), Column("Flow", "flow"),
        Column("What", "get_aspect_display"), Column("Field", lambda row, personal: field_label(row)), Column("Should be", "ours"),
        Column("Is at the destination", "theirs"),
        Column("Probable cause", lambda row, personal: cause_of(row).label), Column("Next step", lambda row, personal: cause_of(row).step),
        Column("Value", "value"), Column("Currency", "currency"), Column("State", "get_state_display"), Column("First seen", "first_seen"),
        Column("Last seen", "last_seen"), Column("Closed", "closed_at"), Column("Note", "note"),
    )  # fmt: skip
    search_fields = ["record_key"]
    search_help_text = "Exact key of the record at the source"

    class Media:
        css = {"all": ["switchyard/unmapped.css", "switchyard/recon.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Drift]:
        """The newest first."""
        return super().get_queryset(request).select_related("flow__source", "flow__destination", "exception").order_by("-last_seen", "-pk")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact keys only."""
        term = search_term.strip()
        return (queryset.filter(record_key=term) if term else queryset), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: many are repaired by their filter, not by ticking pages."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under its causes."""
        query = request.GET.urlencode()
        lines = open_by_cause()
        top = {
            "title": "Drift", "causes": lines, "open": sum(line.number for line in lines),
            "may_repair": request.user.has_perm(repair.REPAIR),
            "repair_url": f"{self.view_url('repairs')}?{query}", "runs_url": reverse("admin:monitoring_reconciliation_changelist"),
            "chosen": request.GET.get("cause", ""), "state": request.GET.get("state", "open"),
        }  # fmt: skip
        return super().changelist_view(request, {**top, **(extra_context or {})})

    # --- cells ---

    @admin.display(description="Record")
    def what_cell(self, row: Drift) -> SafeString:
        """The record over its flow."""
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', row.title, row.flow)

    @admin.display(description="What differs")
    def differs_cell(self, row: Drift) -> SafeString:
        """Both values."""
        values = (row.ours or words.NOTHING, row.theirs or words.NOTHING)
        both = format_html("<span>should be <b>{}</b></span> <span>is <b>{}</b></span>", *values)
        what = f"{row.get_aspect_display()}: {field_label(row)}" if row.field else row.get_aspect_display()
        return format_html('<span class="sy-wrap">{}</span><small class="sy-under rc-both">{}</small>', what, both)

    @admin.display(description="Probable cause")
    def cause_cell(self, row: Drift) -> SafeString:
        """Cause in words."""
        cause = cause_of(row)
        state = "" if row.state == State.OPEN else words.badge(row.get_state_display(), TONES[row.state])
        return format_html("{} {}", words.badge(cause.label, cause.tone, cause.meaning), state)

    @admin.display(description="Value")
    def value_cell(self, row: Drift) -> str:
        """The money at stake."""
        return words.money(row.value, row.currency) if row.value is not None and row.currency else words.NOTHING

    @admin.display(description="Last seen")
    def seen_cell(self, row: Drift) -> str:
        """Age."""
        return words.when(row.last_seen)

    @admin.display(description="Next step")
    def next_cell(self, row: Drift) -> SafeString | str:
        """The repair, as a button or a link."""
        if row.state not in drifts.STANDING:
            return words.NOTHING
        cause = cause_of(row)
        if cause.repair is Repair.QUESTION and row.exception_id:
            url = reverse("admin:integrations_syncexception_change", args=[row.exception_id])
            return format_html('<a class="sy-button sy-small" href="{}">Open the question</a>', url)
        if cause.repair in (Repair.PULL, Repair.RESEND) and getattr(row, "may_repair", False) and row.state == State.OPEN:
            url, label = self.view_url("repair", row.pk), f"{REPAIR_LABELS[cause.repair]}: {row.title}"
            return format_html(
                '<button type="submit" class="sy-button sy-small" formaction="{}" aria-label="{}">{}</button>',
                url, label, REPAIR_LABELS[cause.repair],
            )  # fmt: skip
        return REPAIR_LABELS[Repair.NONE] if cause.repair is Repair.NONE else words.NOTHING

    def complete(self, request: HttpRequest, rows: list[Drift]) -> None:
        """Which rows of the page this person may repair."""
        for row in rows:
            row.may_repair = repair.may_repair(request.user, row)

    # --- one drift ---

    def may(self, request: HttpRequest, act: Act, row: Drift | None = None) -> bool:
        """Some roles repair only some record types."""
        return repair.may_repair(request.user, row) if row is not None else super().may(request, act)

    def allowed_acts(self, request: HttpRequest, row: Drift | None = None) -> set[str]:
        """What makes sense in this state."""
        allowed = super().allowed_acts(request, row)
        if row is None:
            return allowed
        possible = {State.OPEN: {"repair", "dismiss"}, State.REPAIRING: {"repair", "dismiss"}, State.DISMISSED: {"reopen"}}
        wanted = set(possible.get(State(row.state), set()))
        if cause_of(row).repair not in (Repair.PULL, Repair.RESEND):
            wanted.discard("repair")
        return allowed & wanted

    def detail(self, request: HttpRequest, row: Drift) -> dict[str, Any]:
        """Both values, the cause and the ways on."""
        cause = cause_of(row)
        links = [
            ("Open the delivery", reverse("admin:integrations_delivery_change", args=[row.delivery_id]) if row.delivery_id else ""),
            ("Open the question", reverse("admin:integrations_syncexception_change", args=[row.exception_id]) if row.exception_id else ""),
            ("Open the comparison", reverse("admin:monitoring_reconciliation_change", args=[row.run_id]) if row.run_id else ""),
        ]
        return {
            "title": row.title, "field": field_label(row), "cause": cause,
            "repair_label": REPAIR_LABELS[cause.repair], "links": [link for link in links if link[1]],
            "worth": words.money(row.value, row.currency) if row.value is not None and row.currency else "", "tone": TONES[row.state],
            "moving": row.state == State.REPAIRING, "log": self.log_of(row),
            "flow_url": reverse("admin:integrations_flow_change", args=[row.flow_id]),
        }  # fmt: skip

    def act_repair(self, request: HttpRequest, row: Drift) -> str:
        """Begin the repair; whether it helped is looked at by itself."""
        done = repair.repair([row], request.user)
        if not done.done:
            raise Refusal("Nothing was done: the record is on its way right now, or there is nothing to send. Look again in a moment.")
        began = "It is read from the source again" if done.pulled else "It is sent again"
        return f"{began}. Within a few minutes it is looked at at the destination, and closed here when both ends agree."

    def act_dismiss(self, request: HttpRequest, row: Drift) -> str:
        """Let it be, with a reason."""
        note = request.POST.get("note", "").strip()
        if not note:
            raise Refusal(NO_REASON)
        drifts.dismiss(row, note)
        self.log_change(request, row, f"Left as it is: {note[:200]}")
        return "Left as it is. The same difference is not listed again; “Put back” undoes this."

    def act_reopen(self, request: HttpRequest, row: Drift) -> str:
        """Put it back on the list."""
        if not drifts.reopen(row):
            raise Refusal("The same record is on the list again already.")
        self.log_change(request, row, "Put back on the list")
        return "Back on the list."

    # --- many ---

    def page_urls(self) -> list[URLPattern]:
        """Repairing by filter, what became of it, and the part of a page that refreshes itself."""
        return [
            path("repairs/", self.viewed(bulk.repairs), name="monitoring_drift_repairs"),
            path("progress/", self.viewed(bulk.progress), name="monitoring_drift_progress"),
            path("<int:object_id>/live/", self.wrapped(self.live), name="monitoring_drift_live"),
        ]

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How one drift stands."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "monitoring/recon_drift_live.html", row, **self.detail(request, row))


def field_label(row: Drift) -> str:
    """The differing field in the words of the rule editor."""
    return _labels(row.flow.destination.platform, row.flow.record_type).get(generic(row.field), row.field)


@cache
def _labels(platform: str, record_type: str) -> dict[str, str]:
    targets = PLATFORMS[platform].targets.get(RecordType(record_type), ()) if platform in PLATFORMS else ()
    return {target.path: target.label for target in targets}


def cause_of(row: Drift) -> Cause:
    """The line of the table of causes."""
    return CAUSES[row.cause]
