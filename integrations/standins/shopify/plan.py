"""Selections compiled once per document: what to ask of an object, with its resolvers found and constant arguments read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    visit,
)
from graphql.execution.values import get_argument_values
from graphql.language import VariableNode, Visitor

from integrations.standins.shopify.ids import zulu
from integrations.standins.shopify.resolvers import Resolver, resolver_of

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
# scalars that travel as strings
CONVERT: dict[str, Callable[[Any], Any]] = {"DateTime": zulu, "Decimal": str, "Money": str, "UnsignedInt64": str}


@dataclass(slots=True)
class Field:
    """One requested field of one concrete type."""

    key: str
    name: str
    parent: str
    node: FieldNode
    definition: GraphQLField
    resolve: Resolver
    # arguments when no variable is involved
    constant: dict[str, Any] | None
    non_null: bool
    listed: bool
    convert: Callable[[Any], Any] | None
    child: "Selection | None"
    connection: bool
    # carries @include or @skip
    conditional: bool


class Selection:
    """What is asked of a value; of an abstract type, what is asked of each concrete one."""

    def __init__(self, compiler: "Compiler", type_: Composite, sets: tuple[SelectionSetNode, ...]) -> None:
        self.type_name = type_.name
        self.fields: tuple[Field, ...] | None = None
        self.node = False
        self._compiler, self._sets = compiler, sets
        self._concrete: dict[str, Selection] = {}
        if isinstance(type_, GraphQLObjectType):
            self.fields = tuple(compiler.fields(type_, sets))
            self.node = "id" in type_.fields
        else:
            for name in compiler.named_types(sets):
                self.on(name)

    def on(self, type_name: str) -> "Selection":
        """The selection for a concrete type."""
        found = self._concrete.get(type_name)
        if found is None:
            found = self._compiler.selection(self._compiler.schema.type_map[type_name], self._sets)
            self._concrete[type_name] = found
        return found

    @property
    def alternatives(self) -> "Iterable[Selection]":
        """The concrete selections that the document names."""
        return (self,) if self.fields is not None else self._concrete.values()


class Compiler:
    """Turns the selection sets of one checked document into selections."""

    def __init__(self, schema: GraphQLSchema, tree: DocumentNode) -> None:
        self.schema = schema
        self._fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}

    def selection(self, type_: Any, sets: tuple[SelectionSetNode, ...]) -> Selection:
        """The compiled selection of a composite type."""
        return Selection(self, type_, sets)

    def fields(self, type_: GraphQLObjectType, sets: tuple[SelectionSetNode, ...]) -> Iterable[Field]:
        """Requested fields of an object type, those with the same key merged."""
        grouped: dict[str, list[FieldNode]] = {}
        for selection_set in sets:
            self._collect(type_, selection_set, grouped)
        return [self._field(type_, key, nodes) for key, nodes in grouped.items()]

    def named_types(self, sets: Iterable[SelectionSetNode]) -> set[str]:
        """Concrete types that fragments in these sets are made for."""
        names = set()
        for selection in (selection for selection_set in sets for selection in selection_set.selections):
            if isinstance(selection, FieldNode):
                continue
            fragment = selection if isinstance(selection, InlineFragmentNode) else self._fragments[selection.name.value]
            condition = fragment.type_condition
            if condition is not None and isinstance(self.schema.type_map[condition.name.value], GraphQLObjectType):
                names.add(condition.name.value)
            else:
                names |= self.named_types([fragment.selection_set])
        return names

    def _collect(self, type_: GraphQLObjectType, selection_set: SelectionSetNode, grouped: dict[str, list[FieldNode]]) -> None:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                grouped.setdefault(key, []).append(selection)
                continue
            fragment = self._fragment(selection)
            condition = fragment.type_condition and self.schema.type_map[fragment.type_condition.name.value]
            if condition is None or condition is type_ or (condition is not type_ and self._covers(condition, type_)):
                self._collect(type_, fragment.selection_set, grouped)

    def _fragment(self, selection: SelectionNode) -> InlineFragmentNode | FragmentDefinitionNode:
        return selection if isinstance(selection, InlineFragmentNode) else self._fragments[selection.name.value]

    def _covers(self, condition: Any, type_: GraphQLObjectType) -> bool:
        return not isinstance(condition, GraphQLObjectType) and self.schema.is_sub_type(condition, type_)

    def _field(self, type_: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field:
        node, name = nodes[0], nodes[0].name.value
        definition = self.schema.get_field(type_, name)
        kind = definition.type
        non_null = is_non_null_type(kind)
        listed = is_list_type(kind.of_type if non_null else kind)
        named = get_named_type(kind)
        leaf = is_leaf_type(named)
        sets = tuple(one.selection_set for one in nodes if one.selection_set is not None)
        return Field(
            key=key,
            name=name,
            parent=type_.name,
            node=node,
            definition=definition,
            resolve=resolver_of(type_.name, name),
            constant=None if _has_variables(node) else get_argument_values(definition, node),
            non_null=non_null,
            listed=listed,
            convert=CONVERT.get(named.name) if leaf and not listed else None,
            child=None if leaf else self.selection(named, sets),
            connection=named.name.endswith("Connection"),
            conditional=bool(node.directives),
        )


class _Variables(Visitor):
    found = False

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found = True


def _has_variables(node: FieldNode) -> bool:
    visitor = _Variables()
    for argument in node.arguments or ():
        visit(argument, visitor)
    return visitor.found
