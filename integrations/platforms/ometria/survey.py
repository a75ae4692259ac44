"""Reading Ometria for a comparison: orders by purchase or change, listings by collection, profiles with their consent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from integrations.platforms.base import JsonObject, Window
from integrations.platforms.ometria.client import MAX_PAGE, OmetriaClient
from integrations.platforms.ometria.compare import compare
from integrations.platforms.ometria.keys import destination_key, split
from integrations.platforms.ometria.moments import changed_at
from integrations.platforms.ometria.outgoing import outgoing
from integrations.platforms.ometria.schema import KINDS
from integrations.platforms.ometria.write.look import read_one
from integrations.platforms.survey import FieldDifference, PeopleSeen, StoredObject, StoredPage, StoredPerson
from mapping.records import RecordType

CENTS = Decimal("0.01")
FORCED = frozenset({"marketing_optin", "timestamp_subscribed", "timestamp_unsubscribed"})  # decided over all listings, compared as consent
MOST_PROBES = 40  # of a count; 2 to this power is far beyond any account


class OmetriaSurvey:
    """What Ometria holds, in pages of 250; offset paging moves while rows change, so a page may repeat a row but a later look finds it."""

    record_types = frozenset({RecordType.CUSTOMER, RecordType.ORDER})

    def page(
        self, client: OmetriaClient, record_type: RecordType, window: Window, *, placed: bool, namespace: str, cursor: str | None
    ) -> StoredPage:
        """One page of orders of the window, or of listings of the flow's collection that changed since it began."""
        offset = int(cursor or 0)
        rows = PAGES[record_type](client, window, placed, namespace=namespace, offset=offset)
        following = str(offset + len(rows)) if len(rows) == MAX_PAGE else None
        return StoredPage(objects=tuple(_stored(KINDS[record_type], row) for row in rows), cursor=following)

    def one(self, client: OmetriaClient, record_type: RecordType, key: str) -> StoredObject | None:
        """One order or listing, None when Ometria has none."""
        found = read_one(client, KINDS[record_type], key)
        return _stored(KINDS[record_type], found) if found is not None else None

    def differences(
        self, client: OmetriaClient, record_type: RecordType, payload: JsonObject, stored: JsonObject
    ) -> Sequence[FieldDifference]:
        """Fields that were sent and are held otherwise; e-mail consent is compared on the profile, where Ometria decides it."""
        sent = outgoing(KINDS[record_type], payload, client.options)
        found = (FieldDifference(one.field, one.sent, one.stored) for one in compare(sent, stored))
        return tuple(one for one in found if one.field not in FORCED)

    def people(self, client: OmetriaClient, since: datetime, cursor: str | None) -> PeopleSeen:
        """Profiles that changed since then, least recently changed first."""
        offset = int(cursor or 0)
        rows = client.profiles(since=since, offset=offset)
        return PeopleSeen(people=tuple(map(_person, rows)), cursor=str(offset + len(rows)) if len(rows) == MAX_PAGE else None)

    def person(self, client: OmetriaClient, key: str) -> StoredPerson | None:
        """One profile, None when Ometria has none."""
        found = client.profile(key)
        return _person(found) if found is not None else None

    def count(self, client: OmetriaClient, record_type: RecordType, window: Window, namespace: str) -> int | None:
        """Orders placed in the window; there is no total to ask for, so whether there is an n-th one is asked by halving."""
        if record_type is not RecordType.ORDER or window.until is None:
            return None

        def reaches(number: int) -> bool:
            return bool(client.orders("timestamp", window.since, window.until, offset=number - 1, limit=1))

        return _largest(reaches)


def _largest(reaches: Callable[[int], bool]) -> int:
    """The largest number that is reached, by doubling and then halving."""
    low, high = 0, 1
    for _ in range(MOST_PROBES):
        if not reaches(high):
            break
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if reaches(middle) else (low, middle)
    return low


def _order_page(client: OmetriaClient, window: Window, placed: bool, *, namespace: str, offset: int) -> list[JsonObject]:
    until = window.until if placed else None
    return client.orders("timestamp" if placed else "update", window.since, until, offset=offset)


def _listing_page(client: OmetriaClient, window: Window, placed: bool, *, namespace: str, offset: int) -> list[JsonObject]:
    return client.contacts(split(namespace)[0], since=window.since, offset=offset) if namespace else []


PAGES: Mapping[RecordType, Callable[..., list[JsonObject]]] = {RecordType.ORDER: _order_page, RecordType.CUSTOMER: _listing_page}


def _stored(kind: str, row: JsonObject) -> StoredObject:
    return StoredObject(
        key=destination_key(kind, row),
        data=row,
        changed_at=changed_at(row),
        value=_net(row) if kind == "order" else None,
        currency=str(row.get("currency") or ""),
        person=str(row.get("@profile_id") or row.get("profile_id") or ""),
    )


def _net(order: JsonObject) -> Decimal | None:
    """What is left of an order: its grand total without what Ometria derives as refunded, nothing once it is not valid."""
    if not isinstance(order.get("grand_total"), int | float):
        return None
    if order.get("is_valid") is False:
        return Decimal(0)
    return (Decimal(str(order["grand_total"])) - Decimal(str(order.get("total_refunded") or 0))).quantize(CENTS)


def _person(profile: JsonObject) -> StoredPerson:
    listed = profile.get("identities")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    ids = [profile.get("customer_id"), *(entry.get("id") for entry in entries if entry.get("type") == "customer_id")]
    consent = profile.get("marketing_optin")
    return StoredPerson(
        key=str(profile.get("id") or ""),
        customer_ids=tuple(dict.fromkeys(str(value) for value in ids if value)),
        email_consent=consent if isinstance(consent, bool) else None,
    )
