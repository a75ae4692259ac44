"""Everything that can be changed about a customer."""

from typing import Any

from integrations.standins.commercetools.addresses import address_of
from integrations.standins.commercetools.editing import Action, Doing, Edit, choice, need, setter
from integrations.standins.commercetools.errors import Refusal, invalid, wrong_field


def _change_email(edit: Edit, action: Action) -> None:
    email, before = need(action, "email"), edit.doc["email"]
    if "@" not in email:
        raise wrong_field("email", email)
    edit.doc |= {"email": email, "isEmailVerified": edit.doc["isEmailVerified"] and email == before}
    if email != before:
        edit.say("CustomerEmailChanged", email=email, oldEmail=before)


def _verify_email(edit: Edit, action: Action) -> None:
    if not edit.doc["isEmailVerified"]:
        edit.doc["isEmailVerified"] = True
        edit.say("CustomerEmailVerified")


def _address(edit: Edit, action: Action) -> dict[str, Any]:
    """The address an action names by id or key; raises Refusal."""
    name = "addressId" if "addressId" in action else "addressKey"
    wanted = need(action, name)
    field = "id" if name == "addressId" else "key"
    found = next((item for item in edit.doc["addresses"] if item.get(field) == wanted), None)
    if found is None:
        raise invalid(f"The customer does not contain an address with the {field} '{wanted}'.")
    return dict(found)


def _add_address(edit: Edit, action: Action) -> None:
    made = {**address_of(action.get("address")), "id": edit.project.short_id()}
    edit.doc["addresses"] = [*edit.doc["addresses"], made]
    edit.say("CustomerAddressAdded", address=made)


def _change_address(edit: Edit, action: Action) -> None:
    before = _address(edit, action)
    made = {**address_of(action.get("address")), "id": before["id"]}
    edit.doc["addresses"] = [made if item["id"] == before["id"] else item for item in edit.doc["addresses"]]
    if made != before:
        edit.say("CustomerAddressChanged", address=made)


def _remove_address(edit: Edit, action: Action) -> None:
    gone = _address(edit, action)
    edit.doc["addresses"] = [item for item in edit.doc["addresses"] if item["id"] != gone["id"]]
    for name in ("shippingAddressIds", "billingAddressIds"):
        edit.doc[name] = [key for key in edit.doc[name] if key != gone["id"]]
    for name in ("defaultShippingAddressId", "defaultBillingAddressId"):
        if edit.doc.get(name) == gone["id"]:
            edit.doc[name] = None
    edit.say("CustomerAddressRemoved", address=gone)


def _default(kind: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        named = action.get("addressId") or action.get("addressKey")
        address = _address(edit, action) if named else None
        name = f"default{kind}AddressId"
        if edit.doc.get(name) == (address or {}).get("id"):
            return
        edit.doc[name] = address["id"] if address else None
        if address:
            _listed(kind)(edit, {"addressId": address["id"]})
        edit.say(f"CustomerDefault{kind}AddressSet", address=address)

    return act


def _listed(kind: str) -> Doing:
    def act(edit: Edit, action: Action) -> None:
        name, key = f"{kind.lower()}AddressIds", _address(edit, action)["id"]
        if key not in edit.doc[name]:
            edit.doc[name] = [*edit.doc[name], key]

    return act


def _set_group(edit: Edit, action: Action) -> None:
    before = edit.doc.get("customerGroup")
    group = edit.project.reference("customer-group", action["customerGroup"]) if action.get("customerGroup") else None
    edit.doc["customerGroup"] = group
    if group != before:
        edit.say("CustomerGroupSet", customerGroup=group, oldCustomerGroup=before)


def _add_assignment(edit: Edit, action: Action) -> None:
    wanted = need(action, "customerGroupAssignment", dict)
    made = {"customerGroup": edit.project.reference("customer-group", wanted.get("customerGroup"))}
    if made in edit.doc["customerGroupAssignments"]:
        raise invalid("The customer is already assigned to this customer group.")
    edit.doc["customerGroupAssignments"] = [*edit.doc["customerGroupAssignments"], made]
    edit.say("CustomerGroupAssignmentAdded", customerGroupAssignment=made)


def _remove_assignment(edit: Edit, action: Action) -> None:
    gone = {"customerGroup": edit.project.reference("customer-group", action.get("customerGroup"))}
    edit.doc["customerGroupAssignments"] = [item for item in edit.doc["customerGroupAssignments"] if item != gone]
    edit.say("CustomerGroupAssignmentRemoved", customerGroupAssignment=gone)


def _set_stores(edit: Edit, action: Action) -> None:
    _stores(edit, [edit.project.key_reference("store", item) for item in action.get("stores") or ()])


def _add_store(edit: Edit, action: Action) -> None:
    made = edit.project.key_reference("store", action.get("store"))
    if made not in edit.doc["stores"]:
        _stores(edit, [*edit.doc["stores"], made])


def _remove_store(edit: Edit, action: Action) -> None:
    gone = edit.project.key_reference("store", action.get("store"))
    _stores(edit, [item for item in edit.doc["stores"] if item != gone])


def _stores(edit: Edit, stores: list[dict[str, str]]) -> None:
    before, edit.doc["stores"] = edit.doc["stores"], stores
    if before != stores:
        edit.say("CustomerStoresSet", stores=stores)


def _set_number(edit: Edit, action: Action) -> None:
    before, number = edit.doc.get("customerNumber"), action.get("customerNumber")
    if before is not None and before != number:
        raise Refusal("InvalidOperation", "The customer number cannot be changed once it is set.")
    edit.doc["customerNumber"] = number


def _set_mode(edit: Edit, action: Action) -> None:
    edit.doc["authenticationMode"] = choice(action, "authMode", ("Password", "ExternalAuth"))


ACTIONS: dict[str, Doing] = {
    "changeEmail": _change_email,
    "setFirstName": setter("firstName", "CustomerFirstNameSet"),
    "setLastName": setter("lastName", "CustomerLastNameSet"),
    "setMiddleName": setter("middleName"),
    "setTitle": setter("title", "CustomerTitleSet"),
    "setSalutation": setter("salutation"),
    "setDateOfBirth": setter("dateOfBirth", "CustomerDateOfBirthSet"),
    "setCompanyName": setter("companyName", "CustomerCompanyNameSet"),
    "setVatId": setter("vatId"),
    "setLocale": setter("locale"),
    "setExternalId": setter("externalId", "CustomerExternalIdSet"),
    "setCustomerNumber": _set_number,
    "addAddress": _add_address,
    "changeAddress": _change_address,
    "removeAddress": _remove_address,
    "setDefaultShippingAddress": _default("Shipping"),
    "setDefaultBillingAddress": _default("Billing"),
    "addShippingAddressId": _listed("Shipping"),
    "addBillingAddressId": _listed("Billing"),
    "setCustomerGroup": _set_group,
    "addCustomerGroupAssignment": _add_assignment,
    "removeCustomerGroupAssignment": _remove_assignment,
    "setStores": _set_stores,
    "addStore": _add_store,
    "removeStore": _remove_store,
    "setAuthenticationMode": _set_mode,
}
# what only people can do, not API clients
PEOPLE = {**ACTIONS, "verifyEmail": _verify_email}
