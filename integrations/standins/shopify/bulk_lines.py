"""Bulk queries understood, and their results written line by line: parents first, children later and not beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from integrations.standins.shopify.execute import arguments_of, complete
from integrations.standins.shopify.paging import Page
from integrations.standins.shopify.plan import Field, Selection
from integrations.standins.shopify.resolvers import Call
from integrations.standins.shopify.schema import document_of
from integrations.standins.shopify.stencils import Children, Stencils, fits

MAX_CONNECTIONS = 5
# levels of connections below the root one
MAX_NESTING = 2
# so many roots are written before their children follow
BLOCK = 25
ROOT_LISTS_FORBIDDEN = ("node", "nodes")


@dataclass(frozen=True, slots=True)
class BulkQuery:
    """The root connection and what is asked of its nodes."""

    root: Field
    node: Selection


def understand_bulk(text: str, version: str) -> tuple[BulkQuery | None, str]:
    """The query, or None and what the platform has against it."""
    document = document_of(version, text)
    if document.errors:
        return None, "Invalid bulk query: " + "; ".join(error["message"] for error in document.errors)
    operations = list(document.operations.values())
    if len(operations) != 1 or operations[0].mutation or operations[0].node.variable_definitions:
        return None, "Bulk queries must be one query without variables."
    roots = operations[0].selection.fields or ()
    if len(roots) != 1 or roots[0].name in ROOT_LISTS_FORBIDDEN:
        return None, "Bulk queries must have exactly one top-level field, and not `node` or `nodes`."
    if not roots[0].connection:
        return None, "Bulk queries must contain at least one connection."
    if _count(roots[0]) > MAX_CONNECTIONS:
        return None, f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections."
    fault, node = _fault(roots[0], depth=0), node_of(roots[0])
    return (None, fault) if fault or node is None else (BulkQuery(roots[0], node), "")


def node_of(connection: Field) -> Selection | None:
    """What is asked of a connection's nodes, through edges or nodes."""
    for one in connection.child.fields or ():
        if one.name == "nodes":
            return one.child
        if one.name == "edges":
            return next((inner.child for inner in one.child.fields or () if inner.name == "node"), None)
    return None


def write_lines(query: BulkQuery, call: Call, file: BinaryIO) -> Iterator[tuple[int, int]]:
    """Write the result, reporting lines and root lines so far after each block."""
    objects = roots = 0
    call.root = query.root.key
    for block, children in _blocks(query, call):
        call.shop.random.shuffle(children)
        grandchildren = [line for _, later in children for line in later]
        lines = [*block, *(line for line, _ in children), *grandchildren]
        file.write(b"\n".join(lines) + b"\n")
        objects, roots = objects + len(lines), roots + len(block)
        yield objects, roots


def _blocks(query: BulkQuery, call: Call) -> Iterator[tuple[list[bytes], Children]]:
    """Some roots and their children at a time; orders of a filler are filled into stencils where that makes no difference."""
    page = _page(query, call)
    rows = iter(page.nodes)
    while True:
        with call.shop.lock:
            block, children = _block(query.node, rows, call)
        if not block:
            break
        yield block, children
    table = getattr(call.shop, query.root.name, None)
    if not page.filled or table is None:
        return
    if fits(query.node, table.filler):
        stencils = Stencils(table.filler, lambda row: _line(query.node, row, call, None))
        indexes = [index for index in page.filled if table.filler.first_id + index not in table.taken()] if table.taken() else page.filled
        for start in range(0, len(indexes), BLOCK):
            filled = [stencils.fill(index) for index in indexes[start : start + BLOCK]]
            yield [line for line, _ in filled], [child for _, found in filled for child in found]
        return
    rows = table.filled(page.filled.start, page.filled.stop)
    while (block := _block(query.node, rows, call))[0]:
        yield block


def _page(query: BulkQuery, call: Call) -> Page:
    return query.root.resolve(None, arguments_of(query.root, call), call) or Page([], [])


def _block(node: Selection, rows: Iterator[Any], call: Call) -> tuple[list[bytes], Children]:
    lines: list[bytes] = []
    children: Children = []
    for _, row in zip(range(BLOCK), rows, strict=False):
        line, found = _line(node, row, call, None)
        lines.append(line)
        children.extend(found)
    return lines, children


def _line(node: Selection, row: Any, call: Call, parent: str | None) -> tuple[bytes, Children]:
    """A node's own line, and for each child its line with the lines below it."""
    call.children = []
    value = complete(node, row, call)
    own = value.get("id", parent)
    if parent is not None:
        value["__parentId"] = parent
    children = []
    for connection, page in call.children:
        selection = node_of(connection)
        for child in page.nodes if selection is not None else ():
            line, below = _line(selection, child, call, own)
            children.append((line, [text for text, deeper in below for text in (text, *deeper)]))
    return orjson.dumps(value), children


def _count(one: Field) -> int:
    inner = sum(_count(child) for chosen in (one.child.alternatives if one.child else ()) for child in chosen.fields or ())
    return inner + one.connection


def _fault(one: Field, *, depth: int, listed: bool = False) -> str:
    """What forbids this field in a bulk query, an empty string when nothing does."""
    if one.child is None:
        return ""
    if one.connection:
        if listed:
            return "Queries that contain a connection field within a list field are not currently supported."
        if depth > MAX_NESTING:
            return "Bulk queries cannot contain connections nested deeper than 2 levels."
        node = node_of(one)
        if node is None:
            return "Bulk queries must use edges or nodes of a connection."
        if not any(inner.key == "id" for chosen in node.alternatives for inner in chosen.fields or ()):
            return "Bulk queries must select `id` on every node."
        fields, depth, listed = [inner for chosen in node.alternatives for inner in chosen.fields or ()], depth + 1, False
    else:
        fields = [inner for chosen in one.child.alternatives for inner in chosen.fields or ()]
        listed = listed or one.listed
    return next((fault for inner in fields if (fault := _fault(inner, depth=depth, listed=listed))), "")
