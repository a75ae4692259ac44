"""Whether a document fits a predicate: variables filled in, fields and types checked against the schema, then plain evaluation."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from integrations.standins.commercetools.errors import invalid
from integrations.standins.commercetools.moments import comparable
from integrations.standins.commercetools.predicates import (
    Among,
    And,
    Compare,
    Contains,
    Given,
    Nested,
    Node,
    Not,
    Or,
    Presence,
    Value,
    Variable,
)  # fmt: skip
from integrations.standins.commercetools.schema import BOOL, FREE, LOCALISED, NUMBER, TEXT, TIME

Vars = Mapping[str, tuple[str, ...]]
Test = Callable[[Mapping[str, Any]], bool]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def bound(node: Node, schema: Any, variables: Vars) -> Node:
    """The same tree with plain values of the right types; raises Refusal for unknown fields, variables and wrong types."""
    match node:
        case And(parts):
            return And(tuple(bound(part, schema, variables) for part in parts))
        case Or(parts):
            return Or(tuple(bound(part, schema, variables) for part in parts))
        case Not(part):
            return Not(bound(part, schema, variables))
        case Nested(field, part):
            below = _kind(schema, field)
            if below in (TEXT, NUMBER, BOOL, TIME):
                raise invalid(f"Malformed parameter: where: The field '{field}' is not an object.")
            return Nested(field, bound(part, below, variables))
        case Compare(field, op, value):
            return Compare(field, op, _plain(value, _leaf(schema, field), variables, field)[0])
        case Among(field, values, negated):
            return Among(field, _all_plain(values, _leaf(schema, field), variables, field), negated)
        case Contains(field, every, values):
            return Contains(field, every, _all_plain(values, _leaf(schema, field), variables, field))
        case Presence(field):
            _kind(schema, field)
    return node


def _kind(schema: Any, field: str) -> Any:
    """What the schema says about a field; raises Refusal."""
    if schema == FREE:
        return FREE
    if schema == LOCALISED:
        return TEXT
    if field not in schema:
        raise invalid(f"Malformed parameter: where: The field '{field}' does not exist.")
    return schema[field]


def _leaf(schema: Any, field: str) -> str:
    kind = _kind(schema, field)
    if kind not in (TEXT, NUMBER, BOOL, TIME, FREE):
        raise invalid(f"Malformed parameter: where: The field '{field}' is an object and cannot be compared.")
    return str(kind)


def _all_plain(values: Sequence[Given], kind: str, variables: Vars, field: str) -> tuple[Value, ...]:
    return tuple(plain for value in values for plain in _plain(value, kind, variables, field))


def _plain(value: Given, kind: str, variables: Vars, field: str) -> tuple[Value, ...]:
    if not isinstance(value, Variable):
        return (_typed(value, kind, field),)
    if value.name not in variables:
        raise invalid(f"Malformed parameter: where: The variable '{value.name}' is missing.")
    return tuple(_from_text(text, kind, field) for text in variables[value.name])


def _typed(value: Value, kind: str, field: str) -> Value:
    wanted: dict[str, tuple[type, ...]] = {TEXT: (str,), TIME: (str,), BOOL: (bool,), NUMBER: (int, float)}
    if kind in wanted and (not isinstance(value, wanted[kind]) or (kind == NUMBER and isinstance(value, bool))):
        raise invalid(f"Malformed parameter: where: The value of the field '{field}' must be a {kind}.")
    if kind == TIME:
        return _moment(str(value), field)
    return _maybe_moment(value) if kind == FREE else value


def _from_text(text: str, kind: str, field: str) -> Value:
    if kind == NUMBER:
        try:
            return float(text) if "." in text else int(text)
        except ValueError as error:
            raise invalid(f"Malformed parameter: where: The value of the field '{field}' must be a number.") from error
    if kind == BOOL:
        return _typed({"true": True, "false": False}.get(text, text), kind, field)
    return _typed(text, kind, field)


def _moment(text: str, field: str) -> str:
    try:
        return comparable(text)
    except ValueError as error:
        raise invalid(f"Malformed parameter: where: The value of the field '{field}' must be a date and time.") from error


def _maybe_moment(value: Value) -> Value:
    """Custom fields may hold moments or dates: both sides of a comparison are made to sort."""
    if isinstance(value, str) and len(value) >= 20 and value[4:5] == "-" and value[10:11] == "T":
        try:
            return comparable(value)
        except ValueError:
            return value
    return value


def test_of(node: Node, schema: Any) -> Test:
    """A function that says whether a document fits a bound tree."""
    match node:
        case And(parts):
            tests = [test_of(part, schema) for part in parts]
            return lambda doc: all(test(doc) for test in tests)
        case Or(parts):
            tests = [test_of(part, schema) for part in parts]
            return lambda doc: any(test(doc) for test in tests)
        case Not(part):
            test = test_of(part, schema)
            return lambda doc: not test(doc)
        case Nested(field, part):
            test = test_of(part, _kind(schema, field))
            return lambda doc: any(test(item) for item in _many(doc.get(field)) if isinstance(item, Mapping))
        case Presence(field, what, negated):
            return _presence(field, what, negated=negated)
    return _leaf_test(node, _leaf(schema, node.field))


def _leaf_test(node: Compare | Among | Contains, kind: str) -> Test:
    read = {TIME: comparable, FREE: _maybe_moment}.get(kind)

    def values(doc: Mapping[str, Any]) -> list[Any]:
        found = _many(doc.get(node.field))
        if kind == FREE:
            found = [value for value in found if isinstance(value, (str, int, float, bool))]
        return found if read is None else [read(value) for value in found]

    match node:
        case Compare(_, "!=", value):
            return lambda doc: not any(_same_kind(own, value) and own == value for own in values(doc))
        case Compare(_, op, value):
            compare = OPERATORS[op]
            return lambda doc: any(_same_kind(own, value) and compare(own, value) for own in values(doc))
        case Among(_, wanted, negated):
            chosen = frozenset(wanted)
            return lambda doc: any(own in chosen for own in values(doc)) is not negated
        case Contains(_, every, wanted):
            chosen = frozenset(wanted)
            return lambda doc: chosen <= set(values(doc)) if every else not chosen.isdisjoint(values(doc))


def _presence(field: str, what: str, *, negated: bool) -> Test:
    if what == "defined":
        return lambda doc: (doc.get(field) is not None) is not negated
    return lambda doc: (not doc.get(field)) is not negated


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _same_kind(own: Any, value: Any) -> bool:
    numbers = isinstance(own, (int, float)) and isinstance(value, (int, float))
    return numbers and isinstance(own, bool) == isinstance(value, bool) if numbers else type(own) is type(value)
