"""Profiles that may be the same person as a customer about to be written, by their address or all of them page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integrations.platforms.base import Candidate, PeoplePage
from integrations.platforms.ometria.client import MAX_PAGE, OmetriaClient
from mapping.records import Customer, Record

# where a profile repeats its identifiers: own field, and the type its identities list uses
IDENTIFIERS = {"emails": "email", "phones": "phone_number", "customer_ids": "customer_id"}

# contact field → the profile's field that is filled from it (profile object, Profiles API)
SHOWN_AS = {
    "email": "email", "phone_number": "phone_number", "customer_id": "customer_id", "prefix": "prefix", "firstname": "firstname",
    "middlename": "middlename", "lastname": "lastname", "country_id": "country", "gender": "gender", "date_of_birth": "date_of_birth",
    "timezone": "timezone", "properties": "properties",
}  # fmt: skip


def find_profiles(client: OmetriaClient, records: Sequence[Record]) -> dict[str, tuple[Candidate, ...]]:
    """Candidates by record key, one read per address; customers without an e-mail have none, Ometria has no other look-up."""
    people = {record.key: record.email.strip().lower() for record in records if isinstance(record, Customer) and "@" in record.email}
    owned = client.profiles_by_emails(people.values())
    return {key: tuple(candidate(profile) for profile in owned[address]) for key, address in people.items()}


def all_profiles(client: OmetriaClient, since: datetime | None, cursor: str | None) -> PeoplePage:
    """A page of the profiles that changed since then.

    One without address and customer id cannot be joined by its phone unless the account has that switched on: it shows without.
    """
    offset = int(cursor or 0)
    rows = client.profiles(since=since, offset=offset)
    people = tuple(found if _joinable(found := candidate(row), client) else replace(found, phones=()) for row in rows)
    return PeoplePage(people=people, cursor=str(offset + len(rows)) if len(rows) == MAX_PAGE else None)


def candidate(profile: Mapping[str, object]) -> Candidate:
    """A profile as a candidate; its label names nobody."""
    held = {name: _values(profile, field) for name, field in IDENTIFIERS.items()}
    identifier, dates = str(profile.get("id", "")), profile.get("dates")
    return Candidate(
        contact_key=identifier,
        label=f"{masked(held['emails'][0]) if held['emails'] else 'profile'} ({identifier})",
        first_name=str(profile.get("firstname") or ""),
        last_name=str(profile.get("lastname") or ""),
        first_seen=str((dates.get("acquired") if isinstance(dates, dict) else "") or ""),
        fields={target: profile[shown] for target, shown in SHOWN_AS.items() if profile.get(shown)},
        **held,
    )


def masked(email: str) -> str:
    """"ada@example.com" as "a***@example.com"."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"


def _joinable(found: Candidate, client: OmetriaClient) -> bool:
    return bool(found.emails or found.customer_ids or client.options.phone_identifier)


def _values(profile: Mapping[str, object], field: str) -> tuple[str, ...]:
    identities = profile.get("identities")
    listed = identities if isinstance(identities, list) else []
    values = [profile.get(field), *(entry.get("id") for entry in listed if isinstance(entry, dict) and entry.get("type") == field)]
    return tuple(dict.fromkeys(str(value) for value in values if value))
