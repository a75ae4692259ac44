"""Customer and what hangs on it."""

from collections.abc import Callable
from typing import Any

from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.people import Customer, Metafield
from integrations.standins.shopify.resolvers import FIELDS, PROTECTED, Call, Resolver, attribute, constant

# the flat states of a phone number, older than smsMarketingConsent, have another word for "never"
SMS_STATE = {"NOT_SUBSCRIBED": "NEVER_SUBSCRIBED"}


def metafields(owner: Any, arguments: Any, call: Call) -> Any:
    """The metafields connection of any owner."""
    namespace, keys = arguments.get("namespace"), arguments.get("keys")
    found = [field for field in owner.metafields if namespace in (None, field.namespace)]
    if keys:
        found = [field for field in found if f"{field.namespace}.{field.key}" in keys]
    return page_of(found, arguments, call)


def metafield(owner: Any, arguments: Any, call: Call) -> Metafield | None:
    """One metafield of any owner."""
    wanted = (arguments.get("namespace") or "", arguments["key"])
    return next((field for field in owner.metafields if (field.namespace, field.key) == wanted), None)


def _with(name: str, kind: str) -> Resolver:
    """The customer itself, seen as its e-mail address or phone number, when it has one."""
    return lambda customer, arguments, call: (kind, customer) if getattr(customer, name) else None


def _of(read: Callable[[Customer], Any]) -> Resolver:
    return lambda pair, arguments, call: read(pair[1])


def _last_order(customer: Customer, arguments: Any, call: Call) -> Any:
    return None if customer.last_order_id is None else call.shop.orders.get(customer.last_order_id)


def _orders(customer: Customer, arguments: Any, call: Call) -> Any:
    found = (call.shop.orders.get(number) for number in call.shop.customer_orders.get(customer.id, ()))
    return page_of([order for order in found if order is not None], arguments, call)


def _unsubscribe(pair: tuple[str, Customer], arguments: Any, call: Call) -> str:
    return f"https://{call.shop.spec.domain}/account/unsubscribe/{pair[1].id}"


FIELDS["Customer"] = {
    "id": lambda customer, arguments, call: gid("Customer", customer.id),
    "legacyResourceId": attribute("id"),
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "firstName": attribute("first_name"),
    "lastName": attribute("last_name"),
    "displayName": lambda customer, arguments, call: (
        " ".join(filter(None, (customer.first_name, customer.last_name))) or customer.email or ""
    ),
    "state": attribute("state"),
    "verifiedEmail": attribute("verified_email"),
    "locale": attribute("locale"),
    "tags": attribute("tags"),
    "note": attribute("note"),
    "taxExempt": attribute("tax_exempt"),
    "dataSaleOptOut": attribute("data_sale_opt_out"),
    "numberOfOrders": attribute("orders_count"),
    "amountSpent": lambda customer, arguments, call: (str(customer.spent), call.shop.spec.currency),
    "lastOrder": _last_order,
    "orders": _orders,
    "email": attribute("email"),
    "phone": attribute("phone"),
    "defaultEmailAddress": _with("email", "CustomerEmailAddress"),
    "defaultPhoneNumber": _with("phone", "CustomerPhoneNumber"),
    "defaultAddress": lambda customer, arguments, call: customer.addresses[0] if customer.addresses else None,
    "addresses": lambda customer, arguments, call: customer.addresses[: arguments.get("first") or 250],
    "addressesV2": lambda customer, arguments, call: page_of(customer.addresses, arguments, call),
    "metafields": metafields,
    "metafield": metafield,
}

FIELDS["CustomerEmailAddress"] = {
    "emailAddress": _of(lambda customer: customer.email),
    "validFormat": _of(lambda customer: "@" in (customer.email or "")),
    "marketingState": _of(lambda customer: customer.email_consent.state),
    "marketingOptInLevel": _of(lambda customer: customer.email_consent.level),
    "marketingUpdatedAt": _of(lambda customer: customer.email_consent.updated_at),
    "marketingUnsubscribeUrl": _unsubscribe,
    "sourceLocation": constant(None),
}

FIELDS["CustomerPhoneNumber"] = {
    "phoneNumber": _of(lambda customer: customer.phone),
    "marketingState": _of(lambda customer: customer.sms_consent.state),
    "marketingOptInLevel": _of(lambda customer: customer.sms_consent.level),
    "marketingUpdatedAt": _of(lambda customer: customer.sms_consent.updated_at),
    "marketingCollectedFrom": _of(lambda customer: customer.sms_consent.collected_from),
    "smsMarketingConsent": _of(lambda customer: customer.sms_consent),
    "sourceLocation": constant(None),
}

FIELDS["CustomerSmsMarketingConsent"] = {
    "state": lambda consent, arguments, call: SMS_STATE.get(consent.state, consent.state),
    "optInLevel": attribute("level"),
    "updatedAt": attribute("updated_at"),
    "collectedFrom": attribute("collected_from"),
    "sourceLocation": constant(None),
}

FIELDS["MailingAddress"] = {
    "id": lambda address, arguments, call: gid("MailingAddress", address.id),
    "firstName": attribute("first_name"),
    "lastName": attribute("last_name"),
    "name": lambda address, arguments, call: " ".join(filter(None, (address.first_name, address.last_name))) or None,
    "company": attribute("company"),
    "address1": attribute("address1"),
    "address2": attribute("address2"),
    "city": attribute("city"),
    "zip": attribute("zip"),
    "province": attribute("province"),
    "provinceCode": attribute("province_code"),
    "country": attribute("country"),
    "countryCode": attribute("country_code"),
    "countryCodeV2": attribute("country_code"),
    "phone": attribute("phone"),
    "latitude": constant(None),
    "longitude": constant(None),
}

FIELDS["Metafield"] = {
    "id": lambda field, arguments, call: gid("Metafield", field.id),
    "namespace": attribute("namespace"),
    "key": attribute("key"),
    "type": attribute("type"),
    "value": attribute("value"),
    "createdAt": attribute("updated_at"),
    "updatedAt": attribute("updated_at"),
}

for _type, _names in {
    "Customer": ("firstName", "lastName", "email", "phone"),
    "CustomerEmailAddress": ("emailAddress",),
    "CustomerPhoneNumber": ("phoneNumber",),
    "MailingAddress": ("firstName", "lastName", "name", "address1", "address2", "zip", "phone", "latitude", "longitude"),
    "Order": ("email", "phone"),
}.items():
    PROTECTED.update({(_type, _name): "" for _name in _names})
PROTECTED["Order", "customer"] = "read_customers"
PROTECTED["AbandonedCheckout", "customer"] = "read_customers"
