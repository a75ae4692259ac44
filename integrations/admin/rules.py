"""Mappings: versions of a flow's field rules - draft, preview on real records, impact run, publish with a reason, roll back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin import impact as impact_pages
from integrations.admin import rule_editor, rule_files, rule_history, rule_import, rule_preview
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.export_columns import MAPPINGS
from integrations.admin.exports import Exports
from integrations.admin.filters import FlowFilter, field_filter
from integrations.admin.rule_forms import RuleFormSet, rule_formset
from integrations.admin.rule_words import change_lines, missing_targets, rule_lines, targets_of
from integrations.engine import impact
from integrations.engine.examples import examples
from integrations.models import Flow
from mapping import versions
from mapping.models import ImmutableVersion, MappingVersion
from mapping.records import RecordType
from mapping.rules import BadRules

CHANGE = "mapping.change_mappingversion"
ADD = "mapping.add_mappingversion"


@admin.register(MappingVersion)
class MappingDesk(Exports, Desk):
    """The rules of every flow and their history."""

    acts = (
        Act("save", CHANGE), Act("publish", CHANGE), Act("discard", CHANGE), Act("draft", CHANGE), Act("rollback", CHANGE),
        Act("duplicate", ADD), Act("impact", CHANGE),
    )  # fmt: skip
    detail_template = "integrations/mapping.html"
    add_words = "draft"
    list_before_template = "integrations/list_tabs.html"
    tabs = (("All", {}), ("Published", {"state": "published"}), ("Drafts", {"state": "draft"}))
    empty_icon = "rule"
    empty_words = "No mapping yet. Flows added in the console come with a default one; or start an empty draft."
    export_columns = MAPPINGS
    list_display = ["version_cell", "flow_cell", "state_cell", "rules_cell", "reason_cell", "who_cell"]
    list_filter = [FlowFilter, field_filter("state", "state", MappingVersion.State.choices)]
    list_filter_submit = True

    class Media:
        css = {"all": ["switchyard/rules.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Managers and administrators make drafts."""
        return request.user.has_perm(ADD)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MappingVersion]:
        """Flow by flow, newest version first."""
        related = ("flow__source", "flow__destination", "author", "published_by", "based_on__flow")
        return super().get_queryset(request).select_related(*related).order_by("flow", "-number")

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

    # --- the pages of a version ---

    def page_urls(self) -> list[URLPattern]:
        """What stands beside a version's page."""
        pages = {
            "preview/": ("preview", rule_preview.page),
            "compare/": ("compare", rule_history.page),
            "import/": ("import", partial(rule_import.page, permission=ADD)),
            "check/": ("check", _check),
            "file/<slug:form>/": ("file", _file),
        }
        return [
            path(f"<int:object_id>/{part}", self.wrapped(partial(self._page, view)), name=f"mapping_mappingversion_{name}")
            for part, (name, view) in pages.items()
        ]

    def _page(self, view: Any, request: HttpRequest, object_id: int, **rest: str) -> HttpResponseBase:
        return view(self, request, self.row_or_404(request, object_id), **rest)

    def detail(self, request: HttpRequest, row: MappingVersion, formset: RuleFormSet | None = None, **more: Any) -> dict[str, Any]:
        """The editor of a draft, or the rules of a version that is fixed; difference and history either way."""
        published = versions.published_version(row.flow_id)
        draft = row.state == MappingVersion.State.DRAFT
        against = published if draft else row.based_on
        editable = draft and request.user.has_perm(CHANGE)
        targets = targets_of(row.flow)
        return {
            "title": f"{row.flow.record_type.capitalize()} mapping, version {row.number}",
            "editable": editable,
            **(self._editor(request, row, formset) if editable else {"rules": rule_lines(row, targets)}),
            "missing": missing_targets(row, targets) if draft else [],
            "required": [target.path for target in targets if target.required],
            "against": against,
            "changes": rule_history.difference(against, row) if against or draft else [],
            "published": published,
            "history": rule_history.versions_of(row),
            "twins": list(Flow.objects.filter(record_type=row.flow.record_type).select_related("source", "destination")),
            "log": self.log_of(row),
            **rule_preview.publish_parts(row),
            **more,
        }

    def _editor(self, request: HttpRequest, row: MappingVersion, formset: RuleFormSet | None) -> dict[str, Any]:
        personal = request.user.has_perm(MASK_PERMISSION)
        stored = list(row.rules.all())
        found = examples(row.flow, [rule.value() for rule in stored])
        return {
            "formset": rule_editor.dress(formset or rule_formset(row), row.flow, found, personal=personal),
            "seen": versions.fingerprint(stored),
            "fields": rule_editor.fields_to_choose(row.flow, found, personal=personal),
            "example_key": found.key,
        }

    # --- acts ---

    def act_save(self, request: HttpRequest, row: MappingVersion) -> HttpResponse | str:
        """Store the editor's rules; wrong ones are shown again with what is wrong, and so is what somebody else saved meanwhile."""
        self._must_be_draft(row)
        formset = rule_formset(row, request.POST)
        if not formset.is_valid():
            messages.error(request, "Not saved: some rules need a correction.")
            return self.show(request, self.detail_template, row, **self.detail(request, row, formset, seen=request.POST.get("seen", "")))
        try:
            versions.save_rules(row, formset.rules(), request.user, notes=formset.notes(), seen=request.POST.get("seen", ""))
        except versions.EditedMeanwhile:
            return self._conflict(request, row, formset)
        self.log_change(request, row, f"Draft saved with {words.plural(len(formset.rules()), 'rule')}")
        then = {"preview": self.view_url("preview", row.pk)}.get(request.POST.get("then", ""))
        if then:
            return HttpResponseRedirect(then)
        return "Draft saved. Nothing changes for records until it is published."

    def _conflict(self, request: HttpRequest, row: MappingVersion, formset: RuleFormSet) -> HttpResponse:
        """Nothing is lost: what this person typed stays on the page beside what the other one saved."""
        lines = change_lines(versions.difference(row, formset.rules()), targets_of(row.flow), RecordType(row.flow.record_type))
        last = self.log_of(row).first()
        messages.error(request, "Not saved: somebody else saved this draft while you were editing it.")
        return self.show(request, self.detail_template, row, **self.detail(request, row, formset, conflict=lines, last=last))

    def act_publish(self, request: HttpRequest, row: MappingVersion) -> str:
        """Make the draft the published version; takes a reason and what to send again."""
        reason, again = request.POST.get("reason", "").strip(), request.POST.get("resend", "")
        if not reason:
            raise Refusal("Say why it is published; others will read it in the history.")
        if again not in rule_preview.RESEND:
            raise Refusal("Choose what is sent again.")
        before = versions.published_version(row.flow_id)
        try:
            current = versions.publish(row, request.user, reason)
        except BadRules as fault:
            raise Refusal(f"Not published: {fault}.") from fault
        except ImmutableVersion as fault:
            raise Refusal("It is no draft any more.") from fault
        self.log_change(request, row, f"Published: {reason}")
        return f"Version {row.number} is published.{self._resent(request, current, before, again)}"

    def _resent(self, request: HttpRequest, current: MappingVersion, before: MappingVersion | None, again: str) -> str:
        if again not in ("changed", "all"):
            return ""
        run = impact.start_resend(current, before, request.user, scope=again)
        self.log_change(request, current, f"Sending again: {rule_preview.RESEND[again][0].lower()} (run {run.pk})")
        return " Its records are looked at again in the background; this page shows how far that is."

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

    def act_duplicate(self, request: HttpRequest, row: MappingVersion) -> HttpResponse:
        """A new draft with this version's rules, for this flow or another one of the same record type."""
        flow = Flow.objects.select_related("source", "destination").filter(pk=_number(request.POST.get("flow", ""))).first()
        if flow is None:
            raise Refusal("Choose a flow.")
        if flow.record_type != row.flow.record_type:
            raise Refusal(f"{row.flow} carries {row.flow.record_type}s, {flow} carries {flow.record_type}s: their fields differ.")
        draft = versions.draft_from(flow.pk, request.user, version=row)
        self.log_addition(request, draft, f"Duplicate of {row.flow}, version {row.number}")
        messages.success(request, f"Draft {draft.number} of {flow} is a duplicate of version {row.number}.")
        return HttpResponseRedirect(self.view_url("change", draft.pk))

    def act_rollback(self, request: HttpRequest, row: MappingVersion) -> HttpResponse:
        """Publish a copy of this earlier version."""
        if row.state != MappingVersion.State.RETIRED:
            raise Refusal("Only a version that was published before can be gone back to.")
        reason = request.POST.get("reason", "").strip() or f"Back to version {row.number}"
        before = versions.published_version(row.flow_id)
        try:
            current = versions.rollback(row, request.user, reason)
        except BadRules as fault:
            raise Refusal(f"Version {row.number} cannot be used any more: {fault}.") from fault
        self.log_change(request, current, f"Published: {reason}")
        again = self._resent(request, current, before, request.POST.get("resend", ""))
        messages.success(request, f"Version {current.number}, with the rules of version {row.number}, is published.{again}")
        return HttpResponseRedirect(self.view_url("change", current.pk))

    def act_impact(self, request: HttpRequest, row: MappingVersion) -> HttpResponse:
        """Begin an impact run."""
        run = impact_pages.start(request, row)
        self.log_change(request, row, f"Impact run {run.pk} started")
        return HttpResponseRedirect(reverse("admin:integrations_impactrun_change", args=[run.pk]))

    def _must_be_draft(self, row: MappingVersion) -> None:
        if row.state != MappingVersion.State.DRAFT:
            raise Refusal("It was published and does not change any more. Make a draft from it.")

    # --- a new draft ---

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A draft for a flow: from its published version, empty, or copied from another flow of the same record type."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        flows = {str(flow.pk): flow for flow in Flow.objects.select_related("source", "destination")}
        published = MappingVersion.objects.filter(state="published").select_related("flow__source", "flow__destination")
        sources = {str(row.pk): row for row in published}
        if request.method == "POST":
            flow, origin = flows.get(request.POST.get("flow", "")), sources.get(request.POST.get("origin", ""))
            if flow is None:
                messages.error(request, "Choose a flow.")
            elif origin is not None and origin.flow.record_type != flow.record_type:
                told = f"{origin.flow} carries {origin.flow.record_type}s, {flow} carries {flow.record_type}s: their fields differ."
                messages.error(request, told)
            else:
                draft = versions.draft_from(flow.pk, request.user, version=origin)
                self.log_addition(request, draft, f"Draft made from {origin.flow if origin else 'the published version'}")
                return HttpResponseRedirect(self.view_url("change", draft.pk))
        chosen = request.GET.get("flow", "")
        return self.show(request, "integrations/mapping_add.html", title="New draft", flows=flows, sources=sources, chosen=chosen)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _check(desk: MappingDesk, request: HttpRequest, row: MappingVersion) -> HttpResponseBase:
    return rule_editor.check(request, row, CHANGE)


def _file(desk: MappingDesk, request: HttpRequest, row: MappingVersion, form: str) -> HttpResponse:
    return rule_files.exported(row, form)
