"""Mappings: versions of a flow's field rules - draft, preview on real records, publish with a reason, roll back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.filters import FlowFilter, field_filter
from integrations.admin.rule_forms import RuleFormSet, hints, rule_formset
from integrations.admin.rule_words import change_lines, rule_lines
from integrations.admin.summaries import headline
from integrations.engine.masking import masked
from integrations.engine.preview import latest_deliveries, preview_draft
from integrations.engine.replay import ask_resend
from integrations.models import Delivery, Flow
from integrations.platforms.base import TargetField
from integrations.platforms.registry import PLATFORMS
from mapping import versions
from mapping.fields import source_fields
from mapping.models import ImmutableVersion, MappingVersion
from mapping.preview import PreviewRow
from mapping.records import RecordType
from mapping.rules import BadRules

CHANGE = "mapping.change_mappingversion"
PREVIEWED, MOST_PREVIEWED = 10, 50
RESEND = {
    "nothing": "Nothing now: only records that change from now on",
    "held": "What is held: look at it again",
    "changed": "Everything whose result changes (unchanged records cost no call)",
}


@admin.register(MappingVersion)
class MappingDesk(Desk):
    """The rules of every flow and their history."""

    acts = (
        Act("save", CHANGE), Act("publish", CHANGE), Act("discard", CHANGE), Act("draft", CHANGE), Act("rollback", CHANGE),
    )  # fmt: skip
    detail_template = "integrations/mapping.html"
    add_words = "draft"
    list_before_template = "integrations/list_tabs.html"
    tabs = (("All", {}), ("Published", {"state": "published"}), ("Drafts", {"state": "draft"}))
    empty_icon = "rule"
    empty_words = "No mapping yet. Flows added in the console come with a default one; or start an empty draft."
    list_display = ["version_cell", "flow_cell", "state_cell", "rules_cell", "reason_cell", "who_cell"]
    list_filter = [FlowFilter, field_filter("state", "state", MappingVersion.State.choices)]
    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Managers and administrators make drafts."""
        return request.user.has_perm("mapping.add_mappingversion")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MappingVersion]:
        """Flow by flow, newest version first."""
        rows = super().get_queryset(request).select_related("flow__source", "flow__destination", "author", "published_by")
        return rows.order_by("flow", "-number")

    def complete(self, request: HttpRequest, rows: list[MappingVersion]) -> None:
        """How many rules each version of the page has: one query."""
        counted = dict(
            MappingVersion.objects.filter(pk__in=[row.pk for row in rows]).order_by().annotate(n=Count("rules")).values_list("pk", "n")
        )
        for row in rows:
            row.rule_count = counted.get(row.pk, 0)

    @admin.display(description="Version")
    def version_cell(self, row: MappingVersion) -> SafeString:
        """Number."""
        return format_html("<strong>Version {}</strong>", row.number)

    @admin.display(description="Flow")
    def flow_cell(self, row: MappingVersion) -> str:
        """The flow's name."""
        return str(row.flow)

    @admin.display(description="State")
    def state_cell(self, row: MappingVersion) -> SafeString:
        """State in words."""
        return words.state_badge(row)

    @admin.display(description="Rules")
    def rules_cell(self, row: MappingVersion) -> str:
        """How many field rules."""
        return str(row.rule_count)

    @admin.display(description="Reason")
    def reason_cell(self, row: MappingVersion) -> SafeString:
        """Why it was published."""
        return format_html('<span class="sy-wrap">{}</span>', row.note or words.NOTHING)

    @admin.display(description="By")
    def who_cell(self, row: MappingVersion) -> SafeString:
        """Who published or drafted it, and when."""
        person = row.published_by or row.author
        return format_html('{}<small class="sy-under">{}</small>', person or "the program", words.when(row.published_at or row.created_at))

    # --- the page ---

    def page_urls(self) -> list[URLPattern]:
        """The preview beside the row's page."""
        return [path("<int:object_id>/preview/", self.wrapped(self.preview), name="mapping_mappingversion_preview")]

    def detail(self, request: HttpRequest, row: MappingVersion, formset: RuleFormSet | None = None) -> dict[str, Any]:
        """The editor of a draft, or the rules of a version that is fixed; difference and history either way."""
        published = versions.published_version(row.flow_id)
        against = published if row.state == MappingVersion.State.DRAFT else row.based_on
        editable = row.state == MappingVersion.State.DRAFT and request.user.has_perm(CHANGE)
        targets = targets_of(row.flow)
        return {
            "title": f"{row.flow.record_type.capitalize()} mapping, version {row.number}",
            "editable": editable,
            "formset": (formset or rule_formset(row)) if editable else None,
            "rules": [] if editable else rule_lines(row, targets),
            "targets": targets,
            "sources": hints(source_fields(RecordType(row.flow.record_type))),
            "missing": missing_targets(row, targets),
            "against": against,
            "changes": change_lines(versions.difference(against, row)) if against or row.state == MappingVersion.State.DRAFT else [],
            "published": published,
            "resend": list(RESEND.items()),
            "history": MappingVersion.objects.filter(flow=row.flow_id).select_related("author", "published_by").order_by("-number")[:20],
            "log": self.log_of(row),
        }

    def act_save(self, request: HttpRequest, row: MappingVersion) -> HttpResponse | str:
        """Store the editor's rules; wrong ones are shown again with what is wrong."""
        self._must_be_draft(row)
        formset = rule_formset(row, request.POST)
        if not formset.is_valid():
            messages.error(request, "Not saved: some rules need a correction.")
            return self.show(request, self.detail_template, row, **self.detail(request, row, formset))
        versions.save_rules(row, formset.rules(), request.user, notes=formset.notes())
        self.log_change(request, row, f"Draft saved with {words.plural(len(formset.rules()), 'rule')}")
        if request.POST.get("then") == "preview":
            return HttpResponseRedirect(self.view_url("preview", row.pk))
        return "Draft saved. Nothing changes for records until it is published."

    def act_publish(self, request: HttpRequest, row: MappingVersion) -> str:
        """Make the draft the published version; takes a reason and what to send again."""
        reason, again = request.POST.get("reason", "").strip(), request.POST.get("resend", "")
        if not reason:
            raise Refusal("Say why it is published; others will read it in the history.")
        if again not in RESEND:
            raise Refusal("Choose what is sent again.")
        try:
            versions.publish(row, request.user, reason)
        except BadRules as fault:
            raise Refusal(f"Not published: {fault}.") from fault
        except ImmutableVersion as fault:
            raise Refusal("It is no draft any more.") from fault
        self.log_change(request, row, f"Published: {reason}")
        if again == "nothing":
            return f"Version {row.number} is published."
        ask_resend(row.flow, again)
        return f"Version {row.number} is published. Records are looked at again in the background; the flow's page shows what is ready."

    def act_discard(self, request: HttpRequest, row: MappingVersion) -> HttpResponse:
        """Throw a draft away."""
        self._must_be_draft(row)
        self.log_deletions(request, MappingVersion.objects.filter(pk=row.pk))
        row.delete()
        messages.success(request, "The draft is gone; what is published stays.")
        return HttpResponseRedirect(f"{self.view_url('changelist')}?flow={row.flow_id}")

    def act_draft(self, request: HttpRequest, row: MappingVersion) -> HttpResponse:
        """A new draft with this version's rules."""
        draft = versions.draft_from(row.flow_id, request.user, version=row)
        self.log_addition(request, draft, f"Draft made from version {row.number}")
        return HttpResponseRedirect(self.view_url("change", draft.pk))

    def act_rollback(self, request: HttpRequest, row: MappingVersion) -> HttpResponse:
        """Publish a copy of this earlier version."""
        if row.state != MappingVersion.State.RETIRED:
            raise Refusal("Only a version that was published before can be gone back to.")
        reason = request.POST.get("reason", "").strip() or f"Back to version {row.number}"
        try:
            current = versions.rollback(row, request.user, reason)
        except BadRules as fault:
            raise Refusal(f"Version {row.number} cannot be used any more: {fault}.") from fault
        self.log_change(request, current, f"Published: {reason}")
        messages.success(request, f"Version {current.number}, with the rules of version {row.number}, is published.")
        return HttpResponseRedirect(self.view_url("change", current.pk))

    def _must_be_draft(self, row: MappingVersion) -> None:
        if row.state != MappingVersion.State.DRAFT:
            raise Refusal("It was published and does not change any more. Make a draft from it.")

    # --- preview ---

    def preview(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What the version would do to the flow's own records: newest ones, or those whose keys are given."""
        row = self.row_or_404(request, object_id)
        keys = [key for key in request.GET.get("keys", "").replace(",", " ").split() if key][:MOST_PREVIEWED]
        deliveries = chosen_deliveries(row.flow, keys)
        try:
            rows, fault = preview_draft(row, deliveries), ""
        except BadRules as bad:
            rows, fault = [], str(bad)
        context = {
            "title": f"Preview of version {row.number}",
            "rows": shown_rows(row.flow, rows, deliveries, personal=request.user.has_perm(MASK_PERMISSION)),
            "changed_count": sum(1 for item in rows if item.changes),
            "issue_count": sum(1 for item in rows if item.issues),
            "fault": fault,
            "keys": " ".join(keys),
            "missing_keys": sorted(set(keys) - {delivery.record_key for delivery in deliveries}),
        }
        return self.show(request, "integrations/mapping_preview.html", row, **context)

    # --- a new draft ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A draft for a flow: from its published version, empty, or copied from another flow of the same record type."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        flows = {str(flow.pk): flow for flow in Flow.objects.select_related("source", "destination")}
        sources = {
            str(row.pk): row for row in MappingVersion.objects.filter(state="published").select_related("flow__source", "flow__destination")
        }
        if request.method == "POST":
            flow, origin = flows.get(request.POST.get("flow", "")), sources.get(request.POST.get("origin", ""))
            if flow is None:
                messages.error(request, "Choose a flow.")
            elif origin is not None and origin.flow.record_type != flow.record_type:
                messages.error(
                    request, f"{origin.flow} carries {origin.flow.record_type}s, {flow} carries {flow.record_type}s: their fields differ."
                )
            else:
                draft = versions.draft_from(flow.pk, request.user, version=origin)
                self.log_addition(request, draft, f"Draft made from {origin.flow if origin else 'the published version'}")
                return HttpResponseRedirect(self.view_url("change", draft.pk))
        return self.show(
            request, "integrations/mapping_add.html", title="New draft", flows=flows, sources=sources, chosen=request.GET.get("flow", "")
        )


def targets_of(flow: Flow) -> tuple[TargetField, ...]:
    """Fields that the flow's destination accepts for its record type."""
    platform = PLATFORMS.get(flow.destination.platform)
    return platform.targets.get(RecordType(flow.record_type), ()) if platform else ()


def missing_targets(row: MappingVersion, targets: tuple[TargetField, ...]) -> list[TargetField]:
    """Fields the destination requires and no rule fills."""
    filled = set(row.rules.values_list("target", flat=True))
    return [target for target in targets if target.required and target.path not in filled]


def chosen_deliveries(flow: Flow, keys: list[str]) -> list[Delivery]:
    """Deliveries of the given keys, or the latest ones of the flow."""
    if keys:
        return list(Delivery.objects.filter(flow=flow, record_key__in=keys)[:MOST_PREVIEWED])
    return latest_deliveries(flow, PREVIEWED)


def shown_rows(flow: Flow, rows: list[PreviewRow], deliveries: list[Delivery], *, personal: bool) -> list[dict[str, Any]]:
    """Preview rows for the page: changed fields first, personal values masked unless permitted."""

    def shown(field: str, value: Any) -> Any:
        return value if personal else masked(value, field.rpartition(".")[2].partition("[")[0])

    return [
        {
            "key": row.record_key,
            "title": headline(flow.record_type, delivery.record, personal=personal),
            "url": reverse("admin:integrations_delivery_change", args=[delivery.pk]),
            "new": row.before is None,
            "changes": [(change.path, shown(change.path, change.before), shown(change.path, change.after)) for change in row.changes],
            "issues": row.issues,
            "dropped": row.dropped,
            "payload": row.after if personal else masked(row.after),
        }
        for row, delivery in zip(rows, deliveries, strict=False)  # no rows when the rules cannot be used
    ]
