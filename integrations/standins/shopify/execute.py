"""Answering one GraphQL operation with compiled selections: errors beside partial data, nulls carried up as the grammar demands."""

from collections.abc import Mapping
from typing import Any

from graphql.execution.values import get_argument_values

from integrations.standins.shopify.plan import Field, Selection
from integrations.standins.shopify.resolvers import Absent, Call, Refusal


def arguments_of(one: Field, call: Call) -> Mapping[str, Any]:
    """Arguments of a field in this call, read once; raises GraphQLError for a value that does not fit."""
    if one.constant is not None:
        return one.constant
    found = call.arguments.get(id(one))
    if found is None:
        found = call.arguments[id(one)] = get_argument_values(one.definition, one.node, call.variables)
    return found


def run(selection: Selection, call: Call) -> dict[str, Any] | None:
    """Answer the root selection; None when a root field that may not be null is refused."""
    data: dict[str, Any] = {}
    for one in selection.fields or ():
        if one.conditional and not _included(one, call):
            continue
        call.root = one.key
        try:
            data[one.key] = value_of(one, None, call)
        except Absent:
            return None
        except Refusal as refusal:
            call.errors.append(_error(refusal, one))
            if one.non_null:
                return None
            data[one.key] = None
    return data


def value_of(one: Field, source: Any, call: Call) -> Any:
    """The answer to one field; raises Absent when it is null and may not be."""
    arguments = one.constant
    value = one.resolve(source, arguments_of(one, call) if arguments is None else arguments, call)
    if value is None:
        if one.non_null:
            raise Absent
        return None
    child = one.child
    if child is None:
        return value if one.convert is None else one.convert(value)
    try:
        if one.listed:
            return [None if item is None else complete(child, item, call) for item in value]
        return complete(child, value, call)
    except Absent:
        if one.non_null:
            raise
        return None


def complete(selection: Selection, source: Any, call: Call) -> dict[str, Any]:
    """All requested fields of an object."""
    if selection.fields is None:
        selection = selection.on(type_of(source))
    if selection.node:
        call.objects += 1
    out = {}
    for one in selection.fields or ():
        if one.conditional and not _included(one, call):
            continue
        if one.name == "__typename":
            out[one.key] = selection.type_name
        elif one.child is None and one.constant is not None:
            value = one.resolve(source, one.constant, call)
            if value is None and one.non_null:
                raise Absent
            out[one.key] = value if one.convert is None or value is None else one.convert(value)
        elif one.connection and call.bulk:
            call.children.append((one, one.resolve(source, arguments_of(one, call), call)))
        else:
            out[one.key] = value_of(one, source, call)
    return out


def type_of(source: Any) -> str:
    """The concrete GraphQL type of a value: its class's name, that of a part with its order, or what a dictionary says."""
    if isinstance(source, dict):
        return source["__typename"]
    return type(source[1] if type(source) is tuple else source).__name__


def _included(one: Field, call: Call) -> bool:
    for directive in one.node.directives or ():
        if directive.name.value not in ("include", "skip"):
            continue
        value = directive.arguments[0].value
        given = value.value if hasattr(value, "value") else call.variables.coerced.get(value.name.value)
        if bool(given) is (directive.name.value == "skip"):
            return False
    return True


def _error(refusal: Refusal, one: Field) -> dict[str, Any]:
    place = one.node.loc
    where = [] if place is None else [{"line": place.start_token.line, "column": place.start_token.column}]
    return {"message": str(refusal), "locations": where, "path": [one.key], "extensions": {"code": refusal.code, **refusal.extensions}}
