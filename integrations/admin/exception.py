"""The exception desk: one line per open question, answered on its page, retried, assigned or ignored from the list."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Case, Count, DecimalField, QuerySet, Sum, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import words
from integrations.access import answerable, may_answer
from integrations.admin import contact_answer
from integrations.admin.answers import ANSWERS, value_question
from integrations.admin.desk import MASK_PERMISSION, Act, Desk, Refusal
from integrations.admin.filters import FlowFilter, age_filter, dropdown, field_filter
from integrations.admin.summaries import headline
from integrations.engine import exceptions as engine
from integrations.engine.masking import masked
from integrations.models import Hold, SyncException
from integrations.models.kinds import KINDS, ORIGIN_LABELS, Kind, kind_choices

CHANGE = "integrations.change_syncexception"
COMMENT = "integrations.add_exceptioncomment"
BULK_LIMIT = 1000
WAITING_SHOWN = 20
TEAMS = ("ecommerce", "marketing", "manager", "administrator")
WHO = [("me", "Mine"), ("nobody", "Unassigned")]
EVERY_STATE = "all"
UNKNOWN = Kind("unknown", "Other", next(iter(ORIGIN_LABELS)), "administrator", "", "")


def kind_of(exception: SyncException) -> Kind:
    """The row of the table of kinds."""
    return KINDS.get(exception.kind, UNKNOWN)


def _with(attribute: str, value: str) -> list[str]:
    return [kind.slug for kind in KINDS.values() if getattr(kind, attribute) == value]


def _who(rows: QuerySet[SyncException], value: str, request: HttpRequest) -> QuerySet[SyncException]:
    return rows.filter(assignee=request.user if value == "me" else None)


OriginFilter = dropdown(
    "origin", "origin", lambda request: [(str(origin), label) for origin, label in ORIGIN_LABELS.items()],
    lambda rows, value, request: rows.filter(kind__in=_with("origin", value)),
)  # fmt: skip
TeamFilter = dropdown(
    "team", "team", lambda request: [(team, team.capitalize()) for team in TEAMS],
    lambda rows, value, request: rows.filter(kind__in=_with("team", value)),
)  # fmt: skip


def _state(rows: QuerySet[SyncException], value: str | None, request: HttpRequest) -> QuerySet[SyncException]:
    return rows if value == EVERY_STATE else rows.filter(state=value)


class StateFilter(dropdown("state", "state", lambda request: [*SyncException.State.choices, (EVERY_STATE, "All")], _state)):
    """State of a question; a list that was not told otherwise shows the open ones."""

    all_option = None

    def value(self) -> str:
        """The chosen state, open when none is; on a question's own page no state is left out."""
        return super().value() or SyncException.State.OPEN.value


WhoFilter = dropdown("assignee", "who", lambda request: WHO, _who)


@admin.register(SyncException)
class ExceptionDesk(Desk):
    """Where people decide."""

    acts = (
        Act("answer", CHANGE), Act("retry", CHANGE), Act("ignore", CHANGE), Act("assign", CHANGE), Act("comment", COMMENT),
    )  # fmt: skip
    detail_template = "integrations/exception.html"
    list_before_template = "integrations/list_tabs.html"
    tabs = (
        ("Open", {"state": "open"}),
        ("Mine", {"state": "open", "who": "me"}),
        ("Unassigned", {"state": "open", "who": "nobody"}),
        ("Settled", {"state": "resolved"}),
        ("Ignored", {"state": "ignored"}),
        ("All", {"state": EVERY_STATE}),
    )
    empty_icon = "task_alt"
    empty_words = "Nothing waits for anybody here. That is the good news; other filters show what was settled."
    list_display = ["title_cell", "state_cell", "waiting_cell", "value_cell", "team_cell", "seen_cell", "assignee_cell"]
    list_filter = [
        StateFilter,
        field_filter("kind", "kind", kind_choices()),
        OriginFilter, TeamFilter, FlowFilter, age_filter("last seen", "last_seen"), WhoFilter,
    ]  # fmt: skip
    list_filter_submit = True
    search_fields = ["subject"]
    search_help_text = "Exact subject: a SKU, a word, a key"
    actions = ["retry_many", "take_many", "ignore_many"]

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncException]:
        """The newest first; a list of one state walks the index made for it, only the list of all is sorted, open ones first."""
        rows = super().get_queryset(request).select_related("flow__source", "flow__destination", "connection", "assignee", "resolved_by")
        return rows.order_by("-last_seen")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Exact subjects only."""
        term = search_term.strip()
        return (queryset.filter(subject=term) if term else queryset), False

    def complete(self, request: HttpRequest, rows: list[SyncException]) -> None:
        """How much waits for each question of the page, and what its orders are worth: one query."""
        waiting = waiting_of(rows)
        for row in rows:
            row.waiting = waiting.get(row.pk, NO_ONE)

    @admin.display(description="Question")
    def title_cell(self, row: SyncException) -> SafeString:
        """Title over kind, origin and flow."""
        kind = kind_of(row)
        under = " · ".join(str(part) for part in (kind.label, ORIGIN_LABELS[kind.origin], row.flow or row.connection) if part)
        return format_html('<strong class="sy-wrap">{}</strong><small class="sy-under">{}</small>', row.title, under)

    @admin.display(description="State")
    def state_cell(self, row: SyncException) -> SafeString:
        """State in words."""
        return words.state_badge(row)

    @admin.display(description="Waiting")
    def waiting_cell(self, row: SyncException) -> str:
        """How many deliveries wait."""
        return f"{row.waiting['count']:,}"

    @admin.display(description="Order value waiting")
    def value_cell(self, row: SyncException) -> str:
        """What the waiting orders are worth, per currency."""
        return ", ".join(words.money(amount, currency) for currency, amount in row.waiting["values"].items()) or words.NOTHING

    @admin.display(description="Team")
    def team_cell(self, row: SyncException) -> str:
        """Who settles it."""
        return kind_of(row).team.capitalize()

    @admin.display(description="First / last seen")
    def seen_cell(self, row: SyncException) -> SafeString:
        """Both ages."""
        return format_html('{}<small class="sy-under">first {}</small>', words.when(row.last_seen), words.when(row.first_seen))

    @admin.display(description="Assignee")
    def assignee_cell(self, row: SyncException) -> str:
        """Whom it was given to."""
        return row.assignee.get_username() if row.assignee else "nobody"

    # --- many at once ---

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """People who may settle exceptions."""
        return request.user.has_perm(CHANGE)

    def _chosen(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> list[int]:
        ids = list(
            answerable(request.user, queryset)
            .filter(state=SyncException.State.OPEN)
            .order_by()
            .values_list("pk", flat=True)[: BULK_LIMIT + 1]
        )
        if len(ids) > BULK_LIMIT:
            self.message_user(request, f"At most {BULK_LIMIT:,} exceptions at a time.", messages.ERROR)
            return []
        if not ids:
            self.message_user(request, "None of these is open and yours to settle, so nothing was done.", messages.WARNING)
        return ids

    @admin.action(description="Try the waiting deliveries again", permissions=["settle"])
    def retry_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> None:
        """Release what waits for the chosen questions."""
        if ids := self._chosen(request, queryset):
            released = engine.release_exceptions(ids, request.user)
            self.tell_bulk(request, SyncException.objects.filter(pk__in=ids), "Retried what waits")
            self.message_user(request, f"{words.plural(released, 'delivery', 'deliveries')} will be tried again.")

    @admin.action(description="Assign to me", permissions=["settle"])
    def take_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> None:
        """Take the chosen questions."""
        if ids := self._chosen(request, queryset):
            engine.assign(ids, request.user, request.user)
            self.tell_bulk(request, SyncException.objects.filter(pk__in=ids), f"Assigned to {request.user.get_username()}")
            self.message_user(request, f"{words.plural(len(ids), 'exception')} assigned to you.")

    @admin.action(description="Ignore: do not send what waits", permissions=["settle"])
    def ignore_many(self, request: HttpRequest, queryset: QuerySet[SyncException]) -> None:
        """Decide that what waits for the chosen questions will not be sent."""
        if ids := self._chosen(request, queryset):
            skipped = engine.ignore_exceptions(ids, request.user, f"Ignored from the list by {request.user.get_username()}")
            self.tell_bulk(request, SyncException.objects.filter(pk__in=ids), "Ignored")
            self.message_user(
                request, f"{words.plural(len(ids), 'exception')} ignored; {words.plural(skipped, 'delivery', 'deliveries')} skipped."
            )

    # --- the page ---

    def allowed_acts(self, request: HttpRequest, row: SyncException | None = None) -> set[str]:
        """A settled question takes comments only."""
        allowed = super().allowed_acts(request, row)
        return allowed if row is None or row.state == SyncException.State.OPEN else allowed & {"comment"}

    def may(self, request: HttpRequest, act: Act, row: SyncException | None = None) -> bool:
        """An answer that writes a crosswalk or value row takes the permission for that row too."""
        if not super().may(request, act, row) or (row is not None and not may_answer(request.user, row)):
            return False
        if act.name != "answer" or row is None:
            return True
        answer = ANSWERS.get(row.kind)
        return answer is not None and request.user.has_perm(answer.permission)

    def detail(self, request: HttpRequest, row: SyncException) -> dict[str, Any]:
        """The question, its cause and remedy, what waits, and how to answer it."""
        personal = request.user.has_perm(MASK_PERMISSION)
        kind, answer = kind_of(row), ANSWERS.get(row.kind)
        holds = list(row.holds.select_related("delivery").defer("delivery__sent_payload").order_by("since")[:WAITING_SHOWN])
        for hold in holds:
            hold.headline = (
                headline(row.flow.record_type, hold.delivery.record, personal=personal) if row.flow else hold.delivery.record_key
            )
        may, waiting = self.allowed_acts(request, row), waiting_of([row]).get(row.pk, NO_ONE)
        return {
            "title": row.title,
            "kind": kind,
            "origin": ORIGIN_LABELS[kind.origin],
            "holds": holds,
            "waiting": waiting,
            "values": [words.money(amount, currency) for currency, amount in waiting["values"].items()],
            "answer_template": answer.template if answer and "answer" in may else "",
            "detail_text": row.detail if personal else "\n".join(masked(line) for line in row.detail.splitlines()),
            **(_contacts(row, personal=personal) if row.kind == "ambiguous_contact" else {}),
            "value_question": value_question(row) if row.kind == "unmapped_value" else ("", ""),
            "people": people() if "assign" in may else [],
            "comments": row.comments.select_related("author"),
            "log": self.log_of(row),
            "cause_url": self._cause_url(row),
        }

    def _cause_url(self, row: SyncException) -> str:
        """Where the remedy is carried out, for questions about a whole connection."""
        return reverse("admin:integrations_connection_change", args=[row.connection_id]) if row.connection_id else ""

    def act_answer(self, request: HttpRequest, row: SyncException) -> str:
        """Answer it by the form of its kind."""
        self._must_be_open(row)
        released = ANSWERS[row.kind].give(row, request.POST, request.user)
        self.log_change(request, row, "Answered")
        return f"Answered. {words.plural(released, 'waiting delivery goes', 'waiting deliveries go')} out now."

    def act_retry(self, request: HttpRequest, row: SyncException) -> str:
        """Try what waits again without an answer."""
        self._must_be_open(row)
        released = engine.release_exceptions([row.pk], request.user)
        self.log_change(request, row, "Retried what waits")
        return f"{words.plural(released, 'delivery', 'deliveries')} will be tried again."

    def act_ignore(self, request: HttpRequest, row: SyncException) -> str:
        """Decide that what waits will not be sent; takes a reason."""
        self._must_be_open(row)
        reason = request.POST.get("reason", "").strip()
        if not reason:
            raise Refusal("Say why it is ignored; others will read it.")
        skipped = engine.ignore_exceptions([row.pk], request.user, reason)
        self.log_change(request, row, f"Ignored: {reason}")
        return f"Ignored. {words.plural(skipped, 'delivery', 'deliveries')} will not be sent."

    def act_assign(self, request: HttpRequest, row: SyncException) -> str:
        """Give it to a person or to nobody."""
        self._must_be_open(row)
        chosen = request.POST.get("assignee", "")
        person = people().filter(pk=chosen).first() if chosen.isdecimal() else None
        if chosen and person is None:
            raise Refusal("There is no such person.")
        engine.assign([row.pk], person, request.user)
        self.log_change(request, row, f"Assigned to {person.get_username() if person else 'nobody'}")
        return f"Assigned to {person.get_username() if person else 'nobody'}."

    def act_comment(self, request: HttpRequest, row: SyncException) -> str:
        """Write something beside it."""
        text = request.POST.get("text", "").strip()
        if not text:
            raise Refusal("The comment is empty.")
        engine.comment(row, request.user, text)
        return "Comment added."

    def _must_be_open(self, row: SyncException) -> None:
        if row.state != SyncException.State.OPEN:
            raise Refusal(f"It is {row.get_state_display().lower()} already, so nothing was done.")


NO_ONE: dict[str, Any] = {"count": 0, "values": {}}


def _contacts(row: SyncException, *, personal: bool) -> dict[str, Any]:
    """Who may be the customer, for the answer's form."""
    return {
        "contacts": contact_answer.cards(row, personal=personal),
        "customer": contact_answer.customer_card(row, personal=personal),
        "new_person": contact_answer.new_person(row),
    }


def waiting_of(rows: Iterable[SyncException]) -> dict[int, dict[str, Any]]:
    """Per exception: how many deliveries wait for it, and the net value of the orders among them by currency."""
    record = "delivery__record"
    net = Cast(KeyTextTransform("net", KeyTransform("totals", record)), DecimalField(max_digits=20, decimal_places=3))
    amount = Case(When(delivery__flow__record_type="order", then=net), default=None)
    grouped = (
        Hold.objects.filter(exception__in=[row.pk for row in rows])
        .annotate(currency=KeyTextTransform("currency", record))
        .values("exception", "currency")
        .annotate(count=Count("pk"), amount=Sum(amount))
        .order_by("exception", "currency")
    )
    found: dict[int, dict[str, Any]] = {}
    for part in grouped:
        entry = found.setdefault(part["exception"], {"count": 0, "values": {}})
        entry["count"] += part["count"]
        if part["amount"] is not None:
            entry["values"][part["currency"] or ""] = Decimal(part["amount"])
    return found


def people() -> QuerySet:
    """Those an exception can be given to."""
    return get_user_model().objects.filter(is_active=True, is_staff=True).order_by("username")
