"""What a project has around its customers, orders and products: channels, stores, types, states, categories and the like."""

from collections.abc import Callable, Mapping
from typing import Any

from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import Action, Doing, Edit, choice, localised, need, setter
from integrations.standins.commercetools.errors import Refusal, invalid
from integrations.standins.commercetools.project import Project, Told

Draft = Mapping[str, Any]
Made = tuple[dict[str, Any], list[Told]]
ROLES = ("InventorySupply", "ProductDistribution", "OrderExport", "OrderImport", "Primary")
STATE_TYPES = ("OrderState", "RecurringOrderState", "LineItemState", "ProductState", "ReviewState", "PaymentState", "QuoteRequestState")


def _named(project: Project, draft: Draft, resource: str) -> dict[str, Any]:
    kept = {name: draft[name] for name in ("key", "name", "description") if draft.get(name) is not None}
    return {**kept, "custom": custom_of(project, draft.get("custom"), resource)}


def _channel(project: Project, draft: Draft) -> Made:
    need(draft, "key")
    roles = list(draft.get("roles") or ("InventorySupply",))
    for role in roles:
        choice({"roles": role}, "roles", ROLES)
    return {**_named(project, draft, "channel"), "roles": roles}, []


def _store(project: Project, draft: Draft) -> Made:
    need(draft, "key")
    channels = {
        name: [project.reference("channel", item) for item in draft.get(name) or ()] for name in ("distributionChannels", "supplyChannels")
    }
    selections = [
        {"productSelection": {"typeId": "product-selection", "id": item["productSelection"]["id"]}, "active": bool(item.get("active"))}
        for item in draft.get("productSelections") or ()
    ]
    lists = {"languages": list(draft.get("languages") or ()), "countries": list(draft.get("countries") or ())}
    return {**_named(project, draft, "store"), **lists, **channels, "productSelections": selections}, [("StoreCreated", {})]


def _type(project: Project, draft: Draft) -> Made:
    need(draft, "key")
    resources, definitions = need(draft, "resourceTypeIds", list), [_definition(item) for item in draft.get("fieldDefinitions") or ()]
    return {**_named(project, draft, "type"), "name": need(draft, "name", dict), "resourceTypeIds": resources,
            "fieldDefinitions": definitions}, []  # fmt: skip


def _definition(draft: Any) -> dict[str, Any]:
    name, kind = need(draft, "name"), need(draft, "type", dict)
    if not 2 <= len(name) <= 36:
        raise invalid("The name of a field has 2 to 36 characters.")
    return {"name": name, "label": draft.get("label") or {}, "required": bool(draft.get("required")), "type": kind,
            "inputHint": draft.get("inputHint", "SingleLine")}  # fmt: skip


def _state(project: Project, draft: Draft) -> Made:
    need(draft, "key")
    made = {"type": choice(draft, "type", STATE_TYPES), "initial": bool(draft.get("initial")), "builtIn": bool(draft.get("builtIn"))}
    if draft.get("transitions") is not None:
        made["transitions"] = [project.reference("state", item) for item in draft["transitions"]]
    return {**_named(project, draft, "state"), **made, "roles": list(draft.get("roles") or ())}, []


def _category(project: Project, draft: Draft) -> Made:
    made = {**_named(project, draft, "category"), "name": need(draft, "name", dict), "slug": need(draft, "slug", dict)}
    made |= {"orderHint": draft.get("orderHint", "0.1"), "externalId": draft.get("externalId"), "ancestors": [], "assets": []}
    if draft.get("parent"):
        parent = project.identified("category", draft["parent"])
        made |= {"parent": _ref(parent.id), "ancestors": [*parent.doc()["ancestors"], _ref(parent.id)]}
    return made, [("CategoryCreated", {"category": None})]


def _ref(key: str) -> dict[str, str]:
    return {"typeId": "category", "id": key}


def _product_type(project: Project, draft: Draft) -> Made:
    attributes = [
        {
            "name": need(item, "name"), "label": item.get("label") or {}, "type": need(item, "type", dict),
            "isRequired": bool(item.get("isRequired")), "isSearchable": bool(item.get("isSearchable", True)),
            "attributeConstraint": item.get("attributeConstraint", "None"), "level": item.get("level", "Variant"),
            "inputHint": "SingleLine",
        }
        for item in draft.get("attributes") or ()
    ]  # fmt: skip
    return {"key": draft.get("key"), "name": need(draft, "name"), "description": need(draft, "description"), "attributes": attributes}, []


def _customer_group(project: Project, draft: Draft) -> Made:
    return {
        "key": draft.get("key"),
        "name": need(draft, "groupName"),
        "custom": custom_of(project, draft.get("custom"), "customer-group"),
    }, []


def _discount_code(project: Project, draft: Draft) -> Made:
    made = {
        "code": need(draft, "code"),
        "isActive": bool(draft.get("isActive", True)),
        "cartDiscounts": list(draft.get("cartDiscounts") or ()),
    }
    return {**_named(project, draft, "discount-code"), **made, "references": [], "groups": []}, [
        ("DiscountCodeCreated", {"discountCode": None})
    ]


MAKERS: dict[str, Callable[[Project, Draft], Made]] = {
    "channel": _channel, "store": _store, "type": _type, "state": _state, "category": _category, "product-type": _product_type,
    "customer-group": _customer_group, "discount-code": _discount_code,
}  # fmt: skip


def _add_definition(edit: Edit, action: Action) -> None:
    made = _definition(need(action, "fieldDefinition", dict))
    if any(item["name"] == made["name"] for item in edit.doc["fieldDefinitions"]):
        raise Refusal("DuplicateField", f"The field '{made['name']}' exists.", field="name", duplicateValue=made["name"])
    if made["required"] and edit.project["customer"].rows:
        raise invalid("A required field cannot be added to a type that is in use.")
    edit.doc["fieldDefinitions"] = [*edit.doc["fieldDefinitions"], made]


def _remove_definition(edit: Edit, action: Action) -> None:
    name = need(action, "fieldName")
    edit.doc["fieldDefinitions"] = [item for item in edit.doc["fieldDefinitions"] if item["name"] != name]


def _change_slug(edit: Edit, action: Action) -> None:
    before, edit.doc["slug"] = edit.doc["slug"], need(action, "slug", dict)
    if before != edit.doc["slug"]:
        edit.say("CategorySlugChanged", slug=edit.doc["slug"], oldSlug=before)


def _change_parent(edit: Edit, action: Action) -> None:
    parent = edit.project.identified("category", action.get("parent"))
    above = parent.doc()["ancestors"]
    if parent.id == edit.doc["id"] or any(item["id"] == edit.doc["id"] for item in above):
        raise Refusal("InvalidOperation", "A category cannot be below itself.")
    edit.doc |= {"parent": _ref(parent.id), "ancestors": [*above, _ref(parent.id)]}


def _add_roles(edit: Edit, action: Action) -> None:
    edit.doc["roles"] = [*edit.doc["roles"], *(role for role in need(action, "roles", list) if role not in edit.doc["roles"])]


def _list(name: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        edit.doc[name] = need(action, name, list)

    return act


def _active(edit: Edit, action: Action) -> None:
    edit.doc["isActive"] = bool(action.get("isActive"))


def _transitions(edit: Edit, action: Action) -> None:
    given = action.get("transitions")
    edit.doc["transitions"] = None if given is None else [edit.project.reference("state", item) for item in given]


NAMES: dict[str, Doing] = {"changeName": localised("name"), "setName": localised("name"), "setDescription": localised("description")}
ACTIONS: dict[str, Mapping[str, Doing]] = {
    "channel": {**NAMES, "addRoles": _add_roles, "setRoles": _list("roles")},
    "store": {**NAMES, "setLanguages": _list("languages"), "setCountries": _list("countries")},
    "type": {**NAMES, "addFieldDefinition": _add_definition, "removeFieldDefinition": _remove_definition},
    "state": {**NAMES, "setTransitions": _transitions},
    "category": {
        **NAMES, "changeSlug": _change_slug, "changeParent": _change_parent, "setExternalId": setter("externalId"),
        "changeOrderHint": setter("orderHint"),
    },
    "product-type": {"changeName": setter("name"), "changeDescription": setter("description")},
    "customer-group": {"changeName": setter("name")},
    "discount-code": {**NAMES, "changeIsActive": _active},
}  # fmt: skip
