"""What happens to orders afterwards: paid, sent, returned, refunded, cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.standins.commercetools import orders, payments, resources
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import apply
from integrations.standins.commercetools.order_actions import ACTIONS
from integrations.standins.commercetools.project import Project

Items = Sequence[Mapping[str, Any]]


def order_of(project: Project, named: str) -> Stored:
    """An order by id or number; raises Refusal."""
    row = project["order"].rows.get(named)
    return row if row is not None else project.named("order", "orderNumber", named)


def _act(project: Project, row: Stored, *actions: Mapping[str, Any]) -> Stored:
    return apply(project, "order", row, actions, table=ACTIONS)


def gross(doc: Mapping[str, Any]) -> dict[str, Any]:
    """What the shopper pays."""
    found: dict[str, Any] = (doc.get("taxedPrice") or {}).get("totalGross") or doc["totalPrice"]
    return found


def pay(project: Project, *, order: str, amount: int | None = None, state: str = "Success", kind: str = "Charge") -> Stored:
    """A payment of the whole (or of so many cents) and, if it went well, the order is Paid."""
    row = order_of(project, order)
    money = {**gross(row.doc()), **({} if amount is None else {"centAmount": amount})}
    transaction = {"type": kind, "state": state, "amount": money, "timestamp": project.iso(), "interactionId": project.short_id()}
    draft = {"amountPlanned": money, "paymentMethodInfo": {"paymentInterface": "DEMO-PAY", "method": "CREDIT_CARD"}}
    made = payments.create_payment(project, {**draft, "interfaceId": project.new_id(), "transactions": [transaction]})
    states = {("Charge", "Success"): "Paid", ("Charge", "Failure"): "Failed"}
    done = states.get((kind, state), "Pending")
    return _act(project, row, {"action": "addPayment", "payment": {"id": made.id}}, {"action": "changePaymentState", "paymentState": done})


def ship(project: Project, *, order: str, items: Items | None = None, carrier: str = "Royal Mail", tracking: str = "") -> Stored:
    """Send everything, or {"id", "quantity"} of some lines; the shipment state follows."""
    row = order_of(project, order)
    doc = row.doc()
    sent = items if items is not None else [{"id": line["id"], "quantity": line["quantity"]} for line in doc["lineItems"]]
    parcel = {"trackingData": {"trackingId": tracking or f"RM{project.short_id()}", "carrier": carrier}}
    done = "Partial" if items is not None and not _all_sent(doc, items) else "Shipped"
    steps: list[dict[str, Any]] = [{"action": "addDelivery", "items": list(sent), "parcels": [parcel]}] if doc.get("shippingInfo") else []
    return _act(project, row, *steps, {"action": "changeShipmentState", "shipmentState": done})


def _all_sent(doc: Mapping[str, Any], items: Items) -> bool:
    deliveries = (doc.get("shippingInfo") or {}).get("deliveries") or ()
    sent = sum(item["quantity"] for delivery in deliveries for item in delivery["items"]) + sum(item["quantity"] for item in items)
    return bool(sent >= sum(line["quantity"] for line in doc["lineItems"]))


def deliver(project: Project, *, order: str) -> Stored:
    """It has arrived."""
    return _act(project, order_of(project, order), {"action": "changeShipmentState", "shipmentState": "Delivered"})


def complete(project: Project, *, order: str) -> Stored:
    """Nothing more is to be done."""
    return _act(project, order_of(project, order), {"action": "changeOrderState", "orderState": "Complete"})


def return_items(project: Project, *, order: str, items: Items | None = None, state: str = "Returned", key: str = "") -> Stored:
    """{"id" of the line, "quantity"} come back (or, with ``state`` Advised, are announced); everything without ``items``."""
    row = order_of(project, order)
    back = items if items is not None else [{"id": line["id"], "quantity": line["quantity"]} for line in row.doc()["lineItems"]]
    made = [
        {"lineItemId": item["id"], "quantity": item.get("quantity", 1), "shipmentState": state,
         "comment": item.get("comment", "wrong size"), "key": f"{key}-{number}" if key else None}
        for number, item in enumerate(back, start=1)
    ]  # fmt: skip
    return _act(project, row, {"action": "addReturnInfo", "items": made, "returnDate": project.iso()})


def receive_return(project: Project, *, order: str, item: str = "", state: str = "Returned") -> Stored:
    """What was announced has arrived, is back in stock, or unusable; all items without ``item`` (its id)."""
    row = order_of(project, order)
    items = [one["id"] for info in row.doc()["returnInfo"] for one in info["items"] if item in ("", one["id"])]
    return _act(project, row, *({"action": "setReturnShipmentState", "returnItemId": one, "shipmentState": state} for one in items))


def refund(project: Project, *, order: str, amount: int | None = None, mark: bool = True) -> Stored:
    """Pay back so many cents (unsaid: everything) by the order's last payment; ``mark`` notes it on returned items, with no message."""
    row = order_of(project, order)
    doc = row.doc()
    payment = project.get("payment", doc["paymentInfo"]["payments"][-1]["id"])
    money = {**gross(doc), **({} if amount is None else {"centAmount": amount})}
    transaction = {"type": "Refund", "state": "Success", "amount": money, "timestamp": project.iso(), "interactionId": project.short_id()}
    apply(project, "payment", payment, [{"action": "addTransaction", "transaction": transaction}], table=payments.ACTIONS)
    items = [one["id"] for info in doc["returnInfo"] for one in info["items"] if one["paymentState"] == "Initial"] if mark else []
    steps = [{"action": "setReturnPaymentState", "returnItemId": one, "paymentState": "Refunded"} for one in items]
    return _act(project, row, *steps) if steps else row


def cancel(project: Project, *, order: str, refunded: bool = True) -> Stored:
    """Call an order off; what was paid is paid back."""
    row = order_of(project, order)
    if refunded and (row.doc().get("paymentInfo") or {}).get("payments"):
        refund(project, order=row.id, mark=False)
    steps = {"action": "changeOrderState", "orderState": "Cancelled"}, {"action": "changeShipmentState", "shipmentState": "Canceled"}
    return _act(project, project.get("order", row.id), *steps)


def change_order(project: Project, *, order: str, actions: Sequence[Mapping[str, Any]]) -> Stored:
    """Any update actions."""
    return apply(project, "order", order_of(project, order), actions, table=resources.PEOPLE["order"])


def delete_order(project: Project, *, order: str, erase: bool = False) -> dict[str, str]:
    """Drop an order."""
    row = order_of(project, order)
    orders.delete_order(project, row, erase=erase)
    return {"deleted": row.id}
