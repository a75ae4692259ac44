"""The webhook topics this room knows: what each is about, what it needs, and whether its body can be trusted as it is.

Product bodies are hints: they hold neither collections nor market prices, translations or the page's address, and beyond 100
variants only ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Subject(StrEnum):
    """What a topic's object is, and so how a hint is looked up."""

    ORDER = "Order"
    CUSTOMER = "Customer"
    PRODUCT = "Product"
    CHECKOUT = "Checkout"
    APP = "App"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `full` bodies are parsed as received, the others only name the object to fetch. `scope` empty = none needed."""

    name: str
    enum: str
    subject: Subject
    scope: str = ""
    full: bool = False
    id_path: tuple[str, ...] = ("id",)
    subscribed: bool = True
    enrichment: bool = False  # may wait and travel with others of its kind
    timeless: bool = False  # a body without a time of its own: the delivery's time is written into it


def _orders(name: str, *, full: bool = False, id_path: tuple[str, ...] = ("id",), scope: str = "read_orders") -> Topic:
    return Topic(name, name.upper().replace("/", "_"), Subject.ORDER, scope, full, id_path)


def _customers(
    name: str, *, id_path: tuple[str, ...] = ("id",), scope: str = "read_customers", full: bool = False, **traits: bool
) -> Topic:
    enum = name.upper().replace("/", "_").replace("CUSTOMER.", "CUSTOMER_")
    return Topic(name, enum, Subject.CUSTOMER, scope, full, id_path, **traits)


# Header topics of the Admin API webhook reference with the scope each subscription needs.
TOPICS: Mapping[str, Topic] = {
    topic.name: topic
    for topic in (
        _orders("orders/create", full=True),
        _orders("orders/updated", full=True),
        _orders("orders/paid", full=True),
        _orders("orders/cancelled", full=True),
        _orders("orders/fulfilled", full=True),
        _orders("orders/partially_fulfilled", full=True),
        _orders("orders/delete"),
        _orders("orders/edited", id_path=("order_edit", "order_id")),
        _orders("refunds/create", id_path=("order_id",)),
        _orders("fulfillments/create", id_path=("order_id",), scope="read_fulfillments"),
        _orders("fulfillments/update", id_path=("order_id",), scope="read_fulfillments"),
        _customers("customers/create"),
        _customers("customers/update"),
        _customers("customers/enable"),
        _customers("customers/disable"),
        _customers("customers/delete", full=True, timeless=True),
        _customers("customers/merge", id_path=("admin_graphql_api_customer_kept_id",), scope="read_customer_merge", timeless=True),
        _customers("customer.tags_added", id_path=("customerId",), enrichment=True),
        _customers("customer.tags_removed", id_path=("customerId",), enrichment=True),
        _customers("customers_email_marketing_consent/update", id_path=("customer_id",)),
        _customers("customers_marketing_consent/update"),
        _customers("customers/purchasing_summary", id_path=("customerId",), enrichment=True),
        Topic("products/create", "PRODUCTS_CREATE", Subject.PRODUCT, "read_products"),
        Topic("products/update", "PRODUCTS_UPDATE", Subject.PRODUCT, "read_products"),
        Topic("products/delete", "PRODUCTS_DELETE", Subject.PRODUCT, "read_products", full=True, timeless=True),
        Topic("checkouts/create", "CHECKOUTS_CREATE", Subject.CHECKOUT, "read_orders", full=True, id_path=("token",)),
        Topic("checkouts/update", "CHECKOUTS_UPDATE", Subject.CHECKOUT, "read_orders", full=True, id_path=("token",)),
        Topic("checkouts/delete", "CHECKOUTS_DELETE", Subject.CHECKOUT, "read_orders", full=True, id_path=("token",), timeless=True),
        Topic("app/uninstalled", "APP_UNINSTALLED", Subject.APP),
        Topic("app/scopes_update", "APP_SCOPES_UPDATE", Subject.APP),
    )
}


def is_hint(topic: Topic | None) -> bool:
    """Whether the object must be fetched because the body does not hold all of it."""
    return topic is not None and not topic.full


def object_key(topic: Topic | None, body: Mapping[str, Any]) -> str:
    """The numeric id (or token) of the object a body is about, empty when it does not say."""
    value: Any = body
    for part in topic.id_path if topic else ():
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value).rpartition("/")[2][:64] if isinstance(value, (str, int)) and topic is not None else ""
