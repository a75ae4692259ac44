"""Hints made whole: the resource each is about is read again, once however many hints name it; a payment leads to its orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from integrations.platforms.base import Expansion, IncomingEvent, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.commercetools.client import CommercetoolsClient, Held
from integrations.platforms.commercetools.subjects import WHOLE
from integrations.platforms.commercetools.topics import CART, CUSTOMER, PAYMENT, note_of, subject_of

SHORT_WHILE = timedelta(seconds=10)  # for which a resource is taken as it was, where its hints tell no version
DELETED = "Deleted"  # what the type of a message or a change ends with when its resource is gone
REMOVED_SHAPES = {CUSTOMER: "deleted:customer", CART: "deleted:cart"}  # what a deletion takes away at a destination, too
Objects = tuple[RawObject, ...]


def expand(client: CommercetoolsClient, events: Sequence[IncomingEvent]) -> Sequence[Expansion]:
    """One expansion per event, in order.

    When commercetools asks for a pause in the middle, what was fetched stays on the client, so that the next try goes on from there.
    """
    bodies = [orjson.loads(event.body) for event in events]
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    for event, body in zip(events, bodies, strict=True):
        type_id, key = subject_of(event)
        if key and type_id in WHOLE and not note_of(event) and not raw_reason(body):
            wanted[type_id][key] = max(wanted[type_id].get(key, 0), _version(event, body))
    found = {type_id: _fetch(client, type_id, keys) for type_id, keys in wanted.items()}
    client.unfinished.clear()
    return [_expansion(event, body, found) for event, body in zip(events, bodies, strict=True)]


def _fetch(client: CommercetoolsClient, type_id: str, wanted: Mapping[str, int]) -> dict[str, Objects]:
    """Objects by id; those that an interrupted try fetched are taken over while they are new enough."""
    found: dict[str, Objects] = {}
    asked = datetime.now(UTC)
    for key, version in wanted.items():
        held = client.unfinished.get(f"{type_id}:{key}")
        if held is not None and held.version >= version and (version or held.at > asked - SHORT_WHILE):
            found[key] = held.objects
    for key, objects in WHOLE[type_id](client, {key: version for key, version in wanted.items() if key not in found}):
        found[key] = objects
        client.unfinished[f"{type_id}:{key}"] = Held(asked, wanted[key], objects)
    return found


def _version(event: IncomingEvent, body: JsonObject) -> int:
    """The version that an event tells of; that of a deletion is one which nobody can read any more."""
    if event.topic.endswith(DELETED):
        return 0
    for name in ("resourceVersion", *(() if "sequenceNumber" in body else ("version",))):  # a message's own version is always 1
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def _expansion(event: IncomingEvent, body: JsonObject, found: Mapping[str, Mapping[str, Objects]]) -> Expansion:
    if raw_reason(body):
        return Expansion(event=event, objects=(RawObject(f"webhook:{event.topic}", body),))  # parsing says why it cannot be read
    type_id, key = subject_of(event)
    note = note_of(event) or ("" if type_id in WHOLE else f"Events about {type_id} are not used.")
    if note:
        return Expansion(event=event, note=note)
    if not key:
        missing = {"raw": event.body.decode()[:2000], "reason": f"no id of the {type_id} in it"}
        return Expansion(event=event, objects=(RawObject(f"webhook:{event.topic}", missing),))
    objects = found[type_id].get(key, ())
    if objects or not event.topic.endswith(DELETED):
        return Expansion(event=event, objects=objects, note="" if objects else _gone(type_id, key))
    erased = body.get("dataErasure") is True
    if type_id in REMOVED_SHAPES:
        at = (event.occurred_at or datetime.now(UTC)).isoformat()
        return Expansion(event=event, objects=(RawObject(REMOVED_SHAPES[type_id], {"id": key, "at": at, "erased": erased}),))
    erasure = " The person asked for it: erase them here too, by their request." if erased else ""
    return Expansion(event=event, note=f"The {type_id} was deleted in commercetools.{erasure}")


def _gone(type_id: str, key: str) -> str:
    if type_id == PAYMENT:
        return f"Payment {key} belongs to no order (yet): its order brings it along."
    return f"{type_id.capitalize()} {key} is not in commercetools any more, or out of this API client's reach."
