"""Update actions: a list of them changes one copy of a resource, all or none; tables say what each action does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.custom import custom_of, set_custom_field
from integrations.standins.commercetools.errors import Refusal, duplicate, invalid, required, wrong_field
from integrations.standins.commercetools.kinds import KINDS
from integrations.standins.commercetools.project import Project, Told

MOST_ACTIONS = 500
WORDS = {("customer", "email"): "There is already an existing customer with the provided email."}


@dataclass(slots=True)
class Edit:
    """A resource being changed, and what has to be told and done once it has changed."""

    project: Project
    type_id: str
    doc: dict[str, Any]
    messages: list[Told] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)

    def say(self, message: str, **fields: Any) -> None:
        """Write a message when everything has gone well; empty fields are left out."""
        self.messages.append((message, {name: value for name, value in fields.items() if value is not None}))


Action = Mapping[str, Any]
Doing = Callable[[Edit, Action], None]


def need(values: Mapping[str, Any], name: str, kind: type = str) -> Any:
    """A field of a draft or action; raises Refusal when it is missing or of another type."""
    value = values.get(name)
    if value is None:
        raise required(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise wrong_field(name, value)
    return value


def choice(values: Mapping[str, Any], name: str, allowed: Sequence[str]) -> str:
    """A value of an enumeration, spelt exactly; raises Refusal."""
    value = need(values, name)
    if value not in allowed:
        raise wrong_field(name, value, tuple(allowed))
    return str(value)


def setter(name: str, message: str = "", *, label: str = "") -> Doing:
    """An action that sets one field (or takes it away) and says so in a message, if there is one for it."""

    def act(edit: Edit, action: Action) -> None:
        before, value = edit.doc.get(name), action.get(label or name)
        if value is not None and not isinstance(value, str):
            raise wrong_field(name, value)
        edit.doc[name] = value
        if message and before != value:
            edit.say(message, **{name: value})

    return act


def localised(name: str) -> Doing:
    """An action that sets a localised text."""

    def act(edit: Edit, action: Action) -> None:
        edit.doc[name] = need(action, name, dict)

    return act


def set_custom(edit: Edit, action: Action) -> None:
    """``setCustomField``."""
    told = set_custom_field(edit.project, edit.doc, action)
    prefix = {"customer": "Customer", "order": "Order"}.get(edit.type_id)
    if told is not None and prefix is not None:
        edit.say(f"{prefix}CustomField{told[0]}", **told[1])


def set_custom_type(edit: Edit, action: Action) -> None:
    """``setCustomType``: replaces type and all fields, or takes both away."""
    before = edit.doc.get("custom")
    edit.doc["custom"] = custom_of(edit.project, action if action.get("type") else None, edit.type_id)
    if edit.type_id not in ("customer", "order"):
        return
    prefix = {"customer": "Customer", "order": "Order"}[edit.type_id]
    if edit.doc["custom"] is None:
        if before:
            edit.say(f"{prefix}CustomTypeRemoved", previousTypeId=before["type"]["id"])
    else:
        previous = before["type"]["id"] if before else None
        edit.say(f"{prefix}CustomTypeSet", customFields=edit.doc["custom"], previousTypeId=previous)


def set_key(edit: Edit, action: Action) -> None:
    """``setKey``."""
    edit.doc["key"] = action.get("key")


GENERAL: dict[str, Doing] = {"setCustomField": set_custom, "setCustomType": set_custom_type, "setKey": set_key}


def check_unique(project: Project, type_id: str, doc: Mapping[str, Any]) -> None:
    """Raises Refusal (DuplicateField) when another resource has a value that must be unique."""
    collection = project[type_id]
    for name, of in KINDS[type_id].unique.items():
        for value in of(doc):
            if collection.holder(name, value) not in (None, doc.get("id")):
                raise duplicate(name, doc.get(name), WORDS.get((type_id, name), ""))


def check_version(row: Stored, version: Any) -> None:
    """Raises Refusal: 400 without a version, 409 with another one."""
    if version is None:
        raise required("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise wrong_field("version", version)
    if version != row.version:
        words = f"Object {row.id} has a different version than expected. Expected: {version} - Actual: {row.version}."
        raise Refusal("ConcurrentModification", words, currentVersion=row.version)


def update(project: Project, type_id: str, row: Stored, body: Any, *, table: Mapping[str, Doing]) -> Stored:
    """Apply ``{"version", "actions"}``, all of them or none; raises Refusal."""
    if not isinstance(body, Mapping) or not isinstance(body.get("actions"), list):
        raise required("actions")
    check_version(row, body.get("version"))
    if len(body["actions"]) > MOST_ACTIONS:
        raise invalid(f"Maximum number of update actions is {MOST_ACTIONS}.")
    return apply(project, type_id, row, body["actions"], table=table)


def apply(project: Project, type_id: str, row: Stored, actions: Sequence[Any], *, table: Mapping[str, Doing]) -> Stored:
    """Apply actions to the newest version, whatever it is; raises Refusal."""
    edit = Edit(project, type_id, row.doc())
    for action in actions:
        name = action.get("action") if isinstance(action, Mapping) else None
        if name is None:
            raise required("action")
        doing = table.get(str(name)) or GENERAL.get(str(name))
        if doing is None:
            raise invalid(f"Request body does not contain valid JSON: unknown update action '{name}' for '{type_id}'.")
        doing(edit, action)
    check_unique(project, type_id, edit.doc)
    after = project.replace(type_id, row, edit.doc, edit.messages)
    for follow in edit.after:
        follow()
    return after
