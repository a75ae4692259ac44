"""Which filters and sort keys each searchable list of a shop has."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from integrations.standins.shopify.paging import Searchable
from integrations.standins.shopify.search import Filter
from integrations.standins.shopify.shops import Shop


def _get(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _filter(kind: str, name: str) -> Filter:
    return Filter(kind, _get(name))


def _indexed_time(shop: Shop) -> Callable[[Any], datetime]:
    """``updated_at`` as the index knows it, which is late by the shop's search lag."""

    def read(row: Any) -> datetime:
        if shop.search_lag and row.indexed_as is not None and shop.clock.now() - row.indexed_at < shop.search_lag:
            return row.indexed_as
        return row.updated_at

    return read


def _times(shop: Shop) -> dict[str, Filter]:
    return {
        "id": _filter("id", "id"),
        "created_at": _filter("time", "created_at"),
        "updated_at": Filter("time", _indexed_time(shop)),
    }


def _sorts(shop: Shop, **more: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    return {"ID": _get("id"), "CREATED_AT": _get("created_at"), "UPDATED_AT": _indexed_time(shop), **more}


def orders(shop: Shop) -> Searchable:
    """Orders; the default order is that of processing."""
    filters = {
        **_times(shop),
        "processed_at": _filter("time", "created_at"),
        "name": _filter("text", "name"),
        "email": _filter("text", "email"),
        "customer_id": _filter("id", "customer_id"),
        "financial_status": _filter("text", "financial_status"),
        "fulfillment_status": Filter("text", _shipped),
        "status": Filter("many", _order_states),
        "tag": _filter("many", "tags"),
        "test": _filter("bool", "test"),
        "source_name": _filter("text", "source_name"),
        "source_identifier": _filter("text", "source_identifier"),
        "sku": Filter("many", lambda order: [line.sku for line in order.lines if line.sku]),
        "discount_code": Filter("many", lambda order: [granted.title for granted in order.applications if granted.kind == "code"]),
        "default": Filter("words", lambda order: [order.name, order.email or ""]),
    }
    windows = {"CREATED_AT": "created_at", "PROCESSED_AT": "processed_at", "UPDATED_AT": "updated_at"}
    return Searchable("orders", filters, _sorts(shop, PROCESSED_AT=_get("created_at")), "PROCESSED_AT", windows)


def _shipped(order: Any) -> str:
    return {"PARTIALLY_FULFILLED": "partial", "UNFULFILLED": "unfulfilled"}.get(order.fulfillment_status, "shipped")


def _order_states(order: Any) -> list[str]:
    if order.cancelled_at is not None:
        return ["cancelled", "any"]
    return ["open" if order.closed_at is None else "closed", "any"]


def customers(shop: Shop) -> Searchable:
    """Customers."""
    filters = {
        **_times(shop),
        "customer_date": _filter("time", "created_at"),
        "email": _filter("text", "email"),
        "phone": _filter("text", "phone"),
        "first_name": _filter("text", "first_name"),
        "last_name": _filter("text", "last_name"),
        "state": _filter("text", "state"),
        "tag": _filter("many", "tags"),
        "orders_count": _filter("number", "orders_count"),
        "total_spent": _filter("number", "spent"),
        "accepts_marketing": Filter("bool", lambda customer: customer.email_consent.state == "SUBSCRIBED"),
        "country": Filter("many", lambda customer: [address.country or "" for address in customer.addresses]),
        "default": Filter("words", lambda customer: [customer.first_name or "", customer.last_name or "", customer.email or ""]),
    }
    windows = {"CREATED_AT": "created_at", "UPDATED_AT": "updated_at"}
    return Searchable("customers", filters, _sorts(shop), "ID", windows)


def products(shop: Shop) -> Searchable:
    """Products."""

    def variants(product: Any) -> list[Any]:
        return [variant for number in product.variant_ids if (variant := shop.variants.get(number)) is not None]

    filters = {
        **_times(shop),
        "published_at": _filter("time", "published_at"),
        "title": _filter("words", "title"),
        "handle": _filter("text", "handle"),
        "status": _filter("text", "status"),
        "tag": _filter("many", "tags"),
        "vendor": _filter("text", "vendor"),
        "product_type": _filter("text", "type"),
        "sku": Filter("words", lambda product: [variant.sku or "" for variant in variants(product)]),
        "barcode": Filter("many", lambda product: [variant.barcode or "" for variant in variants(product)]),
        "default": _filter("words", "title"),
    }
    return Searchable("products", filters, _sorts(shop, TITLE=_get("title")))


def variants(shop: Shop) -> Searchable:
    """Product variants, which can be filtered but not sorted by update."""
    filters = {
        "id": _filter("id", "id"),
        "updated_at": Filter("time", _indexed_time(shop)),
        "product_id": _filter("id", "product_id"),
        # tokenised: "A-1" also finds "A-1-RED"
        "sku": Filter("words", lambda variant: [variant.sku or ""]),
        "barcode": _filter("text", "barcode"),
        "default": Filter("words", lambda variant: [variant.sku or "", variant.title]),
    }
    return Searchable("productVariants", filters, {"ID": _get("id"), "POSITION": _get("id")})


def collections(shop: Shop) -> Searchable:
    """Collections."""
    filters = {
        "id": _filter("id", "id"),
        "updated_at": Filter("time", _indexed_time(shop)),
        "title": _filter("words", "title"),
        "handle": _filter("text", "handle"),
        "default": _filter("words", "title"),
    }
    return Searchable("collections", filters, {"ID": _get("id"), "TITLE": _get("title"), "UPDATED_AT": _indexed_time(shop)})


def checkouts(shop: Shop) -> Searchable:
    """Abandoned checkouts, sorted by creation or id only."""
    filters = {
        **_times(shop),
        "email": _filter("text", "email"),
        "recovery_state": Filter("text", lambda checkout: "recovered" if checkout.completed_at else "not_recovered"),
        "status": Filter("text", lambda checkout: "closed" if checkout.completed_at else "open"),
    }
    return Searchable("abandonedCheckouts", filters, {"ID": _get("id"), "CHECKOUT_ID": _get("id"), "CREATED_AT": _get("created_at")})


SEARCHABLES: dict[str, Callable[[Shop], Searchable]] = {
    "orders": orders,
    "customers": customers,
    "products": products,
    "variants": variants,
    "collections": collections,
    "checkouts": checkouts,
}


def searchable(shop: Shop, name: str) -> Searchable:
    """How one of the shop's tables is searched."""
    found = shop.searchables.get(name)
    if found is None:
        found = shop.searchables[name] = SEARCHABLES[name](shop)
    return found
