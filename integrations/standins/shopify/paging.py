"""Connections: pages of lists an object holds, and pages of searches over a whole table, by opaque cursors."""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

import orjson

from integrations.standins.shopify.ids import parse_time
from integrations.standins.shopify.resolvers import FIELDS, Call, Refusal
from integrations.standins.shopify.search import Filter, Search, understand
from integrations.standins.shopify.tables import Table

MAX_PAGE = 250
# a paginated connection ends there
MAX_DEPTH = 25_000


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a connection; cursors belong to the nodes, which in a bulk operation may come lazily and without any."""

    nodes: Iterable[Any]
    cursors: list[str]
    has_next: bool = False
    has_previous: bool = False
    # in a bulk operation: these indexes of the table's filler belong to the page too
    filled: range = range(0)


@dataclass(frozen=True, slots=True)
class Searchable:
    """How a table is searched and sorted: filter names, sort keys, the default one; ``times`` are filters that rise with a filler."""

    name: str
    filters: Mapping[str, Filter]
    sorts: Mapping[str, Callable[[Any], Any]]
    default: str = "ID"
    # filter name of a sort key, where both are the same time
    windows: Mapping[str, str] | None = None


def size_of(arguments: Mapping[str, Any], call: Call) -> tuple[int, bool]:
    """The page size and whether it is counted from the end; raises Refusal when neither first nor last is right."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise Refusal("you must provide one of first or last", "BAD_REQUEST")
    if first is not None and last is not None:
        raise Refusal("providing both first and last is not supported", "BAD_REQUEST")
    size = first if first is not None else last
    if not 1 <= size <= MAX_PAGE:
        raise Refusal(f"The number of items must be between 1 and {MAX_PAGE}, not {size}", "BAD_REQUEST")
    return size, last is not None


def page_of(rows: Iterable[Any], arguments: Mapping[str, Any], call: Call) -> Page:
    """A page of a list that is at hand; its cursors are positions."""
    rows = list(rows)
    if call.bulk:
        return Page(rows, [])
    size, backwards = size_of(arguments, call)
    if arguments.get("reverse"):
        rows.reverse()
    start = _position(arguments.get("after"), -1) + 1
    stop = _position(arguments.get("before"), len(rows))
    if backwards:
        start = max(start, stop - size)
    else:
        stop = min(stop, start + size)
    cursors = [_pack([index]) for index in range(start, stop)]
    return Page(rows[start:stop], cursors, stop < len(rows), start > 0)


def search_page(table: Table[Any], searchable: Searchable, arguments: Mapping[str, Any], call: Call) -> Page:
    """A page of a search, with warnings noted; in a bulk operation every match, lazily."""
    search = search_for(searchable, arguments.get("query"), call)
    sort = arguments.get("sortKey") or searchable.default
    read = searchable.sorts.get(sort) or searchable.sorts["ID"]
    reverse = bool(arguments.get("reverse"))
    window = (searchable.windows or {}).get(sort)
    if call.bulk:
        span = _span(table, search, searchable)
        if span is not None:
            return Page([row for row in list(table.live.values()) if search.matches(row)], [], filled=span)
        return Page(_candidates(table, search, read, window=window, call=call), [])
    size, backwards = size_of(arguments, call)
    stamp = crc32(f"{searchable.name} {call.version} {sort} {reverse} {arguments.get('query') or ''}".encode())
    edge = _resume(arguments.get("before" if backwards else "after"), stamp)
    down = reverse != backwards
    candidates = _candidates(table, search, read, window=window, call=call, reverse=down, edge=edge)
    rows, more = _walk(candidates, edge, read, size=size, reverse=down)
    count = (edge[2] if edge else 0) + len(rows)
    cursors = [_pack([_written(read(row)), row.id, count, stamp]) for row in rows]
    more = more and count < MAX_DEPTH
    if backwards:
        return Page(rows[::-1], cursors[::-1], edge is not None, more)
    return Page(rows, cursors, more, edge is not None)


def search_for(searchable: Searchable, query: str | None, call: Call) -> Search:
    """The query understood, its warnings noted in the call; raises Refusal when it makes no sense."""
    try:
        search = understand(query, searchable.filters, call.version)
    except ValueError as error:
        raise Refusal(str(error), "INVALID_FIELD_ARGUMENTS") from error
    if search.warnings:
        call.warnings.append({"path": [call.root], "query": query, "warnings": search.warnings})
    return search


def count_of(table: Table[Any], searchable: Searchable, query: str | None, call: Call) -> int:
    """How many rows match."""
    search = search_for(searchable, query, call)
    seen = visible(call)
    live = sum(1 for row in table.live.values() if seen(row) and search.matches(row))
    if table.filler is None:
        return live
    span = _span(table, search, searchable)
    if span is not None:
        overlaid = (key - table.filler.first_id for key in table.taken())
        return live + len(span) - sum(1 for index in overlaid if index in span)
    return live + sum(1 for row in table.filled() if search.matches(row))


def _span(table: Table[Any], search: Search, searchable: Searchable) -> range | None:
    """Indexes of the filler that match, when the query is nothing but windows of times that rise with it; else None."""
    asked = set(search.low) | set(search.high)
    if table.filler is None or not search.only_windows or not asked <= set((searchable.windows or {}).values()):
        return None
    start = max((table.index_at(low) for low in search.low.values()), default=0)
    stop = min((table.index_at(high) for high in search.high.values()), default=table.filler.count)
    return range(start, max(start, stop))


def visible(call: Call) -> Callable[[Any], bool]:
    """Whether the search index knows a row already."""
    lag = call.shop.search_lag
    if not lag:
        return lambda row: True
    now = call.shop.clock.now()
    return lambda row: row.indexed_as is not None or now - row.indexed_at >= lag


def _candidates(
    table: Table[Any],
    search: Search,
    read: Callable[[Any], Any],
    *,
    window: str | None,
    call: Call,
    reverse: bool = False,
    edge: tuple[Any, int, int] | None = None,
) -> Iterator[Any]:
    low = search.low.get(window) if window and not reverse else None
    if edge is not None and not reverse and isinstance(edge[0], datetime):
        low = max(edge[0], low) if low is not None else edge[0]
    high = search.high.get(window) if window and not reverse else None
    seen = visible(call)
    for row in table.ordered(lambda row: (read(row), row.id), low=low, reverse=reverse):
        if high is not None and table.filler is not None and read(row) >= high:
            return
        if seen(row) and search.matches(row):
            yield row


def _walk(
    rows: Iterable[Any], edge: tuple[Any, int, int] | None, read: Callable[[Any], Any], *, size: int, reverse: bool
) -> tuple[list[Any], bool]:
    """Rows of one page beyond the edge, and whether there are more."""
    found: list[Any] = []
    for row in rows:
        if edge is not None:
            place = (read(row), row.id)
            if place >= edge[:2] if reverse else place <= edge[:2]:
                continue
        if len(found) == size:
            return found, True
        found.append(row)
    return found, False


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value) if not isinstance(value, (int, str)) else value


def _pack(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode()


def _unpack(cursor: str) -> list[Any]:
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error) as error:
        raise Refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST") from error
    if not isinstance(parts, list):
        raise Refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST")
    return parts


def _position(cursor: str | None, missing: int) -> int:
    if cursor is None:
        return missing
    parts = _unpack(cursor)
    if len(parts) != 1 or not isinstance(parts[0], int):
        raise Refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST")
    return parts[0]


def _resume(cursor: str | None, stamp: int) -> tuple[Any, int, int] | None:
    if cursor is None:
        return None
    parts = _unpack(cursor)
    if len(parts) != 4 or parts[3] != stamp:
        raise Refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST")
    value = parse_time(parts[0]) or parts[0] if isinstance(parts[0], str) and "T" in parts[0] else parts[0]
    return value, parts[1], parts[2]


FIELDS["Connection"] = {
    "nodes": lambda page, arguments, call: page.nodes,
    "edges": lambda page, arguments, call: list(zip(page.cursors, page.nodes, strict=True)),
    "pageInfo": lambda page, arguments, call: {
        "hasNextPage": page.has_next,
        "hasPreviousPage": page.has_previous,
        "startCursor": page.cursors[0] if page.cursors else None,
        "endCursor": page.cursors[-1] if page.cursors else None,
    },
    "cursor": lambda edge, arguments, call: edge[0],
    "node": lambda edge, arguments, call: edge[1],
}
