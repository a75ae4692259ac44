"""Resources by their ids as they are now: asked for by query in hundreds, and one by one where a query does not show them yet.

A hint says which version it is about. What a query shows is older than that for some seconds after a write; a read by id never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.platforms.base import JsonObject, RawObject
from integrations.platforms.commercetools.client import MAX_IN, CommercetoolsClient, Where
from integrations.platforms.commercetools.resources import CUSTOMERS, ORDERS, Source, expansions, query_of

Wanted = Mapping[str, int]  # id → the least version that will do, 0 for any
Found = Iterator[tuple[str, tuple[RawObject, ...]]]
Whole = Callable[[CommercetoolsClient, Wanted], Found]
OF_PAYMENTS = "paymentInfo(payments(id in :ids))"


def named(client: CommercetoolsClient, rows: Sequence[JsonObject]) -> Sequence[JsonObject]:
    """Orders or carts with the address of their customer where they name the customer only."""
    nameless = [row for row in rows if row.get("customerId") and not row.get("customerEmail")]
    if nameless:
        people = dict(whole(CUSTOMERS)(client, dict.fromkeys((str(row["customerId"]) for row in nameless), 0)))
        for row in nameless:
            found = people[str(row["customerId"])]
            row["customerEmail"] = found[0].data.get("email") if found else None
    return rows


def whole(source: Source) -> Whole:
    """Reads resources of a collection: each id with its object, with none for one that is gone."""
    plain = replace(source, only=())

    def read(client: CommercetoolsClient, wanted: Wanted) -> Found:
        shown = {str(row.get("id")): row for row in named(client, list(client.among(query_of(client.account, plain), list(wanted))))}
        late = [key for key, version in wanted.items() if key not in shown or version_of(shown[key]) < version]
        waiting = set(late)
        yield from ((key, (RawObject(source.shape, shown[key]),)) for key in wanted if key not in waiting)
        for key, row in client.each(source.path, late, expand=expansions(client.account, source)):
            yield key, () if row is None else (RawObject(source.shape, *named(client, [row])),)

    return read


def orders_of_payments(client: CommercetoolsClient, wanted: Wanted) -> Found:
    """The orders that payments belong to, with the payments at least as new as asked for; none for a payment without order (yet).

    Nothing of an order changes when its payment does, not even its version.
    """
    for start in range(0, len(wanted), MAX_IN):
        batch = dict(list(wanted.items())[start : start + MAX_IN])
        found: dict[str, dict[str, JsonObject]] = {key: {} for key in batch}
        for order in _paid_with(client, list(batch)):
            for payment in _payments(order):
                if payment["id"] in found:
                    found[payment["id"]][str(order.get("id"))] = order
        late = {
            str(order["id"]): None
            for key, orders in found.items() for order in orders.values() if _shown(order, key) < batch[key]
        }  # fmt: skip
        fresh = dict(client.each(ORDERS.path, list(late), expand=expansions(client.account, ORDERS)))
        for key, orders in found.items():
            newest = (fresh.get(order_id, order) for order_id, order in orders.items())
            yield key, tuple(RawObject(ORDERS.shape, order) for order in named(client, [order for order in newest if order is not None]))


def version_of(row: JsonObject) -> int:
    """The version of a resource, 0 where it says none."""
    version = row.get("version")
    return version if isinstance(version, int) else 0


def _paid_with(client: CommercetoolsClient, ids: list[str]) -> Iterator[JsonObject]:
    """Orders that any of these payments belongs to, page after page."""
    last = ""
    while True:
        behind = (Where("id > :id", {"id": last}),) if last else ()
        page = client.page(query_of(client.account, ORDERS, Where(OF_PAYMENTS, {"ids": ids}), *behind, sort=("id asc",)))
        yield from page.rows
        following = str(page.rows[-1].get("id")) if page.rows else ""
        if not page.full or following == last:
            return
        last = following


def _payments(order: JsonObject) -> Iterator[JsonObject]:
    """References to the payments of an order, each with its id."""
    info = order.get("paymentInfo")
    listed = info.get("payments") if isinstance(info, dict) else None
    yield from (entry for entry in listed or () if isinstance(entry, dict) and isinstance(entry.get("id"), str))


def _shown(order: JsonObject, payment_id: str) -> int:
    """The version of a payment as the order brought it along; where that is not allowed there is none to wait for."""
    brought = [entry.get("obj") for entry in _payments(order) if entry["id"] == payment_id]
    return version_of(brought[0]) if brought and isinstance(brought[0], dict) else 2**63
