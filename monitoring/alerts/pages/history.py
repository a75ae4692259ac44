"""The history of alerts: every change, newest first, with filters that stay in the address."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import Desk
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import age_filter, field_filter
from monitoring.alerts.access import seen_by
from monitoring.alerts.pages.standing import severity_badge, ways
from monitoring.alerts.pages.states import SeverityFilter, TeamFilter, WatchFilter, teams_words
from monitoring.alerts.wording import label_of
from monitoring.models import AlertEvent

Change = AlertEvent.Change


@admin.register(AlertEvent)
class HistoryDesk(Exports, Desk):
    """Every time that something went wrong or was over."""

    list_before_template = "monitoring/alerts_history_top.html"
    empty_icon = "history"
    empty_words = "Nothing has changed in this time. Each beginning and each end of an alert stands here."
    list_display = ["what_cell", "change_cell", "at_cell", "severity_cell", "teams_cell"]
    list_filter = [field_filter("change", "change", Change.choices), WatchFilter, SeverityFilter, TeamFilter, age_filter("when", "at")]
    list_filter_submit = True
    export_columns = (
        Column("At", "at"), Column("Change", "get_change_display"), Column("Alert", "title"),
        Column("Condition", lambda row, personal: label_of(row.watch)), Column("Severity", "get_severity_display"),
        Column("Concerns", lambda row, personal: teams_words(row)), Column("Since", "since"), Column("Until", "until"),
        Column("Text", "text"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/alerts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertEvent]:
        """What concerns the reader, newest first; whoever may see nothing is refused, and not told that there is nothing."""
        rows = super().get_queryset(request).order_by("-at", "-pk")
        return seen_by(request.user, rows) if self.has_view_permission(request) else rows

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the ways to the other pages of alerts."""
        return super().changelist_view(
            request, {"title": "History of alerts", **ways(request, "alertevent_changelist"), **(extra_context or {})}
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An event is shown on the page of its alert."""
        row = self.row_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:monitoring_alertstate_change", args=[row.alert_id]))

    @admin.display(description="Alert")
    def what_cell(self, row: AlertEvent) -> SafeString:
        """The alert as it was told."""
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', row.title, row.text)

    @admin.display(description="Change")
    def change_cell(self, row: AlertEvent) -> SafeString:
        """What happened; with the time it lasted when it was over."""
        if row.change == Change.OPENED:
            return words.badge(row.get_change_display(), "warn")
        lasted = words.span(((row.until or row.at) - row.since).total_seconds())
        return format_html('{}<small class="sy-under">lasted {}</small>', words.badge(row.get_change_display(), "good"), lasted)

    @admin.display(description="When")
    def at_cell(self, row: AlertEvent) -> str:
        """The age."""
        return words.when(row.at)

    @admin.display(description="Severity")
    def severity_cell(self, row: AlertEvent) -> SafeString:
        """The severity over the condition."""
        return format_html('{}<small class="sy-under">{}</small>', severity_badge(row), label_of(row.watch))

    @admin.display(description="Concerns")
    def teams_cell(self, row: AlertEvent) -> str:
        """Teams in words."""
        return teams_words(row)
