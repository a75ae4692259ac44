"""Impact runs: what a draft would do to past records, and the records that go out again after a publication. With progress and cancel."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.export_columns import IMPACT_RUNS
from integrations.admin.exports import Exports
from integrations.admin.filters import FlowFilter, field_filter
from integrations.admin.impact_findings import findings_of
from integrations.engine import impact
from integrations.models import Delivery, ImpactRun
from mapping.models import MappingVersion
from mapping.rules import BadRules

CHANGE = "mapping.change_mappingversion"
SIZES = {"1000": "1,000 records", "10000": "10,000 records", "100000": "100,000 records"}
PEEK = 1001  # rows that are counted at most


def start(request: HttpRequest, version: MappingVersion, most: int = impact.MOST_RECORDS) -> ImpactRun:
    """Begin an impact run of the size that was asked for, else of `most` records; raises Refusal for rules that cannot be used."""
    size = request.POST.get("most", "")
    try:
        return impact.start(version, request.user, most=int(size) if size in SIZES else most)
    except BadRules as fault:
        raise Refusal(f"The rules cannot be used as they are: {fault}.") from fault


def standing_of(version: MappingVersion) -> dict[str, Any]:
    """What the newest impact run of a version says, for the pages where it is published."""
    found = impact.standing(version)
    run = found.run if found else None
    return {
        "run": run,
        "stale": found.stale if found else "",
        "counts": bool(found and not found.stale and found.run.state == ImpactRun.State.DONE),
        "partial": bool(run and run.most and run.total == run.most),
        "resending": ImpactRun.objects.filter(version=version, purpose=ImpactRun.Purpose.RESEND).first(),
        "sizes": list(SIZES.items()),
    }


@admin.register(ImpactRun)
class ImpactDesk(Exports, Desk):
    """Every run, newest first."""

    acts = (Act("cancel", CHANGE), Act("again", CHANGE))
    detail_template = "integrations/impact.html"
    list_before_template = "integrations/list_tabs.html"
    tabs = (("All", {}), ("Impact runs", {"purpose": "impact"}), ("Sending again", {"purpose": "resend"}))
    empty_icon = "query_stats"
    empty_words = "No impact run yet. Start one on a mapping's page: it says what the draft would change, and sends nothing."
    export_columns = IMPACT_RUNS
    list_display = ["name_cell", "flow_cell", "state_cell", "found_cell", "who_cell"]
    list_filter = [FlowFilter, field_filter("state", "state", ImpactRun.State.choices)]
    list_filter_submit = True

    class Media:
        css = {"all": ["switchyard/rules.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImpactRun]:
        """Newest first."""
        related = ("flow__source", "flow__destination", "version", "before", "requested_by")
        return super().get_queryset(request).select_related(*related).order_by("-created_at", "-id")

    @admin.display(description="Run")
    def name_cell(self, row: ImpactRun) -> SafeString:
        """What for, and of which version."""
        return format_html('<strong>{}</strong><small class="sy-under">version {}</small>', row.get_purpose_display(), row.version.number)

    @admin.display(description="Flow")
    def flow_cell(self, row: ImpactRun) -> str:
        """The flow's name."""
        return str(row.flow)

    @admin.display(description="State")
    def state_cell(self, row: ImpactRun) -> SafeString:
        """State in words."""
        return words.state_badge(row)

    @admin.display(description="Result")
    def found_cell(self, row: ImpactRun) -> str:
        """The counts in one line."""
        return in_short(row)

    @admin.display(description="By")
    def who_cell(self, row: ImpactRun) -> SafeString:
        """Who asked for it, and when."""
        return format_html('{}<small class="sy-under">{}</small>', row.requested_by or "the program", words.when(row.created_at))

    def page_urls(self) -> list[URLPattern]:
        """The part of the page that refreshes itself."""
        return [path("<int:object_id>/live/", self.wrapped(self.live), name="integrations_impactrun_live")]

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Progress and findings as an HTML part."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "integrations/impact_live.html", row, **self.detail(request, row))

    def allowed_acts(self, request: HttpRequest, row: ImpactRun | None = None) -> set[str]:
        """What is permitted and makes sense in this state."""
        allowed = super().allowed_acts(request, row)
        if row is None:
            return allowed
        possible = {"cancel"} if row.state in impact.UNDER_WAY else {"again"} if row.purpose == ImpactRun.Purpose.IMPACT else set()
        return allowed & possible

    def detail(self, request: HttpRequest, row: ImpactRun) -> dict[str, Any]:
        """Progress and findings of one run."""
        live = row.state in impact.UNDER_WAY
        personal = request.user.has_perm(MASK_PERMISSION)
        return {
            "title": f"{row.get_purpose_display()} of version {row.version.number}",
            "live": live,
            "progress": impact.progress(row),
            "short": in_short(row),
            "findings": findings_of(row, personal=personal) if row.purpose == ImpactRun.Purpose.IMPACT else None,
            "stale": _stale(row),
            "waiting": waiting_of(row) if row.purpose == ImpactRun.Purpose.RESEND else "",
            "version_url": reverse("admin:mapping_mappingversion_change", args=[row.version_id]),
            "deliveries_url": reverse("admin:integrations_delivery_changelist"),
            "may_publish": request.user.has_perm(CHANGE) and row.version.state == MappingVersion.State.DRAFT,
            "sizes": list(SIZES.items()),
            "log": self.log_of(row),
        }

    def act_cancel(self, request: HttpRequest, row: ImpactRun) -> str:
        """Stop after the step that is being done."""
        if not impact.cancel(row, request.user):
            raise Refusal("It has ended already.")
        self.log_change(request, row, "Cancelled")
        return f"Cancelled. {'What was queued still goes.' if row.purpose == ImpactRun.Purpose.RESEND else 'What it found so far stays.'}"

    def act_again(self, request: HttpRequest, row: ImpactRun) -> HttpResponse:
        """A new run of the version as it is now."""
        run = start(request, row.version, row.most)
        self.log_addition(request, run, "Started")
        return HttpResponseRedirect(self.view_url("change", run.pk))


def _stale(run: ImpactRun) -> str:
    """Why the result of an impact run is out of date, empty when it is not."""
    if run.purpose != ImpactRun.Purpose.IMPACT:
        return ""
    found = impact.standing(run.version)
    if found is None:
        return ""
    return found.stale if found.run.pk == run.pk else "A newer run of this version was made since."


def in_short(run: ImpactRun) -> str:
    """The counts of a run in one line."""
    if run.purpose == ImpactRun.Purpose.RESEND:
        return f"{words.plural(run.queued, 'delivery', 'deliveries')} of {run.looked_at:,} go out again"
    if not run.looked_at:
        return "Nothing was looked at yet"
    told = ((run.changed, "would change"), (run.fails, "would newly be held"), (run.answered, "would go out at last"))
    parts = [f"{number:,} {text}" for number, text in told if number]
    return f"Of {words.plural(run.looked_at, 'record')}, {', '.join(parts) or 'none would change'}"


def waiting_of(run: ImpactRun) -> str:
    """How many of the flow's deliveries still wait to go, counted up to a thousand."""
    rows = Delivery.objects.filter(flow=run.flow_id, state=Delivery.State.READY).order_by("lane", "due_at")
    number = len(rows.values_list("pk")[:PEEK])
    return f"more than {PEEK - 1:,}" if number >= PEEK else f"{number:,}"
