"""Bodies of the customer topics. Since 2025 they carry neither tags nor consent nor order totals."""

from typing import Any

from integrations.standins.shopify.ids import gid, local, zulu
from integrations.standins.shopify.people import Address, Customer
from integrations.standins.shopify.shops import Shop


def full_customer(shop: Shop, customer: Customer) -> dict[str, Any]:
    """Body of customers/create and customers/update."""
    spec = shop.spec
    addresses = [customer_address(customer, address, first=index == 0) for index, address in enumerate(customer.addresses)]
    body = {
        "id": customer.id,
        "created_at": local(customer.created_at, spec.utc_offset),
        "updated_at": local(customer.updated_at, spec.utc_offset),
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": customer.state.lower(),
        "note": customer.note,
        "verified_email": customer.verified_email,
        "multipass_identifier": None,
        "tax_exempt": customer.tax_exempt,
        "email": customer.email,
        "phone": customer.phone,
        "currency": spec.currency,
        "addresses": addresses,
        "tax_exemptions": [],
        "admin_graphql_api_id": gid("Customer", customer.id),
        "default_address": addresses[0] if addresses else None,
    }
    if spec.pii:
        return body
    return {**body, **dict.fromkeys(("first_name", "last_name", "email", "phone", "default_address")), "addresses": []}


def order_customer(shop: Shop, customer: Customer) -> dict[str, Any]:
    """The customer inside an order or a checkout."""
    body = full_customer(shop, customer)
    return {name: value for name, value in body.items() if name != "addresses"}


def address(value: Address | None, *, pii: bool = True) -> dict[str, Any] | None:
    """A billing or shipping address; None without the right to personal data."""
    if value is None or not pii:
        return None
    return {
        "first_name": value.first_name,
        "last_name": value.last_name,
        "name": " ".join(filter(None, (value.first_name, value.last_name))),
        "company": value.company,
        "address1": value.address1,
        "address2": value.address2,
        "city": value.city,
        "zip": value.zip,
        "province": value.province,
        "province_code": value.province_code,
        "country": value.country,
        "country_code": value.country_code,
        "phone": value.phone,
        "latitude": None,
        "longitude": None,
    }


def customer_address(customer: Customer, value: Address, *, first: bool) -> dict[str, Any]:
    """One of a customer's addresses."""
    plain = address(value) or {}
    plain.pop("latitude", None)
    plain.pop("longitude", None)
    return {"id": value.id, "customer_id": customer.id, **plain, "country_name": value.country, "default": first}


def email_consent(shop: Shop, customer: Customer) -> dict[str, Any]:
    """Body of customers_email_marketing_consent/update."""
    consent = customer.email_consent
    return {
        "customer_id": customer.id,
        "email_address": customer.email if shop.spec.pii else None,
        "email_marketing_consent": {
            "state": consent.state.lower(),
            "opt_in_level": consent.level and consent.level.lower(),
            "consent_updated_at": local(consent.updated_at, shop.spec.utc_offset),
        },
    }


def sms_consent(shop: Shop, customer: Customer) -> dict[str, Any]:
    """Body of customers_marketing_consent/update, which names the customer ``id``."""
    consent = customer.sms_consent
    return {
        "id": customer.id,
        "phone": customer.phone if shop.spec.pii else None,
        "sms_marketing_consent": {
            "state": consent.state.lower(),
            "opt_in_level": consent.level and consent.level.lower(),
            "consent_updated_at": local(consent.updated_at, shop.spec.utc_offset),
            "consent_collected_from": consent.collected_from and consent.collected_from.lower(),
        },
    }


def purchasing_summary(shop: Shop, customer: Customer) -> dict[str, Any]:
    """Body of customers/purchasing_summary."""
    last = customer.last_order_id
    return {
        "customerId": gid("Customer", customer.id),
        "numberOfOrders": customer.orders_count,
        "amountSpent": {"amount": str(customer.spent), "currencyCode": shop.spec.currency},
        "lastOrderId": gid("Order", last) if last is not None else None,
        "occurredAt": zulu(customer.updated_at),
    }
