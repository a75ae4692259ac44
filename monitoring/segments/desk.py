"""Segments in the console: one line each for a glance in the morning, and a page that says why one is not as it should be."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.access import REPLAY
from integrations.admin.desk import Act, Desk, Refusal
from integrations.admin.exports import Column, Exports
from integrations.admin.filters import ConnectionFilter, dropdown, field_filter
from integrations.engine.replay import replay
from integrations.models import Connection
from monitoring.models import Segment, SegmentSource
from monitoring.models.segments import ANSWERS
from monitoring.segments import pages, read_back, reading
from monitoring.segments.forms import RuleForm, ThresholdForm
from monitoring.segments.pictures import spark
from monitoring.segments.trouble import FINE
from monitoring.segments.verdict import TONES, share_words

CHANGE = "monitoring.change_segment"
WATCHED = {"yes": True, "no": False}
WatchedFilter = dropdown(
    "watched", "watched", lambda request: [("yes", "Watched"), ("no", "Not watched"), ("all", "All")],
    lambda rows, value, request: rows.filter(watched=WATCHED[value]) if value in WATCHED else rows,
)  # fmt: skip


@admin.register(Segment)
class SegmentDesk(Exports, Desk):
    """The segments that somebody watches, and all others of the account to choose from."""

    acts = (
        *(Act(name, CHANGE) for name in ("watch", "unwatch", "configure", "read", "read-back", "stop-read-back")),
        Act("send-again", REPLAY),
    )
    detail_template = "monitoring/segment.html"
    list_before_template = "monitoring/segments_top.html"
    tabs = (("Watched", {"watched": "yes"}), ("Choose more to watch", {"watched": "no"}), ("All", {"watched": "all"}))
    empty_icon = "group_work"
    empty_words = (
        "Nobody watches a segment yet. Choose the ones that campaigns depend on: their size is read every hour, compared with what is "
        "usual and with our own records, and you are told when something is off."
    )
    list_display = ["name_cell", "answer_cell", "size_cell", "trend_cell", "expected_cell", "refreshed_cell"]
    list_filter = [WatchedFilter, field_filter("state", "answer", ANSWERS), ConnectionFilter]
    list_filter_submit = True
    search_fields = ["title", "list_id"]
    search_help_text = "Name or id of the segment"
    export_columns = (
        Column("Segment", "title"), Column("Id", "list_id"), Column("Connection", "connection.name"), Column("Type", "kind"),
        Column("Watched", lambda row, personal: "yes" if row.watched else "no"), Column("State", "get_answer_display"),
        Column("Why", lambda row, personal: " ".join(row.reasons)), Column("Size", "size"), Column("Usual size", "usual"),
        Column("Our records", "expected"), Column("Status at Ometria", "status"), Column("Refreshed by Ometria", "refreshed_at"),
        Column("Read", "read_at"),
    )  # fmt: skip

    class Media:
        css = {"all": ["switchyard/segments.css"]}
        js = ["switchyard/segments.js"]

    # --- the list ---

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """What is wrong first, then by name."""
        return ["-watched", Case(When(answer__in=FINE, then=1), default=0).asc(), "title", "pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        """Watched ones unless the address says otherwise."""
        rows = super().get_queryset(request).select_related("connection")
        if request.resolver_match and request.resolver_match.kwargs.get("object_id"):
            return rows
        return rows if request.GET.get("watched") in (*WATCHED, "all") else rows.filter(watched=True)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under when it was read, and the way to read now."""
        return super().changelist_view(request, {"title": "Segments", **self.standing(request), **(extra_context or {})})

    def standing(self, request: HttpRequest) -> dict[str, Any]:
        """The connections that have segments, and whether one is being read."""
        rows = list(SegmentSource.objects.select_related("connection").order_by("connection__name"))
        return {
            "sources": [pages.standing(row) for row in rows],
            "no_platform": not Connection.objects.filter(platform=reading.PLATFORM).exists() if not rows else False,
            "may_change": request.user.has_perm(CHANGE),
            "read_all_url": self.view_url("read_all"),
            "standing_url": self.view_url("standing"),
        }

    def complete(self, request: HttpRequest, rows: list[Segment]) -> None:
        """Which buttons this person may press."""
        for row in rows:
            row.may_change = request.user.has_perm(CHANGE)

    @admin.display(description="Segment")
    def name_cell(self, row: Segment) -> SafeString:
        """Name over type and account."""
        kind = row.kind.capitalize() or "Segment"
        under = f"{kind} · {row.connection.name}"
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', row.title, under)

    @admin.display(description="State")
    def answer_cell(self, row: Segment) -> SafeString | str:
        """The answer over its first reason; for those that nobody watches the way to watch them."""
        if row.watched:
            reason = row.reasons[0] if row.reasons else "As usual, and refreshed." if row.answer == "healthy" else ""
            return format_html('{}<small class="sy-under">{}</small>', answer_badge(row), reason)
        if not row.may_change:
            return "Not watched"
        return format_html(
            '<button type="submit" class="sy-button sy-small" formmethod="post" formaction="{}" aria-label="{}">Watch</button>',
            self.view_url("watch", row.pk), f"Watch {row.title}",
        )  # fmt: skip

    @admin.display(description="People in it")
    def size_cell(self, row: Segment) -> SafeString | str:
        """The size over how it moved since the day before, or since the reading before where there is no older one."""
        if row.size is None:
            return words.NOTHING
        entry, when = (row.changed["day"], "a day ago") if "day" in row.changed else (row.changed.get("last") or {}, "before")
        before = entry.get("size")
        moved = f"as many as {when}" if before == row.size else ""
        moved = f"{share_words(row.size, before)} than {when}" if before is not None and not moved else moved
        return format_html('<span class="sg-size">{}</span><small class="sy-under">{}</small>', f"{row.size:,}", moved)

    @admin.display(description="Last 14 days")
    def trend_cell(self, row: Segment) -> SafeString | str:
        """A small line."""
        return spark(row.spark)

    @admin.display(description="Our records expect")
    def expected_cell(self, row: Segment) -> SafeString | str:
        """The people of the rule over the difference."""
        if row.expected is None or row.size is None:
            return words.NOTHING
        gap = "Ometria has as many" if row.size == row.expected else f"Ometria has {share_words(row.size, row.expected)}"
        return format_html('<span class="sg-size">{}</span><small class="sy-under">{}</small>', f"{row.expected:,}", gap)

    @admin.display(description="Refreshed by Ometria")
    def refreshed_cell(self, row: Segment) -> str:
        """Its age."""
        return words.when(row.refreshed_at)

    # --- one segment ---

    def allowed_acts(self, request: HttpRequest, row: Segment | None = None) -> set[str]:
        """What makes sense for a segment that is watched, or is not."""
        allowed = super().allowed_acts(request, row)
        if row is None:
            return allowed
        return allowed & ({"watch", "read", "send-again"} if not row.watched else {act.name for act in self.acts} - {"watch"})

    def detail(self, request: HttpRequest, row: Segment) -> dict[str, Any]:
        """Everything on the page of one segment."""
        return pages.detail(self, request, row)

    def page_urls(self) -> list[URLPattern]:
        """Parts that refresh, rows behind each number, downloads, the form."""
        return pages.urls(self)

    def act_watch(self, request: HttpRequest, row: Segment) -> str:
        """Read it from now on."""
        Segment.objects.filter(pk=row.pk).update(watched=True)
        self.log_change(request, row, "Watched")
        reading.ask(row.connection_id)
        return f"{row.title} is watched from now on, and read at once. Next: say who should be in it, so that it can be compared."

    def act_unwatch(self, request: HttpRequest, row: Segment) -> str:
        """Stop reading it; what was read stays."""
        Segment.objects.filter(pk=row.pk).update(watched=False)
        self.log_change(request, row, "No longer watched")
        return f"{row.title} is no longer watched. What was read stays; Watch takes it up again."

    def act_configure(self, request: HttpRequest, row: Segment) -> HttpResponse | str:
        """Store thresholds and rule, and judge by them at once."""
        limits, rule = ThresholdForm(row, request.POST), RuleForm(row, request.POST)
        if not (limits.is_valid() and rule.is_valid()):
            return pages.edit_page(self, request, row, limits=limits, rule=rule)
        before = pages.settings_words(row)
        for name, value in limits.cleaned_data.items():
            setattr(row, name, value)
        row.rule = rule.rule()
        row.save(update_fields=[*limits.cleaned_data, "rule"])
        self.log_change(request, row, f"Settings: {pages.settings_words(row)} Before: {before}"[:1000])
        reading.ask(row.connection_id)
        return "Saved. It is read and judged again now."

    def act_read(self, request: HttpRequest, row: Segment) -> str:
        """Read now instead of at the next hour."""
        reading.ask(row.connection_id)
        return ""

    def act_read_back(self, request: HttpRequest, row: Segment) -> str:
        """Compare a sample of its people with what was sent."""
        if not row.rule:
            raise Refusal("Say first who should be in it: without a rule nobody can be drawn.")
        asked = request.POST.get("size", "")
        size = int(asked) if asked.isdecimal() and int(asked) in read_back.SIZES else read_back.SIZES[0]
        if read_back.begin(row, size, request.user) is None:
            raise Refusal("A read-back of this segment is under way already.")
        self.log_change(request, row, f"Read-back of {size} people asked for")
        return ""

    def act_stop_read_back(self, request: HttpRequest, row: Segment) -> str:
        """End the one under way."""
        open_ones = row.read_backs.filter(state__in=read_back.OPEN)
        if not sum(read_back.cancel(one) for one in open_ones):
            raise Refusal("No read-back is under way.")
        self.log_change(request, row, "Read-back stopped")
        return "Stopped. What was compared so far stays."

    def act_send_again(self, request: HttpRequest, row: Segment) -> str:
        """Put right at once whatever the last read-back found different and sending again heals."""
        last = row.read_backs.order_by("-asked_at").first()
        wanted = read_back.to_send_again(last, last.rows.select_related("delivery__flow"), request.user) if last else []
        sent = replay(wanted, request.user)
        if not sent:
            raise Refusal("Nothing is left to send again: what differed was sent since, or is not yours to send.")
        self.log_change(request, row, f"{sent} records of the read-back sent again")
        return f"{sent} {'record goes' if sent == 1 else 'records go'} out again. Draw again in a minute to see that all is well."


def answer_badge(row: Segment) -> SafeString:
    """The answer of a segment as a word with its tone."""
    return words.badge(row.get_answer_display(), TONES.get(row.answer, "quiet"))
