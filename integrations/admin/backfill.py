"""Backfills and polls: where each pull is, how far, how fast, and pause, resume, cancel."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, field_filter
from integrations.engine import pull
from integrations.models import Checkpoint, Connection
from integrations.platforms.registry import PLATFORMS

CHANGE = "integrations.change_checkpoint"
LIVE = (Checkpoint.State.WAITING, Checkpoint.State.RUNNING, Checkpoint.State.PAUSED)
ENDING = (Checkpoint.Purpose.BACKFILL, Checkpoint.Purpose.REPAIR)
ACTS = (Act("pause", CHANGE), Act("resume", CHANGE), Act("cancel", CHANGE))
POSSIBLE = {"waiting": {"pause", "cancel"}, "running": {"pause", "cancel"}, "paused": {"resume", "cancel"}, "failed": {"resume"}}
SHOWN = 6


def backfills_of(request: HttpRequest, connection: Connection) -> dict[str, Any]:
    """The newest backfills of a source with their progress, and whether the part must go on refreshing itself."""
    rows = list(Checkpoint.objects.filter(connection=connection, purpose__in=ENDING).select_related("requested_by", "connection")[:SHOWN])
    may = request.user.has_perm(CHANGE)
    return {"backfills": [_shown(row, may) for row in rows], "backfills_live": any(row.state in LIVE for row in rows)}


def _shown(row: Checkpoint, may: bool) -> dict[str, Any]:
    return {
        "row": row,
        "label": reader_label(row),
        "progress": pull.progress(row),
        "acts": POSSIBLE.get(row.state, set()) if may else set(),
    }


def reader_label(row: Checkpoint) -> str:
    """What is read, in the platform's words."""
    platform = PLATFORMS.get(row.connection.platform)
    reader = platform.readers.get(row.reader) if platform else None
    return reader.label if reader else row.reader


@admin.register(Checkpoint)
class CheckpointDesk(Exports, Desk):
    """Every place where a pull resumes."""

    acts = ACTS
    detail_template = "integrations/checkpoint.html"
    list_before_template = "integrations/list_tabs.html"
    tabs = (("All", {}), ("Backfills", {"purpose": "backfill"}), ("Polls", {"purpose": "poll"}), ("Failed", {"state": "failed"}))
    empty_icon = "history"
    empty_words = "No pull yet. Polls begin with the first flow; a backfill is started on a flow's page."
    list_display = ["reader_cell", "purpose_cell", "state_cell", "progress_cell", "window_cell", "due_cell"]
    list_filter = [
        ConnectionFilter,
        field_filter("purpose", "purpose", Checkpoint.Purpose.choices),
        field_filter("state", "state", Checkpoint.State.choices),
    ]
    list_filter_submit = True
    export_columns = (
        Column("ID", "pk"), Column("What is read", lambda row, personal: reader_label(row)), Column("Connection", "connection.name"),
        Column("Purpose", "get_purpose_display"), Column("State", "get_state_display"), Column("Read", "read_count"), Column("Of", "total"),
        Column("Records", "record_count"), Column("Could not be read", "failed_count"), Column("From", "window_from"),
        Column("Until", "window_to"), Column("Next page", "due_at"), Column("Started", "started_at"), Column("Finished", "finished_at"),
        Column("Asked for by", lambda row, personal: row.requested_by.get_username() if row.requested_by else ""),
        Column("Note", lambda row, personal: row.error or row.note),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        """Newest first."""
        return super().get_queryset(request).select_related("connection", "requested_by")

    @admin.display(description="What is read")
    def reader_cell(self, row: Checkpoint) -> SafeString:
        """Kind of object over the connection."""
        return format_html('<strong>{}</strong><small class="sy-under">{}</small>', reader_label(row), row.connection)

    @admin.display(description="Purpose")
    def purpose_cell(self, row: Checkpoint) -> str:
        """Poll, backfill or repair."""
        return row.get_purpose_display()

    @admin.display(description="State")
    def state_cell(self, row: Checkpoint) -> SafeString:
        """State in words, with the fault."""
        note = row.error or row.note
        return format_html("{}{}", words.state_badge(row), format_html('<small class="sy-under">{}</small>', note) if note else "")

    @admin.display(description="Read")
    def progress_cell(self, row: Checkpoint) -> str:
        """How many objects of how many."""
        return f"{row.read_count:,} of {row.total:,}" if row.total else f"{row.read_count:,}"

    @admin.display(description="Window")
    def window_cell(self, row: Checkpoint) -> str:
        """The span of source time."""
        until = f"{row.window_to:%d %b %Y}" if row.window_to else "now"
        return f"{row.window_from:%d %b %Y} – {until}"

    @admin.display(description="Next page")
    def due_cell(self, row: Checkpoint) -> str:
        """When it goes on."""
        return words.when(row.due_at) if row.state in LIVE else words.NOTHING

    def allowed_acts(self, request: HttpRequest, row: Checkpoint | None = None) -> set[str]:
        """What is permitted and makes sense in this state; a poll cannot be cancelled."""
        possible = POSSIBLE.get(row.state, set()) if row else set()
        if row is not None and row.purpose == Checkpoint.Purpose.POLL:
            possible = possible - {"cancel"}
        return super().allowed_acts(request, row) & possible

    def page_urls(self) -> list[URLPattern]:
        """The part of the page that refreshes itself."""
        return [path("<int:object_id>/live/", self.wrapped(self.live), name="integrations_checkpoint_live")]

    def live(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Progress as an HTML part."""
        row = self.row_or_404(request, object_id)
        return self.show(request, "integrations/checkpoint_live.html", row, **self.detail(request, row))

    def detail(self, request: HttpRequest, row: Checkpoint) -> dict[str, Any]:
        """Progress of one pull."""
        item = {**_shown(row, False), "acts": self.allowed_acts(request, row)}
        return {
            "title": f"{row.get_purpose_display()}: {item['label']}",
            "item": item,
            "live": row.state in LIVE,
            "log": self.log_of(row),
            "connection_url": reverse("admin:integrations_connection_change", args=[row.connection_id]),
        }

    def act_pause(self, request: HttpRequest, row: Checkpoint) -> str:
        """Stop after the page that is being read."""
        return self._do(request, row, "pause", pull.pause, answer="Paused. It goes on where it stopped when it is resumed.")

    def act_resume(self, request: HttpRequest, row: Checkpoint) -> str:
        """Go on where it stopped."""
        return self._do(request, row, "resume", pull.resume, answer="Resumed where it stopped.")

    def act_cancel(self, request: HttpRequest, row: Checkpoint) -> str:
        """End it; what was read stays."""
        return self._do(request, row, "cancel", pull.cancel, answer="Cancelled. What was read so far stays.")

    def _do(self, request: HttpRequest, row: Checkpoint, name: str, act: Any, *, answer: str) -> str:
        if name not in self.allowed_acts(request, row):
            raise Refusal(f"It is {row.get_state_display().lower()} and cannot be changed that way any more.")
        act(row, request.user)
        self.log_change(request, row, answer)
        return answer
