"""Field rules in plain words: for versions that are fixed, and for the difference between two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integrations.platforms.base import TargetField
from mapping.fields import UnknownField, source_field
from mapping.models import MappingVersion
from mapping.records import RecordType
from mapping.rules import Mode, OnInvalid, Rule
from mapping.transforms import TRANSFORMS, Call
from mapping.versions import RuleChange


def call_words(call: Call) -> str:
    """One transform with its argument."""
    transform = TRANSFORMS.get(call.name)
    label = transform.label if transform else call.name
    return label if call.argument is None else f"{label}: {call.argument}"


def source_words(rule: Rule, record_type: RecordType | None = None) -> str:
    """Where the value comes from."""
    if not rule.source:
        return f"always “{rule.constant}”"
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
            "target": rule.target, "label": target.label if target else "", "type": target.type if target else "", "source": rule.source,
            "source_label": source_words(rule, record_type), "steps": [call_words(call) for call in rule.transforms],
            "conditions": conditions(rule), "note": row.note,
        })  # fmt: skip
    return lines


def sentence(rule: Rule | None) -> str:
    """A rule in one line, for the difference between two versions."""
    if rule is None:
        return ""
    return " → ".join([source_words(rule), *(call_words(call) for call in rule.transforms)]) + "".join(
        f" ({text})" for text in conditions(rule)
    )


def change_lines(changes: Iterable[RuleChange]) -> list[dict[str, str]]:
    """What was added, removed and changed, each rule in one line."""
    return [
        {"target": change.target, "kind": _kind(change), "before": sentence(change.before), "after": sentence(change.after)}
        for change in changes
    ]


def _kind(change: RuleChange) -> str:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"
