"""What stands above the exception list: its views with how many each holds, a person's own saved filters, and the last act to take back."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.utils import timezone

from integrations.access import scope_of
from integrations.admin.exception_filters import TABS, TEAMS, new_since
from integrations.engine.desk_acts import last_act
from integrations.models import SavedView, SyncException
from integrations.models.exception import SHOWN

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

    from integrations.admin.exception import ExceptionDesk

PEEK = 99  # a tab counts no further
UNDO_FOR = timedelta(hours=1)  # how long the list offers to take the last act back; a question's own page offers it for longer
MOST_VIEWS = 40
NOT_KEPT = ("p", "e", "o")  # of an address: where in the list one is


def top(desk: ExceptionDesk, request: HttpRequest) -> dict[str, Any]:
    """Context of the part above the list; three queries."""
    query = kept_query(request.GET)
    mine = views_of(request.user)
    return {
        "tabs": _tabs(request, _counts(request)),
        "teams": _teams(request),
        "views": [(view, f"?{view.query}", view.query == query, view.owner_id == request.user.pk) for view in mine],
        "own_teams": teams_of(request.user),
        "query": query,
        "may_settle": desk.has_settle_permission(request),
        "undo": last_act(request.user, since=timezone.now() - UNDO_FOR),
        "now": timezone.now(),
    }


def kept_query(data: QueryDict) -> str:
    """The filters of an address, without where in the list one is."""
    kept = data.copy()
    for name in NOT_KEPT:
        kept.pop(name, None)
    return "&".join(sorted(part for part in kept.urlencode().split("&") if part))


def _counts(request: HttpRequest) -> Counter[str]:
    """How many questions each view of one's own holds, looked at up to PEEK + 1: one query."""
    shown = SyncException.objects.filter(SHOWN).order_by()
    parts = {
        "Open": shown,
        "Mine": shown.filter(assignee=request.user),
        "Unassigned": shown.filter(assignee=None),
        "New": shown.filter(first_seen__gte=new_since(request)),
        "Returned": shown.filter(returned__gt=0),
        "Snoozed": SyncException.objects.filter(state="open", snoozed_until__isnull=False).order_by(),
    }
    peeks = [rows.values_list(Value(label), flat=True)[: PEEK + 1] for label, rows in parts.items()]
    return Counter(peeks[0].union(*peeks[1:], all=True))


def _tabs(request: HttpRequest, counts: Counter[str]) -> list[dict[str, Any]]:
    names = {name for _, values in TABS for name in values}
    chosen = {name: value for name in names if (value := request.GET.get(name))} or dict(TABS[0][1])
    chosen.setdefault("state", "open")
    entries = []
    for label, values in TABS:
        number = counts.get(label, 0)
        shown = "" if label not in counts else f"{PEEK}+" if number > PEEK else str(number)
        entries.append({"label": label, "url": _address(request, names, values), "current": chosen == values, "count": shown})
    return entries


def _address(request: HttpRequest, names: set[str], values: dict[str, str]) -> str:
    """The same list with these values; other filters are kept."""
    data = request.GET.copy()
    for name in (*names, *NOT_KEPT):
        data.pop(name, None)
    data.update(values)
    return f"?{data.urlencode()}"


def _teams(request: HttpRequest) -> list[tuple[str, str, bool]]:
    chosen = request.GET.get("team", "")
    every = [("", "Every team"), *((team, team.capitalize()) for team in TEAMS)]
    return [(label, _address(request, {"team"}, {"team": slug} if slug else {}), slug == chosen) for slug, label in every]


# --- saved filters -----------------------------------------------------------------------------------------------------


def teams_of(user: AbstractUser) -> list[str]:
    """Teams that a person may share a filter with: the groups that they are in."""
    scope_of(user)  # reads the groups' names, once per request
    return sorted(getattr(user, "_role_names", frozenset()) & set(TEAMS))


def views_of(user: AbstractUser) -> list[SavedView]:
    """Filters that this person kept, and those that were shared with their teams."""
    shared = Q(team__in=teams_of(user))
    return list(SavedView.objects.filter(Q(owner=user) | shared).select_related("owner").order_by("name", "pk")[:MOST_VIEWS])


def save(desk: ExceptionDesk, request: HttpRequest) -> HttpResponse:
    """Keep the filters of the address under a name; the same name again replaces it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    name, team = request.POST.get("name", "").strip()[:60], request.POST.get("team", "")
    query = kept_query(QueryDict(request.POST.get("query", "")[:1000]))
    back = f"{desk.view_url('changelist')}?{query}"
    if team and team not in teams_of(request.user):
        raise PermissionDenied
    if not name:
        messages.error(request, "Give the filter a name.")
    else:
        SavedView.objects.update_or_create(owner=request.user, name=name, defaults={"query": query, "team": team})
        messages.success(request, f"“{name}” is kept{f' for the team {team}' if team else ''}.")
    return HttpResponseRedirect(back)


def delete(desk: ExceptionDesk, request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget a filter of one's own."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    view = SavedView.objects.filter(pk=view_id, owner=request.user).first()
    if view is None:
        raise Http404("There is no such saved filter of yours.")
    view.delete()
    messages.success(request, f"“{view.name}” is gone.")
    return HttpResponseRedirect(desk.view_url("changelist"))
