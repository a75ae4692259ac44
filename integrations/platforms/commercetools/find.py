"""Asking commercetools for one thing: by its id, or by its number, address or SKU. Of a guest there are only orders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.platforms.base import Lookup, RawObject, SoughtBy
from integrations.platforms.commercetools.client import CommercetoolsClient, Query, Where
from integrations.platforms.commercetools.resources import CUSTOMERS, ORDERS, Source, query_of
from integrations.platforms.commercetools.subjects import WHOLE
from integrations.platforms.commercetools.topics import CUSTOMER, ORDER, PRODUCT
from integrations.platforms.errors import Refused

MOST = 5  # things that may fit one question
IDS: Mapping[SoughtBy, str] = {SoughtBy.ORDER_ID: ORDER, SoughtBy.CUSTOMER_ID: CUSTOMER, SoughtBy.PRODUCT_ID: PRODUCT}
OF_SKU = "masterVariant(sku = :value) or variants(sku = :value)"
# The field for addresses however they are written is not in the published schema, so the plain one is asked where it is refused.
ADDRESS, PLAIN_ADDRESS = "lowercaseEmail = :value", "email = :value"
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


def find(client: CommercetoolsClient, by: SoughtBy, value: str) -> Sequence[RawObject]:
    """The whole things that fit, at most five of a kind; none when commercetools has none or does not show it to this API client."""
    if by in IDS:
        return _whole(client, IDS[by], [value]) if _ID.fullmatch(value) else []
    return list(SEARCHES[by](client, value.strip()))


def _by_number(client: CommercetoolsClient, value: str) -> Iterator[RawObject]:
    yield from _fitting(client, ORDERS, Where("orderNumber = :value", {"value": value.removeprefix("#")}))


def _by_address(client: CommercetoolsClient, value: str) -> Iterator[RawObject]:
    """Customers with this address, and the newest orders that guests gave it for."""
    try:
        people = list(_fitting(client, CUSTOMERS, Where(ADDRESS, {"value": value.lower()})))
    except Refused:
        people = list(_fitting(client, CUSTOMERS, Where(PLAIN_ADDRESS, {"value": value})))
    yield from people
    yield from _fitting(client, ORDERS, Where("customerEmail = :value and customerId is not defined", {"value": value}))


def _by_sku(client: CommercetoolsClient, value: str) -> Iterator[RawObject]:
    query = Query(path="/product-projections", where=(Where(OF_SKU, {"value": value}),), limit=MOST)
    yield from _whole(client, PRODUCT, [str(row["id"]) for row in client.page(query).rows if row.get("id")])


def _fitting(client: CommercetoolsClient, source: Source, where: Where) -> Iterator[RawObject]:
    query = replace(query_of(client.account, source, where, sort=("createdAt desc",)), limit=MOST)
    yield from (RawObject(source.shape, row) for row in client.page(query).rows)


def _whole(client: CommercetoolsClient, type_id: str, ids: Sequence[str]) -> list[RawObject]:
    return [raw for _, objects in WHOLE[type_id](client, dict.fromkeys(ids, 0)) for raw in objects] if type_id in WHOLE and ids else []


SEARCHES = {SoughtBy.ORDER_NUMBER: _by_number, SoughtBy.EMAIL: _by_address, SoughtBy.SKU: _by_sku}
LOOKUP = Lookup(
    by=frozenset({*IDS, *SEARCHES}), find=find, reach="commercetools cannot be asked by phone number, and shows only what the scopes allow."
)
