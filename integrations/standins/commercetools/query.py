"""Query endpoints: where, sort, limit, offset, withTotal over one collection, page by page."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from heapq import nsmallest
from typing import Any
from urllib.parse import parse_qsl

from integrations.standins.commercetools.collection import SORTED, Collection, Stored
from integrations.standins.commercetools.errors import invalid
from integrations.standins.commercetools.kinds import SCHEMA_OF, for_queries
from integrations.standins.commercetools.matching import Test, bound, test_of
from integrations.standins.commercetools.planning import equalities, range_of, top_fields
from integrations.standins.commercetools.predicates import And, Node, parse, variables_of
from integrations.standins.commercetools.schema import FREE, LOCALISED, SCHEMAS

LIMIT, MOST, FARTHEST, MOST_TOTAL = 20, 500, 10_000, 10_000
SortKey = tuple[tuple[str, ...], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it came, checked."""

    where: Node | None
    sort: tuple[SortKey, ...]
    limit: int
    offset: int
    with_total: bool
    expand: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What a query found; ``total`` only if asked for."""

    rows: list[Stored]
    limit: int
    offset: int
    total: int | None


def read_query(raw_query: str, type_id: str, *, also: Sequence[str] = ()) -> Asked:
    """The parameters of a query endpoint; ``also`` are further predicates. Raises Refusal."""
    pairs = parse_qsl(raw_query, keep_blank_values=True)
    schema = SCHEMAS[SCHEMA_OF.get(type_id, type_id)]
    variables = variables_of(pairs)
    wheres = [bound(parse(text), schema, variables) for text in (*also, *(value for name, value in pairs if name == "where"))]
    plain = dict(pairs)
    return Asked(
        where=wheres[0] if len(wheres) == 1 else And(tuple(wheres)) if wheres else None,
        sort=tuple(_sort_key(value, schema) for name, value in pairs if name == "sort"),
        limit=_number(plain.get("limit"), "limit", LIMIT, MOST),
        offset=_number(plain.get("offset"), "offset", 0, FARTHEST),
        with_total=_flag(plain.get("withTotal"), "withTotal", otherwise=True),
        expand=tuple(value for name, value in pairs if name == "expand"),
    )


def run(collection: Collection, asked: Asked) -> Page:
    """The page of a collection that a query asks for."""
    type_id = collection.kind.type_id
    fits = _fitting(asked.where, SCHEMAS[SCHEMA_OF.get(type_id, type_id)], collection)
    found, sorted_already = _candidates(collection, asked)
    wanted = asked.offset + asked.limit
    if sorted_already:
        rows = _first(found, fits, wanted)
        matches = len(rows) + _count(found, fits, MOST_TOTAL - len(rows)) if asked.with_total and asked.where is not None else 0
    else:
        every = [row for row in found if fits is None or fits(row)]
        rows, matches = _in_order(every, asked.sort, wanted), len(every)
    total = len(collection.shown) if asked.where is None else min(matches, MOST_TOTAL)
    return Page(rows[asked.offset : wanted], asked.limit, asked.offset, total if asked.with_total else None)


def _first(found: Iterator[Stored], fits: Callable[[Stored], bool] | None, wanted: int) -> list[Stored]:
    rows: list[Stored] = []
    if wanted:
        for row in found:
            if fits is None or fits(row):
                rows.append(row)
                if len(rows) == wanted:
                    break
    return rows


def _count(rest: Iterator[Stored], fits: Callable[[Stored], bool] | None, most: int) -> int:
    count = 0
    for row in rest:
        if count >= most:
            break
        count += fits is None or fits(row)
    return max(0, count)


def _candidates(collection: Collection, asked: Asked) -> tuple[Iterator[Stored], bool]:
    """Rows that can fit, by the cheapest way there is, and whether they come in the order asked for."""
    shown, size = collection.shown, len(collection.shown)
    if asked.where is not None:
        for path, values in equalities(asked.where):
            keys = dict.fromkeys(values) if path == ("id",) else collection.equal(path, values)
            if keys is not None:
                return (shown[key] for key in keys if key in shown), False
    spans = {name: _span(collection, asked.where, name) for name in SORTED}
    narrow = min(SORTED, key=lambda name: spans[name][1] - spans[name][0])
    count = spans[narrow][1] - spans[narrow][0]
    first, backwards = (asked.sort[0][0][0], asked.sort[0][1]) if asked.sort else ("id", False)
    if first in SORTED and (len(asked.sort) < 2 or _sorts_like_index(asked.sort)):
        begin, end = spans[first]
        if first == narrow or min(end - begin, (asked.offset + asked.limit) * size // max(1, count)) <= count:
            return (shown[key] for key in collection.sorted[first].keys(begin, end, backwards=backwards)), True
    begin, end = spans[narrow]
    return (shown[key] for key in collection.sorted[narrow].keys(begin, end)), False


def _sorts_like_index(sort: tuple[SortKey, ...]) -> bool:
    """Ties of a sorted field are in the order of ids, which is what a second key usually asks for."""
    return len(sort) == 2 and sort[1][0] == ("id",) and sort[0][1] == sort[1][1]


def _span(collection: Collection, where: Node | None, name: str) -> tuple[int, int]:
    low, high = (None, None) if where is None else range_of(where, name)
    return collection.sorted[name].span(low, high)


def _fitting(where: Node | None, schema: Any, collection: Collection) -> Callable[[Stored], bool] | None:
    if where is None:
        return None
    test: Test = test_of(where, schema)
    if set(top_fields(where)) <= {"version", *SORTED}:
        return lambda row: test(row._asdict())
    return lambda row: test(for_queries(collection.kind, row.doc()))


def _in_order(rows: list[Stored], sort: tuple[SortKey, ...], wanted: int) -> list[Stored]:
    if all(path[0] in SORTED for path, _ in sort) and not any(backwards for _, backwards in sort):
        names = [path[0] for path, _ in sort] or ["id"]
        return nsmallest(wanted, rows, key=lambda row: ([getattr(row, name) for name in names], row.id))
    found = [([_value_at(row.doc(), path) for path, _ in sort], row) for row in rows]
    return [row for _, row in sorted(found, key=cmp_to_key(_comparison(sort)))][:wanted]


def _comparison(sort: tuple[SortKey, ...]) -> Callable[[Any, Any], int]:
    def compare(one: tuple[list[Any], Stored], other: tuple[list[Any], Stored]) -> int:
        for mine, theirs, (_, backwards) in zip(one[0], other[0], sort, strict=True):
            if mine != theirs:
                return (-1 if mine < theirs else 1) * (-1 if backwards else 1)
        return -1 if one[1].id < other[1].id else 1

    return compare


def _value_at(doc: Any, path: tuple[str, ...]) -> tuple[int, Any]:
    """A value that can be compared with any other: nothing first, then numbers, then texts."""
    for name in path:
        while isinstance(doc, list):
            doc = doc[0] if doc else None
        doc = doc.get(name) if isinstance(doc, dict) else None
    if isinstance(doc, (int, float)):
        return 1, doc
    return (0, "") if doc is None else (2, str(doc))


def _sort_key(text: str, schema: Any) -> SortKey:
    words = text.split()
    if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
        raise invalid(f"Malformed parameter: sort: Syntax error while parsing 'sort'. Invalid input '{text}'.")
    path = tuple(part.strip("`") for part in words[0].split("."))
    kind = schema
    for name in path:
        if kind in (FREE, LOCALISED):
            continue
        if not isinstance(kind, dict) or name not in kind:
            raise invalid(f"Malformed parameter: sort: The field '{name}' does not exist.")
        kind = kind[name]
    if isinstance(kind, dict):
        raise invalid(f"Malformed parameter: sort: The field '{words[0]}' is an object and cannot be sorted by.")
    return path, len(words) == 2 and words[1].lower() == "desc"


def _number(text: str | None, name: str, otherwise: int, most: int) -> int:
    if text is None:
        return otherwise
    if not text.isdecimal() or int(text) > most:
        raise invalid(f"Malformed parameter: {name}: Number {text} is not between 0 and {most}.")
    return int(text)


def _flag(text: str | None, name: str, *, otherwise: bool) -> bool:
    if text is None:
        return otherwise
    if text not in ("true", "false"):
        raise invalid(f"Malformed parameter: {name}: '{text}' is neither true nor false.")
    return text == "true"
