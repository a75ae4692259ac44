"""Every type of resource: where it is served, who may read and write it, what is unique and what queries find without a search."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Doc = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One type; scopes are those of which a caller needs one."""

    type_id: str
    path: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    # fields whose values no two resources share, and what is compared
    unique: Mapping[str, Callable[[Doc], tuple[str, ...]]] = field(default_factory=dict)
    # paths on which an equality is looked up instead of searched
    indexed: tuple[Path, ...] = ()
    # paths on which the stand-in itself must find resources at once, however late queries are
    lookups: tuple[Path, ...] = ()
    # which of the resource's fields name it in notifications
    names: tuple[str, ...] = ("key",)
    # by which path segments beside the id one can be addressed: "key=", "order-number="
    addresses: tuple[str, ...] = ("key",)


def email_keys(doc: Doc) -> tuple[str, ...]:
    """The address without case, once for each store: a store has addresses of its own, and so has the project outside of all stores."""
    stores = [store["key"] for store in doc.get("stores") or ()] or [""]
    return tuple(f"{store}|{doc['email'].lower()}" for store in stores)


def _stock_key(doc: Doc) -> tuple[str, ...]:
    return (f"{doc['sku']}|{(doc.get('supplyChannel') or {}).get('id', '')}",)


def _interface_key(doc: Doc) -> tuple[str, ...]:
    interface, number = (doc.get("paymentMethodInfo") or {}).get("paymentInterface"), doc.get("interfaceId")
    return (f"{interface}|{number}",) if interface and number else ()


def _plain(name: str) -> Callable[[Doc], tuple[str, ...]]:
    return lambda doc: (doc[name],) if doc.get(name) else ()


def _view(*names: str) -> tuple[str, ...]:
    return tuple(f"view_{name}" for name in names)


def _manage(*names: str) -> tuple[str, ...]:
    return tuple(f"manage_{name}" for name in names)


KEYED = {"key": _plain("key")}
KINDS: dict[str, Kind] = {
    kind.type_id: kind
    for kind in (
        Kind("customer", "customers", _view("customers"), _manage("customers"),
             {**KEYED, "customerNumber": _plain("customerNumber"), "email": email_keys},
             (("lowercaseEmail",), ("email",), ("key",), ("customerNumber",), ("externalId",)),
             names=("key", "externalId", "customerNumber")),
        Kind("order", "orders", _view("orders"), _manage("orders"), {"orderNumber": _plain("orderNumber")},
             (("orderNumber",), ("customerId",), ("customerEmail",), ("paymentInfo", "payments", "id"), ("cart", "id"), ("anonymousId",)),
             (("anonymousId",), ("paymentInfo", "payments", "id")), ("orderNumber",), ("order-number",)),
        Kind("cart", "carts", _view("orders"), _manage("orders"), KEYED, (("customerId",), ("anonymousId",), ("customerEmail",), ("key",)),
             (("anonymousId",), ("customerId",), ("paymentInfo", "payments", "id"))),
        Kind("payment", "payments", _view("payments"), _manage("payments"), {**KEYED, "interfaceId": _interface_key},
             (("key",), ("interfaceId",), ("customer", "id"))),
        Kind("product", "products", _view("products"), _manage("products"), KEYED, (("key",),)),
        Kind("product-projection", "product-projections", _view("published_products", "products"), (), {},
             (("key",), ("masterVariant", "sku"), ("variants", "sku"), ("productType", "id"), ("categories", "id"))),
        Kind("staged-projection", "", _view("products"), (), {},
             (("key",), ("masterVariant", "sku"), ("variants", "sku"), ("productType", "id"), ("categories", "id"))),
        Kind("product-type", "product-types", _view("products"), _manage("products"), KEYED, (("key",),)),
        Kind("category", "categories", _view("products", "categories"), _manage("products", "categories"), KEYED, (("key",),),
             names=("key", "externalId")),
        Kind("channel", "channels", _view("products", "orders", "stores"), _manage("products", "orders", "stores"), KEYED, (("key",),)),
        Kind("inventory-entry", "inventory", _view("products"), _manage("products"), {**KEYED, "sku": _stock_key},
             (("sku",), ("key",), ("supplyChannel", "id")), names=("key", "sku")),
        Kind("standalone-price", "standalone-prices", _view("standalone_prices", "products"), _manage("standalone_prices", "products"),
             KEYED, (("sku",), ("key",)), (("sku",),), ("key", "sku")),
        Kind("store", "stores", _view("stores"), _manage("stores"), KEYED, (("key",),)),
        Kind("type", "types", _view("types"), _manage("types"), KEYED, (("key",),)),
        Kind("state", "states", _view("states", "orders"), _manage("states", "orders"), KEYED, (("key",),)),
        Kind("customer-group", "customer-groups", _view("customers", "customer_groups"), _manage("customers", "customer_groups"),
             KEYED, (("key",),)),
        Kind("discount-code", "discount-codes", _view("discount_codes"), _manage("discount_codes"), {"code": _plain("code")},
             (("code",),)),
        Kind("message", "messages", _view("messages"), (), {}, (("resource", "id"),), names=(), addresses=()),
        Kind("subscription", "subscriptions", ("manage_subscriptions",), ("manage_subscriptions",), KEYED, (("key",),)),
    )
}  # fmt: skip
BY_PATH = {kind.path: kind for kind in KINDS.values() if kind.path}
SCHEMA_OF = {"staged-projection": "product-projection"}


def values_at(doc: Any, path: Path) -> Iterator[Any]:
    """Every plain value at a path, looking into lists."""
    if isinstance(doc, list):
        for item in doc:
            yield from values_at(item, path)
    elif not path:
        if doc is not None and not isinstance(doc, dict):
            yield doc
    elif isinstance(doc, dict):
        yield from values_at(doc.get(path[0]), path[1:])


def for_queries(kind: Kind, doc: Doc) -> Doc:
    """A document with the fields that only queries know."""
    return {**doc, "lowercaseEmail": doc["email"].lower()} if kind.type_id == "customer" else doc
