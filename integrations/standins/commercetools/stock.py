"""Inventory entries and standalone prices."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import Action, Doing, Edit, check_unique, need
from integrations.standins.commercetools.errors import Refusal
from integrations.standins.commercetools.money import from_draft
from integrations.standins.commercetools.prices import discounted_field, moment_field, price_fields
from integrations.standins.commercetools.pricing import scope_of
from integrations.standins.commercetools.project import Project


def create_entry(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Add an inventory entry, one for each SKU and channel; raises Refusal."""
    quantity = need(draft, "quantityOnStock", int)
    made = {
        "key": draft.get("key"), "sku": need(draft, "sku"), "quantityOnStock": quantity, "availableQuantity": quantity,
        "restockableInDays": draft.get("restockableInDays"), "expectedDelivery": draft.get("expectedDelivery"),
        "custom": custom_of(project, draft.get("custom"), "inventory-entry"),
    }  # fmt: skip
    if draft.get("supplyChannel"):
        made["supplyChannel"] = project.reference("channel", draft["supplyChannel"])
    check_unique(project, "inventory-entry", made)
    return project.create("inventory-entry", made, [("InventoryEntryCreated", {"inventoryEntry": None})])


def _quantity(edit: Edit, wanted: int) -> None:
    doc = edit.doc
    before = doc["quantityOnStock"], doc["availableQuantity"]
    doc |= {"quantityOnStock": wanted, "availableQuantity": before[1] + wanted - before[0]}
    if wanted == before[0]:
        return
    edit.say(
        "InventoryEntryQuantitySet", oldQuantityOnStock=before[0], newQuantityOnStock=wanted, oldAvailableQuantity=before[1],
        newAvailableQuantity=doc["availableQuantity"], sku=doc["sku"], supplyChannel=doc.get("supplyChannel"),
    )  # fmt: skip


def _add(edit: Edit, action: Action) -> None:
    _quantity(edit, edit.doc["quantityOnStock"] + need(action, "quantity", int))


def _take(edit: Edit, action: Action) -> None:
    _quantity(edit, edit.doc["quantityOnStock"] - need(action, "quantity", int))


def _set(edit: Edit, action: Action) -> None:
    _quantity(edit, need(action, "quantity", int))


def _set_channel(edit: Edit, action: Action) -> None:
    edit.doc["supplyChannel"] = edit.project.reference("channel", action["supplyChannel"]) if action.get("supplyChannel") else None


def _restockable(edit: Edit, action: Action) -> None:
    edit.doc["restockableInDays"] = action.get("restockableInDays")


ENTRY_ACTIONS: dict[str, Doing] = {
    "addQuantity": _add, "removeQuantity": _take, "changeQuantity": _set, "setSupplyChannel": _set_channel,
    "setRestockableInDays": _restockable,
}  # fmt: skip


def ordered(project: Project, sku: str, channel: str | None, quantity: int, *, reserve: bool) -> None:
    """What an order does to stock: reserved, or taken away; no message is written."""
    row = project.find("inventory-entry", "sku", f"{sku}|{channel or ''}")
    if row is None:  # deleted since
        return
    doc = row.doc()
    doc["availableQuantity"] -= quantity
    if not reserve:
        doc["quantityOnStock"] -= quantity
    project.replace("inventory-entry", row, doc)


def create_price(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Add a standalone price; raises Refusal."""
    made = {**price_fields(project, draft), "sku": need(draft, "sku"), "active": bool(draft.get("active", True)), "key": draft.get("key")}
    check_unique(project, "standalone-price", made)
    _check_scope(project, made)
    return project.create("standalone-price", made, [("StandalonePriceCreated", {"standalonePrice": None})])


def _check_scope(project: Project, made: Mapping[str, Any]) -> None:
    rows = project["standalone-price"].having(("sku",), made["sku"])
    if any(row.id != made.get("id") and scope_of(row.doc()) == scope_of(made) for row in rows):
        raise Refusal("DuplicateStandalonePriceScope", "Another standalone price for the same scope exists.")


def _change_value(edit: Edit, action: Action) -> None:
    before, edit.doc["value"] = edit.doc["value"], from_draft(action.get("value"), "value")
    if before != edit.doc["value"]:
        edit.say("StandalonePriceValueChanged", value=edit.doc["value"], oldValue=before, staged=False)


def _active(edit: Edit, action: Action) -> None:
    before, edit.doc["active"] = edit.doc["active"], bool(action.get("active"))
    if before != edit.doc["active"]:
        edit.say("StandalonePriceActiveChanged", active=edit.doc["active"], oldActive=before)


def _discount(edit: Edit, action: Action) -> None:
    edit.doc["discounted"] = discounted_field(edit.project, action.get("discounted"))
    edit.say("StandalonePriceDiscountSet", discounted=edit.doc["discounted"])


def _moment(name: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        before, given = edit.doc.get(name), action.get(name)
        edit.doc[name] = moment_field(name, given) if given else None
        if before != edit.doc[name]:
            label = name[0].upper() + name[1:]
            edit.say(f"StandalonePrice{label}Set", **{name: edit.doc[name], f"old{label}": before})

    return act


PRICE_ACTIONS: dict[str, Doing] = {
    "changeValue": _change_value, "changeActive": _active, "setDiscountedPrice": _discount, "setValidFrom": _moment("validFrom"),
    "setValidUntil": _moment("validUntil"),
}  # fmt: skip
