"""Field rules compiled into a tree of readers and steps, once per mapping version, so that a run only walks it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from mapping.field_shapes import Elements, Getter, SourceField
from mapping.fields import elements, source_field
from mapping.records import RecordType
from mapping.rules import BadRules, Mode, Rule, check_rules, list_paths, list_sources
from mapping.transforms import CompiledStep, step

ROOT_CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class Reader:
    """How to read a source: `depth` picks the scope (0 the record, 1 a list entry, …); -1 hands all scopes over."""

    depth: int
    get: Getter


@dataclass(frozen=True, slots=True)
class Field:
    """One compiled rule inside its object: the value's reader, its steps, and the rule for when something is wrong."""

    quick: tuple[str, int, Getter, bool]  # last name of the target, the reader's depth and getter, whether there are steps: read per value
    steps: tuple[CompiledStep, ...]
    rule: Rule
    currency: Reader | None = None  # only where it is not the record's own currency


@dataclass(frozen=True, slots=True)
class ListPart:
    """A list of objects: one entry of `node` per entry that `read` gives from the scope at `depth`."""

    key: str
    depth: int
    read: Elements
    node: Node


@dataclass(slots=True)
class Node:
    """An object of the payload: constants, fields, objects inside it and lists inside it."""

    constants: dict[str, object] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    objects: dict[str, Node] = field(default_factory=dict)
    lists: list[ListPart] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One mapping version ready to run; equal rules give an equal hash. `tables` names the value tables it reads.

    `needs_current` says that the destination's present object must be given to `transform` (a rule writes only when empty, or appends).
    """

    version_id: int
    flow_id: int
    record_type: RecordType
    rules: tuple[Rule, ...]
    hash: str
    tables: frozenset[str]
    needs_current: bool
    node: Node = field(repr=False, compare=False)
    adjust: tuple[Rule, ...] = field(repr=False, compare=False)  # rules that look at the finished payload


def plan_from_rules(rules: Iterable[Rule], *, record_type: RecordType | str, flow_id: int = 0, version_id: int = 0) -> Plan:
    """A plan for rules that may not be stored yet; raises BadRules with everything that is wrong."""
    rules, record_type = tuple(rules), RecordType(record_type)
    problems = check_rules(rules, record_type)
    if problems:
        raise BadRules(problems)
    return Plan(
        version_id=version_id,
        flow_id=flow_id,
        record_type=record_type,
        rules=rules,
        hash=_hash(rules),
        tables=frozenset(str(call.argument) for rule in rules for call in rule.transforms if call.name == "lookup"),
        needs_current=any(rule.mode is not Mode.OVERWRITE for rule in rules),
        node=_tree(rules, record_type),
        adjust=tuple(rule for rule in rules if rule.only_with or rule.mode is not Mode.OVERWRITE),
    )


def _hash(rules: Sequence[Rule]) -> str:
    return hashlib.sha256(orjson.dumps([asdict(rule) for rule in rules], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _tree(rules: Sequence[Rule], record_type: RecordType) -> Node:
    root, lists = Node(), {}
    fed = {target_list: next(iter(named)) for target_list, named in list_sources(rules).items()}
    for rule in rules:
        node, walked = root, ""
        *outer, leaf = rule.target.split(".")
        for name in outer:
            walked = f"{walked}.{name}" if walked else name
            if name.endswith("[]"):
                node = _list_node(node, walked.removesuffix("[]"), fed=fed, lists=lists, record_type=record_type)
            else:
                node = node.objects.setdefault(name, Node())
        _add(node, leaf, rule, record_type)
    return root


def _list_node(node: Node, path: str, *, fed: dict[str, str], lists: dict[str, Node], record_type: RecordType) -> Node:
    if path not in lists:
        lists[path] = Node()
        depth = len(list_paths(path))
        node.lists.append(ListPart(path.split(".")[-1], depth, elements(record_type, fed[path]), lists[path]))
    return lists[path]


def _add(node: Node, key: str, rule: Rule, record_type: RecordType) -> None:
    if not rule.source and not rule.transforms and not isinstance(rule.constant, dict | list):  # those are copied by the run
        node.constants[key] = rule.constant
        return
    steps = tuple(step(call) for call in rule.transforms)
    if not rule.source:
        node.fields.append(Field((key, 0, lambda _record: rule.constant, bool(steps)), steps, rule))
        return
    source = source_field(record_type, rule.source)
    depth = len(list_paths(rule.target))
    currency = None
    if source.currency and source.currency != ROOT_CURRENCY:
        currency = _reader(source_field(record_type, source.currency), depth, record_type)
    read = _reader(source, depth, record_type)
    node.fields.append(Field((key, read.depth, read.get, bool(steps)), steps, rule, currency))


def _reader(source: SourceField, depth: int, record_type: RecordType) -> Reader:
    """Read a source for a target `depth` lists deep: a shallower source is the same for every entry, a deeper one gives a list."""
    lists = source.lists
    if len(lists) <= depth:
        return Reader(-1, _upto(source.get, len(lists) + 1)) if source.whole else Reader(len(lists), source.get)
    inner = [elements(record_type, path) for path in lists[depth:]]
    return Reader(-1, _collect(source.get, inner, depth=depth, whole=source.whole))


def _upto(get: Getter, size: int) -> Getter:
    return lambda scopes: get(scopes[:size])


def _collect(get: Getter, inner: Sequence[Elements], *, depth: int, whole: bool) -> Getter:
    def collect(scopes: tuple[object, ...]) -> list[object]:
        reached = [scopes[: depth + 1]]
        for entries in inner:
            reached = [(*scope, entry) for scope in reached for entry in entries(scope[-1])]
        return [get(scope if whole else scope[-1]) for scope in reached]

    return collect
