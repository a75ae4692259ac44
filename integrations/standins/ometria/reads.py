"""The read endpoints; each gets the account, the query and the values of its path's wildcards and holds the lock."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import inf
from typing import TypeVar

from integrations.standins.ometria.account import Account
from integrations.standins.ometria.events import shown_event
from integrations.standins.ometria.orders import shown_order
from integrations.standins.ometria.paging import by_change, flag, page, window
from integrations.standins.ometria.profiles import Profile
from integrations.standins.ometria.replies import error
from integrations.standins.ometria.shelf import Entry, OrderEntry, Shelf
from integrations.standins.ometria.shown import shown_contact, shown_profile
from integrations.standins.wire import Response, json_response

Query = Mapping[str, str]
E = TypeVar("E", bound=Entry)

NOT_FOUND = "Not found"


def collections(account: Account, query: Query) -> Response:
    """Number of listings in each collection."""
    counts = Counter(collection for (collection, _), _ in account.contacts.items())
    rows = [{"collection": collection, "count": count} for collection, count in sorted(counts.items())]
    return json_response(page(query, rows))


def contacts(account: Account, query: Query, collection: str) -> Response:
    """Listings of one collection."""
    since, _ = window(query, "updateSince")
    found = (entry for key, entry in _rows(account.contacts, query, since) if key[0] == collection and entry.updated >= since)
    return json_response([shown_contact(entry) for entry in page(query, found)])


def contact(account: Account, query: Query, collection: str, contact_id: str) -> Response:
    """One listing."""
    entry = account.contacts.get((collection, contact_id))
    return json_response(shown_contact(entry)) if entry else error(404, NOT_FOUND)


def profiles(account: Account, query: Query) -> Response:
    """Profiles, or the one with an e-mail address."""
    if "email" in query:
        return _profile_of(account, query["email"])
    since, _ = window(query, "updateSince")
    directory = account.directory
    rows: Iterator[Profile] = directory.by_change() if by_change(query) else iter(directory.profiles.values())
    found = (profile for profile in rows if profile.updated >= since)
    return json_response([shown_profile(account, profile) for profile in page(query, found)])


def profile(account: Account, query: Query, profile_id: str) -> Response:
    """One profile."""
    found = account.directory.profiles.get(profile_id)
    return json_response(shown_profile(account, found)) if found else error(404, NOT_FOUND)


def orders(account: Account, query: Query) -> Response:
    """Orders by buyer and by windows over update, creation and order time."""
    tests = [
        (lambda entry: entry.updated, window(query, "updateSince", "updateBefore")),
        (lambda entry: entry.created, window(query, "createSince", "createBefore")),
        (lambda entry: entry.placed, window(query, "timestampSince", "timestampBefore")),
    ]
    email, customer_id = query.get("email", "").lower(), query.get("customer_id")

    def wanted(entry: OrderEntry) -> bool:
        if email and (entry.email or "").lower() != email:
            return False
        if customer_id and entry.customer_id != customer_id:
            return False
        return all(first <= moment_of(entry) < after for moment_of, (first, after) in tests)

    anywhere = by_change(query) or tests[2][1] == window({}, "")
    rows = _rows(account.orders, query, tests[0][1][0]) if anywhere else account.orders.placed_between(*tests[2][1])
    found = (entry for _, entry in rows if wanted(entry))
    return json_response([shown_order(entry) for entry in page(query, found)])


def order(account: Account, query: Query, order_id: str) -> Response:
    """One order."""
    entry = account.orders.get(order_id)
    return json_response(shown_order(entry)) if entry else error(404, NOT_FOUND)


def products(account: Account, query: Query) -> Response:
    """Products, without variants unless asked for."""
    with_variants, active = flag(query, "includeVariants"), flag(query, "active")
    found = (
        entry
        for _, entry in _rows(account.products, query)
        if (with_variants or not entry.variant) and (active is None or entry.active == active)
    )
    return json_response([entry.record() for entry in page(query, found)])


def product(account: Account, query: Query, product_id: str) -> Response:
    """One product or variant."""
    entry = account.products.get(product_id)
    return json_response(entry.record()) if entry else error(404, NOT_FOUND)


def events(account: Account, query: Query, event_type: str | None = None) -> Response:
    """Custom events, optionally of one type."""
    found = (entry for key, entry in _rows(account.events, query) if event_type in (None, key[0]))
    return json_response([shown_event(entry) for entry in page(query, found)])


def event(account: Account, query: Query, event_type: str, event_id: str) -> Response:
    """One custom event."""
    entry = account.events.get((event_type, event_id))
    return json_response(shown_event(entry)) if entry else error(404, NOT_FOUND)


def push_errors(account: Account, query: Query) -> Response:
    """The account's last 100 validation errors, newest first; neither filter nor paging."""
    return json_response(list(account.errors))


def _profile_of(account: Account, email: str) -> Response:
    found = [shown_profile(account, profile) for profile in account.directory.with_email(email.strip().lower())]
    if account.settings.profile_as_object:
        return json_response(found[0]) if found else error(404, NOT_FOUND)
    return json_response(found)


def _rows(shelf: Shelf, query: Query, since: float = -inf) -> Iterator[tuple]:
    return shelf.items_by_change(since) if by_change(query) else shelf.items()
