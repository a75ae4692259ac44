"""What shoppers do with their accounts."""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.standins.commercetools import carts, customers, resources
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import apply
from integrations.standins.commercetools.furnish import CONSENT_TYPE
from integrations.standins.commercetools.project import Project

PASSWORD = "demo-password"


def customer_of(project: Project, named: str) -> Stored:
    """A customer by id, or by e-mail address outside of stores (or "store|address"); raises Refusal."""
    if "@" not in named:
        return project.get("customer", named)
    return project.named("customer", "email", named.lower() if "|" in named else f"|{named.lower()}")


def register(
    project: Project,
    email: str,
    *,
    first_name: str = "",
    last_name: str = "",
    anonymous_id: str = "",
    store: str = "",
    address: Mapping[str, Any] | None = None,
    consent: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Stored:
    """Open an account; the guest's carts and orders come along. ``consent`` as ``change_consent`` takes it, ``fields`` as the API does."""
    draft: dict[str, Any] = {"email": email, "password": PASSWORD, "firstName": first_name or None, "lastName": last_name or None, **fields}
    if address:
        draft |= {"addresses": [dict(address)], "defaultShippingAddress": 0, "defaultBillingAddress": 0}
    if consent is not None:
        draft["custom"] = {"type": {"key": CONSENT_TYPE}, "fields": _consent_fields(project, **consent)}
    made = customers.create_customer(project, draft, store=store)
    if anonymous_id:
        carts.take_over(project, made, anonymous_id)
    return made


def login(project: Project, customer: str, *, anonymous_id: str = "", merge: bool = True) -> dict[str, Any]:
    """Sign in; the guest's cart joins the customer's, and both are answered."""
    row = customer_of(project, customer)
    cart = carts.take_over(project, row, anonymous_id, merge=merge) if anonymous_id else carts.active_cart(project, customer=row.id)
    return {"customer": row.doc(), "cart": cart.doc() if cart else None}


def _consent_fields(
    project: Project, *, email: bool | None = None, sms: bool | None = None, at: str | None = None, dated: bool = True
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in (("emailOptIn", email), ("smsOptIn", sms)):
        if value is not None:
            made |= {name: value, **({f"{name}At": at or project.iso()} if dated else {})}
    return made


def change_consent(
    project: Project, customer: str, *, email: bool | None = None, sms: bool | None = None, at: str | None = None, dated: bool = True
) -> Stored:
    """Say yes or no to a channel, dated now or at a given moment, or undated; a channel that is None stays as it is."""
    row, fields = customer_of(project, customer), _consent_fields(project, email=email, sms=sms, at=at, dated=dated)
    actions: list[dict[str, Any]] = [{"action": "setCustomField", "name": name, "value": value} for name, value in fields.items()]
    if "custom" not in row.doc():
        actions = [{"action": "setCustomType", "type": {"key": CONSENT_TYPE}, "fields": fields}]
    return _change(project, row, actions)


def change_email(project: Project, customer: str, *, email: str) -> Stored:
    """Another address."""
    return _change(project, customer_of(project, customer), [{"action": "changeEmail", "email": email}])


def change_customer(project: Project, customer: str, *, actions: Sequence[Mapping[str, Any]]) -> Stored:
    """Any update actions."""
    return _change(project, customer_of(project, customer), actions)


def add_address(project: Project, customer: str, *, address: Mapping[str, Any], default: bool = True) -> Stored:
    """One more address, which becomes the default for shipping and billing."""
    row = _change(project, customer_of(project, customer), [{"action": "addAddress", "address": dict(address)}])
    key = row.doc()["addresses"][-1]["id"]
    names = ("setDefaultShippingAddress", "setDefaultBillingAddress") if default else ()
    return _change(project, row, [{"action": name, "addressId": key} for name in names]) if names else row


def verify_email(project: Project, customer: str) -> Stored:
    """Follow the link in the e-mail."""
    return _change(project, customer_of(project, customer), [{"action": "verifyEmail"}])


def set_group(project: Project, customer: str, *, group: str = "") -> Stored:
    """Into a customer group by key, or out of it."""
    named = {"customerGroup": {"key": group}} if group else {}
    return _change(project, customer_of(project, customer), [{"action": "setCustomerGroup", **named}])


def delete_customer(project: Project, customer: str, *, erase: bool = False) -> dict[str, str]:
    """Close an account, with ``erase`` for data protection's sake."""
    row = customer_of(project, customer)
    customers.delete_customer(project, row, erase=erase)
    return {"deleted": row.id}


def update(project: Project, *, type_id: str, id: str, actions: Sequence[Mapping[str, Any]]) -> Stored:  # noqa: A002 - the platform's name
    """Any update actions on any resource, at whatever version it is."""
    return apply(project, type_id, project.get(type_id, id), actions, table=resources.PEOPLE[type_id])


def touch(project: Project, *, type_id: str, id: str) -> Stored:  # noqa: A002 - the platform's name
    """A new version in which nothing is new."""
    return project.touch(type_id, project.get(type_id, id))


def _change(project: Project, row: Stored, actions: Sequence[Mapping[str, Any]]) -> Stored:
    return apply(project, "customer", row, actions, table=resources.PEOPLE["customer"])
