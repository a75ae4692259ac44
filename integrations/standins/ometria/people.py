"""What people do at Ometria without our API: unsubscribe, use the preference centre, answer an SMS, edit lists."""

from collections.abc import Callable, Mapping

from integrations.standins.ometria.account import Account
from integrations.standins.ometria.consent import Voice
from integrations.standins.ometria.lists import Segment, SegmentRule
from integrations.standins.ometria.moments import blank_iso, seconds
from integrations.standins.ometria.profiles import Profile
from integrations.standins.ometria.schema import OPTIN, OPTOUT
from integrations.standins.ometria.shown import shown_profile

MAIL_TYPES = ("preferences_centre", "app", "list_unsubscribe", "link_unsubscribe")
SMS_TYPES = ("stopword_unsubscribe_TF", "stopword_unsubscribe_DO")
EDITABLE = ("title", "description", "type", "status", "archived", "size", "total_orders", "total_revenue")


def unsubscribe(account: Account, body: Mapping) -> dict:
    """A person withdraws: {"email" or "phone" or "profile_id", "type", "reason", "at"}; returns the profile afterwards."""
    kind = body.get("type", "link_unsubscribe")
    if kind not in MAIL_TYPES + SMS_TYPES:
        raise ValueError(f"type is one of {MAIL_TYPES + SMS_TYPES}")
    profile, at = _person(account, body), _at(account, body)
    if kind in SMS_TYPES:
        profile.sms, profile.sms_at, profile.sms_pending = False, at, False
    else:
        _state(profile, OPTOUT, at)
    account.unsubscribes.append(
        {
            "profile_id": profile.id,
            "email_address": None if kind in SMS_TYPES else profile.email,
            "type": kind,
            "timestamp": blank_iso(at),
            "reason": body.get("reason"),
            "reason_text": None,
            "send_id": None,
            "mass_campaign_id": None,
            "trigger_campaign_id": None,
        }
    )
    account.directory.touch(profile, at)
    return shown_profile(account, profile)


def preference(account: Account, body: Mapping) -> dict:
    """A person uses the preference centre: {"email" …, "marketing_optin", "at"}; only an opt-out is listed as an unsubscribe."""
    statement = body["marketing_optin"]
    if statement == OPTOUT:
        return unsubscribe(account, {**body, "type": "preferences_centre"})
    if statement != OPTIN:
        raise ValueError(f"marketing_optin is {OPTIN} or {OPTOUT}")
    profile, at = _person(account, body), _at(account, body)
    _state(profile, OPTIN, at)
    account.directory.touch(profile, at)
    return shown_profile(account, profile)


def confirm_sms(account: Account, body: Mapping) -> dict:
    """A person answers the double opt-in message: {"email" or "phone" or "profile_id", "at"}."""
    profile, at = _person(account, body), _at(account, body)
    if not profile.sms_pending:
        raise ValueError("No confirmation was asked for.")
    profile.sms, profile.sms_at, profile.sms_pending = True, at, False
    account.directory.touch(profile, at)
    return {**shown_profile(account, profile), "sms_optin": profile.sms}


def edit_list(account: Account, body: Mapping) -> dict:
    """Make or change a list: {"id", any of EDITABLE, "rule": {…}, "refreshed_at": ISO, "enter": [emails], "exit": [emails], "at"}."""
    list_id, at = str(body["id"]), _at(account, body)
    segment = account.segments.get(list_id)
    if segment is None:
        segment = account.segments[list_id] = Segment(list_id, str(body["title"]), at, at)
    for name in EDITABLE:
        if name in body:
            setattr(segment, name, body[name])
    if "rule" in body:
        segment.rule = SegmentRule(**body["rule"]) if body["rule"] else None
    for email in body.get("enter", ()):
        profile = _person(account, {"email": email})
        segment.enter(profile.id, profile.email, at)
    for email in body.get("exit", ()):
        profile = _person(account, {"email": email})
        segment.leave(profile.id, profile.email, at)
    if "refreshed_at" in body:
        segment.refreshed = seconds(body["refreshed_at"])
    return segment.shown()


def duplicate_profile(account: Account, body: Mapping) -> dict:
    """Make a second profile for somebody, as old accounts have them: {"email", "customer_id", "at"}; returns the new profile."""
    profile = account.directory.share_email(body["email"].strip().lower(), body.get("customer_id"), _at(account, body))
    return shown_profile(account, profile)


ACTS: dict[str, Callable[[Account, Mapping], dict]] = {
    "/unsubscribe": unsubscribe,
    "/preference": preference,
    "/sms-confirm": confirm_sms,
    "/lists": edit_list,
    "/duplicate-profile": duplicate_profile,
}


def _state(profile: Profile, statement: str, at: float) -> None:
    """A statement of the person themselves counts like a forced one."""
    if profile.preference is None:
        profile.preference = Voice()
    profile.preference.hear(statement, forced=True, at=at)


def _person(account: Account, body: Mapping) -> Profile:
    directory = account.directory
    found = directory.profiles.get(body.get("profile_id", ""))
    if found is None and "email" in body:
        found = directory.find("email", body["email"].strip().lower())
    if found is None and "phone" in body:
        found = next((profile for profile in directory.profiles.values() if profile.phone == body["phone"]), None)
    if found is None:
        raise ValueError("No such person.")
    return found


def _at(account: Account, body: Mapping) -> float:
    return seconds(body["at"]) if "at" in body else account.clock.now()
