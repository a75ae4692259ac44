"""Lists, their changes and members, and unsubscribes, as the API reads them."""

from integrations.standins.ometria.account import Account
from integrations.standins.ometria.moments import seconds
from integrations.standins.ometria.paging import BadQuery, page, window
from integrations.standins.ometria.reads import NOT_FOUND, Query
from integrations.standins.ometria.replies import error
from integrations.standins.ometria.shown import shown_contact
from integrations.standins.wire import Response, json_response

# mode → whether a list that is archived (True) or not (False) is shown
MODES = {"active": {False}, "archived": {True}, "all": {True, False}}


def lists(account: Account, query: Query) -> Response:
    """Lists that are active, archived or both."""
    mode = query.get("mode", "active")
    if mode not in MODES:
        raise BadQuery("mode is not active, archived or all")
    return json_response([segment.shown() for segment in account.segments.values() if segment.archived in MODES[mode]])


def one_list(account: Account, query: Query, list_id: str) -> Response:
    """One list."""
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
    return json_response(found)
