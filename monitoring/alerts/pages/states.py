"""Alerts: what is wrong now and since when, one page each, and the table of who gets what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from integrations import words
from integrations.admin.desk import Desk
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import dropdown, field_filter
from monitoring.alerts.access import SET, seen_by, watches_of
from monitoring.alerts.pages.standing import severity_badge, standing, ways
from monitoring.alerts.routing import hears
from monitoring.alerts.sending import LEFT_OUT
from monitoring.alerts.watches import TEAMS, WATCHES, Watch
from monitoring.alerts.wording import label_of
from monitoring.models import AlertMessage, AlertRound, AlertState, AlertTarget
from monitoring.models.alerts import SEVERITIES

NOW, OVER, ALL = "now", "over", "all"
SHOWN = {NOW: {"wrong": True}, OVER: {"wrong": False, "since__isnull": False}, ALL: {"since__isnull": False}}
EVENTS, MESSAGES = 20, 20
HEARS = {"all": "yes", "some": "in part", "": "no"}
WatchFilter = field_filter("condition", "watch", [(slug, watch.label) for slug, watch in WATCHES.items()])
SeverityFilter = field_filter("severity", "severity", SEVERITIES)
TeamFilter = dropdown("team", "team", lambda request: TEAMS.items(), lambda rows, value, request: rows.filter(teams__contains=[value]))


class StateFilter(
    dropdown(
        "state",
        "state",
        lambda request: [(NOW, "Now"), (OVER, "Over"), (ALL, "All")],
        lambda rows, value, request: rows.filter(**SHOWN[value]),
    )
):
    """What is wrong now unless told otherwise."""

    all_option = None

    def value(self) -> str:
        """The chosen view."""
        return super().value() or NOW


class ThresholdForm(forms.ModelForm):
    """From which worth on a single exception is told."""

    worth = forms.IntegerField(
        label="Orders worth at least", min_value=1, max_value=10_000_000, widget=UnfoldAdminIntegerFieldWidget(),
        help_text="In the currency of the orders. What is above it now is told within a minute.",
    )  # fmt: skip

    class Meta:
        model = AlertRound
        fields = ["worth"]


@admin.register(AlertState)
class AlertDesk(Exports, Desk):
    """Everything that is wrong, the gravest first."""

    detail_template = "monitoring/alert.html"
    list_before_template = "monitoring/alerts_top.html"
    tabs = (("Now", {"state": NOW}), ("Over", {"state": OVER}), ("All", {"state": ALL}))
    empty_icon = "notifications_off"
    empty_words = "Nothing. An alert stands here from when something goes wrong until it is well again."
    list_display = ["what_cell", "severity_cell", "since_cell", "teams_cell", "told_cell"]
    list_filter = [StateFilter, WatchFilter, SeverityFilter, TeamFilter]
    list_filter_submit = True
    export_columns = (
        Column("Alert", "title"), Column("Condition", lambda row, personal: label_of(row.watch)),
        Column("Severity", "get_severity_display"),
        Column("Concerns", lambda row, personal: teams_words(row)), Column("Wrong now", lambda row, personal: "yes" if row.wrong else "no"),
        Column("Since", "since"), Column("Told", "told_at"), Column("Over since", "recovered_at"), Column("Text", "text"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/alerts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertState]:
        """What concerns the reader; whoever may see nothing is refused, and not told that there is nothing."""
        rows = super().get_queryset(request)
        return seen_by(request.user, rows) if self.has_view_permission(request) else rows

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """What is wrong before what is over, the gravest first, then the latest."""
        grave = Case(When(severity="urgent", then=0), When(severity="warning", then=1), default=2)
        return ["-wrong", *([grave.asc()] if request.GET.get("state", NOW) == NOW else []), "-since", "-pk"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under when somebody looked."""
        top = {"title": "Alerts", **standing(request), **ways(request, "alertstate_changelist")}
        return super().changelist_view(request, {**top, **(extra_context or {})})

    # --- cells ---

    @admin.display(description="Alert")
    def what_cell(self, row: AlertState) -> SafeString:
        """The alert over its text."""
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', row.title, row.text)

    @admin.display(description="Severity")
    def severity_cell(self, row: AlertState) -> SafeString:
        """The severity over the condition."""
        return format_html('{}<small class="sy-under">{}</small>', severity_badge(row), label_of(row.watch))

    @admin.display(description="Since")
    def since_cell(self, row: AlertState) -> SafeString | str:
        """Since when, or how long it lasted."""
        if row.wrong or row.recovered_at is None:
            return words.when(row.since)
        lasted = words.span((row.recovered_at - row.since).total_seconds())
        return format_html('over since {}<small class="sy-under">lasted {}</small>', words.when(row.recovered_at), lasted)

    @admin.display(description="Concerns")
    def teams_cell(self, row: AlertState) -> str:
        """Teams in words."""
        return teams_words(row)

    @admin.display(description="Told")
    def told_cell(self, row: AlertState) -> str:
        """When somebody was last told."""
        return words.when(row.told_at) if row.told_at else "nobody"

    # --- one alert ---

    def detail(self, request: HttpRequest, row: AlertState) -> dict[str, Any]:
        """Its past, and who was told."""
        events = list(row.events.order_by("-at", "-pk")[:EVENTS])
        told = (
            AlertMessage.objects.filter(event__in=[event.pk for event in events])
            .select_related("target", "event")
            .defer("text", "html", *LEFT_OUT)
            .order_by("-pk")
        )
        return {
            "badge": severity_badge(row), "label": label_of(row.watch), "watch": WATCHES.get(row.watch), "teams": teams_words(row),
            "events": [(event, event.change == "opened") for event in events], "told": list(told[:MESSAGES]),
            "may_targets": request.user.has_perm("monitoring.view_alerttarget"),
            "lasted": words.span((row.recovered_at - row.since).total_seconds()) if row.since and row.recovered_at else "",
        }  # fmt: skip

    # --- further pages ---

    def page_urls(self) -> list[URLPattern]:
        """The part that refreshes, who gets what, and the threshold."""
        pages = (("standing/", "standing", _standing), ("who/", "who", _who), ("threshold/", "threshold", _threshold))
        return [path(route, self.viewed(view), name=f"monitoring_alertstate_{name}") for route, name, view in pages]


def teams_words(row: Any) -> str:
    """The teams whom something concerns."""
    return ", ".join(TEAMS.get(team, team) for team in row.teams) or words.NOTHING


def _standing(desk: AlertDesk, request: HttpRequest) -> HttpResponse:
    """The head of the list; when another number of things is wrong the whole list loads again."""
    shown = standing(request)
    answer = desk.show(request, "monitoring/alerts_standing.html", **shown)
    if request.GET.get("wrong", "").isdecimal() and int(request.GET["wrong"]) != shown["wrong"]:
        answer["HX-Refresh"] = "true"
    return answer


def _who(desk: AlertDesk, request: HttpRequest, form: ThresholdForm | None = None) -> HttpResponse:
    """Every condition that concerns the reader, and which target hears of it."""
    targets = list(AlertTarget.objects.all())
    lines = [(watch, [(target.name, _cell(target, watch)) for target in targets]) for watch in watches_of(request.user)]
    turn, _ = AlertRound.objects.get_or_create(pk=1)
    return desk.show(
        request, "monitoring/alerts_who.html", title="Who gets what", targets=targets, lines=lines, worth=turn.worth,
        form=form or ThresholdForm(instance=turn), may_set=request.user.has_perm(SET), **ways(request, "alertstate_who"),
        may_edit=request.user.has_perm("monitoring.view_alerttarget"), severities=dict(SEVERITIES),
    )  # fmt: skip


def _cell(target: AlertTarget, watch: Watch) -> str:
    """Whether a target hears of a condition, in a word."""
    return HEARS[hears(target, watch)] if target.state == AlertTarget.State.ACTIVE else "off"


def _threshold(desk: AlertDesk, request: HttpRequest) -> HttpResponse:
    """Set from which worth on a single exception is told."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(SET):
        raise PermissionDenied
    turn, _ = AlertRound.objects.get_or_create(pk=1)
    before, form = turn.worth, ThresholdForm(request.POST, instance=turn)
    if not form.is_valid():
        return _who(desk, request, form)
    AlertRound.objects.filter(pk=1).update(worth=form.cleaned_data["worth"])
    desk.log_change(request, turn, f"Told from a worth of {form.cleaned_data['worth']:,} on. Before: {before:,}")
    messages.success(request, f"Exceptions that hold up orders worth {form.cleaned_data['worth']:,} or more are told from now on.")
    return HttpResponseRedirect(desk.view_url("who"))
