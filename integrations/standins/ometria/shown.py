"""Contacts and profiles as the API shows them."""

from collections.abc import Iterator
from typing import Any

from integrations.standins.ometria.account import Account
from integrations.standins.ometria.consent import Voice, verdict
from integrations.standins.ometria.moments import iso
from integrations.standins.ometria.profiles import Profile
from integrations.standins.ometria.shelf import ListingEntry, OrderEntry

# profile field → the listing's field it is filled from
FROM_LISTING = {
    "prefix": "prefix",
    "firstname": "firstname",
    "middlename": "middlename",
    "lastname": "lastname",
    "country": "country_id",
    "gender": "gender",
    "date_of_birth": "date_of_birth",
    "timezone": "timezone",
}
ACTIVE_SECONDS = 365 * 86_400


def shown_contact(entry: ListingEntry) -> dict:
    """A listing with what Ometria adds to it."""
    return {
        **entry.record(),
        "@profile_id": entry.profile_id,
        "source": "api",
        "object_version": entry.version,
        "dt_object_created": iso(entry.created),
        "dt_object_updated": iso(entry.updated),
        "dt_observed": iso(entry.updated),
    }


def marketing_optin(account: Account, profile: Profile) -> bool | None:
    """E-mail consent of a person, over all listings and the preference centre."""
    return verdict(_voices(account, profile))


def shown_profile(account: Account, profile: Profile) -> dict[str, Any]:
    """A profile computed from its listings, orders and lists."""
    listings = sorted(_listings(account, profile), key=lambda entry: entry.updated, reverse=True)
    records = [entry.record() for entry in listings]
    orders = [entry for key in profile.orders if (entry := account.orders.get(key)) is not None]
    shown: dict[str, Any] = {
        "@type": "profile",
        "id": profile.id,
        "email": profile.email,
        "customer_id": profile.customer_id,
        "phone_number": profile.phone,
        "marketing_optin": marketing_optin(account, profile),
        "is_email_valid": profile.email is not None,
        "lifecycle_status": _lifecycle(account, orders),
        "seen": False,
        "tags": [],
    }
    names = records or [entry.record().get("customer", {}) for entry in orders[-1:]]
    for target, source in FROM_LISTING.items():
        shown[target] = next((record[source] for record in names if source in record), None)
    shown["name"] = " ".join(shown[part] for part in ("firstname", "lastname") if shown[part]) or None
    members = [segment for segment in account.segments.values() if profile.id in segment.members]
    shown["lists"] = [{"id": segment.id, "title": segment.title, "type": segment.type} for segment in members]
    shown["identities"] = list(_identities(account, profile))
    shown["dates"] = _dates(profile, records, orders)
    shown["stats"] = _stats(orders)
    shown["properties"] = {name: value for record in reversed(records) for name, value in record.get("properties", {}).items()}
    return shown


def _listings(account: Account, profile: Profile) -> Iterator[ListingEntry]:
    for key in profile.listings:
        entry = account.contacts.get(key)
        if entry is not None:
            yield entry


def _voices(account: Account, profile: Profile) -> Iterator[Voice]:
    if profile.preference is not None:
        yield profile.preference
    for entry in _listings(account, profile):
        yield entry.voice


def _identities(account: Account, profile: Profile) -> Iterator[dict[str, str]]:
    seen = {("customer_id", profile.customer_id), ("email", profile.email)}
    for entry in _listings(account, profile):
        seen |= {("customer_id", entry.customer_id), ("email", entry.email)}
    if account.settings.phone_identifier:
        seen.add(("phone", profile.phone))
    for kind, value in sorted((kind, value) for kind, value in seen if value is not None):
        if account.directory.owns(profile, kind, value):
            yield {"type": "phone_number" if kind == "phone" else kind, "id": value}


def _lifecycle(account: Account, orders: list[OrderEntry]) -> str:
    last = max((entry.placed for entry in orders if entry.valid), default=None)
    if last is None:
        return "lead"
    return "active" if account.clock.now() - last < ACTIVE_SECONDS else "lapsed"


def _dates(profile: Profile, records: list[dict], orders: list[OrderEntry]) -> dict[str, str | None]:
    acquired = [record["timestamp_acquired"] for record in records if "timestamp_acquired" in record]
    placed = [entry.placed for entry in orders if entry.valid]
    return {
        "acquired": min(acquired, default=iso(profile.created)),
        "first_seen": iso(profile.created),
        "last_seen": iso(profile.updated),
        "first_purchase": iso(min(placed)) if placed else None,
        "last_purchase": iso(max(placed)) if placed else None,
    }


def _stats(orders: list[OrderEntry]) -> dict[str, float]:
    valid = [entry for entry in orders if entry.valid]
    revenue = round(sum(entry.total for entry in valid), 2)
    return {
        "orders": len(valid),
        "orders_attempted": len(orders),
        "revenue": revenue,
        "aov": round(revenue / len(valid), 2) if valid else 0,
        "total_items": sum(entry.units for entry in valid),
        "visits": 0,
    }
