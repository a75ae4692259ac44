"""Comparisons: what was compared per day, start one, how far it is, what it found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import FlowFilter, field_filter
from integrations.admin.sheets import FORMATS, download
from monitoring.models import Drift, Reconciliation
from monitoring.reconcile import runs
from monitoring.reconcile.ends import comparable_flows
from monitoring.reconcile.numbers import Day, by_day, open_by_cause
from monitoring.reconcile.pages.forms import CompareForm

CHANGE, ADD = "monitoring.change_reconciliation", "monitoring.add_reconciliation"
POSSIBLE = {"waiting": {"pause", "cancel"}, "running": {"pause", "cancel"}, "paused": {"resume", "cancel"}, "failed": {"resume", "cancel"}}
BAR_WIDTH, BAR_GAP, HEIGHT = 22, 10, 190
HEADER = ("day", "compared", "matched", "drifted", "found repaired", "value of drifts", "currency")


@admin.register(Reconciliation)
class ReconciliationDesk(Exports, Desk):
    """Every comparison of both ends."""

    acts = (Act("pause", CHANGE), Act("resume", CHANGE), Act("cancel", CHANGE))
    detail_template = "monitoring/recon_run.html"
    list_before_template = "monitoring/recon_top.html"
    empty_icon = "compare_arrows"
    empty_words = "Nothing was compared yet. Every night compares the day before; the form above starts a comparison now."
    list_display = ["flow_cell", "window_cell", "state_cell", "matched_cell", "drifted_cell", "value_cell", "begun_cell"]
    list_filter = [
        FlowFilter,
        field_filter("kind", "level", Reconciliation.Level.choices),
        field_filter("state", "state", Reconciliation.State.choices),
    ]
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("Flow", "flow"), Column("Kind", "get_level_display"), Column("Records", "get_basis_display"),
        Column("From", "window_from"), Column("To", "window_to"), Column("State", "get_state_display"), Column("Matched", "matched"),
        Column("Drifted", "drifted"), Column("Found repaired", "closed"), Column("Left out on purpose", "left_out"),
        Column("Still under way", "under_way"), Column("Value of drifts", "value"), Column("Currency", "currency"),
        Column("Every night", "nightly"), Column("Begun", "created_at"), Column("Ended", "finished_at"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/unmapped.css", "switchyard/recon.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        """The newest first."""
        rows = super().get_queryset(request).select_related("flow__source", "flow__destination", "requested_by")
        return rows.defer("days") if not (request.resolver_match and request.resolver_match.kwargs.get("object_id")) else rows

    # --- the list ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the days' summary, the open drifts and the form that starts a comparison."""
        days = by_day(flow=_number(request.GET.get("flow", "")))
        form = CompareForm(comparable_flows(), initial={"flow": _number(request.GET.get("flow", ""))})
        top = {
            "title": "Reconciliation", "compare": form, "may_start": request.user.has_perm(ADD), "days": days[::-1], "chart": chart(days),
            "causes": open_by_cause(), "drifts_url": reverse("admin:monitoring_drift_changelist"), "as_of": timezone.now(),
            "sheets": [(each.upper(), f"{self.view_url('days', each)}?{request.GET.urlencode()}") for each in FORMATS],
        }  # fmt: skip
        return super().changelist_view(request, {**top, **(extra_context or {})})

    @admin.display(description="Flow")
    def flow_cell(self, row: Reconciliation) -> SafeString:
        """The flow over what was compared."""
        by = "every night" if row.nightly else f"asked for by {row.requested_by}" if row.requested_by else ""
        under = " · ".join(part for part in (row.get_level_display(), by) if part)
        return format_html('<strong>{}</strong><small class="sy-under">{}</small>', row.flow, under)

    @admin.display(description="Window")
    def window_cell(self, row: Reconciliation) -> str:
        """The days."""
        return window_words(row)

    @admin.display(description="State")
    def state_cell(self, row: Reconciliation) -> SafeString:
        """State in words, with the fault."""
        fault = format_html('<small class="sy-under">{}</small>', row.error) if row.error else ""
        return format_html("{}{}", words.state_badge(row), fault)

    @admin.display(description="Matched")
    def matched_cell(self, row: Reconciliation) -> str:
        """Records on which both ends agree."""
        return f"{row.matched:,}" if row.level == Reconciliation.Level.RECORDS else words.NOTHING

    @admin.display(description="Drifted")
    def drifted_cell(self, row: Reconciliation) -> SafeString | str:
        """Drifts, with the way to them."""
        if row.level == Reconciliation.Level.COUNTS:
            return words.NOTHING
        url = f"{reverse('admin:monitoring_drift_changelist')}?state=all&run={row.pk}"
        return format_html('<a class="sy-link" href="{}">{}</a>', url, f"{row.drifted:,}") if row.drifted else "0"

    @admin.display(description="Value")
    def value_cell(self, row: Reconciliation) -> str:
        """What the drifts are worth."""
        return words.money(row.value, row.currency) if row.value else words.NOTHING

    @admin.display(description="Begun")
    def begun_cell(self, row: Reconciliation) -> str:
        """Age."""
        return words.when(row.created_at)

    # --- further pages ---

    def page_urls(self) -> list[URLPattern]:
        """Start, the part that refreshes itself, and the days as a sheet."""
        return [
            path("start/", self.wrapped(self.start), name="monitoring_reconciliation_start"),
            path("<int:object_id>/live/", self.wrapped(self.live), name="monitoring_reconciliation_live"),
            path("days/<slug:form>/", self.wrapped(self.days), name="monitoring_reconciliation_days"),
        ]

    def start(self, request: HttpRequest) -> HttpResponse:
        """Begin a comparison by POST; a refusal goes back to the list in words."""
        if not request.user.has_perm(ADD):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = CompareForm(comparable_flows(), request.POST)
        if not form.is_valid():
            messages.error(request, " ".join(text for texts in form.errors.values() for text in texts))
            return HttpResponseRedirect(self.view_url("changelist"))
        flow, since, until, basis = form.chosen()
        try:
            run = runs.start(flow, since, until, basis=basis, by=request.user)
        except runs.CannotCompare as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(self.view_url("changelist"))
        self.log_change(request, run, "Started")
        return HttpResponseRedirect(self.view_url("change", run.pk))

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Progress and results so far as an HTML part."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "monitoring/recon_live.html", row, **self.detail(request, row))

    def days(self, request: HttpRequest, form: str) -> HttpResponse:
        """The days' summary as a sheet; raises Http404 for other forms."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if form not in FORMATS:
            raise Http404(f"There is no form {form}.")
        rows = _exported(by_day(flow=_number(request.GET.get("flow", "")))[::-1])
        return download(form, f"reconciliation-days-{timezone.localdate():%Y-%m-%d}", HEADER, [list(rows)])

    # --- one comparison ---

    def detail(self, request: HttpRequest, row: Reconciliation) -> dict[str, Any]:
        """Progress, what it found by cause, and the days of a count."""
        found = Drift.objects.filter(run=row)
        return {
            "title": f"{'Counts' if row.level == Reconciliation.Level.COUNTS else 'Comparison'} of {row.flow}",
            "window": window_words(row), "progress": runs.progress(row), "live": row.state in ("waiting", "running"),
            "causes": open_by_cause(found), "drifts_url": reverse("admin:monitoring_drift_changelist"),
            "days": [_count_line(row, *day) for day in row.days], "log": self.log_of(row),
            "query": f"state=all&run={row.pk}", "worth": words.money(row.value, row.currency) if row.value and row.currency else "",
            "flow_url": reverse("admin:integrations_flow_change", args=[row.flow_id]),
        }  # fmt: skip

    def allowed_acts(self, request: HttpRequest, row: Reconciliation | None = None) -> set[str]:
        """What is permitted and makes sense in this state."""
        return super().allowed_acts(request, row) & (POSSIBLE.get(row.state, set()) if row else set())

    def act_pause(self, request: HttpRequest, row: Reconciliation) -> str:
        """Stop after the page that is being read."""
        return self._do(request, row, runs.pause, "Paused. It goes on where it stopped when it is resumed.")

    def act_resume(self, request: HttpRequest, row: Reconciliation) -> str:
        """Go on where it stopped."""
        return self._do(request, row, runs.resume, "Resumed where it stopped.")

    def act_cancel(self, request: HttpRequest, row: Reconciliation) -> str:
        """End it; what it found stays."""
        return self._do(request, row, runs.cancel, "Cancelled. The drifts it found so far stay.")

    def _do(self, request: HttpRequest, row: Reconciliation, act: Any, answer: str) -> str:
        if not act(row):
            raise Refusal(f"It is {row.get_state_display().lower()} and cannot be changed that way any more.")
        self.log_change(request, row, answer)
        return answer


def window_words(row: Reconciliation) -> str:
    """The window in days: "21 Nov 2026", "1 – 3 Nov 2026"."""
    first, last = timezone.localtime(row.window_from), timezone.localtime(row.window_to)
    shown_last = last if last.time() > datetime.min.time() else last - timedelta(seconds=1)
    if first.date() == shown_last.date():
        return f"{first.day} {first:%b %Y}"
    return f"{first.day} {first:%b %Y} – {shown_last.day} {shown_last:%b %Y}"


def _count_line(row: Reconciliation, day: str, ours: int | None, theirs: int | None) -> dict[str, Any]:
    since = timezone.localtime(datetime.fromisoformat(day))
    known = ours is not None and theirs is not None
    gap = (theirs - ours) if known else None
    query = f"?flow={row.flow_id}"
    return {"day": since.date(), "ours": ours, "theirs": theirs, "gap": gap, "query": query}


def _exported(days: list[Day]) -> Iterator[list[object]]:
    for day in days:
        yield [day.day.isoformat(), day.compared, day.matched, day.drifted, day.repaired, day.value, day.currency]


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def chart(days: list[Day]) -> dict[str, Any]:
    """Bars per day: drifts found and drifts found repaired, in the units of an SVG drawing."""
    most = max((max(day.drifted, day.repaired) for day in days), default=0)
    bars = []
    for place, day in enumerate(days):
        tall = [round(HEIGHT * number / most) if most else 0 for number in (day.drifted, day.repaired)]
        x = place * (BAR_WIDTH + BAR_GAP)
        bars.append(
            {
                "day": day, "x": x, "x2": x + BAR_WIDTH // 2, "width": BAR_WIDTH // 2 - 1, "middle": x + BAR_WIDTH // 2,
                "drift_y": HEIGHT - tall[0], "drift_h": tall[0], "done_y": HEIGHT - tall[1], "done_h": tall[1], "named": place % 5 == 4,
            }
        )  # fmt: skip
    width = len(days) * (BAR_WIDTH + BAR_GAP)
    return {"bars": bars, "most": most, "width": width, "height": HEIGHT, "any": any(day.compared for day in days)}
