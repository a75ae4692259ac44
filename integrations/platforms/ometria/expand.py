"""Hints of automations confirmed: the person's profile is read anew, and what they withdrew lately, with its time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from integrations.platforms.base import Expansion, IncomingEvent, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.ometria.read import profiles, unsubscribes
from integrations.platforms.ometria.read.unsubscribes import rows_between
from integrations.platforms.ometria.webhooks import address_of, profile_of
from integrations.platforms.values import text

LATELY = timedelta(minutes=30)  # an automation may take its time until it calls
AHEAD = timedelta(minutes=1)  # the window's end, so that what was said this second is in it

NOBODY = "The call names neither a profile nor an e-mail address: correct the webhook's body in Ometria."
UNKNOWN = "Ometria knows nobody of this name (any more)."


def expand(client: OmetriaClient, events: Sequence[IncomingEvent]) -> Sequence[Expansion]:
    """One expansion per event, in order: the profile, and every withdrawal of the last half hour; a person is read once for all events."""
    known: dict[str, list[JsonObject]] = {}
    seen = client.now()
    bodies = [orjson.loads(event.body) for event in events]
    for body in bodies:
        who = _who(body)
        if who and who not in known:
            known[who] = _profiles(client, body)
    lately = rows_between(client, seen - LATELY, client.now() + AHEAD) if any(known.values()) else []
    return [_expansion(event, body, known, lately=lately, seen=seen) for event, body in zip(events, bodies, strict=True)]


def _expansion(
    event: IncomingEvent, body: JsonObject, known: dict[str, list[JsonObject]], *, lately: Sequence[JsonObject], seen: datetime
) -> Expansion:
    if raw_reason(body):
        return Expansion(event=event, objects=(RawObject(f"webhook:{event.topic}", body),))  # parsing says why it cannot be read
    who = _who(body)
    if not who:
        return Expansion(event=event, note=NOBODY)
    objects = [raw for profile in known[who] for raw in _objects(profile, lately, seen=seen)]
    return Expansion(event=event, objects=tuple(objects), note="" if objects else UNKNOWN)


def _objects(profile: JsonObject, lately: Sequence[JsonObject], *, seen: datetime) -> list[RawObject]:
    mine = [row for row in lately if text(row, "profile_id") == text(profile, "id")]
    return [*(unsubscribes.raw_object(row, profile, seen=seen) for row in mine), profiles.raw_object(profile, seen=seen)]


def _profiles(client: OmetriaClient, body: JsonObject) -> list[JsonObject]:
    """The profile that the call names, else those that own its address; what is named is asked for anew."""
    identifier, email = profile_of(body), address_of(body)
    found = client.profile(identifier) if identifier else None
    if found is not None:
        return [found]
    return client.profiles_by_email(email, fresh=True) if email else []


def _who(body: JsonObject) -> str:
    return "" if raw_reason(body) else profile_of(body) or address_of(body)
