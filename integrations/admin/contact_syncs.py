"""Failed contact syncs: whose record is held, why in plain words, what to do next, and trying again one by one or all of a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations import words
from integrations.access import may_replay
from integrations.admin import contact_retries
from integrations.admin.contact_reasons import CONTACT_TYPES, Reason, about_connections, contact_flows, in_all, reason_counts, reasons, who
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.exports import Exports
from integrations.admin.filters import AGES, OLDER, dropdown
from integrations.admin.flow_numbers import shown
from integrations.admin.summaries import headline
from integrations.engine.masking import masked_text
from integrations.engine.replay import replay
from integrations.models import ContactSync, Delivery, Flow, Hold
from integrations.models.kinds import KINDS, ORIGIN_LABELS

REPLAY = "integrations.change_delivery"
ORPHAN_DAYS = 3  # questions about visitors without a name that are shown above the list, one a day and connection
MOVING = (Delivery.State.READY, Delivery.State.SENDING, Delivery.State.ACCEPTED)
EXPORT_HEADER = (
    "id", "contact", "key at the source", "what", "source", "destination", "reason", "why", "began at", "next step", "team", "held since",
    "last answer",
)  # fmt: skip


def _held_for(**conditions: Any) -> Exists:
    return Exists(Hold.objects.filter(delivery=OuterRef("pk"), **conditions))


def _reason_choices(request: HttpRequest) -> list[tuple[str, str]]:
    return [(kind.slug, kind.label) for kind in KINDS.values()]


def _with_origin(value: str) -> list[str]:
    return [kind.slug for kind in KINDS.values() if kind.origin == value]


def _sources(request: HttpRequest) -> list[tuple[str, str]]:
    rows = Flow.objects.filter(record_type__in=CONTACT_TYPES).order_by("source__name")
    return [(str(pk), name) for pk, name in rows.values_list("source", "source__name").distinct()]


def _older(rows: QuerySet, value: str, request: HttpRequest) -> QuerySet:
    for table, comparison in ((AGES, "gte"), (OLDER, "lt")):
        for key, _, length in table:
            if key == value:
                return rows.filter(_held_for(**{f"since__{comparison}": timezone.now() - length}))
    return rows


SourceFilter = dropdown("source", "source", _sources, lambda rows, value, request: rows.filter(flow__source_id=value))
ReasonFilter = dropdown("reason", "reason", _reason_choices, lambda rows, value, request: rows.filter(_held_for(exception__kind=value)))
OriginFilter = dropdown(
    "origin", "origin", lambda request: [(str(origin), label) for origin, label in ORIGIN_LABELS.items()],
    lambda rows, value, request: rows.filter(_held_for(exception__kind__in=_with_origin(value))),
)  # fmt: skip
AgeFilter = dropdown("held since", "age", lambda request: [(key, label) for key, label, _ in (*AGES, *OLDER)], _older)


@admin.register(ContactSync)
class ContactDesk(Exports, Desk):
    """Everybody who is not at the destination as the source knows them."""

    acts = (Act("retry", REPLAY),)
    detail_template = "integrations/contact_syncs_one.html"
    list_before_template = "integrations/contact_syncs_top.html"
    empty_icon = "how_to_reg"
    empty_words = (
        "Nobody is held back: every contact that the sources have sent is at its destination, or on its way there. "
        "A contact appears here when its record cannot be read, when two contacts fit, or when the destination refuses it."
    )
    list_display = ["who_cell", "why_cell", "origin_cell", "since_cell", "next_cell"]
    list_filter = [SourceFilter, ReasonFilter, OriginFilter, AgeFilter]
    list_filter_submit = True
    search_fields = ["record_key"]
    search_help_text = "Exact key of the customer at the source"

    class Media:
        css = {"all": ["switchyard/unmapped.css"]}
        js = ["switchyard/unmapped.js"]

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactSync]:
        """Held rows of contact flows, the newest first; a row's own page is there after it went out, too."""
        rows = super().get_queryset(request).filter(flow__in=contact_flows())
        rows = rows.select_related("flow__source", "flow__destination").defer("sent_payload", "issues").order_by("-updated_at", "-pk")
        if request.resolver_match and request.resolver_match.kwargs.get("object_id"):
            return rows
        holds = Hold.objects.select_related("exception").order_by("pk")
        return rows.filter(state=Delivery.State.BLOCKED).prefetch_related(Prefetch("holds", holds, to_attr="open_holds"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact keys only."""
        term = search_term.strip()
        return (queryset.filter(record_key=term) if term else queryset), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None: many are tried again by their filter, not by ticking pages."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under the number of rows for each reason."""
        counts = reason_counts()
        chosen, query = request.GET.get("reason", ""), request.GET.urlencode()
        top = {
            "reasons": [(KINDS[slug], shown(number), slug == chosen) for slug, number in counts],
            "held": in_all(counts) if counts else "",
            "may_retry": request.user.has_perm(REPLAY),
            "retry_url": f"{self.view_url('retries')}?{query}",
            "stopped": about_connections("needs_auth", "platform_down"),
            "orphans": about_connections("orphaned_events")[:ORPHAN_DAYS],
        }
        return super().changelist_view(request, {"title": "Failed contact syncs", **top, **(extra_context or {})})

    @admin.display(description="Who")
    def who_cell(self, row: ContactSync) -> SafeString:
        """The person, masked, over where they come from."""
        under = f"{row.flow.source} → {row.flow.destination} · {row.record_key}"
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', who(row), under)

    @admin.display(description="Why it is held")
    def why_cell(self, row: ContactSync) -> SafeString:
        """Each reason over what it means."""
        lines = ((reason.kind.label, reason.kind.cause) for reason in reasons(row))
        return format_html_join("", '<span class="sy-why">{}<small class="sy-under">{}</small></span>', lines)

    @admin.display(description="Began at")
    def origin_cell(self, row: ContactSync) -> str:
        """Where the failure began."""
        return ", ".join(dict.fromkeys(reason.origin for reason in reasons(row)))

    @admin.display(description="Held since")
    def since_cell(self, row: ContactSync) -> str:
        """Age of the oldest reason."""
        return words.when(min(reason.since for reason in reasons(row)))

    @admin.display(description="Next step")
    def next_cell(self, row: ContactSync) -> SafeString:
        """What to do, and the buttons for it."""
        reason = reasons(row)[0]
        return format_html(
            '<span class="sy-wrap">{}</span><span class="sy-buttons">{}{}</span>', reason.kind.remedy, _link(reason, row), self._retry(row)
        )

    def _retry(self, row: ContactSync) -> SafeString | str:
        if not getattr(row, "may_retry", False):
            return ""
        url, label = self.view_url("retry", row.pk), f"Try {who(row)} again"
        return format_html(
            '<button type="submit" class="sy-button sy-small" formaction="{}" aria-label="{}">Try again</button>', url, label
        )

    def complete(self, request: HttpRequest, rows: list[ContactSync]) -> None:
        """Which rows of the page this person may try again."""
        for row in rows:
            row.may_retry = may_replay(request.user, row)

    def export_header(self) -> list[str]:
        """The headings."""
        return list(EXPORT_HEADER)

    def export_rows(self, rows: Sequence[ContactSync], *, personal: bool) -> Iterator[list[object]]:
        """One row per reason."""
        for row in rows:
            contact = headline(row.flow.record_type, row.record, personal=personal) or row.record_key
            answer = row.last_message if personal else masked_text(row.last_message)
            for reason in reasons(row):
                kind = reason.kind
                yield [
                    row.pk, contact, row.record_key, row.flow.record_type, row.flow.source.name, row.flow.destination.name, kind.label,
                    kind.cause, reason.origin, kind.remedy, kind.team, reason.since, answer,
                ]  # fmt: skip

    # --- one row ---

    def may(self, request: HttpRequest, act: Act, row: ContactSync | None = None) -> bool:
        """Some roles send only some record types again."""
        return may_replay(request.user, row) if row is not None else super().may(request, act)

    def allowed_acts(self, request: HttpRequest, row: ContactSync | None = None) -> set[str]:
        """Only what is held is tried again."""
        allowed = super().allowed_acts(request, row)
        return allowed if row is None or row.state == Delivery.State.BLOCKED else set()

    def detail(self, request: HttpRequest, row: ContactSync) -> dict[str, Any]:
        """One person's story as far as it concerns getting them there."""
        personal = request.user.has_perm(MASK_PERMISSION)
        row.open_holds = list(row.holds.select_related("exception").order_by("pk"))
        held = row.state == Delivery.State.BLOCKED
        return {
            "title": headline(row.flow.record_type, row.record, personal=personal) or row.record_key,
            "reasons": [(reason, reason.step(row.flow_id)) for reason in reasons(row)] if held else [],
            "moving": row.state in MOVING,
            "answer": row.last_message if personal else masked_text(row.last_message),
            "attempts": row.attempt_rows.order_by("-at")[:5],
            "delivery_url": reverse("admin:integrations_delivery_change", args=[row.pk]),
        }

    def act_retry(self, request: HttpRequest, row: ContactSync) -> str:
        """Try one again now."""
        if row.state != Delivery.State.BLOCKED:
            raise Refusal(f"It is {row.get_state_display().lower()} already, so nothing was done.")
        if not replay([row.pk], request.user):
            raise Refusal("It is in a worker's hands right now. Look again in a moment.")
        return "It is tried again now. If the reason is still there, it comes back here."

    # --- many rows ---

    def page_urls(self) -> list[URLPattern]:
        """Trying again by filter, its progress, and the part of a page that refreshes itself."""
        pages = (("retries", contact_retries.retries), ("progress", contact_retries.progress))
        urls = [path(f"{name}/", self.viewed(view), name=f"integrations_contactsync_{name}") for name, view in pages]
        return [*urls, path("<int:object_id>/live/", self.wrapped(self.live), name="integrations_contactsync_live")]

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """How far one row is."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "integrations/contact_syncs_live.html", row, **self.detail(request, row))


def _link(reason: Reason, row: Delivery) -> SafeString | str:
    step = reason.step(row.flow_id)
    return format_html('<a class="sy-button sy-small" href="{}">{}</a>', step[1], step[0]) if step else ""
