"""Everything that can be changed about an order: states, deliveries, who it belongs to."""

from collections.abc import Sequence
from typing import Any

from integrations.standins.commercetools.addresses import address_of
from integrations.standins.commercetools.cart_actions import add_payment
from integrations.standins.commercetools.carts import line_in
from integrations.standins.commercetools.custom import set_custom_field
from integrations.standins.commercetools.editing import Action, Doing, Edit, choice, need
from integrations.standins.commercetools.errors import Refusal, invalid
from integrations.standins.commercetools.orders import ORDER_STATES, PAYMENT_STATES, SHIPMENT_STATES
from integrations.standins.commercetools.returns import RETURN_ACTIONS

EXPORTING = {"OrderExport", "OrderImport"}


def _state(name: str, allowed: Sequence[str], message: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        before, wanted = edit.doc.get(name), choice(action, name, allowed)
        edit.doc[name] = wanted
        if before != wanted:
            old = f"old{name[0].upper()}{name[1:]}"
            edit.say(message, **{name: wanted, old: before})

    return act


def _transition(edit: Edit, action: Action) -> None:
    before, wanted = edit.doc.get("state"), edit.project.reference("state", action.get("state"))
    if before is not None and not action.get("force"):
        _check_transition(edit, before["id"], wanted["id"])
    edit.doc["state"] = wanted
    if wanted != before:
        edit.say("OrderStateTransition", state=wanted, oldState=before, force=bool(action.get("force")))


def _check_transition(edit: Edit, before: str, wanted: str) -> None:
    allowed = edit.project.get("state", before).doc().get("transitions")
    if allowed is not None and wanted not in {item["id"] for item in allowed}:
        raise Refusal("InvalidOperation", f"The transition from state '{before}' to '{wanted}' is not allowed.")


def _with_line(edit: Edit, line_id: str, **changes: Any) -> None:
    edit.doc["lineItems"] = [{**line, **changes} if line["id"] == line_id else line for line in edit.doc["lineItems"]]


def _line_transition(edit: Edit, action: Action) -> None:
    line, quantity = line_in(edit.doc, action), need(action, "quantity", int)
    begin = edit.project.reference("state", action.get("fromState"))
    end = edit.project.reference("state", action.get("toState"))
    held = {item["state"]["id"]: item["quantity"] for item in line["state"]}
    if quantity < 1 or held.get(begin["id"], 0) < quantity:
        raise invalid(f"The line item does not have {quantity} items in state '{begin['id']}'.")
    _check_transition(edit, begin["id"], end["id"])
    held[begin["id"]] -= quantity
    held[end["id"]] = held.get(end["id"], 0) + quantity
    _with_line(edit, line["id"], state=[{"quantity": n, "state": {"typeId": "state", "id": key}} for key, n in held.items() if n])
    edit.say(
        "LineItemStateTransition", lineItemId=line["id"], quantity=quantity, fromState=begin, toState=end,
        transitionDate=action.get("actualTransitionDate") or edit.project.iso(),
    )  # fmt: skip


def _import_line_state(edit: Edit, action: Action) -> None:
    line = line_in(edit.doc, action)
    made = [
        {"quantity": need(item, "quantity", int), "state": edit.project.reference("state", item.get("state"))}
        for item in need(action, "state", list)
    ]
    if sum(item["quantity"] for item in made) != line["quantity"]:
        raise invalid("The quantities of the states do not add up to the quantity of the line item.")
    _with_line(edit, line["id"], state=made)


def _parcel(edit: Edit, draft: Any) -> dict[str, Any]:
    kept = {name: draft[name] for name in ("measurements", "items") if draft.get(name)}
    made = {"id": edit.project.new_id(), "createdAt": edit.project.iso(), "key": draft.get("key") or draft.get("parcelKey"), **kept}
    if draft.get("trackingData"):
        made["trackingData"] = {"isReturn": False, **draft["trackingData"]}
    return {name: value for name, value in made.items() if value is not None}


def _add_delivery(edit: Edit, action: Action) -> None:
    """Sums are not checked, as the platform does not; items name lines by id."""
    if not edit.doc.get("shippingInfo"):
        raise Refusal("InvalidOperation", "A delivery cannot be added to an order without shipping info.")
    known = {line["id"] for line in (*edit.doc["lineItems"], *edit.doc["customLineItems"])}
    items = action.get("items") or []
    for item in items:
        if item.get("id") not in known:
            raise invalid(f"The line item '{item.get('id')}' was not found on the order.")
    made: dict[str, Any] = {"id": edit.project.new_id(), "createdAt": edit.project.iso(), "items": items}
    if action.get("deliveryKey"):
        made["key"] = action["deliveryKey"]
    if action.get("address"):
        made["address"] = address_of(action["address"])
    info = edit.doc["shippingInfo"]
    edit.say("DeliveryAdded", delivery={**made, "parcels": []})
    parcels = [_parcel(edit, item) for item in action.get("parcels") or ()]
    edit.doc["shippingInfo"] = {**info, "deliveries": [*(info.get("deliveries") or ()), {**made, "parcels": parcels}]}
    for parcel in parcels:
        edit.say("ParcelAddedToDelivery", delivery=made, parcel=parcel)


def _deliveries(edit: Edit) -> list[dict[str, Any]]:
    return [dict(item) for item in (edit.doc.get("shippingInfo") or {}).get("deliveries") or ()]


def _named(items: Sequence[dict[str, Any]], action: Action, what: str) -> dict[str, Any]:
    name, field = (f"{what}Key", "key") if f"{what}Key" in action and f"{what}Id" not in action else (f"{what}Id", "id")
    found = next((item for item in items if item.get(field) == action.get(name)), None)
    if found is None:
        raise invalid(f"The {what} '{action.get(name)}' was not found on the order.")
    return found


def _add_parcel(edit: Edit, action: Action) -> None:
    deliveries = _deliveries(edit)
    key = {name: value for name, value in action.items() if name in ("deliveryId", "deliveryKey")}
    delivery = _named(deliveries, key, "delivery")
    parcel = _parcel(edit, action)
    delivery["parcels"] = [*delivery["parcels"], parcel]
    edit.doc["shippingInfo"] = {**edit.doc["shippingInfo"], "deliveries": deliveries}
    edit.say("ParcelAddedToDelivery", delivery=delivery, parcel=parcel)


def _tracking(edit: Edit, action: Action) -> None:
    deliveries = _deliveries(edit)
    parcels = [parcel for delivery in deliveries for parcel in delivery["parcels"]]
    parcel = _named(parcels, action, "parcel")
    delivery = next(item for item in deliveries if parcel in item["parcels"])
    parcel["trackingData"] = {"isReturn": False, **need(action, "trackingData", dict)}
    edit.doc["shippingInfo"] = {**edit.doc["shippingInfo"], "deliveries": deliveries}
    edit.say("ParcelTrackingDataUpdated", deliveryId=delivery["id"], parcelId=parcel["id"], trackingData=parcel["trackingData"])


def _sync_info(edit: Edit, action: Action) -> None:
    channel = edit.project.reference("channel", action.get("channel"))
    if EXPORTING.isdisjoint(edit.project.get("channel", channel["id"]).doc()["roles"]):
        raise invalid("The channel misses the role 'OrderExport' or 'OrderImport'.")
    made = {"channel": channel, "externalId": action.get("externalId"), "syncedAt": action.get("syncedAt") or edit.project.iso()}
    edit.doc["syncInfo"] = [*(item for item in edit.doc["syncInfo"] if item["channel"] != channel), made]


def _email(edit: Edit, action: Action) -> None:
    before, edit.doc["customerEmail"] = edit.doc.get("customerEmail"), action.get("email")
    if before != edit.doc["customerEmail"]:
        edit.say("OrderCustomerEmailSet", email=edit.doc["customerEmail"], oldEmail=before)


def _customer(edit: Edit, action: Action) -> None:
    before = edit.doc.get("customerId")
    wanted = edit.project.identified("customer", {"id": action["customerId"]}).id if action.get("customerId") else None
    edit.doc["customerId"] = wanted
    if wanted != before:
        edit.say("OrderCustomerSet", customer={"typeId": "customer", "id": wanted} if wanted else None)


def _address(name: str, message: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        before, edit.doc[name] = edit.doc.get(name), address_of(action["address"]) if action.get("address") else None
        if before != edit.doc[name]:
            edit.say(message, address=edit.doc[name], oldAddress=before)

    return act


def _number(edit: Edit, action: Action) -> None:
    before, wanted = edit.doc.get("orderNumber"), action.get("orderNumber")
    if before is not None and before != wanted:
        raise Refusal("InvalidOperation", "The order number cannot be changed once it is set.")
    edit.doc["orderNumber"] = wanted


def _locale(edit: Edit, action: Action) -> None:
    edit.doc["locale"] = action.get("locale")


def _line_field(edit: Edit, action: Action) -> None:
    line = line_in(edit.doc, action)
    set_custom_field(edit.project, line, action)
    _with_line(edit, line["id"], custom=line["custom"])


ACTIONS: dict[str, Doing] = {
    "changeOrderState": _state("orderState", ORDER_STATES, "OrderStateChanged"),
    "changeShipmentState": _state("shipmentState", SHIPMENT_STATES, "OrderShipmentStateChanged"),
    "changePaymentState": _state("paymentState", PAYMENT_STATES, "OrderPaymentStateChanged"),
    "transitionState": _transition,
    "transitionLineItemState": _line_transition,
    "importLineItemState": _import_line_state,
    "addDelivery": _add_delivery,
    "addParcelToDelivery": _add_parcel,
    "setParcelTrackingData": _tracking,
    "updateSyncInfo": _sync_info,
    "addPayment": add_payment,
    "setCustomerEmail": _email,
    "setCustomerId": _customer,
    "setShippingAddress": _address("shippingAddress", "OrderShippingAddressSet"),
    "setBillingAddress": _address("billingAddress", "OrderBillingAddressSet"),
    "setOrderNumber": _number,
    "setLocale": _locale,
    "setLineItemCustomField": _line_field,
    **RETURN_ACTIONS,
}
