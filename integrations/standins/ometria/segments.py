"""Lists, their changes and members, and unsubscribes, as the API reads them."""

from integrations.standins.ometria.account import Account
from integrations.standins.ometria.lists import Segment, SegmentRule
from integrations.standins.ometria.moments import seconds
from integrations.standins.ometria.paging import BadQuery, page, window
from integrations.standins.ometria.reads import NOT_FOUND, Query
from integrations.standins.ometria.replies import error
from integrations.standins.ometria.shelf import OrderEntry
from integrations.standins.ometria.shown import marketing_optin, shown_contact
from integrations.standins.wire import Response, json_response

# mode → whether a list that is archived (True) or not (False) is shown
MODES = {"active": {False}, "archived": {True}, "all": {True, False}}
DAY = 86_400.0


def refresh_due(account: Account) -> None:
    """Work out the members of dynamic lists whose time has come."""
    now = account.clock.now()
    for segment in account.segments.values():
        if segment.rule is not None and (not segment.members or now - segment.refreshed >= segment.rule.every):
            refresh(account, segment, segment.rule)


def refresh(account: Account, segment: Segment, rule: SegmentRule) -> None:
    """Let in whom the rule finds among the account's own orders, and let go whom it does not find any more."""
    now = account.clock.now()
    buyers = {
        entry.profile_id: None
        for _, entry in account.orders.placed_between(now - rule.days * DAY, now)
        if entry.valid and entry.profile_id and _of_channel(entry, rule)
    }
    profiles = account.directory.profiles
    inside = {key for key in buyers if key in profiles and (not rule.optin or marketing_optin(account, profiles[key]))}
    for key in [key for key in segment.members if key not in inside]:
        segment.leave(key, profiles[key].email if key in profiles else None, now)
    for key in buyers:
        if key in inside:
            segment.enter(key, profiles[key].email, now)
    segment.refreshed = now


def _of_channel(entry: OrderEntry, rule: SegmentRule) -> bool:
    return rule.channel is None or entry.record().get("channel") == rule.channel


def lists(account: Account, query: Query) -> Response:
    """Lists that are active, archived or both."""
    mode = query.get("mode", "active")
    if mode not in MODES:
        raise BadQuery("mode is not active, archived or all")
    refresh_due(account)
    shown = [segment.shown() for segment in account.segments.values() if segment.archived in MODES[mode]]
    return json_response(page(query, shown) if "limit" in query or "offset" in query else shown)


def one_list(account: Account, query: Query, list_id: str) -> Response:
    """One list."""
    refresh_due(account)
    segment = account.segments.get(list_id)
    return json_response(segment.shown()) if segment else error(404, NOT_FOUND)


def list_changes(account: Account, query: Query, list_id: str) -> Response:
    """Who entered and left since a moment."""
    segment = account.segments.get(list_id)
    if segment is None:
        return error(404, NOT_FOUND)
    since, _ = window(query, "since")
    return json_response([change for change in segment.changes if seconds(change["timestamp"]) >= since])


def list_contacts(account: Account, query: Query, list_id: str) -> Response:
    """Listings of the members."""
    segment = account.segments.get(list_id)
    if segment is None:
        return error(404, NOT_FOUND)
    members = (account.directory.profiles[key] for key in segment.members if key in account.directory.profiles)
    found = (entry for profile in members for key in profile.listings if (entry := account.contacts.get(key)))
    return json_response([shown_contact(entry) for entry in page(query, found)])


def unsubscribes(account: Account, query: Query) -> Response:
    """Withdrawals made by people, never those pushed through the API."""
    since, before = window(query, "since", "before")
    kind = query.get("type")
    found = [row for row in account.unsubscribes if since <= seconds(row["timestamp"]) < before and kind in (None, row["type"])]
    return json_response(page(query, found) if account.settings.unsubscribes_paged else found)
