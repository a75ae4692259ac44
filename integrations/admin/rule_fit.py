"""Whether a rule's value fits the field it fills, told before anything is sent: types along its steps, choices, and unknown fields."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.admin.rule_words import TYPES
from integrations.platforms.base import TargetField
from mapping.fields import UnknownField, source_field
from mapping.records import RecordType
from mapping.rules import Rule, list_paths
from mapping.transforms import TRANSFORMS, Call

# What a step that works on the left type can be given; text takes any single value.
TAKES: dict[str, frozenset[str]] = {
    "string": frozenset({"string", "money", "number", "integer", "boolean", "datetime", "list"}),
    "money": frozenset({"money", "number", "integer", "string", "list"}),
    "datetime": frozenset({"datetime", "string", "list"}),
    "boolean": frozenset({"boolean", "string", "list"}),
    "list": frozenset({"list"}),
}
# Type of a target field → types of value that it takes as they are, and the step that helps others.
FITS: dict[str, tuple[frozenset[str], str]] = {
    "string": (frozenset({"string", "datetime"}), "string"),
    "number": (frozenset({"money", "number", "integer"}), "number"),
    "integer": (frozenset({"integer"}), "number"),
    "boolean": (frozenset({"boolean"}), "boolean"),
    "datetime": (frozenset({"datetime", "string"}), "iso_datetime"),
    "date": (frozenset({"string"}), "iso_date"),
    "list": (frozenset({"list"}), ""),
}
CONSTANTS = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "list"), (dict, "object"))
ANYTHING = "any"


def known_target(path: str, targets: Iterable[TargetField]) -> TargetField | None:
    """The destination's field of that path; a field inside a group of free fields is known by the group."""
    found = {target.path: target for target in targets}
    if path in found:
        return found[path]
    group = next((target for target in found.values() if target.type == "object" and path.startswith(f"{target.path}.")), None)
    return TargetField(path=path, label=f"{group.label}: {path[len(group.path) + 1 :]}", type=ANYTHING) if group else None


def misfits(rule: Rule, record_type: RecordType, targets: tuple[TargetField, ...], destination: str) -> list[str]:
    """What is doubtful about a rule, in plain words; empty when all fits or nothing is known of the destination's fields."""
    target = known_target(rule.target, targets) if targets else None
    found = [f"{destination} has no field “{rule.target}”."] if targets and target is None and rule.target else []
    kind = _begins_as(rule, record_type)
    for call in rule.transforms:
        transform = TRANSFORMS.get(call.name)
        if transform is None:
            return found
        if not _takes(transform.input, kind):
            found.append(f"“{transform.label}” works on a value of the kind {TYPES[transform.input]}, and gets {TYPES[kind]}.")
        kind = _after(call, kind)
    return [*found, *(_fits(rule, kind, target) if target else [])]


def _begins_as(rule: Rule, record_type: RecordType) -> str:
    if not rule.source:
        return next((name for of, name in CONSTANTS if isinstance(rule.constant, of)), ANYTHING)
    try:
        source = source_field(record_type, rule.source)
    except UnknownField:
        return ANYTHING
    return "list" if len(source.lists) > len(list_paths(rule.target)) else source.type


def _takes(wanted: str, kind: str) -> bool:
    return ANYTHING in (wanted, kind) or kind in TAKES.get(wanted, frozenset({wanted}))


def _after(call: Call, kind: str) -> str:
    transform = TRANSFORMS[call.name]
    if kind == "list" and not transform.lists:
        return kind  # applied to each entry
    if call.name == "default":
        return kind
    return transform.output


def _advice(step: str, kind: str) -> str:
    if not step:
        return ""
    if kind == "list":
        return " Add “First entry of a list” or “Join a list to text”."
    return f" Add the step “{TRANSFORMS[step].label}”."


def _fits(rule: Rule, kind: str, target: TargetField) -> list[str]:
    takes, step = FITS.get(target.type, (frozenset({kind}), ""))
    found = []
    if kind not in takes and ANYTHING not in (kind, target.type):
        found.append(f"{target.label} takes {TYPES[target.type]}, and this gives {TYPES[kind]}.{_advice(step, kind)}")
    if target.choices and not rule.source and not rule.transforms and rule.constant not in (None, *target.choices):
        found.append(f"{target.label} takes only {', '.join(target.choices)}.")
    if target.max_length and target.type == "string" and isinstance(rule.constant, str) and len(rule.constant) > target.max_length:
        found.append(f"{target.label} takes at most {target.max_length} characters.")
    return found
