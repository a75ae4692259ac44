"""The real Admin schemas, parsed once a process, and documents checked against them, each text once."""

import gc
import gzip
import re
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    validate,
)

from integrations.standins.shopify.plan import Compiler, Selection

# oldest first: a retired or unknown version is served by the first
VERSIONS = ("2026-07", "2026-10")
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "shopify"
MAX_DOCUMENTS = 2000
DESCRIPTION = re.compile(r'"""(?:[^"]|"(?!""))*"""|^\s*"(?:[^"\\\n]|\\.)*"\s*$', re.MULTILINE)

# beginnings of messages and the code the platform gives such a fault
CODES = (
    (re.compile(r"Cannot query field"), "undefinedField"),
    (re.compile(r"(Argument|Field) .* is required|Field .* argument .* of type"), "missingRequiredArguments"),
    (re.compile(r"Unknown argument"), "argumentNotAccepted"),
    (re.compile(r"Variable .* is not defined|Undefined variable"), "variableNotDefined"),
    (re.compile(r"Variable .* is never used"), "variableNotUsed"),
    (re.compile(r"Variable .* (used in position|of type)"), "variableMismatch"),
    (re.compile(r"Unknown fragment"), "undefinedFragment"),
    (re.compile(r"Field .* must (not )?have a selection"), "selectionMismatch"),
    (re.compile(r"Expected|Value|.* cannot represent"), "argumentLiteralsIncompatible"),
)

_lock = threading.Lock()
_documents: dict[tuple[str, str], "Document"] = {}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document with its selection ready to run."""

    node: OperationDefinitionNode
    selection: Selection
    mutation: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A text as understood: its operations by name, or what is wrong with it."""

    operations: dict[str, Operation]
    errors: tuple[dict[str, Any], ...]


@cache
def schema_of(version: str) -> GraphQLSchema:
    """The schema of a known version without its descriptions, three quarters of the text; the first call takes a second."""
    packed = (FIXTURES / f"shopify-admin-{version}.graphql.gz").read_bytes()
    schema = build_schema(DESCRIPTION.sub("", gzip.decompress(packed).decode()), assume_valid=True, no_location=True)
    gc.freeze()  # it stays as long as the process: no collection needs to walk through it again
    return schema


def served_version(asked: str) -> str:
    """The version that answers a call for one: itself, or the oldest known."""
    return asked if asked in VERSIONS else VERSIONS[0]


def document_of(version: str, text: str) -> Document:
    """The document, checked the first time it is seen."""
    known = _documents.get((version, text))
    if known is not None:
        return known
    with _lock:
        document = _understand(schema_of(version), text)
        if len(_documents) >= MAX_DOCUMENTS:
            _documents.clear()
        _documents[version, text] = document
    return document


def error_of(error: GraphQLError, code: str | None = None) -> dict[str, Any]:
    """A fault of a document as the platform words it."""
    found = code or next((name for pattern, name in CODES if pattern.match(error.message)), "invalid")
    locations = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {"message": error.message, "locations": locations, "extensions": {"code": found}}


def _understand(schema: GraphQLSchema, text: str) -> Document:
    try:
        tree = parse(text)
    except GraphQLError as error:
        return Document({}, (error_of(error, "PARSE_ERROR"),))
    faults = validate(schema, tree)
    if faults:
        return Document({}, tuple(error_of(fault) for fault in faults))
    return Document(_operations(schema, tree), ())


def _operations(schema: GraphQLSchema, tree: DocumentNode) -> dict[str, Operation]:
    compiler = Compiler(schema, tree)
    found = {}
    for node in tree.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        mutation = node.operation == OperationType.MUTATION
        root = schema.mutation_type if mutation else schema.query_type
        selection = compiler.selection(root, (node.selection_set,))
        found[node.name.value if node.name else ""] = Operation(node, selection, mutation)
    return found
