"""Notifications in both of commercetools' formats as events of the inbox: what happened to which resource, and no copy of the resource.

Facts: a notification's `notificationType` is Message, ResourceCreated, ResourceUpdated or ResourceDeleted; a CloudEvent carries the same
in `data`. What is too large for the queue comes as `payloadNotIncluded`; as every event is a hint, nothing is missing then.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from integrations.platforms.base import Account, IncomingEvent, JsonObject
from integrations.platforms.bodies import read_body, unreadable
from integrations.platforms.commercetools.doors.options import door_number
from integrations.platforms.commercetools.topics import CATALOGUE_SECONDS, SUBJECTS

MESSAGE = "Message"
UNKNOWN = "unknown"
LONGEST_TEXT = 500  # characters of a plain field that is kept
KEPT_OBJECTS = ("resource", "resourceUserProvidedIdentifiers", "payloadNotIncluded")
_TYPE_ID = re.compile(r"[a-z][a-z-]{1,49}")
_TYPE = re.compile(r"[A-Za-z]{1,49}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_CLOUD_TYPE = re.compile(r"com\.commercetools\.([a-z-]{1,50})\.(message|change)\.([A-Za-z]{1,50})")


class Odd(ValueError):
    """A notification that does not have the shape its platform documents; the message says where."""


def event_of(account: Account, body: bytes) -> IncomingEvent:
    """The event of the bytes of a notification, a CloudEvent or a listed message.

    What cannot be read or is of another project is kept with the reason.
    """
    parsed, reason = read_body(body)
    if parsed is None:
        return odd_event(body, reason)
    try:
        payload = _platform_payload(parsed)
        if payload.get("projectKey", account.external_id) != account.external_id:
            raise Odd(f"it is of another project: {str(payload['projectKey'])[:60]!r}")
        return _event(account, payload)
    except Odd as fault:
        return odd_event(body, str(fault))


def odd_event(body: bytes, reason: str) -> IncomingEvent:
    """What is kept of a notification that cannot be used: an excerpt and why."""
    return IncomingEvent(topic=UNKNOWN, dedup_key=f"body:{hashlib.sha256(body).hexdigest()}", body=unreadable(body, reason))


def _platform_payload(parsed: JsonObject) -> JsonObject:
    """The notification itself; of a CloudEvent whose data was left out, what its envelope says."""
    if "specversion" not in parsed:
        return parsed
    data, named = parsed.get("data"), _CLOUD_TYPE.fullmatch(str(parsed.get("type")))
    if isinstance(data, dict) and data:
        return {"time": parsed.get("time"), **data}
    if named is None:
        raise Odd("a CloudEvent of a kind that commercetools does not send")
    type_id, way, kind = named.groups()
    told = {"notificationType": MESSAGE, "type": kind} if way == "message" else {"notificationType": kind}
    project = str(parsed.get("source")).split("/")[1:2]  # "/<project key>/orders"
    resource = {"typeId": type_id, "id": parsed.get("subject")}
    told |= {"projectKey": project[0]} if project else {}
    return {**told, "id": parsed.get("id"), "time": parsed.get("time"), "resource": resource}


def _event(account: Account, payload: JsonObject) -> IncomingEvent:
    resource = payload.get("resource")
    resource = resource if isinstance(resource, dict) else {}
    type_id = _fitting(_TYPE_ID, resource.get("typeId"), "resource.typeId")
    about = _fitting(_ID, resource.get("id"), "resource.id")
    told = _fitting(_TYPE, payload.get("notificationType", MESSAGE), "notificationType")
    kind = _fitting(_TYPE, payload.get("type"), "type") if told == MESSAGE else told
    return IncomingEvent(
        topic=f"{type_id}/{kind}",
        dedup_key=_dedup_key(payload, told, f"{type_id}:{about}"),
        body=_dumped(_slim(payload)),
        occurred_at=_moment(payload),
        hint=True,
        object_key=about,
        wait_seconds=_wait(account, type_id),
    )


def _dedup_key(payload: JsonObject, told: str, about: str) -> str:
    """The message's id; of a change what changed, its version and how: equal on every delivery by whatever way."""
    if told == MESSAGE:
        return f"message:{_fitting(_ID, payload.get('id'), 'id')}"
    version = payload.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or abs(version) > 2**63:
        at = str(payload.get("modifiedAt") or payload.get("time") or "")[:40]
        version = f"at {at}" if at else hashlib.sha256(_dumped(payload)).hexdigest()
    return f"change:{about}:{version}:{told}"


def _slim(payload: Mapping[str, Any]) -> JsonObject:
    """The envelope and its plain fields; resources that are embedded are read from the API and not kept here."""
    return {name: value for name, value in payload.items() if name in KEPT_OBJECTS or _plain(value)}


def _plain(value: object) -> bool:
    return value is not None and (not isinstance(value, str | dict | list) or (isinstance(value, str) and len(value) <= LONGEST_TEXT))


def _wait(account: Account, type_id: str) -> float:
    subject = SUBJECTS.get(type_id)
    if subject is None or not subject.wait_seconds:
        return 0.0
    return min(3600.0, door_number(account, "catalogue_wait_seconds", least=0.0) if subject.wait_seconds == CATALOGUE_SECONDS else 0.0)


def _moment(payload: Mapping[str, Any]) -> datetime | None:
    """When it happened, as aware UTC; None when that is absent or unreadable."""
    said = payload.get("createdAt") or payload.get("modifiedAt") or payload.get("time")
    try:
        moment = datetime.fromisoformat(said) if isinstance(said, str) else None
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _fitting(pattern: re.Pattern[str], value: object, name: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Odd(f"its {name} is not what commercetools sends")
    return value


def _dumped(value: object) -> bytes:
    """As JSON; numbers too extreme for the database are what `read_body` and orjson refuse or round already."""
    return orjson.dumps(value, default=str)
