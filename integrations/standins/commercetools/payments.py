"""Payments and their transactions."""

from collections.abc import Mapping
from typing import Any

from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import Action, Doing, Edit, check_unique, choice, need
from integrations.standins.commercetools.errors import Refusal, invalid
from integrations.standins.commercetools.money import from_draft
from integrations.standins.commercetools.prices import moment_field
from integrations.standins.commercetools.project import Project

TYPES = ("Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback")
STATES = ("Initial", "Pending", "Success", "Failure")


def create_payment(project: Project, draft: Mapping[str, Any]) -> Stored:
    """Keep a payment; raises Refusal."""
    fields = {
        "key": draft.get("key"), "interfaceId": draft.get("interfaceId"), "anonymousId": draft.get("anonymousId"),
        "amountPlanned": from_draft(draft.get("amountPlanned"), "amountPlanned", only_cents=True),
        "paymentMethodInfo": dict(draft.get("paymentMethodInfo") or {}), "paymentStatus": dict(draft.get("paymentStatus") or {}),
        "transactions": [_transaction(project, item) for item in draft.get("transactions") or ()], "interfaceInteractions": [],
        "custom": custom_of(project, draft.get("custom"), "payment"),
    }  # fmt: skip
    if draft.get("customer"):
        fields["customer"] = project.reference("customer", draft["customer"])
    check_unique(project, "payment", fields)
    return project.create("payment", fields, [("PaymentCreated", {"payment": None})])


def _transaction(project: Project, draft: Any) -> dict[str, Any]:
    made = {
        "id": project.new_id(), "type": choice(draft, "type", TYPES), "amount": from_draft(draft.get("amount"), "amount"),
        "state": choice(draft, "state", STATES) if draft.get("state") else "Initial", "interactionId": draft.get("interactionId"),
        "timestamp": moment_field("timestamp", draft["timestamp"]) if draft.get("timestamp") else None,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def _add(edit: Edit, action: Action) -> None:
    made = _transaction(edit.project, need(action, "transaction", dict))
    if made["amount"]["currencyCode"] != edit.doc["amountPlanned"]["currencyCode"]:
        raise invalid("The currency of the transaction is not that of the payment.")
    edit.doc["transactions"] = [*edit.doc["transactions"], made]
    edit.say("PaymentTransactionAdded", transaction=made)


def _found(edit: Edit, action: Action) -> dict[str, Any]:
    found: dict[str, Any] | None = next((item for item in edit.doc["transactions"] if item["id"] == action.get("transactionId")), None)
    if found is None:
        raise invalid(f"The transaction '{action.get('transactionId')}' was not found on the payment.")
    return found


def _state(edit: Edit, action: Action) -> None:
    item, wanted = _found(edit, action), choice(action, "state", STATES)
    if item["state"] in ("Success", "Failure") and wanted != item["state"]:
        raise Refusal("InvalidOperation", f"A transaction in state {item['state']} cannot become {wanted}.")
    if item["state"] != wanted:
        item["state"] = wanted
        edit.say("PaymentTransactionStateChanged", transactionId=item["id"], state=wanted)


def _interaction(edit: Edit, action: Action) -> None:
    _found(edit, action)["interactionId"] = need(action, "interactionId")


def _planned(edit: Edit, action: Action) -> None:
    edit.doc["amountPlanned"] = from_draft(action.get("amount"), "amount", only_cents=True)


def _interface(edit: Edit, action: Action) -> None:
    if edit.doc.get("interfaceId") not in (None, action.get("interfaceId")):
        raise Refusal("InvalidOperation", "The interface id cannot be changed once it is set.")
    edit.doc["interfaceId"] = action.get("interfaceId")


ACTIONS: dict[str, Doing] = {
    "addTransaction": _add, "changeTransactionState": _state, "changeTransactionInteractionId": _interaction,
    "changeAmountPlanned": _planned, "setInterfaceId": _interface,
}  # fmt: skip
