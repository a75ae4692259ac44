"""Flows: on or off, how late, what is held, settings, and backfills of the source's history."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.backfill import backfills_of
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import dropdown
from integrations.admin.flow_forms import BackfillForm, FlowForm
from integrations.admin.flow_numbers import flow_numbers, shown
from integrations.engine import backlog, pull
from integrations.engine.wake import wake_flow
from integrations.flows import FlowSpec, spec_for, specs_between
from integrations.models import Connection, Flow, SyncException
from integrations.platforms.registry import PLATFORMS
from mapping.changes import changes_of
from mapping.defaults import load_all_defaults
from mapping.models import MappingVersion

CHANGE = "integrations.change_flow"
LATE_SECONDS = 300
ROUTE_LABELS = {"A": "A · TikTok Shop to Ometria", "B": "B · Shopify and Ometria", "C": "C · commercetools and TikTok Shop",
                "D": "D · Shopify and TikTok", "E": "E · commercetools to Ometria"}  # fmt: skip


def spec_of(flow: Flow) -> FlowSpec | None:
    """The flow's line in the table of flows, None for a pair that was removed from it."""
    try:
        return spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    except (KeyError, ValueError):
        return None


def _in_state(rows: QuerySet[Flow], value: str, request: HttpRequest) -> QuerySet[Flow]:
    return rows.filter(enabled=value == "on")


@admin.register(Flow)
class FlowDesk(Exports, Desk):
    """Every pair of connections and record type."""

    acts = (Act("switch", CHANGE), Act("configure", CHANGE), Act("backfill", "integrations.add_checkpoint"), Act("wake", CHANGE))
    detail_template = "integrations/flow.html"
    add_words = "flows"
    empty_icon = "swap_horiz"
    empty_words = "No flow yet. Add two connections first, then choose what moves between them."
    list_display = ["name_cell", "route_cell", "enabled_cell", "lag_cell", "ready_cell", "held_cell", "delivered_cell", "last_cell"]
    list_filter = [dropdown("switch", "enabled", lambda request: [("on", "On"), ("off", "Off")], _in_state)]
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("What", "record_type"), Column("Source", "source.name"), Column("Destination", "destination.name"),
        Column("Route", lambda row, personal: spec.route if (spec := spec_of(row)) else ""),
        Column("Switch", lambda row, personal: "on" if row.enabled else "off"),
        Column("Lag in seconds", lambda row, personal: round(row.numbers.lag)),
        Column("Ready", lambda row, personal: shown(row.numbers.ready)), Column("Held", lambda row, personal: shown(row.numbers.held)),
        Column("Delivered in the last hour", lambda row, personal: shown(row.numbers.delivered)),
        Column("Last delivered", "last_delivered_at"), Column("Added", "created_at"),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Managers add flows."""
        return request.user.has_perm("integrations.add_flow")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flow]:
        """Flows with their two connections."""
        return super().get_queryset(request).select_related("source", "destination")

    def complete(self, request: HttpRequest, rows: list[Flow]) -> None:
        """The numbers of all flows on the page in one query."""
        numbers = flow_numbers(rows)
        may = request.user.has_perm(CHANGE)
        for row in rows:
            row.numbers, row.may_switch = numbers[row.pk], may

    @admin.display(description="Flow")
    def name_cell(self, row: Flow) -> SafeString:
        """What moves, over from where to where."""
        return format_html(
            '<strong>{}</strong><small class="sy-under">{} → {}</small>', row.record_type.capitalize() + "s", row.source, row.destination
        )

    @admin.display(description="Route")
    def route_cell(self, row: Flow) -> str:
        """The route customers speak of."""
        spec = spec_of(row)
        return spec.route if spec else words.NOTHING

    @admin.display(description="Switch")
    def enabled_cell(self, row: Flow) -> SafeString:
        """On or off, with the button for people who may change it."""
        state = words.badge("On", "good") if row.enabled else words.badge("Off", "quiet")
        if not row.may_switch:
            return state
        return format_html(
            '{} <button type="submit" class="sy-button sy-small" formmethod="post" formaction="{}" name="next" value="{}">{}</button>',
            state, self.view_url("switch", row.pk), self.view_url("changelist"), "Switch off" if row.enabled else "Switch on",
        )  # fmt: skip

    @admin.display(description="Lag")
    def lag_cell(self, row: Flow) -> SafeString:
        """Age of the oldest due delivery."""
        return lag_badge(row.numbers.lag)

    @admin.display(description="Ready")
    def ready_cell(self, row: Flow) -> SafeString:
        """How many wait to be sent."""
        return self._count_link(row, "ready", row.numbers.ready)

    @admin.display(description="Held")
    def held_cell(self, row: Flow) -> SafeString:
        """How many wait for a person."""
        return self._count_link(row, "blocked", row.numbers.held)

    @admin.display(description="Delivered, last hour")
    def delivered_cell(self, row: Flow) -> str:
        """How many arrived."""
        return shown(row.numbers.delivered)

    @admin.display(description="Last delivered")
    def last_cell(self, row: Flow) -> str:
        """Age of the last arrival."""
        return words.when(row.last_delivered_at)

    def _count_link(self, row: Flow, state: str, count: int) -> SafeString | str:
        if not count:
            return "0"
        return format_html('<a class="sy-link" href="{}?flow={}&amp;state={}">{}</a>', deliveries_url(), row.pk, state, shown(count))

    # --- the page ---

    def page_urls(self) -> list[URLPattern]:
        """The part of the page that refreshes itself."""
        return [path("<int:object_id>/live/", self.wrapped(self.live), name="integrations_flow_live")]

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Numbers and backfills as an HTML part."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "integrations/flow_live.html", row, **self._live(request, row))

    def _live(self, request: HttpRequest, row: Flow) -> dict[str, Any]:
        numbers = flow_numbers([row])[row.pk]
        return {
            "numbers": numbers,
            "ready": shown(numbers.ready),
            "held": shown(numbers.held),
            "delivered": shown(numbers.delivered),
            "lag": lag_badge(numbers.lag),
            "deliveries_url": f"{deliveries_url()}?flow={row.pk}",
            **backfills_of(request, row.source),
        }

    def detail(self, request: HttpRequest, row: Flow) -> dict[str, Any]:
        """Settings, numbers, backfills and the open questions of one flow."""
        spec, platform = spec_of(row), PLATFORMS.get(row.source.platform)
        readers = list(platform.readers.values()) if platform else []
        return {
            **self._live(request, row),
            "spec": spec,
            "route": ROUTE_LABELS.get(spec.route, spec.route) if spec else "",
            "settings_form": FlowForm(row, spec) if spec else None,
            "backfill_form": BackfillForm(readers, record_type=row.record_type) if readers else None,
            "published": MappingVersion.objects.filter(flow=row, state=MappingVersion.State.PUBLISHED).first(),
            "mapping_url": f"{reverse('admin:mapping_mappingversion_changelist')}?flow={row.pk}",
            "questions": SyncException.objects.filter(flow=row, state=SyncException.State.OPEN).order_by("-last_seen")[:5],
            "questions_url": f"{reverse('admin:integrations_syncexception_changelist')}?flow={row.pk}&state=open",
            "log": changes_of(row),
        }

    def act_switch(self, request: HttpRequest, row: Flow) -> str:
        """On becomes off and off becomes on."""
        row.enabled = not row.enabled
        row.save(update_fields=["enabled"])
        if row.enabled:
            wake_flow(row.pk)
        self.log_change(request, row, "Switched on" if row.enabled else "Switched off")
        return f"{row} is switched {'on' if row.enabled else 'off; what waits is kept'}."

    def act_configure(self, request: HttpRequest, row: Flow) -> HttpResponse | str:
        """Store the settings form."""
        spec = spec_of(row)
        if spec is None:
            raise Refusal("No route knows this pair of platforms any more.")
        form = FlowForm(row, spec, request.POST)
        if not form.is_valid():
            return self.show(request, self.detail_template, row, **{**self.detail(request, row), "settings_form": form})
        catalogue = row.settings.get("catalogue_connection")
        form.apply()
        if row.settings.get("catalogue_connection") != catalogue:
            backlog.look_again(row)
        self.log_change(request, row, "Settings changed")
        return "Settings saved. They count from the next record on; what waited only for them goes out by itself within a minute."

    def act_backfill(self, request: HttpRequest, row: Flow) -> HttpResponse | str:
        """Start reading the source's history."""
        platform = PLATFORMS[row.source.platform]
        form = BackfillForm(list(platform.readers.values()), request.POST, record_type=row.record_type)
        if not form.is_valid():
            return self.show(request, self.detail_template, row, **{**self.detail(request, row), "backfill_form": form})
        since, until = form.window()
        try:
            started = pull.start_backfill(row.source, form.cleaned_data["readers"], since=since, until=until, by=request.user)
        except ValueError as fault:
            raise Refusal(f"The backfill was not started: {fault}.") from fault
        self.log_change(request, row, f"Backfill of {', '.join(form.cleaned_data['readers'])} started from {since:%Y-%m-%d}")
        return f"{words.plural(len(started), 'backfill')} started. Live changes go first; the bars below show how far it is."

    def act_wake(self, request: HttpRequest, row: Flow) -> str:
        """Ask a worker to look at this flow now."""
        wake_flow(row.pk)
        return "A worker was asked to look now."

    # --- new ones ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Every flow that may run between two connections and does not exist yet, to be ticked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        possible = possible_flows()
        if request.method != "POST":
            return self.show(request, "integrations/flow_add.html", title="Add flows", possible=possible)
        chosen = [flow for flow in possible if flow["key"] in request.POST.getlist("flow")]
        with transaction.atomic():
            parts = ("source", "destination", "record_type")
            flows = [Flow.objects.create(**{part: choice[part] for part in parts}, enabled=False) for choice in chosen]
            load_all_defaults(flows)
            for flow in flows:
                self.log_addition(request, flow, "Flow added")
        self.message_user(request, f"{words.plural(len(chosen), 'flow')} added, switched off. Look at the mapping, then switch on.")
        return HttpResponseRedirect(self.view_url("changelist"))


def possible_flows() -> list[dict[str, Any]]:
    """Flows of the table that two existing connections could run and that are not there yet."""
    connections = list(Connection.objects.all())
    there = set(Flow.objects.values_list("source_id", "destination_id", "record_type"))
    return [
        {"key": f"{source.pk}:{destination.pk}:{spec.record_type}", "source": source, "destination": destination,
         "record_type": str(spec.record_type), "route": spec.route}
        for source in connections for destination in connections
        for spec in specs_between(source.platform, destination.platform)
        if (source.pk, destination.pk, str(spec.record_type)) not in there
    ]  # fmt: skip


def lag_badge(seconds: float) -> SafeString:
    """The lag in words: nothing due, or how late the oldest is."""
    if seconds < 1:
        return words.badge("nothing late", "good")
    return words.badge(words.span(seconds), "warn" if seconds >= LATE_SECONDS else "info")


def deliveries_url() -> str:
    """The list of deliveries."""
    return reverse("admin:integrations_delivery_changelist")
