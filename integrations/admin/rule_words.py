"""Field rules in plain words: for versions that are fixed, and for the difference between two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integrations.models import Flow
from integrations.platforms.base import TargetField
from integrations.platforms.registry import PLATFORMS
from mapping.fields import UnknownField, source_field
from mapping.models import MappingVersion
from mapping.records import RecordType
from mapping.rules import Mode, OnInvalid, Rule
from mapping.transforms import TRANSFORMS, Call
from mapping.versions import RuleChange

# Transform → what it does, with its argument in place and without one; transforms that are not here say their label.
PHRASES: dict[str, tuple[str, str]] = {
    "prefix": ("put “{}” before it", ""),
    "without": ("take “{}” out", ""),
    "truncate": ("cut to {} characters", ""),
    "default": ("when empty, use “{}”", ""),
    "lookup": ("translate by the value table “{}”", ""),
    "join": ("join the list with “{}”", "join the list with commas"),
    "first": ("", "the first entry of the list"),
    "take": ("the first {} entries of the list", ""),
    "filled": ("", "leave out empty entries"),
    "number": ("as a number with {} decimals", "as a number"),
    "e164": ("as an international phone number, from {} when the person has no country", "as an international phone number"),
    "email": ("", "as an e-mail address, checked"),
    "lower": ("", "in lower case"),
    "upper": ("", "in capitals"),
    "trim": ("", "without blanks around"),
    "slug": ("", "as words with dashes"),
    "sha256": ("", "as a SHA-256 hash"),
    "minor_units": ("", "in the smallest units (12.50 → 1250)"),
    "iso_date": ("", "as a date (2026-01-09)"),
    "iso_datetime": ("", "as date and time in UTC"),
    "negate": ("", "with the opposite sign"),
    "nonzero": ("", "left out when zero"),
    "string": ("", "as text"),
    "boolean": ("", "as yes or no"),
    "not": ("", "the opposite"),
    "uuid5_hex": ("as an id of 32 characters, in the name space “{}”", "as an id of 32 characters"),
}
TYPES = {
    "string": "text", "money": "amount", "number": "number", "integer": "whole number", "boolean": "yes or no", "datetime": "date and time",
    "date": "date", "list": "list", "object": "group of fields", "any": "anything",
}  # fmt: skip


def targets_of(flow: Flow) -> tuple[TargetField, ...]:
    """Fields that the flow's destination accepts for its record type."""
    platform = PLATFORMS.get(flow.destination.platform)
    return platform.targets.get(RecordType(flow.record_type), ()) if platform else ()


def missing_targets(row: MappingVersion, targets: Iterable[TargetField]) -> list[TargetField]:
    """Fields the destination requires and no rule fills."""
    filled = {rule.target for rule in row.rules.all()}
    return [target for target in targets if target.required and target.path not in filled]


def call_words(call: Call) -> str:
    """One transform with its argument, as a person would say it."""
    transform = TRANSFORMS.get(call.name)
    label = transform.label if transform else call.name
    given, bare = PHRASES.get(call.name, (f"{label}: {{}}", label))
    return bare or label if call.argument is None else (given or f"{label}: {{}}").format(_spoken(call.argument))


def _spoken(argument: object) -> str:
    return {True: "yes", False: "no"}[argument] if isinstance(argument, bool) else str(argument)


def source_words(rule: Rule, record_type: RecordType | None = None) -> str:
    """Where the value comes from."""
    if not rule.source:
        return "always empty" if rule.constant is None else f"always “{rule.constant}”"
    if record_type is None:
        return rule.source
    try:
        return source_field(record_type, rule.source).label
    except UnknownField:
        return rule.source


def conditions(rule: Rule) -> list[str]:
    """What is special about the rule."""
    told = (
        (rule.required, "required"),
        (rule.mode is Mode.IF_EMPTY, "only when empty at the destination"),
        (rule.mode is Mode.APPEND, "added to the list"),
        (rule.on_invalid is OnInvalid.DROP, "left out when invalid"),
        (rule.keep_null, "sent even when empty"),
        (bool(rule.only_with), f"only together with {rule.only_with}"),
    )
    return [words for holds, words in told if holds]


def rule_lines(version: MappingVersion, targets: Iterable[TargetField]) -> list[dict[str, Any]]:
    """One line per rule of a version."""
    known = {target.path: target for target in targets}
    record_type = RecordType(version.flow.record_type)
    lines = []
    for row in version.rules.all():
        rule, target = row.value(), known.get(row.target)
        lines.append({
            "target": rule.target, "label": target.label if target else "", "type": TYPES.get(target.type, "") if target else "",
            "source": rule.source, "source_label": source_words(rule, record_type), "steps": [call_words(call) for call in rule.transforms],
            "conditions": conditions(rule), "note": row.note,
        })  # fmt: skip
    return lines


def sentence(rule: Rule | None, record_type: RecordType | None = None) -> str:
    """A rule in one line, for the difference between two versions."""
    if rule is None:
        return ""
    told = [source_words(rule, record_type), *(call_words(call) for call in rule.transforms)]
    return " → ".join(told) + "".join(f" ({text})" for text in conditions(rule))


def change_lines(
    changes: Iterable[RuleChange], targets: Iterable[TargetField] = (), record_type: RecordType | None = None
) -> list[dict[str, str]]:
    """What was added, removed and changed, each rule in one line."""
    labels = {target.path: target.label for target in targets}
    return [
        {
            "target": change.target,
            "label": labels.get(change.target, ""),
            "kind": _kind(change),
            "before": sentence(change.before, record_type),
            "after": sentence(change.after, record_type),
        }
        for change in changes
    ]


def _kind(change: RuleChange) -> str:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"
