"""Price drafts, embedded in variants or standalone."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.errors import Refusal, required, wrong_field
from integrations.standins.commercetools.moments import comparable
from integrations.standins.commercetools.money import from_draft
from integrations.standins.commercetools.project import Project


def price_fields(project: Project, draft: Any) -> dict[str, Any]:
    """What a price draft becomes, without its id; raises Refusal."""
    if not isinstance(draft, Mapping):
        raise required("price")
    made: dict[str, Any] = {"value": from_draft(draft.get("value"), "value")}
    for name in ("key", "country"):
        if draft.get(name):
            made[name] = draft[name]
    for name in ("validFrom", "validUntil"):
        if draft.get(name):
            made[name] = moment_field(name, draft[name])
    for name, type_id in (("customerGroup", "customer-group"), ("channel", "channel")):
        if draft.get(name):
            made[name] = project.reference(type_id, draft[name])
    if "channel" in made and "ProductDistribution" not in project.get("channel", made["channel"]["id"]).doc()["roles"]:
        raise Refusal("MissingRoleOnChannel", "The channel misses the role 'ProductDistribution'.", missingRole="ProductDistribution")
    if draft.get("discounted"):
        made["discounted"] = discounted_field(project, draft["discounted"])
    return made


def discounted_field(project: Project, draft: Any) -> dict[str, Any] | None:
    """A discounted price with its discount; None takes it away."""
    if draft is None:
        return None
    discount = draft.get("discount") or {"typeId": "product-discount", "id": project.new_id()}
    return {"value": from_draft(draft.get("value"), "discounted.value"), "discount": {"typeId": "product-discount", "id": discount["id"]}}


def moment_field(name: str, value: Any) -> str:
    """A moment as resources write it; raises Refusal."""
    try:
        return comparable(value)[:23] + "Z"
    except (ValueError, TypeError) as error:
        raise wrong_field(name, value) from error
