"""Mutations of customers and their extra fields: consent, tags, metafields. Each accepted change is noted in the ledger."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.standins.shopify import customers
from integrations.standins.shopify.customers import Rejected
from integrations.standins.shopify.ids import gid, kind_of, number_of, parse_time
from integrations.standins.shopify.people import Customer
from integrations.standins.shopify.resolvers import FIELDS, PROTECTED, Call, Refusal

# what an app may set; the other states come about by themselves
WRITABLE = {"SUBSCRIBED", "UNSUBSCRIBED", "PENDING"}
MAX_METAFIELDS = 25
MAX_TAGS = 250
OWNERS = {"Customer": "customers", "Order": "orders", "Product": "products"}


def _email_consent(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    return _consent(call, arguments["input"], "emailMarketingConsent", customers.set_email_consent)


def _sms_consent(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    return _consent(call, arguments["input"], "smsMarketingConsent", customers.set_sms_consent)


def _consent(call: Call, given: Mapping[str, Any], name: str, apply: Any) -> dict[str, Any]:
    wish = given[name]
    customer = _customer(call, given["customerId"])
    fault = _consent_fault(call, customer, wish, name)
    if fault is None:
        try:
            at = _moment(wish.get("consentUpdatedAt"))
            apply(call.shop, customer.id, wish["marketingState"], level=wish.get("marketingOptInLevel"), at=at)
        except Rejected as refusal:
            fault = {"field": ["input", name], "message": str(refusal), "code": "MISSING_ARGUMENT"}
    if fault is not None:
        return {"customer": None, "userErrors": [fault]}
    note = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in wish.items()}
    call.shop.ledger.append("consent", gid("Customer", customer.id), {"shop": call.shop.spec.domain, "channel": name, **note})
    return {"customer": call.shop.customers.get(customer.id), "userErrors": []}


def _consent_fault(call: Call, customer: Customer | None, wish: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    if customer is None:
        return {"field": ["input", "customerId"], "message": "Customer not found.", "code": "INVALID"}
    if wish["marketingState"] not in WRITABLE:
        message = f"Cannot specify {wish['marketingState']} as a marketing state input"
        return {"field": ["input", name, "marketingState"], "message": message, "code": "INVALID"}
    at = _moment(wish.get("consentUpdatedAt"))
    if at is not None and at > call.shop.clock.utc():
        return {"field": ["input", name, "consentUpdatedAt"], "message": "Consent date can't be in the future", "code": "INVALID"}
    return None


def _tags_add(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    return _tags(call, arguments, "add")


def _tags_remove(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    return _tags(call, arguments, "remove")


def _tags(call: Call, arguments: Mapping[str, Any], action: str) -> dict[str, Any]:
    owner = _owner(call, arguments["id"])
    if owner is None:
        return {"node": None, "userErrors": [{"field": ["id"], "message": "id is invalid"}]}
    tags = [tag.strip() for text in arguments["tags"] for tag in text.split(",") if tag.strip()]
    if len(arguments["tags"]) > MAX_TAGS:
        raise Refusal("The input array is too long.", "MAX_INPUT_SIZE_EXCEEDED")
    if isinstance(owner, Customer):
        (customers.add_tags if action == "add" else customers.remove_tags)(call.shop, owner.id, tags)
    else:
        owner.tags = sorted({*owner.tags, *tags} if action == "add" else set(owner.tags) - set(tags))
        call.shop.touch(owner)
    call.shop.ledger.append("tags", arguments["id"], {"shop": call.shop.spec.domain, "action": action, "tags": tags})
    return {"node": owner, "userErrors": []}


def _metafields_set(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
    wishes = arguments["metafields"]
    faults = _metafield_faults(call, wishes)
    if faults:
        return {"metafields": None, "userErrors": faults}
    made = []
    for wish in wishes:
        owner = _owner(call, wish["ownerId"])
        fields = {"namespace": wish["namespace"], "key": wish["key"], "type": wish["type"], "value": wish["value"]}
        made.append(customers.put_metafield(call.shop, owner.metafields, **fields))
        call.shop.touch(owner)
        call.shop.ledger.append("metafield", wish["ownerId"], {"shop": call.shop.spec.domain, **fields})
    return {"metafields": made, "userErrors": []}


def _metafield_faults(call: Call, wishes: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    def fault(index: int, name: str, message: str, code: str) -> dict[str, Any]:
        return {"field": ["metafields", str(index), name], "message": message, "code": code, "elementIndex": index}

    if len(wishes) > MAX_METAFIELDS:
        message = f"Exceeded the maximum metafields input limit of {MAX_METAFIELDS}."
        return [{"field": ["metafields"], "message": message, "code": "LESS_THAN_OR_EQUAL_TO", "elementIndex": None}]
    faults = []
    for index, wish in enumerate(wishes):
        if _owner(call, wish["ownerId"]) is None:
            faults.append(fault(index, "ownerId", "Owner does not exist.", "INVALID"))
        if not wish.get("namespace") or not wish.get("type"):
            faults.append(fault(index, "type", "Type and namespace can't be blank.", "BLANK"))
        if not wish["value"]:
            faults.append(fault(index, "value", "Value can't be blank.", "BLANK"))
    return faults


def _customer(call: Call, value: str) -> Customer | None:
    number = number_of(value, "Customer")
    return None if number is None or call.shop.customers.get(number) is None else call.shop.customers.own(number)


def _owner(call: Call, value: str) -> Any:
    name, number = OWNERS.get(kind_of(value)), number_of(value)
    table = getattr(call.shop, name) if name else None
    return None if table is None or number is None or table.get(number) is None else table.own(number)


def _moment(value: Any) -> datetime | None:
    """The DateTime scalar arrives as text."""
    return parse_time(value) if isinstance(value, str) else value


FIELDS["Mutation"] = {
    "customerEmailMarketingConsentUpdate": _email_consent,
    "customerSmsMarketingConsentUpdate": _sms_consent,
    "tagsAdd": _tags_add,
    "tagsRemove": _tags_remove,
    "metafieldsSet": _metafields_set,
}
PROTECTED.update({("Mutation", name): "write_customers" for name in FIELDS["Mutation"]})
