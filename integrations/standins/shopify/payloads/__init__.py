"""Webhook bodies: JSON in the older REST style (snake case, numeric ids, money as strings, lower-case states, local times)."""

from collections.abc import Callable
from typing import Any

from integrations.standins.shopify.ids import gid, zulu
from integrations.standins.shopify.order_life import order_of_fulfillment
from integrations.standins.shopify.payloads.customers import email_consent, full_customer, purchasing_summary, sms_consent
from integrations.standins.shopify.payloads.orders import fulfillment, full_order, refund
from integrations.standins.shopify.payloads.products import full_checkout, full_product
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.tables import Missing

ORDER_TOPICS = ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")


def payload_of(shop: Shop, topic: str, key: int) -> dict[str, Any]:
    """The usual body of a topic for the object with that id; raises Missing, and ValueError for a topic that has none."""
    render = PAYLOADS.get(topic)
    if render is None:
        raise ValueError(f"The stand-in has no payload for {topic}.")
    return render(shop, key)


def _order(shop: Shop, key: int) -> dict[str, Any]:
    return full_order(shop, _found(shop.orders.get(key), "order", key))


def _fulfillment(shop: Shop, key: int) -> dict[str, Any]:
    order = order_of_fulfillment(shop, key)
    return fulfillment(shop, order, next(parcel for parcel in order.fulfillments if parcel.id == key))


def _refund(shop: Shop, key: int) -> dict[str, Any]:
    order = shop.orders.own(_found(shop.owners.get(("Refund", key)), "refund", key))
    return refund(shop, order, next(made for made in order.refunds if made.id == key))


def _customer(render: Callable[..., dict[str, Any]]) -> Callable[[Shop, int], dict[str, Any]]:
    return lambda shop, key: render(shop, _found(shop.customers.get(key), "customer", key))


def _product(shop: Shop, key: int) -> dict[str, Any]:
    return full_product(shop, _found(shop.products.get(key), "product", key))


def _checkout(shop: Shop, key: int) -> dict[str, Any]:
    return full_checkout(shop, _found(shop.checkouts.get(key), "checkout", key))


def _bulk(shop: Shop, key: int) -> dict[str, Any]:
    operation = _found(shop.bulk_operations.get(key), "bulk operation", key)
    return {
        "admin_graphql_api_id": gid("BulkOperation", key),
        "completed_at": operation.completed_at and zulu(operation.completed_at),
        "created_at": zulu(operation.created_at),
        "error_code": operation.error_code and operation.error_code.lower(),
        "status": operation.status.lower(),
        "type": operation.type.lower(),
    }


def _shop(shop: Shop, key: int) -> dict[str, Any]:
    spec = shop.spec
    return {"id": key, "name": spec.name, "domain": spec.domain, "myshopify_domain": spec.domain, "currency": spec.currency}


def _found(row: Any, kind: str, key: int) -> Any:
    if row is None:
        raise Missing(f"No {kind} {key} in this shop.")
    return row


PAYLOADS: dict[str, Callable[[Shop, int], dict[str, Any]]] = {
    **{f"orders/{name}": _order for name in ORDER_TOPICS},
    "refunds/create": _refund,
    "fulfillments/create": _fulfillment,
    "fulfillments/update": _fulfillment,
    **{f"customers/{name}": _customer(full_customer) for name in ("create", "update", "enable", "disable")},
    "customers_email_marketing_consent/update": _customer(email_consent),
    "customers_marketing_consent/update": _customer(sms_consent),
    "customers/purchasing_summary": _customer(purchasing_summary),
    "products/create": _product,
    "products/update": _product,
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
    "bulk_operations/finish": _bulk,
    "app/uninstalled": _shop,
    "shop/update": _shop,
}
