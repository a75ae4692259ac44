"""Root fields of queries: lists by search, single objects by id, counts; each with the scope it needs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from integrations.standins.shopify.fields import shop as about
from integrations.standins.shopify.ids import kind_of, number_of
from integrations.standins.shopify.paging import count_of, search_page
from integrations.standins.shopify.people import Customer
from integrations.standins.shopify.resolvers import FIELDS, PROTECTED, Call, Refusal, Resolver
from integrations.standins.shopify.schema import VERSIONS
from integrations.standins.shopify.searches import searchable

# without read_all_orders an app sees orders of the last 60 days
ORDER_WINDOW = timedelta(days=60)
COUNT_LIMIT = 10_000
MAX_IDS = 250
TABLES = {
    "Customer": "customers",
    "Order": "orders",
    "Product": "products",
    "ProductVariant": "variants",
    "Collection": "collections",
    "AbandonedCheckout": "checkouts",
}
PARTS = {"Refund": "refunds", "Fulfillment": "fulfillments"}  # of an order
SCOPES = {
    "Customer": "read_customers",
    "Order": "read_orders",
    "Product": "read_products",
    "ProductVariant": "read_products",
    "Collection": "read_products",
    "AbandonedCheckout": "read_orders",
}


def _too_old(row: Any, call: Call) -> bool:
    return not call.allows("read_all_orders") and row.created_at < call.shop.now() - ORDER_WINDOW


def _by_id(kind: str) -> Resolver:
    return lambda source, arguments, call: _object(kind, arguments["id"], call)


def _object(kind: str, value: str, call: Call) -> Any:
    number = number_of(value, kind)
    row = None if number is None else getattr(call.shop, TABLES[kind]).get(number)
    return None if row is None or (kind == "Order" and _too_old(row, call)) else row


def _list(kind: str) -> Resolver:
    name = TABLES[kind]

    def resolve(source: Any, arguments: Any, call: Call) -> Any:
        table = getattr(call.shop, name)
        return search_page(table, searchable(call.shop, name), _recent(kind, arguments, call), call)

    return resolve


def _count(kind: str) -> Resolver:
    name = TABLES[kind]

    def resolve(source: Any, arguments: Any, call: Call) -> dict[str, Any]:
        query = _recent(kind, arguments, call).get("query")
        found = count_of(getattr(call.shop, name), searchable(call.shop, name), query, call)
        limit = arguments.get("limit", COUNT_LIMIT)
        if limit is not None and found > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": found, "precision": "EXACT"}

    return resolve


def _recent(kind: str, arguments: Any, call: Call) -> dict[str, Any]:
    """The arguments, for orders narrowed to what the token may see."""
    if kind != "Order" or call.allows("read_all_orders"):
        return dict(arguments)
    since = f"created_at:>='{(call.shop.now() - ORDER_WINDOW).isoformat()}'"
    query = arguments.get("query")
    return {**arguments, "query": f"({query}) AND {since}" if query else since}


def _customer_by_key(source: Any, arguments: Any, call: Call) -> Customer | None:
    """By id, e-mail or phone; not behind the search index."""
    wanted = arguments["identifier"]
    if wanted.get("id"):
        return _object("Customer", wanted["id"], call)
    handle = (wanted.get("emailAddress") or wanted.get("phoneNumber") or "").lower()
    number = call.shop.handles.get(handle)
    if number is None and call.shop.customers.filler is not None:
        number = call.shop.customers.filler.find(handle)
    return None if number is None else call.shop.customers.get(number)


def _order_by_key(source: Any, arguments: Any, call: Call) -> Any:
    wanted = arguments["identifier"]
    if wanted.get("id"):
        return _object("Order", wanted["id"], call)
    key = wanted["customId"]
    for order in call.shop.orders.live.values():
        for field in order.metafields:
            if (field.namespace, field.key, field.value) == (key.get("namespace"), key["key"], key["value"]):
                return order
    return None


def _nodes(source: Any, arguments: Any, call: Call) -> list[Any]:
    size = len(arguments["ids"])
    if size > MAX_IDS:
        raise Refusal(f"The input array size of {size} is greater than the maximum allowed of {MAX_IDS}.", "MAX_INPUT_SIZE_EXCEEDED")
    return [_node(value, call) for value in arguments["ids"]]


def _node(value: str, call: Call) -> Any:
    kind = kind_of(value)
    if kind in PARTS:
        return _part(kind, value, call)
    if kind not in TABLES:
        return None
    if not call.allows(SCOPES[kind]):
        call.deny("QueryRoot", kind, f"`{SCOPES[kind]}` access scope.")
        return None
    return _object(kind, value, call)


def _part(kind: str, value: str, call: Call) -> Any:
    """A refund or a fulfilment by its own id; seen with the scope of its order."""
    number = number_of(value, kind)
    order_id = call.shop.owners.get((kind, number))
    if order_id is None or not call.allows(SCOPES["Order"]):
        return None
    order = call.shop.orders.get(order_id)
    return None if order is None else next(((order, part) for part in getattr(order, PARTS[kind]) if part.id == number), None)


def _versions(source: Any, arguments: Any, call: Call) -> list[dict[str, Any]]:
    return [{"handle": version, "displayName": version, "supported": True} for version in VERSIONS]


def _scoped(scope: str, **resolvers: Callable[..., Any]) -> dict[str, Resolver]:
    PROTECTED.update({("QueryRoot", name): scope for name in resolvers})
    return resolvers


FIELDS["QueryRoot"] = {
    "shop": about.shop_object,
    "currentAppInstallation": about.installation,
    "publicApiVersions": _versions,
    "node": lambda source, arguments, call: _node(arguments["id"], call),
    "nodes": _nodes,
    **_scoped("read_locations", locations=about.locations),
    **_scoped("read_locales", shopLocales=about.locales),
    **_scoped("read_markets", markets=about.markets),
    **_scoped(
        "read_customers",
        customers=_list("Customer"),
        customer=_by_id("Customer"),
        customersCount=_count("Customer"),
        customerByIdentifier=_customer_by_key,
    ),
    **_scoped(
        "read_orders",
        orders=_list("Order"),
        order=_by_id("Order"),
        ordersCount=_count("Order"),
        orderByIdentifier=_order_by_key,
        abandonedCheckouts=_list("AbandonedCheckout"),
        abandonedCheckoutsCount=_count("AbandonedCheckout"),
    ),
    **_scoped(
        "read_products",
        products=_list("Product"),
        product=_by_id("Product"),
        productsCount=_count("Product"),
        productVariants=_list("ProductVariant"),
        productVariant=_by_id("ProductVariant"),
        productVariantsCount=_count("ProductVariant"),
        collections=_list("Collection"),
        collection=_by_id("Collection"),
        collectionsCount=_count("Collection"),
    ),
}
