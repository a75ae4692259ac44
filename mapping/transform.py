"""Plan + record + lookups → payload, and every issue found on the way. Pure: no database, no clock."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson

from mapping.compiler import Field, Node, Plan
from mapping.crosswalk import Lookups
from mapping.gate import NO_SKU, held_lines, stand_in_keys
from mapping.records import Order, Record
from mapping.rules import Mode, OnInvalid, Rule
from mapping.transforms import Invalid, iso_datetime, number

JsonObject = dict[str, Any]
NO_ROWS: Mapping[str, str] = {}
HELD = object()
PLAIN = frozenset({str, int, float, bool})
SUBJECT_IS_RECORD = frozenset({"bad_phone", "bad_email"})  # one person's question; all others are about a field or a word
MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Issue:
    """Why a record cannot be mapped, or which field was left out: the kind of exception, its subject, plain words, the target field."""

    kind: str
    subject: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The payload as far as it could be built; send it only when there are no issues. `dropped` names fields left out by rule."""

    payload: JsonObject
    payload_hash: str
    issues: tuple[Issue, ...] = ()
    dropped: tuple[Issue, ...] = ()


def transform(
    record: Record,
    plan: Plan,
    lookups: Lookups,
    current: JsonObject | None = None,
    *,
    own: JsonObject | None = None,
    corrected: Mapping[str, Any] | None = None,
) -> Mapped:
    """Map one record. All issues are collected, not only the first; `payload_hash` is empty while there are any.

    `current` is the object as the destination holds it, needed for rules that fill only what is empty or append: they carry its value over.
    `own` is what we sent before, given where the destination joins several sources into one object: what another one filled is left out.
    `corrected` are values that a person put in place of the rules', by the field's place ("lineitems[0].sku"); None leaves a field out.
    """
    held = held_lines(record, lookups) if isinstance(record, Order) else {}
    if held:
        record = stand_in_keys(record, lookups)
    run = _Run(record, lookups)
    run.issues.extend(sku_issues(held))
    payload = _fill(plan.node, (record,), run)
    for path, value in (corrected or {}).items():
        run.issues = [issue for issue in run.issues if issue.field != path]
        put_at(payload, path, value)
    for rule in plan.adjust:
        if not corrected or rule.target not in corrected:
            _adjust(payload, rule, current or {}, own)
    return Mapped(payload, "" if run.issues else run.hash(payload), tuple(run.issues), tuple(run.dropped))


def payload_hash(payload: JsonObject) -> str:
    """SHA-256 over the payload's canonical JSON; raises TypeError for what JSON cannot hold."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()


def sku_issues(held: Mapping[str, int]) -> list[Issue]:
    """One issue per line name that the gate does not let pass; `held` says where it stands."""
    return [
        Issue(
            "unmapped_sku",
            name[:MAX_SUBJECT],
            _why_held(name),
            f"lines[{i}].sku",
        )
        for name, i in held.items()
    ]


def _why_held(name: str) -> str:
    if name.startswith(NO_SKU):
        return f"{name.removeprefix(NO_SKU)} carries no SKU"
    return f"{name} is neither in the catalogue nor in the SKU crosswalk"


class _Run:
    """The state of one record's way through a plan."""

    __slots__ = ("country", "currency", "dropped", "indexes", "issues", "lookups", "record")

    def __init__(self, record: Record, lookups: Lookups) -> None:
        self.record, self.lookups = record, lookups
        self.currency: str = getattr(record, "currency", "")
        self.country: str = getattr(record, "country", "")
        self.indexes: list[int] = []  # where in the lists the run is
        self.issues: list[Issue] = []
        self.dropped: list[Issue] = []

    def table(self, name: str) -> Mapping[str, str]:
        return self.lookups.values.get(name, NO_ROWS)

    def note(self, rule: Rule, fault: Invalid) -> None:
        """Record what is wrong with a field, as an issue or as a field left out."""
        subject = fault.subject or (self.record.key if fault.kind in SUBJECT_IS_RECORD else rule.target)
        issue = Issue(fault.kind, subject[:MAX_SUBJECT], fault.message, self.path(rule.target))
        (self.dropped if rule.on_invalid is OnInvalid.DROP else self.issues).append(issue)

    def missing(self, rule: Rule) -> None:
        """Record a required field that stayed empty; a deleted record may lack anything."""
        if not self.record.removed:
            message = f"{rule.target} is required, and {rule.source or 'its rule'} is empty"
            self.issues.append(Issue("missing_field", rule.target, message, self.path(rule.target)))

    def path(self, target: str) -> str:
        for index in self.indexes:
            target = target.replace("[]", f"[{index}]", 1)
        return target

    def hash(self, payload: JsonObject) -> str:
        """The payload's hash; a value that JSON cannot hold becomes an issue."""
        try:
            return payload_hash(payload)
        except TypeError as error:
            self.issues.append(Issue("bad_value", self.record.key, f"the record holds what JSON cannot: {error}"))
            return ""


def _fill(node: Node, scopes: tuple[Any, ...], run: _Run) -> JsonObject:
    out = dict(node.constants)
    for field in node.fields:
        key, depth, get, has_steps = field.quick
        value = get(scopes if depth < 0 else scopes[depth])
        if has_steps or not (value is None or value.__class__ in PLAIN):
            value = _convert(value, field, scopes, run)
            if value is HELD:
                continue
        if not value and (value is None or value == "" or value == []):
            if field.rule.required:
                run.missing(field.rule)
            if not field.rule.keep_null:
                continue
        out[key] = value
    for key, inner in node.objects.items():
        found = _fill(inner, scopes, run)
        if found:
            out[key] = found
    for part in node.lists:
        entries = part.read(scopes[part.depth])
        if entries:
            out[part.key] = _entries(part.node, entries, scopes, run)
    return out


def _entries(node: Node, entries: Any, scopes: tuple[Any, ...], run: _Run) -> list[JsonObject]:
    run.indexes.append(0)
    found = []
    for index, entry in enumerate(entries):
        run.indexes[-1] = index
        found.append(_fill(node, (*scopes, entry), run))
    run.indexes.pop()
    return found


def _convert(value: Any, field: Field, scopes: tuple[Any, ...], run: _Run) -> Any:
    """The value after its steps, as JSON. An invalid one is noted: HELD when the record waits for it, None when the field is left out."""
    own_currency = run.currency
    if field.currency is not None:
        depth = field.currency.depth
        run.currency = field.currency.get(scopes if depth < 0 else scopes[depth]) or ""
    try:
        for step in field.steps:
            if value or step.on_empty or not (value is None or value == "" or value == () or value == []):
                value = step.apply(value, run)
        return number(value, run.currency) if value.__class__ is Decimal else _encode(value, run)
    except Invalid as fault:
        run.note(field.rule, fault)
        return None if field.rule.on_invalid is OnInvalid.DROP else HELD
    finally:
        run.currency = own_currency


def _encode(value: Any, run: _Run) -> Any:
    """A value as JSON holds it: money as a number with its currency's decimals, times in UTC."""
    kind = value.__class__
    if value is None or kind in PLAIN:
        return value
    if kind is Decimal:  # inside a list or an object
        return number(value, run.currency)
    if kind is datetime:
        return iso_datetime(value)
    if kind is tuple or kind is list:
        return [_encode(entry, run) for entry in value]
    if isinstance(value, dict):
        return {str(key): _encode(entry, run) for key, entry in value.items()}
    if isinstance(value, Enum):
        return value.value
    raise Invalid("bad_value", f"a payload cannot hold {kind.__name__}")


# --- rules that look at the finished payload ---------------------------------------------------------------------------


def _adjust(payload: JsonObject, rule: Rule, current: JsonObject, own: JsonObject | None) -> None:
    path = rule.target.split(".")
    if rule.only_with and _at(payload, rule.only_with.split(".")) in (None, "", []):
        _remove(payload, path)
        return
    held, new = _at(current, path), _at(payload, path)
    if rule.mode is Mode.IF_EMPTY and held not in (None, "", [], {}):
        kept = held if own is None else _at(own, path)
        if kept is None:
            _remove(payload, path)
        else:
            _put(payload, path, kept)
    elif rule.mode is Mode.APPEND and held not in (None, "", []):
        _put(payload, path, _union(held, new))


def _union(held: Any, new: Any) -> list[Any]:
    merged = list(held) if isinstance(held, list) else [held]
    for entry in new if isinstance(new, list) else [new]:
        if entry not in (None, "") and entry not in merged:
            merged.append(entry)
    return merged


def _at(payload: JsonObject, path: list[str]) -> Any:
    found: Any = payload
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


PLACE = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def put_at(payload: JsonObject, path: str, value: Any) -> None:
    """Write a value at a place like "lineitems[0].sku", None takes it away; a place in a list entry that is not there is passed over."""
    *parents, last = [name or int(index) for name, index in PLACE.findall(path)]
    found: Any = payload
    for step in parents:
        if isinstance(step, int):
            if not isinstance(found, list) or step >= len(found):
                return
            found = found[step]
        elif isinstance(found, dict):
            found = found.setdefault(step, {})
    if not isinstance(found, dict) or isinstance(last, int):
        return
    if value is None:
        found.pop(last, None)
    else:
        found[last] = value


def _put(payload: JsonObject, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        payload = payload.setdefault(name, {})
    payload[path[-1]] = value


def _remove(payload: JsonObject, path: list[str]) -> None:
    """Take a value away, and the objects that this leaves empty."""
    name, rest = path[0], path[1:]
    if rest and isinstance(payload.get(name), dict):
        _remove(payload[name], rest)
        if payload[name]:
            return
    payload.pop(name, None)
