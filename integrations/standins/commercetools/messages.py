"""Messages: what happened to a resource, numbered per resource without gaps, kept for some days, queryable a little late."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.collection import stored
from integrations.standins.commercetools.kinds import KINDS
from integrations.standins.commercetools.moments import iso
from integrations.standins.commercetools.products import projection
from integrations.standins.commercetools.project import Project, Write

DAY = 86_400.0


def identifiers(type_id: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    """What the project's owner calls a resource."""
    found = {name: doc[name] for name in KINDS[type_id].names if doc.get(name)}
    if type_id == "product":
        found["slug"] = doc["masterData"]["current"]["slug"]
    return found


def written(project: Project, write: Write) -> list[dict[str, Any]]:
    """The messages of a write, as documents, kept if the project has the feature on."""
    if write.erased:
        _forget(project, write)
    row = write.after or write.before
    assert row is not None
    made = []
    for message, fields in write.messages:
        now = project.now()
        doc = {
            "id": project.new_id(), "version": 1, "createdAt": iso(now), "lastModifiedAt": iso(now), "createdBy": project.author,
            "lastModifiedBy": project.author, "sequenceNumber": project.next_number(f"message:{row.id}"),
            "resource": {"typeId": write.type_id, "id": row.id}, "resourceVersion": row.version, "type": message,
            **_filled(write, fields),
        }  # fmt: skip
        names = identifiers(write.type_id, write.doc)
        if names:
            doc["resourceUserProvidedIdentifiers"] = names
        made.append(doc)
        if project.settings.messages_enabled:
            lag = project.settings.message_lag
            late = now + project.random.uniform(0, lag) if lag else None
            project["message"].put(stored(doc), doc, visible_at=late)
    return made


def _filled(write: Write, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Messages about something new carry the thing itself."""
    whole: dict[str, Any] = {name: write.doc for name, value in fields.items() if value is None and write.before is None}
    if "productProjection" in fields:
        whole["productProjection"] = projection(write.doc, staged=not write.doc["masterData"]["published"])
    return {**{name: value for name, value in fields.items() if value is not None}, **whole}


def _forget(project: Project, write: Write) -> None:
    """What messages say about an erased resource goes with it."""
    collection = project["message"]
    for key in list(collection.equal(("resource", "id"), [write.doc["id"]]) or ()):
        collection.remove(key)


def purge(project: Project) -> int:
    """Drop messages that are older than the project keeps them; the number dropped."""
    collection = project["message"]
    begin, end = collection.sorted["createdAt"].span(None, iso(project.now() - DAY * project.settings.message_days)[:23])
    old = list(collection.sorted["createdAt"].keys(begin, end))
    for key in old:
        collection.remove(key)
    return len(old)
