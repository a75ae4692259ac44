"""Customers: signing up, signing in, leaving."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from integrations.standins.commercetools.addresses import address_of
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.custom import custom_of
from integrations.standins.commercetools.editing import check_unique, need
from integrations.standins.commercetools.errors import Refusal, invalid, wrong_field
from integrations.standins.commercetools.project import Project

TEXTS = (
    "key", "customerNumber", "externalId", "firstName", "lastName", "middleName", "title", "salutation", "dateOfBirth", "companyName",
    "vatId", "locale",
)  # fmt: skip
MODES = ("Password", "ExternalAuth")


def create_customer(project: Project, draft: Mapping[str, Any], *, store: str = "") -> Stored:
    """Sign somebody up, in the store of the path if there is one; raises Refusal."""
    mode = draft.get("authenticationMode", "Password")
    if mode not in MODES:
        raise wrong_field("authenticationMode", mode, MODES)
    email = need(draft, "email")
    if "@" not in email:
        raise wrong_field("email", email)
    password = need(draft, "password") if mode == "Password" else ""
    stores = [project.key_reference("store", item) for item in draft.get("stores") or ()]
    if store:
        stores = [project.key_reference("store", {"key": store})]
    fields = {
        "email": email, **{name: draft.get(name) for name in TEXTS}, **_addresses(project, draft), "stores": stores,
        "isEmailVerified": bool(draft.get("isEmailVerified", False)), "customerGroupAssignments": [],
        "custom": custom_of(project, draft.get("custom"), "customer"), "authenticationMode": mode,
    }  # fmt: skip
    if draft.get("customerGroup"):
        fields["customerGroup"] = project.reference("customer-group", draft["customerGroup"])
    for assignment in draft.get("customerGroupAssignments") or ():
        fields["customerGroupAssignments"].append({"customerGroup": project.reference("customer-group", assignment["customerGroup"])})
    check_unique(project, "customer", fields)
    if password:
        fields["password"] = _masked(password)
    made = project.create("customer", fields, [("CustomerCreated", {"customer": None})])
    if password:
        project.passwords[made.id] = _digest(password)
    return made


def sign_in(project: Project, email: Any, password: Any, *, store: str = "") -> Stored:
    """Who signs in; raises Refusal (400 InvalidCredentials)."""
    holder = project["customer"].holder("email", f"{store}|{str(email).lower()}")
    if holder is None or project.passwords.get(holder) != _digest(str(password)):
        raise Refusal("InvalidCredentials", "Account with the given credentials not found.")
    return project.get("customer", holder)


def delete_customer(project: Project, row: Stored, *, erase: bool = False) -> None:
    """Let a customer go; with ``erase`` nothing personal stays in stored messages either."""
    doc = row.doc()
    project.delete("customer", row, [("CustomerDeleted", {"email": None if erase else doc["email"]})], erased=erase)
    project.passwords.pop(row.id, None)


def _addresses(project: Project, draft: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses with ids; defaults come as indexes into the list."""
    found = []
    for item in draft.get("addresses") or ():
        found.append({"id": project.short_id(), **{name: value for name, value in address_of(item).items() if name != "id"}})

    def at(name: str) -> str | None:
        index = draft.get(name)
        if index is None:
            return None
        if not isinstance(index, int) or not 0 <= index < len(found):
            raise invalid(f"The field '{name}' is not an index of an address.")
        return str(found[index]["id"])

    shipping, billing = at("defaultShippingAddress"), at("defaultBillingAddress")
    return {
        "addresses": found, "defaultShippingAddressId": shipping,
        "shippingAddressIds": _listed(found, draft, "shippingAddresses", shipping),
        "defaultBillingAddressId": billing, "billingAddressIds": _listed(found, draft, "billingAddresses", billing),
    }  # fmt: skip


def _listed(found: list[dict[str, Any]], draft: Mapping[str, Any], name: str, default: str | None) -> list[str]:
    ids = [found[index]["id"] for index in draft.get(name) or () if isinstance(index, int) and 0 <= index < len(found)]
    return ids if default is None or default in ids else [*ids, default]


def _digest(password: str) -> str:
    return sha256(f"demo:{password}".encode()).hexdigest()


def _masked(password: str) -> str:
    return "****" + b64encode(_digest(password).encode())[-4:].decode()
