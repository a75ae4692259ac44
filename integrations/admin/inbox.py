"""The inbox: verified messages as they came, why one could not be read, and processing it again."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, age_filter, field_filter
from integrations.engine.masking import masked, masked_text
from integrations.engine.process import reprocess
from integrations.models import Delivery, InboxEvent

PROCESS = "integrations.change_inboxevent"
BULK_LIMIT = 1000
UNREADABLE = "(text that could not be read; only people who may see personal data see it)"


@admin.register(InboxEvent)
class InboxDesk(Exports, Desk):
    """What platforms told us."""

    acts = (Act("again", PROCESS),)
    detail_template = "integrations/inbox_event.html"
    list_before_template = "integrations/list_tabs.html"
    tabs = (
        ("All", {}), ("Could not be read", {"state": "failed"}), ("Waiting", {"state": "new"}), ("Processed", {"state": "done"}),
        ("Nothing to do", {"state": "ignored"}),
    )  # fmt: skip
    empty_icon = "inbox"
    empty_words = (
        "No message matches. Platforms send one whenever something changes; the connection's page shows whether they are asked to."
    )
    list_display = ["topic_cell", "object_key", "connection_cell", "state_cell", "received_cell"]
    list_filter = [ConnectionFilter, field_filter("state", "state", InboxEvent.State.choices), age_filter("received", "received_at")]
    list_filter_submit = True
    search_fields = ["object_key"]
    search_help_text = "Exact key of the object at the source"
    actions = ["again_many"]
    export_columns = (
        Column("ID", "pk"), Column("Topic", "topic"), Column("Key of the object", "object_key"), Column("Connection", "connection.name"),
        Column("State", "get_state_display"), Column("Why", lambda row, personal: row.error if personal else masked_text(row.error)),
        Column("Tries", "attempts"), Column("Received", "received_at"), Column("Happened", "occurred_at"), Column("Processed", "done_at"),
        Column("Message id", "dedup_key"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboxEvent]:
        """Newest first; lists do not read the bodies."""
        rows = super().get_queryset(request).select_related("connection").order_by("-pk")
        return rows if request.resolver_match and request.resolver_match.kwargs.get("object_id") else rows.defer("body")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact object keys only."""
        term = search_term.strip()
        return (queryset.filter(object_key=term) if term else queryset), False

    @admin.display(description="Topic")
    def topic_cell(self, row: InboxEvent) -> SafeString:
        """Topic, with the reason when it could not be read."""
        why = masked_text(row.error)
        return format_html(
            '<strong class="sy-wrap">{}</strong>{}', row.topic, format_html('<small class="sy-under">{}</small>', why) if why else ""
        )

    @admin.display(description="Connection")
    def connection_cell(self, row: InboxEvent) -> str:
        """Where it came from."""
        return row.connection.name

    @admin.display(description="State")
    def state_cell(self, row: InboxEvent) -> SafeString:
        """State in words."""
        return words.state_badge(row)

    @admin.display(description="Received")
    def received_cell(self, row: InboxEvent) -> str:
        """Age."""
        return words.when(row.received_at)

    def has_again_permission(self, request: HttpRequest) -> bool:
        """People who may change inbox events."""
        return request.user.has_perm(PROCESS)

    @admin.action(description="Process again", permissions=["again"])
    def again_many(self, request: HttpRequest, queryset: QuerySet[InboxEvent]) -> None:
        """Put the chosen messages back to waiting."""
        ids = list(queryset.order_by().values_list("pk", flat=True)[:BULK_LIMIT])
        number = reprocess(ids)
        self.tell_bulk(request, InboxEvent.objects.defer("body").filter(pk__in=ids), "Processed again")
        self.message_user(request, f"{words.plural(number, 'message')} will be processed again.")

    def detail(self, request: HttpRequest, row: InboxEvent) -> dict[str, Any]:
        """The message as it came, masked unless the person may see personal data."""
        body = _parsed(row.body)
        personal = request.user.has_perm(MASK_PERMISSION)
        about = (
            Delivery.objects.filter(flow__source=row.connection_id, record_key=row.object_key)
            if row.object_key
            else Delivery.objects.none()
        )
        return {
            "title": f"{row.topic} {row.object_key}".strip(),
            "body": body if personal else _hidden(body),
            "why": row.error if personal else masked_text(row.error),
            "log": self.log_of(row),
            "deliveries": about.select_related("flow__source", "flow__destination").defer("record", "sent_payload")[:20],
        }

    def act_again(self, request: HttpRequest, row: InboxEvent) -> str:
        """Process it again."""
        if not reprocess([row.pk]):
            raise Refusal("It is waiting to be processed already.")
        self.log_change(request, row, "Processed again")
        return "It will be processed again now."


def _parsed(body: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body


def _hidden(body: Any) -> Any:
    """The body with personal values masked; text that could not be cut into fields is not shown at all, as nothing in it can be masked."""
    if isinstance(body, dict):
        return masked({name: UNREADABLE if name == "raw" else value for name, value in body.items()})
    return UNREADABLE if isinstance(body, str) else masked(body)
