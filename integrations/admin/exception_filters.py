"""How the exception list is narrowed and sorted: state, kind, origin, team, person, age, what is new and what came back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from integrations.admin.filters import FlowFilter, age_filter, dropdown, field_filter
from integrations.admin.route_filter import RouteFilter
from integrations.models import SyncException
from integrations.models.kinds import KINDS, ORIGIN_LABELS, kind_choices

TEAMS = ("ecommerce", "marketing", "manager", "administrator")
WHO = [("me", "Mine"), ("nobody", "Unassigned")]
EVERY_STATE, SNOOZED = "all", "snoozed"
OPEN = SyncException.State.OPEN
SORTS = {
    "recent": ("Last seen first", ("-last_seen",)),
    "value": ("Value waiting", ("-waiting_value", "-waiting_count", "-pk")),
    "first": ("First seen last", ("-first_seen",)),
    "oldest": ("First seen first", ("first_seen",)),
}
VISIT, BEFORE = "desk_visit", "desk_visit_before"  # in the session: when the desk was last open, and when before that visit
SAME_VISIT = timedelta(minutes=30)
NEW_WITHOUT_VISIT = timedelta(hours=24)


def with_attribute(attribute: str, value: str) -> list[str]:
    """Slugs of the kinds for which a column of the table of kinds has this value."""
    return [kind.slug for kind in KINDS.values() if getattr(kind, attribute) == value]


def note_visit(request: HttpRequest) -> None:
    """Remember that the desk is open now; after half an hour without it the next opening is a new visit."""
    now, last = timezone.now(), _moment(request, VISIT)
    if last is not None and now - last > SAME_VISIT:
        request.session[BEFORE] = last.isoformat()
    if last is None or now - last > timedelta(minutes=1):
        request.session[VISIT] = now.isoformat()


def new_since(request: HttpRequest) -> datetime:
    """Since when a question is new to this person: their last visit to the desk, or 24 hours ago."""
    return _moment(request, BEFORE) or timezone.now() - NEW_WITHOUT_VISIT


def _moment(request: HttpRequest, name: str) -> datetime | None:
    return parse_datetime(request.session.get(name, ""))


def _who(rows: QuerySet[SyncException], value: str, request: HttpRequest) -> QuerySet[SyncException]:
    return rows.filter(assignee=request.user if value == "me" else None)


def _state(rows: QuerySet[SyncException], value: str | None, request: HttpRequest) -> QuerySet[SyncException]:
    if value == EVERY_STATE:
        return rows
    if value in (OPEN, SNOOZED):
        return rows.filter(state=OPEN, snoozed_until__isnull=value == OPEN)
    return rows.filter(state=value)


def _states(request: HttpRequest) -> list[tuple[str, str]]:
    (first, *others) = SyncException.State.choices
    return [first, (SNOOZED, "Snoozed"), *others, (EVERY_STATE, "All")]


class StateFilter(dropdown("state", "state", _states, _state)):
    """State of a question; a list that was not told otherwise shows the open ones that nobody has put away."""

    all_option = None

    def value(self) -> str:
        """The chosen state, open when none is; on a question's own page no state is left out."""
        return super().value() or OPEN.value


OriginFilter = dropdown(
    "origin", "origin", lambda request: [(str(origin), label) for origin, label in ORIGIN_LABELS.items()],
    lambda rows, value, request: rows.filter(kind__in=with_attribute("origin", value)),
)  # fmt: skip
TeamFilter = dropdown(
    "team", "team", lambda request: [(team, team.capitalize()) for team in TEAMS],
    lambda rows, value, request: rows.filter(kind__in=with_attribute("team", value)),
)  # fmt: skip
WhoFilter = dropdown("assignee", "who", lambda request: WHO, _who)
SeenFilter = dropdown(
    "what is special", "seen", lambda request: [("new", "New to me"), ("returned", "Came back")],
    lambda rows, value, request: rows.filter(first_seen__gte=new_since(request)) if value == "new" else rows.filter(returned__gt=0),
)  # fmt: skip
SortFilter = dropdown(
    "order of the list", "sort", lambda request: [(key, label) for key, (label, _) in SORTS.items()],
    lambda rows, value, request: rows.order_by(*SORTS[value][1]),
)  # fmt: skip
FILTERS = [
    StateFilter, field_filter("kind", "kind", kind_choices()), OriginFilter, TeamFilter, RouteFilter, FlowFilter,
    age_filter("last seen", "last_seen"), WhoFilter, SeenFilter, SortFilter,
]  # fmt: skip

# Views that people come back to: label and filters; the first is what a bare address shows.
TABS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Open", {"state": "open"}),
    ("By value waiting", {"state": "open", "sort": "value"}),
    ("Mine", {"state": "open", "who": "me"}),
    ("Unassigned", {"state": "open", "who": "nobody"}),
    ("New", {"state": "open", "seen": "new"}),
    ("Returned", {"state": "open", "seen": "returned"}),
    ("Snoozed", {"state": "snoozed"}),
    ("Settled", {"state": "resolved"}),
    ("Ignored", {"state": "ignored"}),
    ("All", {"state": EVERY_STATE}),
)
