"""Deliveries: every record that has to be somewhere, how far it is, what was sent, and sending it again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.access import may_replay, replayable
from integrations.admin.delivery_search import HELP, found_by
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.exception_edit import correction_of
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import FlowFilter, age_filter, field_filter
from integrations.admin.route_filter import RecordFilter, RouteFilter, WaitsForFilter
from integrations.admin.summaries import headline, sheet
from integrations.engine.masking import masked, masked_text
from integrations.engine.outbox import Cause
from integrations.engine.replay import replay
from integrations.models import Attempt, Delivery, InboxEvent
from mapping.models import MappingVersion
from mapping.records import RecordType

REPLAY = "integrations.change_delivery"
BULK_LIMIT = 1000
TRIES_SHOWN = 50
CAUSES = [(str(cause), cause.value.capitalize()) for cause in Cause]

STATE_WORDS = {
    "ready": "Waits to be sent; it goes out by itself.",
    "sending": "A worker is sending it right now.",
    "accepted": "The destination took it and has not yet said whether it is good.",
    "delivered": "The destination holds this record as it was last sent.",
    "blocked": "It waits: a person has to answer the question below. It goes out by itself once that is done.",
    "skipped": "Not sent on purpose; the reason is below.",
}


@admin.register(Delivery)
class DeliveryDesk(Exports, Desk):
    """The outbox, and at once its history."""

    acts = (Act("replay", REPLAY), Act("retry", REPLAY))
    detail_template = "integrations/delivery.html"
    list_before_template = "integrations/list_tabs.html"
    tabs = (
        ("All", {}),
        ("Held", {"state": "blocked"}),
        ("Ready", {"state": "ready"}),
        ("Accepted", {"state": "accepted"}),
        ("Delivered", {"state": "delivered"}),
        ("Skipped", {"state": "skipped"}),
        ("Sent again by people", {"cause": "replay"}),
    )
    empty_icon = "outbox"
    empty_words = "No delivery matches. Once a flow is on, every record of its source appears here; a backfill brings the past."
    list_display = ["record_cell", "key_cell", "flow_cell", "state_cell", "cause_cell", "updated_cell"]
    list_filter = [
        RouteFilter,
        FlowFilter,
        RecordFilter,
        field_filter("state", "state", Delivery.State.choices),
        field_filter("cause", "cause", CAUSES),
        WaitsForFilter,
        age_filter("last change", "updated_at"),
    ]
    list_filter_submit = True
    search_fields = ["record_key"]
    search_help_text = HELP
    actions = ["replay_many"]
    export_columns = (
        Column("ID", "pk"), Column("Record", lambda row, personal: headline(row.flow.record_type, row.record, personal=personal)),
        Column("Type", "flow.record_type"), Column("Key at the source", "record_key"), Column("Key at the destination", "destination_key"),
        Column("Source", "flow.source.name"), Column("Destination", "flow.destination.name"), Column("State", "get_state_display"),
        Column("Brought by", "cause"), Column("Code", "last_code"),
        Column("Last answer", lambda row, personal: row.last_message if personal else masked_text(row.last_message)),
        Column("Tries", "attempts"), Column("Changed at the source", "occurred_at"),
        Column("Last sent", "sent_at"), Column("Delivered", "delivered_at"), Column("Last change", "updated_at"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Newest change first; what only the page needs is not read for lists."""
        rows = super().get_queryset(request).select_related("flow__source", "flow__destination").order_by("-updated_at")
        return rows if request.resolver_match and request.resolver_match.kwargs.get("object_id") else rows.defer("sent_payload", "issues")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """By index only, whatever the size of the table: keys, numbers, SKUs and words of titles."""
        term = search_term.strip()
        return (queryset.filter(pk__in=found_by(term)) if term else queryset), False

    @admin.display(description="Key")
    def key_cell(self, row: Delivery) -> SafeString:
        """Key at the source, and at the destination once known."""
        far = format_html('<small class="sy-under">{}</small>', row.destination_key) if row.destination_key else ""
        return format_html('<span class="sy-key"><strong>{}</strong>{}</span>', row.record_key, far)

    @admin.display(description="Record")
    def record_cell(self, row: Delivery) -> SafeString:
        """The record in one masked line, with the last answer when it is held."""
        answer = masked_text(row.last_message) if row.state != Delivery.State.DELIVERED else ""
        note = format_html('<small class="sy-under">{}</small>', answer) if answer else ""
        return format_html('<strong class="sy-wrap">{}</strong>{}', headline(row.flow.record_type, row.record), note)

    @admin.display(description="Flow")
    def flow_cell(self, row: Delivery) -> SafeString:
        """What moves, over from where to where."""
        ends = format_html('<small class="sy-under">{} → {}</small>', row.flow.source, row.flow.destination)
        return format_html("{}{}", f"{row.flow.record_type.capitalize()}s", ends)

    @admin.display(description="State")
    def state_cell(self, row: Delivery) -> SafeString:
        """State in words."""
        return words.state_badge(row)

    @admin.display(description="Cause")
    def cause_cell(self, row: Delivery) -> str:
        """What brought the record."""
        return row.cause.capitalize() or words.NOTHING

    @admin.display(description="Last change")
    def updated_cell(self, row: Delivery) -> str:
        """Age of the last change."""
        return words.when(row.updated_at)

    @admin.action(description="Send again (replay)", permissions=["replay"])
    def replay_many(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Send the chosen records again although nothing changed."""
        ids = list(replayable(request.user, queryset).order_by().values_list("pk", flat=True)[: BULK_LIMIT + 1])
        if len(ids) > BULK_LIMIT:
            self.message_user(request, f"At most {BULK_LIMIT:,} deliveries at a time.", messages.ERROR)
            return
        number = replay(ids, request.user)
        self.message_user(request, f"{words.plural(number, 'delivery', 'deliveries')} will be sent again.")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """People who may change deliveries."""
        return request.user.has_perm(REPLAY)

    def may(self, request: HttpRequest, act: Act, row: Delivery | None = None) -> bool:
        """Some roles send only some record types again."""
        return may_replay(request.user, row) if row is not None else super().may(request, act)

    # --- the page ---

    class Media:
        css = {"all": ["switchyard/delivery.css"]}

    def detail(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        """One record's whole story."""
        personal = request.user.has_perm(MASK_PERMISSION)
        hide = (lambda data: data) if personal else masked
        version = MappingVersion.objects.filter(pk=row.mapping_version).first() if row.mapping_version else None
        events = InboxEvent.objects.defer("body").filter(connection=row.flow.source_id, object_key=row.record_key)
        tries = list(row.attempt_rows.order_by("-at")[: TRIES_SHOWN + 1])
        return {
            "title": headline(row.flow.record_type, row.record, personal=personal),
            "state_words": STATE_WORDS[row.state],
            "record": hide(row.record),
            "sheet": sheet(row.record) if row.flow.record_type == RecordType.ORDER else {},
            "payload": None if row.sent_payload is None else hide(row.sent_payload),
            "version_used": version,
            "correction": correction_of(row, personal=personal),
            "answer": row.last_message if personal else masked_text(row.last_message),
            "tries": [
                (attempt, words.TONES.get(attempt.outcome, "quiet"), said(attempt, personal=personal)) for attempt in tries[:TRIES_SHOWN]
            ],
            "more_tries": len(tries) > TRIES_SHOWN,
            "holds": row.holds.select_related("exception")[:20],
            "log": self.log_of(row),
            "events": events.order_by("-pk")[:20],
        }

    def act_replay(self, request: HttpRequest, row: Delivery) -> str:
        """Send it again although nothing changed."""
        return self._again(request, row)

    def act_retry(self, request: HttpRequest, row: Delivery) -> str:
        """Try a held or waiting one now."""
        if row.state not in (Delivery.State.BLOCKED, Delivery.State.READY):
            raise Refusal("It is neither held nor waiting; choose “send again” to send it although nothing changed.")
        return self._again(request, row)

    def _again(self, request: HttpRequest, row: Delivery) -> str:
        if not replay([row.pk], request.user):
            raise Refusal("It is in a worker's hands right now. Look again in a moment.")
        return "It will be sent now."


def said(attempt: Attempt, *, personal: bool) -> str:
    """What the destination said to a try, masked or not."""
    return attempt.message if personal else masked_text(attempt.message)
