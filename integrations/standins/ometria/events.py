"""Custom events: stored once, attached to a profile that is already known, never merged."""

from integrations.standins.ledger import packed
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.change import Change
from integrations.standins.ometria.moments import iso
from integrations.standins.ometria.profiles import identifiers
from integrations.standins.ometria.shelf import Entry


def stored_event(account: Account, record: dict) -> dict | None:
    """None: there is nothing to merge an event with."""


def apply_event(account: Account, change: Change) -> None:
    """Store an event; the same type and id again changes nothing."""
    record = change.record
    key = (record["event_type"], record["id"])
    if account.events.get(key) is not None:
        return
    profile = account.directory.profiles.get(record.get("profile_id", ""))
    if profile is None:
        sought = identifiers(
            record.get("identity_account_id"),
            record.get("identity_email"),
            record.get("identity_phone_number"),
            with_phone=account.settings.phone_identifier,
        )
        profile = account.directory.match(sought)
    entry = Entry(packed(record), change.at, change.at, profile_id=profile.id if profile else None)
    account.events.put(key, entry)
    account.note_stored("custom_event", f"{key[0]}:{key[1]}", entry, change.digest)


def shown_event(entry: Entry) -> dict:
    """The event as read back."""
    return {**entry.record(), "profile_id": entry.profile_id, "dt_observed": iso(entry.created)}
