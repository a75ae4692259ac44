"""What can be done with each type of resource over the API: made, changed, dropped."""

from collections.abc import Callable, Mapping
from typing import Any

from integrations.standins.commercetools import (
    cart_actions,
    carts,
    customer_actions,
    customers,
    order_actions,
    orders,
    payments,
    product_actions,
    products,
    stock,
    subscriptions,
    surroundings,
)  # fmt: skip
from integrations.standins.commercetools.collection import Stored
from integrations.standins.commercetools.editing import Doing, check_unique
from integrations.standins.commercetools.errors import Refusal
from integrations.standins.commercetools.project import Project

STORED_BY: dict[str, Callable[..., Stored]] = {
    "customer": customers.create_customer,
    "cart": carts.create_cart,
    "order": orders.order_from_cart,
    "payment": payments.create_payment,
    "product": products.create_product,
    "inventory-entry": stock.create_entry,
    "standalone-price": stock.create_price,
    "subscription": subscriptions.create_subscription,
}
ACTIONS: dict[str, Mapping[str, Doing]] = {
    "customer": customer_actions.ACTIONS,
    "cart": cart_actions.ACTIONS,
    "order": order_actions.ACTIONS,
    "payment": payments.ACTIONS,
    "product": product_actions.ACTIONS,
    "inventory-entry": stock.ENTRY_ACTIONS,
    "standalone-price": stock.PRICE_ACTIONS,
    "subscription": subscriptions.ACTIONS,
    **surroundings.ACTIONS,
}
# what people and promotions can do beyond that
PEOPLE: dict[str, Mapping[str, Doing]] = {**ACTIONS, "customer": customer_actions.PEOPLE, "cart": cart_actions.PEOPLE}
IN_STORES = frozenset({"customer", "cart"})
GONE: dict[str, str] = {
    "product": "ProductDeleted", "category": "CategoryDeleted", "inventory-entry": "InventoryEntryDeleted",
    "standalone-price": "StandalonePriceDeleted", "store": "StoreDeleted",
}  # fmt: skip


def create(project: Project, type_id: str, draft: Any, *, store: str = "") -> Stored:
    """Make one from its draft; raises Refusal."""
    if not isinstance(draft, Mapping):
        raise Refusal("InvalidJsonInput", "Request body does not contain valid JSON.", detailedErrorMessage="An object is expected.")
    make = STORED_BY.get(type_id)
    if make is not None:
        return make(project, draft, store=store) if store and type_id in IN_STORES else make(project, draft)
    fields, messages = surroundings.MAKERS[type_id](project, draft)
    check_unique(project, type_id, fields)
    return project.create(type_id, fields, messages)


def delete(project: Project, type_id: str, row: Stored, *, erase: bool = False) -> None:
    """Drop one; raises Refusal where it is still in use."""
    if type_id == "customer":
        customers.delete_customer(project, row, erase=erase)
    elif type_id == "order":
        orders.delete_order(project, row, erase=erase)
    else:
        if type_id == "product" and row.doc()["masterData"]["published"]:
            raise Refusal("InvalidOperation", "A published product cannot be deleted; unpublish it first.")
        _check_unused(project, type_id, row)
        project.delete(type_id, row, [(GONE[type_id], {})] if type_id in GONE else [], erased=erase)


def _check_unused(project: Project, type_id: str, row: Stored) -> None:
    users = {"product-type": (("product-projection", ("productType", "id")),), "category": (("product-projection", ("categories", "id")),)}
    for other, path in users.get(type_id, ()):
        if project[other].equal(path, [row.id]):
            words = f"Can not delete a {type_id} while it is referenced from at least one 'product'."
            raise Refusal("ReferenceExists", words, status=400, referencedBy="product")
