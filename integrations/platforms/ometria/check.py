"""Validation of one record before it is sent, compiled from `schema`; the platform itself would complain only later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from integrations.platforms.base import JsonObject, Problem, TargetField
from integrations.platforms.ometria import values
from integrations.platforms.ometria.rules import RULES
from integrations.platforms.ometria.schema import KINDS, NULLABLE, TARGETS
from mapping.records import RecordType

MAX_RECORD_BYTES = 60_000  # "60 KB" in the Data API introduction, read as the smaller of its two meanings
MAX_PROPERTIES = 1_000  # characters of a properties object as JSON, keys included (custom fields page)

UNKNOWN = "is not a field Ometria knows"
MISSING = "is missing"

TYPES: Mapping[str, Callable[[TargetField], values.ValueCheck]] = {
    "string": lambda target: values.choice(target.choices) if target.choices else values.text(target.max_length),
    "number": lambda target: values.number,
    "integer": lambda target: values.integer,
    "boolean": lambda target: values.boolean,
    "datetime": lambda target: values.moment,
    "date": lambda target: values.day,
    "list": lambda target: values.plain_list(target.max_length),
    "object": lambda target: values.any_object,
}


def _properties(value: object) -> str:
    if type(value) is not dict:
        return "is not an object"
    try:
        size = len(orjson.dumps(value).decode()) if value else 0
    except TypeError:
        return "cannot be written as JSON"
    return "" if size < MAX_PROPERTIES else f"must stay below {MAX_PROPERTIES:,} characters as JSON ({size:,})"


# fields with a form of their own, by the last part of their path
FORMS: Mapping[str, values.ValueCheck] = {
    "email": values.email,
    "identity_email": values.email,
    "phone_number": values.phone,
    "identity_phone_number": values.phone,
    "currency": values.currency,
    "country_id": values.country,
    "country_code": values.country,
    "price": values.positive,
    "properties": _properties,
}


@dataclass(slots=True)
class Shape:
    """One level of a record: checks of its values, and the shapes of the objects and lists in it."""

    leaves: dict[str, values.ValueCheck] = field(default_factory=dict)
    objects: dict[str, Shape] = field(default_factory=dict)
    lists: dict[str, Shape] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)


def check(record_type: RecordType, payload: JsonObject) -> list[Problem]:
    """Everything wrong with a payload, in plain words; empty when it may be sent. Paths read like `lineitems[0].sku`."""
    if type(payload) is not dict:
        return [Problem(field="", message="is not an object")]
    problems: list[Problem] = []
    _walk(_shape(record_type), payload, problems, "")
    for rule in RULES[KINDS[record_type]]:
        problems.extend(rule(payload))
    problems.extend(_size(payload))
    return problems


def _walk(shape: Shape, value: JsonObject, problems: list[Problem], prefix: str) -> None:
    for name, item in value.items():
        leaf = shape.leaves.get(name)
        if leaf is not None:
            if wrong := leaf(item):
                problems.append(Problem(field=prefix + name, message=wrong))
        elif name in shape.lists:
            _rows(shape.lists[name], item, problems, prefix + name)
        elif name in shape.objects:
            _object(shape.objects[name], item, problems, prefix + name)
        else:
            problems.append(Problem(field=f"{prefix}{name}", message=UNKNOWN))
    for name in shape.required:
        if name not in value:
            problems.append(Problem(field=prefix + name, message=MISSING))


def _object(shape: Shape, item: Any, problems: list[Problem], path: str) -> None:
    if type(item) is dict:
        _walk(shape, item, problems, path + ".")
    else:
        problems.append(Problem(field=path, message="is not an object"))


def _rows(shape: Shape, item: Any, problems: list[Problem], path: str) -> None:
    if type(item) is not list:
        problems.append(Problem(field=path, message="is not a list"))
        return
    for position, row in enumerate(item):
        _object(shape, row, problems, f"{path}[{position}]")


def _size(payload: JsonObject) -> list[Problem]:
    try:
        size = len(orjson.dumps(payload))
    except TypeError:  # lone surrogates, numbers beyond 64 bits, values JSON does not have
        return [Problem(field="", message="cannot be written as JSON")]
    if size > MAX_RECORD_BYTES:
        return [Problem(field="", message=f"the record is larger than 60 KB ({size:,} bytes)")]
    return []


@cache
def _shape(record_type: RecordType) -> Shape:
    root = Shape()
    for target in TARGETS[record_type]:
        *parents, name = target.path.split(".")
        level = root
        for part in parents:
            children = level.lists if part.endswith("[]") else level.objects
            level = children.setdefault(part.removesuffix("[]"), Shape())
        level.leaves[name] = _leaf(target, name)
        if target.required:
            level.required.append(name)
    return root


def _leaf(target: TargetField, name: str) -> values.ValueCheck:
    found = FORMS.get(name) or TYPES[target.type](target)
    if target.path not in NULLABLE:
        return found
    return lambda value: "" if value is None else found(value)
