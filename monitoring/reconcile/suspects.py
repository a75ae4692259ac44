"""Contacts of a destination that may be one person: found in our own directory of contacts, never merged by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from django.db import connection as database
from django.utils import timezone

from integrations.engine.masking import mask_email, mask_name, mask_phone
from integrations.models import Connection, Flow
from integrations.platforms.registry import PLATFORMS
from mapping.models import Contact, ContactHandle
from mapping.records import RecordType
from monitoring.models import Duplicate

log = structlog.get_logger(__name__)
BATCH = 500
MOST = 5_000  # groups of one kind that a night stores; more of them are a fault of data that people mend at its root
REASONS: dict[str, tuple[str, str]] = {
    "same_email": ("Same e-mail", "Both are known by the same e-mail address."),
    "email_spelling": ("Same e-mail, other spelling", "Their addresses are one mailbox when written the same way (dots, tags, capitals)."),
    "same_phone": ("Same phone", "Both are known by the same phone number. A family may share one: look at the names."),
    "same_customer_id": ("Same customer id", "The same customer id of the source lies on both."),
    "left_behind": (
        "Left behind", "A buyer's listing stayed on an old profile when the buyer turned out to be a contact that was known already."
    ),
}  # fmt: skip

# One mailbox in one spelling: Gmail ignores dots, and what follows a plus is a tag of its owner's. Contacts by it, those with several.
MAILBOX = """
CASE WHEN split_part(value, '@', 2) IN ('gmail.com', 'googlemail.com')
  THEN replace(split_part(split_part(value, '@', 1), '+', 1), '.', '') || '@gmail.com'
  ELSE split_part(split_part(value, '@', 1), '+', 1) || '@' || split_part(value, '@', 2) END
"""
GROUPS = """
SELECT array_agg(DISTINCT contact_key ORDER BY contact_key) FROM (
  SELECT {same} AS same, contact_key FROM mapping_contacthandle
  WHERE connection_id = %(connection)s AND kind = %(kind)s AND contact_key NOT LIKE '@%%') AS handles
GROUP BY same HAVING count(DISTINCT contact_key) > 1 ORDER BY 1 LIMIT %(most)s
"""  # noqa: S608 - joined from the constants above alone
MERGE = [slug for slug, platform in PLATFORMS.items() if platform.merging]  # destinations that can make two people one
LOOKS = (
    ("same_email", ContactHandle.Kind.EMAIL, "value"),
    ("email_spelling", ContactHandle.Kind.EMAIL, MAILBOX),
    ("same_phone", ContactHandle.Kind.PHONE, "value"),
    ("same_customer_id", ContactHandle.Kind.CUSTOMER_ID, "value"),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contact keys in order, and why they may be one."""

    first: str
    second: str
    reason: str
    listing: str = ""


def find_all() -> int:
    """Every night: pairs at all destinations that can merge; returns how many are new."""
    rows = Connection.objects.filter(platform__in=MERGE, state=Connection.State.ACTIVE)
    return sum(find(connection) for connection in rows)


def find(connection: Connection) -> int:
    """Pairs at one destination, from the handles its contacts are known by; returns how many are new."""
    found = remember(connection, _pairs(connection.pk))
    log.info("duplicates looked for", connection=connection.pk, new=found)
    return found


def _pairs(connection_id: int) -> Iterator[Pair]:
    for reason, kind, same in LOOKS:
        with database.cursor() as cursor:
            cursor.execute(GROUPS.format(same=same), {"connection": connection_id, "kind": kind, "most": MOST})
            groups = [keys for (keys,) in cursor.fetchall()]
        for first, *others in groups:
            yield from (Pair(first, other, reason) for other in others)


def left_behind(flow: Flow, lying: Iterable[tuple[str, str]]) -> int:
    """From listings as a comparison read them, (source key, profile): those whose buyer is known as somebody else; returns new pairs."""
    if flow.record_type != RecordType.CUSTOMER or flow.destination.platform not in MERGE:
        return 0
    profiles = {key: profile for key, profile in lying if key and profile}
    rows = ContactHandle.objects.filter(connection=flow.destination_id, kind=ContactHandle.Kind.SOURCE_ID, value__in=list(profiles))
    bound = [(key, contact) for key, contact in rows.values_list("value", "contact_key") if not contact.startswith("@")]
    pairs = [Pair(contact, profiles[key], "left_behind", key) for key, contact in bound if contact != profiles[key]]
    return remember(flow.destination, pairs)


def remember(connection: Connection, pairs: Iterable[Pair]) -> int:
    """Store pairs that are new, add reasons to those still to be decided; a decided pair stays decided. Returns how many are new."""
    new, batch = 0, []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == BATCH:
            new += _remember(connection, batch)
            batch = []
    return new + (_remember(connection, batch) if batch else 0)


def _remember(connection: Connection, pairs: Sequence[Pair]) -> int:
    grouped: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        first, second = (pair.first, pair.second) if pair.listing else sorted((pair.first, pair.second))
        grouped.setdefault((first, second), []).append(pair)
    held = {
        (row.first, row.second): row
        for row in Duplicate.objects.filter(connection=connection, first__in=[key for key, _ in grouped])
    }  # fmt: skip
    for place, found in grouped.items():
        row = held.get(place) or held.get(place[::-1])
        reasons = [pair.reason for pair in found]
        if row is not None and row.state == Duplicate.State.OPEN and not set(reasons) <= set(row.reasons):
            Duplicate.objects.filter(pk=row.pk).update(reasons=list(dict.fromkeys([*row.reasons, *reasons])), seen_at=timezone.now())
    fresh = {place: found for place, found in grouped.items() if place not in held and place[::-1] not in held}
    titles = _titles(connection, fresh)
    rows = [
        Duplicate(
            connection=connection, first=place[0], second=place[1], reasons=list(dict.fromkeys(pair.reason for pair in found)),
            listing=next((pair.listing for pair in found if pair.listing), ""), title=titles[place],
        )
        for place, found in fresh.items()
    ]  # fmt: skip
    Duplicate.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _titles(connection: Connection, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Both of each pair in words that name nobody."""
    places = list(places)
    keys = {key for place in places for key in place}
    facts = dict(Contact.objects.filter(connection=connection, contact_key__in=keys).values_list("contact_key", "facts"))
    return {place: " / ".join(label(key, facts.get(key, {})) for key in place)[:300] for place in places}


def label(key: str, facts: dict[str, object], *, personal: bool = False) -> str:
    """One contact as a list shows it: name and address, masked unless `personal`."""
    show = (lambda mask, value: str(value)) if personal else (lambda mask, value: mask(str(value)))
    name = " ".join(show(mask_name, facts[part]) for part in ("first_name", "last_name") if facts.get(part))
    emails, phones = list(facts.get("emails") or ()), list(facts.get("phones") or ())
    address = show(mask_email, emails[0]) if emails else show(mask_phone, phones[0]) if phones else "no address"
    return f"{name}, {address}" if name else f"{address} ({key[-6:]})"
