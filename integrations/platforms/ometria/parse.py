"""From Ometria's unsubscribes and profiles to changes of consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from integrations.platforms.base import Account, JsonObject, RawObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.ometria.read import profiles, unsubscribes
from integrations.platforms.ometria.read.unsubscribes import PROFILE_KEY, SEEN_KEY, STOP_WORD, moment_of
from integrations.platforms.parsing import Parser, parse_by
from integrations.platforms.values import child, text
from mapping.consent_observed import OBSERVED
from mapping.records import Consent, ConsentChange, ConsentState, Record

EMAIL, SMS = "email", "sms"
# `marketing_optin` of a profile; null means that nobody ever said anything (Profiles API page)
SHOWN: Mapping[object, ConsentState] = {True: ConsentState.GRANTED, False: ConsentState.WITHDRAWN, None: ConsentState.UNKNOWN}


def parse(account: Account, raw: RawObject) -> Sequence[Record]:
    """The one change in an object; none when it is about nobody any more. Raises Unparsable for another shape than the documented one."""
    return parse_by(PARSERS, account, raw)


def _unsubscribe(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A withdrawal; the person's other handles come from the profile where it was read. Nothing for a person who was erased since."""
    key, kind, profile = _key(raw, "profile_id"), text(raw, "type"), child(raw, PROFILE_KEY)
    stated_at = moment_of(raw)
    email = text(raw, "email_address") or text(profile, "email")
    if not email and not text(profile, "phone_number"):
        return ()
    channel = SMS if kind.startswith(STOP_WORD) else EMAIL
    consent = Consent(channel=channel, state=ConsentState.WITHDRAWN, stated_at=stated_at, source=kind, explicit=True)
    return (
        ConsentChange(
            key=key,
            occurred_at=stated_at,
            email=email,
            phone=text(profile, "phone_number"),
            customer_key=text(profile, "customer_id"),
            consents=(consent,),
        ),
    )


def _profile(account: Account, raw: JsonObject) -> Sequence[Record]:
    """What a profile shows of e-mail consent; profiles show nothing of text messages."""
    key, shown = _key(raw, "id"), raw.get("marketing_optin")
    if not (shown is None or isinstance(shown, bool)):
        raise Unparsable(f"marketing_optin is neither true, false nor null: {str(shown)[:40]!r}")
    if not text(raw, "email") and not text(raw, "phone_number"):
        return ()
    return (
        ConsentChange(
            key=key,
            occurred_at=_seen(raw),
            email=text(raw, "email"),
            phone=text(raw, "phone_number"),
            customer_key=text(raw, "customer_id"),
            consents=(Consent(channel=EMAIL, state=SHOWN[shown], source=OBSERVED),),
        ),
    )


def _key(raw: JsonObject, name: str) -> str:
    key = text(raw, name)
    if not key:
        raise Unparsable(f"missing {name}")
    return key


def _seen(raw: JsonObject) -> datetime:
    try:
        return datetime.fromisoformat(text(raw, SEEN_KEY)).astimezone(UTC)
    except ValueError as fault:
        raise Unparsable(f"missing {SEEN_KEY}") from fault


PARSERS: Mapping[str, Parser] = {unsubscribes.SHAPE: _unsubscribe, profiles.SHAPE: _profile}
