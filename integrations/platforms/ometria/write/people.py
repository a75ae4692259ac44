"""Profiles that may be the same person as a customer about to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import Candidate, JsonObject
from integrations.platforms.ometria.client import OmetriaClient
from mapping.records import Customer, Record

# where a profile repeats its identifiers: own field, and the type its identities list uses
IDENTIFIERS = {"emails": "email", "phones": "phone_number", "customer_ids": "customer_id"}


def find_profiles(client: OmetriaClient, records: Sequence[Record]) -> dict[str, tuple[Candidate, ...]]:
    """Candidates by record key, one read per address; customers without an e-mail have none, Ometria has no other look-up."""
    people = [record for record in records if isinstance(record, Customer) and "@" in record.email]
    return {person.key: tuple(candidate(profile) for profile in _owned(client, person.email)) for person in people}


def candidate(profile: Mapping[str, object]) -> Candidate:
    """A profile as a candidate; its label names nobody."""
    held = {name: _values(profile, field) for name, field in IDENTIFIERS.items()}
    identifier = str(profile.get("id", ""))
    return Candidate(contact_key=identifier, label=f"{masked(held['emails'][0]) if held['emails'] else 'profile'} ({identifier})", **held)


def masked(email: str) -> str:
    """"ada@example.com" as "a***@example.com"."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***@{domain}"


def _owned(client: OmetriaClient, email: str) -> list[JsonObject]:
    return client.profiles_by_email(email.strip().lower())


def _values(profile: Mapping[str, object], field: str) -> tuple[str, ...]:
    identities = profile.get("identities")
    listed = identities if isinstance(identities, list) else []
    values = [profile.get(field), *(entry.get("id") for entry in listed if isinstance(entry, dict) and entry.get("type") == field)]
    return tuple(dict.fromkeys(str(value) for value in values if value))
