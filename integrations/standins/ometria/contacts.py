"""Applying a contact: the listing, its profile, its consent, its static lists."""

from collections.abc import Iterable, Mapping

from integrations.standins.ledger import packed
from integrations.standins.ometria.account import Account
from integrations.standins.ometria.change import Change
from integrations.standins.ometria.consent import VERDICTS, Voice
from integrations.standins.ometria.moments import iso, seconds
from integrations.standins.ometria.profiles import Identifiers, ListingKey, Profile, identifiers
from integrations.standins.ometria.schema import OPTIN, OPTOUT
from integrations.standins.ometria.shelf import ListingEntry

DEFAULT_COLLECTION = "default"
ASKS_CONFIRMATION, CONFIRMED = "optin:sms", "double_optin:sms"
STAMPS = {OPTIN: "timestamp_subscribed", OPTOUT: "timestamp_unsubscribed"}


def listing_key(record: dict) -> ListingKey:
    """Collection and id; an absent collection is the account's default."""
    return record.get("@collection", DEFAULT_COLLECTION), record["id"]


def stored_contact(account: Account, record: dict) -> dict | None:
    """What is stored under the record's key."""
    entry = account.contacts.get(listing_key(record))
    return entry.record() if entry else None


def apply_contact(account: Account, change: Change) -> None:
    """Store a listing that is complete and valid, and everything that follows from it."""
    record, at = change.record, change.at
    key = listing_key(record)
    record["@collection"] = key[0]
    entering, leaving = record.pop("@add_to_lists", ()), record.pop("@remove_from_lists", ())
    former = account.contacts.get(key)
    given = _identifiers_of(account, record.get("customer_id"), record.get("email"), record.get("phone_number"))
    profile = _profile(account, former, given, at)
    voice = former.voice if former else Voice()
    _hear_consent(voice, change)
    entry = ListingEntry(
        raw=packed(record),
        created=former.created if former else at,
        updated=at,
        version=former.version + 1 if former else 1,
        profile_id=profile.id,
        email=given.email,
        phone=record.get("phone_number"),
        customer_id=given.customer_id,
        voice=voice,
    )
    account.contacts.put(key, entry)
    profile.listings[key] = None
    profile.phone = entry.phone or profile.phone
    _hear_sms(account, profile, change)
    account.directory.touch(profile, at)
    _change_lists(account, profile, {True: entering, False: leaving}, at)
    account.note_stored("contact", f"{key[0]}:{key[1]}", entry, change.digest)


def _identifiers_of(account: Account, customer_id: str | None, email: str | None, phone: str | None) -> Identifiers:
    return identifiers(customer_id, email, phone, with_phone=account.settings.phone_identifier)


def _profile(account: Account, former: ListingEntry | None, given: Identifiers, at: float) -> Profile:
    """The listing's profile: a known listing stays where it is and brings its new identifiers along."""
    directory = account.directory
    profile = directory.profiles.get(former.profile_id or "") if former else None
    if former is None or profile is None:
        return directory.match_or_create(given, at)
    kept = [given]
    for key in profile.listings:
        other = account.contacts.get(key)
        if other is not None and other is not former:
            kept.append(_identifiers_of(account, other.customer_id, other.email, other.phone))
    directory.release(profile, _identifiers_of(account, former.customer_id, former.email, former.phone), kept)
    directory.claim(profile, given)
    return profile


def _hear_consent(voice: Voice, change: Change) -> None:
    """Take in what was pushed about e-mail; a forced statement stands until the next forced one."""
    pushed, record = change.pushed, change.record
    statement = pushed.get("marketing_optin")
    if statement is None:
        if voice.forced is None:
            record.pop("@force_optin", None)
        return
    forced = pushed.get("@force_optin") is True
    before = voice.forced or voice.plain
    voice.hear(statement, forced=forced, at=change.at)
    if voice.forced is not None and not forced:
        record["marketing_optin"], record["@force_optin"] = voice.forced, True
        return
    stamp = STAMPS.get(statement)
    if stamp and statement != before and stamp not in pushed:
        record[stamp] = iso(change.at)


def _hear_sms(account: Account, profile: Profile, change: Change) -> None:
    """Take in what was pushed about SMS, if the collection may say so."""
    sms = change.pushed.get("channels", {}).get("sms")
    if not sms:
        return
    at = change.at
    collection = change.record["@collection"]
    if account.settings.sms_double_optin and collection not in (ASKS_CONFIRMATION, CONFIRMED):
        return
    allowed = sms["allow_marketing"] if "allow_marketing" in sms else VERDICTS.get(sms.get("marketing_optin", ""))
    stated = seconds(sms["dt_updated_marketing"]) if "dt_updated_marketing" in sms else at
    if allowed is None or stated < profile.sms_at:
        return
    if allowed and collection == ASKS_CONFIRMATION:
        profile.sms_pending = True
        return
    profile.sms, profile.sms_at, profile.sms_pending = allowed, stated, False


def _change_lists(account: Account, profile: Profile, moves: Mapping[bool, Iterable[str | int]], at: float) -> None:
    """Enter (True) and leave (False) static lists; unknown and dynamic ones are ignored."""
    for enters, ids in moves.items():
        for list_id in ids:
            segment = account.segments.get(str(list_id))
            if segment is None or segment.type != "STATIC":
                continue
            (segment.enter if enters else segment.leave)(profile.id, profile.email, at)
