"""Custom fields: one type a resource, values checked against its field definitions."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.errors import Refusal, required, wrong_field
from integrations.standins.commercetools.moments import seconds
from integrations.standins.commercetools.project import Project

# commercetools API reference, types/type; references and sets are checked for shape only
SHAPES: dict[str, tuple[type, ...]] = {
    "String": (str,), "Boolean": (bool,), "Number": (int, float), "Enum": (str,), "DateTime": (str,), "Date": (str,), "Time": (str,),
    "Money": (dict,), "Set": (list,), "LocalizedString": (dict,), "LocalizedEnum": (str,), "Reference": (dict,),
}  # fmt: skip
# resources that share the custom fields of another
SHARED = {"cart": "order"}


def custom_of(project: Project, draft: Any, resource: str) -> dict[str, Any] | None:
    """What a custom fields draft becomes; raises Refusal."""
    if draft is None:
        return None
    if not isinstance(draft, Mapping) or "type" not in draft:
        raise required("custom.type")
    found = project.identified("type", draft["type"]).doc()
    resource = SHARED.get(resource, resource)
    if resource not in found["resourceTypeIds"]:
        raise Refusal("InvalidOperation", f"The type '{found['key']}' cannot be used for '{resource}'.")
    fields = {name: value for name, value in (draft.get("fields") or {}).items() if value is not None}
    for name, value in fields.items():
        check_field(found, name, value)
    missing = [item["name"] for item in found["fieldDefinitions"] if item.get("required") and item["name"] not in fields]
    if missing:
        raise required(missing[0])
    return {"type": {"typeId": "type", "id": found["id"]}, "fields": fields}


def check_field(found: Mapping[str, Any], name: str, value: Any) -> None:
    """Raises Refusal when a type has no such field or the value does not suit it."""
    definition = next((item for item in found["fieldDefinitions"] if item["name"] == name), None)
    if definition is None:
        raise Refusal("InvalidField", f"The field '{name}' is not defined for the type '{found['key']}'.", field=name, invalidValue=value)
    kind = definition["type"]["name"]
    if not isinstance(value, SHAPES[kind]) or (kind == "Number" and isinstance(value, bool)):
        raise wrong_field(name, value)
    if kind == "Enum":
        allowed = tuple(item["key"] for item in definition["type"].get("values", ()))
        if value not in allowed:
            raise wrong_field(name, value, allowed)
    if kind == "DateTime":
        try:
            seconds(value)
        except ValueError as error:
            raise wrong_field(name, value) from error


def set_custom_field(project: Project, doc: dict[str, Any], action: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Set or remove one field; what the message about it says ("Added", "Changed", "Removed"). Raises Refusal."""
    if "name" not in action:
        raise required("name")
    name, value = str(action["name"]), action.get("value")
    custom = doc.get("custom")
    if not custom:
        raise Refusal("InvalidOperation", "Custom fields cannot be set before a type is set.")
    fields, before = custom["fields"], custom["fields"].get(name)
    if value is None:
        if before is None:
            return None
        del fields[name]
        return "Removed", {"name": name}
    check_field(project.identified("type", custom["type"]).doc(), name, value)
    fields[name] = value
    if before == value:
        return None
    return ("Added", {"name": name, "value": value}) if before is None else (
        "Changed", {"name": name, "value": value, "previousValue": before}
    )  # fmt: skip
