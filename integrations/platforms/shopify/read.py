"""Reading from Shopify: hints made whole, and changes pulled by time of update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.errors import TryLater
from integrations.platforms.shopify.client import ShopifyClient
from integrations.platforms.shopify.full import Full, full_customers, full_orders, full_products

SETTLED = timedelta(seconds=30)  # the search index lags behind writes by seconds: newer changes wait for the next pull
PAGE_SIZE, MAX_PAGE = 50, 250  # connections take `first` up to 250


@dataclass(frozen=True, slots=True)
class Source:
    """How one kind of object is pulled: its listing document, the connection's name in it, and how ids become whole objects."""

    listing: str
    field: str
    shape: str
    full: Full | None
    batch: str = ""  # the document whose batch size a page keeps to


ORDERS = Source("orders_delta", "orders", "graphql:order", full_orders, "orders_full")
CUSTOMERS = Source("customers_delta", "customers", "graphql:customer", full_customers, "customers_full")
PRODUCTS = Source("products_delta", "products", "graphql:product", full_products, "products_full")
CHECKOUTS = Source("checkouts_delta", "abandonedCheckouts", "graphql:checkout", None)


def pull_of(source: Source) -> Callable[[ShopifyClient, Window, str | None], Page]:
    """The `pull` of a reader."""

    def pull(client: ShopifyClient, window: Window, cursor: str | None) -> Page:
        return _pull(source, client, window, cursor)

    return pull


def between(field: str, since: datetime, until: datetime) -> str:
    """Search text for [since, until) in UTC; both times quoted, since colons break bare values."""
    return f"{field}:>='{_stamp(since)}' AND {field}:<'{_stamp(until)}'"


def _pull(source: Source, client: ShopifyClient, window: Window, cursor: str | None) -> Page:
    """One page. The upper bound of the first page is kept by all that follow, so that rows which move while paging are met next time."""
    state = orjson.loads(cursor) if cursor else {"until": _until(window).isoformat(), "after": None}
    since, until = window.since, datetime.fromisoformat(state["until"])
    if since >= until:
        return Page()
    variables = {"first": _page_size(source, client), "after": state["after"], "q": between("updated_at", since, until)}
    if source.full is None:
        del variables["first"]  # the document's own size, which may shrink
    listed = client.call(source.listing, variables)[source.field]
    objects = tuple(_objects(source, client, listed["nodes"]))
    return Page(objects=objects, cursor=_next(state, listed["pageInfo"]), note=f"{len(objects)} changed until {until:%Y-%m-%d %H:%M} UTC")


def _objects(source: Source, client: ShopifyClient, nodes: Sequence[JsonObject]) -> Iterator[RawObject]:
    """Whole objects for the listed nodes; what was deleted since is left out."""
    if source.full is None:
        yield from (RawObject(source.shape, node) for node in nodes)
        return
    ids = list(dict.fromkeys(node["id"] for node in nodes))
    yield from (RawObject(source.shape, node) for _, node in source.full(client, ids) if node is not None)


def _next(state: Mapping[str, str | None], page_info: JsonObject) -> str | None:
    if not page_info["hasNextPage"]:
        return None
    after = page_info["endCursor"]
    if not after or after == state["after"]:
        raise TryLater("Shopify repeated a page: the window is read again", code="cursor_loop")
    return orjson.dumps({**state, "after": after}).decode()


def _page_size(source: Source, client: ShopifyClient) -> int:
    """The connection's page size, never more than one batch of whole objects: one page is one step that may be repeated."""
    wanted = min(max(1, int(client.setting("page_size", PAGE_SIZE))), MAX_PAGE)
    return min(wanted, client.size(source.batch, "batch")) if source.batch else wanted


def _until(window: Window) -> datetime:
    settled = datetime.now(UTC) - SETTLED
    return settled if window.until is None else min(window.until, settled)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
