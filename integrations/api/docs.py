"""The API explained to people: its operations read from the OpenAPI document, without assets from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    summary: str
    parameters: tuple[tuple[str, str, bool], ...]  # name, type, required
    body: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one resource."""

    name: str
    operations: tuple[Operation, ...]


@staff_member_required
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation with its parameters and body."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    context = {**admin.site.each_context(request), "title": "REST API", "groups": groups(schema)}
    return render(request, "monitoring/api_docs.html", context)


def groups(schema: Mapping[str, Any]) -> list[Group]:
    """Operations by resource, in the order of their addresses."""
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            found.setdefault(path.split("/")[3], []).append(_operation(schema, path, method, operation))
    return [Group(name, tuple(operations)) for name, operations in found.items() if name]


def _operation(schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    parameters = tuple((row["name"], _type(row["schema"]), bool(row.get("required"))) for row in operation.get("parameters", ()))
    return Operation(
        method=method.upper(),
        path=path,
        summary=operation.get("description", ""),
        parameters=parameters,
        body=tuple(_body(schema, operation)),
    )


def _body(schema: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = content.get("$ref", "").rpartition("/")[2]
    component = schema["components"]["schemas"].get(name, {})
    for field, shape in component.get("properties", {}).items():
        if not shape.get("readOnly"):
            yield field, _type(shape), field in component.get("required", ())


def _type(shape: Mapping[str, Any]) -> str:
    """A type in words: "integer", "list of string", "one of ready, sending"."""
    if "enum" in shape:
        return f"one of {', '.join(str(value) for value in shape['enum'])}"
    if shape.get("type") == "array":
        return f"list of {_type(shape['items'])}"
    kind = shape.get("format") or shape.get("type") or "value"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
