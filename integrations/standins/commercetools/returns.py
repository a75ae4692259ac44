"""Returns of orders: announced, back, paid back (page "Orders", return info)."""

from typing import Any

from integrations.standins.commercetools.editing import Action, Doing, Edit, choice, need
from integrations.standins.commercetools.errors import Refusal, invalid

ARRIVING = ("Advised", "Returned")
SHIPMENT = ("Advised", "Returned", "BackInStock", "Unusable")
PAYMENT = ("NonRefundable", "Initial", "Refunded", "NotRefunded")
FROM_RETURNED = frozenset({"BackInStock", "Unusable"})


def _item(edit: Edit, draft: Any) -> dict[str, Any]:
    state = choice(draft, "shipmentState", ARRIVING)
    custom = "customLineItemId" in draft
    field, kind = ("customLineItemId", "CustomLineItemReturnItem") if custom else ("lineItemId", "LineItemReturnItem")
    lines = edit.doc["customLineItems"] if custom else edit.doc["lineItems"]
    line = next((line for line in lines if line["id"] == need(draft, field)), None)
    if line is None:
        raise invalid(f"The line item '{draft[field]}' was not found on the order.")
    quantity = need(draft, "quantity", int)
    if not 1 <= quantity <= line["quantity"]:
        raise invalid(f"The quantity {quantity} of the return exceeds the quantity of the line item.")
    now = edit.project.iso()
    made = {
        "id": edit.project.new_id(), "key": draft.get("key"), "type": kind, field: line["id"], "quantity": quantity,
        "comment": draft.get("comment"), "shipmentState": state, "paymentState": "NonRefundable" if state == "Advised" else "Initial",
        "createdAt": now, "lastModifiedAt": now,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def _add(edit: Edit, action: Action) -> None:
    made = {name: action[name] for name in ("returnTrackingId", "returnDate") if action.get(name)}
    made["items"] = [_item(edit, item) for item in need(action, "items", list)]
    edit.doc["returnInfo"] = [*edit.doc["returnInfo"], made]
    edit.say("ReturnInfoAdded", returnInfo=made)


def _set(edit: Edit, action: Action) -> None:
    made = []
    for info in action.get("items") or ():
        kept = {name: info[name] for name in ("returnTrackingId", "returnDate") if info.get(name)}
        made.append({**kept, "items": [_item(edit, item) for item in info.get("items") or ()]})
    edit.doc["returnInfo"] = made
    edit.say("ReturnInfoSet", returnInfo=made)


def _found(edit: Edit, action: Action) -> dict[str, Any]:
    name, field = ("returnItemKey", "key") if "returnItemKey" in action else ("returnItemId", "id")
    items = [item for info in edit.doc["returnInfo"] for item in info["items"]]
    found: dict[str, Any] | None = next((item for item in items if item.get(field) == action.get(name)), None)
    if found is None:
        raise invalid(f"The return item '{action.get(name)}' was not found on the order.")
    return found


def _shipment(edit: Edit, action: Action) -> None:
    item, wanted = _found(edit, action), choice(action, "shipmentState", SHIPMENT)
    allowed = {"Advised": {"Returned"}, "Returned": FROM_RETURNED}.get(item["shipmentState"], set())
    if wanted != item["shipmentState"] and wanted not in allowed:
        raise Refusal("InvalidOperation", f"A return item in state {item['shipmentState']} cannot become {wanted}.")
    if wanted != item["shipmentState"]:
        edit.say("OrderReturnShipmentStateChanged", returnItemId=item["id"], returnShipmentState=wanted)
        if item["shipmentState"] == "Advised":
            item["paymentState"] = "Initial"
    item |= {"shipmentState": wanted, "lastModifiedAt": edit.project.iso()}


def _payment(edit: Edit, action: Action) -> None:
    """No message tells of this."""
    item, wanted = _found(edit, action), choice(action, "paymentState", PAYMENT)
    if item["paymentState"] == wanted:
        return
    if item["paymentState"] == "NonRefundable":
        raise Refusal("InvalidOperation", "A return item that is NonRefundable cannot change its payment state.")
    item |= {"paymentState": wanted, "lastModifiedAt": edit.project.iso()}


RETURN_ACTIONS: dict[str, Doing] = {
    "addReturnInfo": _add, "setReturnInfo": _set, "setReturnShipmentState": _shipment, "setReturnPaymentState": _payment,
}  # fmt: skip
