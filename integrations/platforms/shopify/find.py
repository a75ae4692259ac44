"""Asking Shopify for one thing: by its id, or by a search for its number, address or SKU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import Lookup, RawObject, SoughtBy
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.expand import SHAPES
from integrations.platforms.shopify.full import FULL, gid
from integrations.platforms.shopify.topics import Subject

MOST = 5  # things that may fit one search

IDS: Mapping[SoughtBy, Subject] = {
    SoughtBy.ORDER_ID: Subject.ORDER, SoughtBy.CUSTOMER_ID: Subject.CUSTOMER, SoughtBy.PRODUCT_ID: Subject.PRODUCT,
}  # fmt: skip
# Filters of the Admin API's search: document, its connection, subject, and the query; an order's name may begin with a sign of the shop's.
SEARCHES: Mapping[SoughtBy, tuple[str, str, Subject, str]] = {
    SoughtBy.ORDER_NUMBER: ("orders_delta", "orders", Subject.ORDER, "name:{0} OR name:{1}"),
    SoughtBy.EMAIL: ("customers_delta", "customers", Subject.CUSTOMER, "email:{0}"),
    SoughtBy.PHONE: ("customers_delta", "customers", Subject.CUSTOMER, "phone:{0}"),
    SoughtBy.SKU: ("products_delta", "products", Subject.PRODUCT, "sku:{0}"),
}


def find(client: ShopifyClient, by: SoughtBy, value: str) -> Sequence[RawObject]:
    """The whole things that fit, at most five; none when Shopify has none or does not show it to this app."""
    if by in IDS:
        subject, ids = IDS[by], [gid(IDS[by], value)] if value.isascii() and value.isdecimal() else []
    else:
        document, connection, subject, query = SEARCHES[by]
        text = query.format(_quoted(value), _quoted(f"#{value.removeprefix('#')}"))
        listed = client.call(document, {"first": MOST, "after": None, "q": text})[connection]
        ids = [node["id"] for node in listed["nodes"]]
    return [RawObject(SHAPES[subject], node) for _, node in FULL[subject](client, ids) if node is not None] if ids else []


def _quoted(value: str) -> str:
    """A value as the search grammar takes it whole."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


LOOKUP = Lookup(
    by=frozenset({*IDS, *SEARCHES}),
    find=find,
    reach="Shopify shows an app orders that are older than 60 days only with the permission read_all_orders.",
)
