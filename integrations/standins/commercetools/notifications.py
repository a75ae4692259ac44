"""What subscriptions are told: messages and changes, in the Platform format or as CloudEvents."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from integrations.standins.commercetools.kinds import KINDS
from integrations.standins.commercetools.messages import identifiers
from integrations.standins.commercetools.project import Project, Write

Payload = dict[str, Any]
# subscriptions on carts hear of new and of deleted ones only (types/subscription, ChangeSubscription)
NO_UPDATES = frozenset({"cart"})
# what every message has, and what is left when the rest is too large
HEAD = (
    "id", "version", "createdAt", "lastModifiedAt", "sequenceNumber", "resource", "resourceVersion", "resourceUserProvidedIdentifiers",
)  # fmt: skip


def of_message(project: Project, message: Mapping[str, Any]) -> Payload:
    """A message as a notification."""
    kept = {name: value for name, value in message.items() if name not in ("createdBy", "lastModifiedBy")}
    return {"notificationType": "Message", "projectKey": project.spec.key, **kept}


def of_change(project: Project, write: Write) -> Payload | None:
    """The notification of a change, None where there is none."""
    row = write.after or write.before
    if row is None or (write.before and write.after and write.type_id in NO_UPDATES):
        return None
    kind = "ResourceCreated" if write.before is None else "ResourceUpdated" if write.after else "ResourceDeleted"
    made = {"notificationType": kind, "projectKey": project.spec.key, "resource": {"typeId": write.type_id, "id": row.id}}
    names = identifiers(write.type_id, write.doc)
    made |= {"resourceUserProvidedIdentifiers": names} if names else {}
    made |= {"version": row.version, "modifiedAt": project.iso()}
    if write.before and write.after:
        made["oldVersion"] = write.before.version
    return {**made, "dataErasure": write.erased} if kind == "ResourceDeleted" else made


def of_test(project: Project, subscription: str) -> Payload:
    """What is sent when a subscription is made or gets another destination."""
    return {
        "notificationType": "ResourceCreated", "projectKey": project.spec.key,
        "resource": {"typeId": "subscription", "id": subscription}, "version": 1, "modifiedAt": project.iso(),
    }  # fmt: skip


def wanted(subscription: Mapping[str, Any], payload: Payload) -> bool:
    """Whether a subscription asked for this."""
    type_id = payload["resource"]["typeId"]
    if payload["notificationType"] != "Message":
        return any(item["resourceTypeId"] == type_id for item in subscription["changes"])
    asked: Sequence[Mapping[str, Any]] = subscription["messages"]
    return any(item["resourceTypeId"] == type_id and payload["type"] in (item.get("types") or [payload["type"]]) for item in asked)


def rendered(payload: Payload, kind: str, most: int) -> bytes:
    """Exact bytes in a format; the content is left out of messages of more than ``most`` bytes."""
    raw = orjson.dumps(payload)
    if payload["notificationType"] == "Message" and len(raw) > most:
        reason = "The payload was too large for the destination."
        kept = {name: payload[name] for name in ("notificationType", "projectKey", *HEAD) if name in payload}
        payload = {**kept, "payloadNotIncluded": {"reason": reason, "payloadType": payload["type"]}}
        raw = orjson.dumps(payload)
    return raw if kind != "CloudEvents" else orjson.dumps(_cloud_event(payload))


def _cloud_event(payload: Payload) -> dict[str, Any]:
    resource, message = payload["resource"], payload["notificationType"] == "Message"
    name = payload.get("type") or payload.get("payloadNotIncluded", {}).get("payloadType") if message else payload["notificationType"]
    path = KINDS[resource["typeId"]].path
    made = {
        "specversion": "1.0", "id": payload["id"] if message else str(uuid4()),
        "type": f"com.commercetools.{resource['typeId']}.{'message' if message else 'change'}.{name}",
        "source": f"/{payload['projectKey']}/{path}", "subject": resource["id"], "time": payload.get("createdAt") or payload["modifiedAt"],
    }  # fmt: skip
    if message:
        made |= {"sequence": str(payload["sequenceNumber"]), "sequencetype": "Integer"}
        made["dataref"] = f"/{payload['projectKey']}/messages/{payload['id']}"
    return {**made, "data": payload}
