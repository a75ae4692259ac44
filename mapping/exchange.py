"""Field rules as JSON, the form in which defaults ship and in which a mapping travels from one installation to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from mapping.models import FieldRule
from mapping.models.rules import calls
from mapping.rules import Mode, OnInvalid, Rule

_DEFAULTS = {field.name: field.default for field in fields(Rule)}


def rule_from_json(row: Mapping[str, Any]) -> Rule:
    """A rule from its JSON; raises ValueError or TypeError for names that rules do not have."""
    values = {name: value for name, value in row.items() if name not in ("note", "transforms", "mode", "on_invalid")}
    return Rule(
        transforms=calls(row.get("transforms", [])),
        mode=Mode(row.get("mode", Mode.OVERWRITE)),
        on_invalid=OnInvalid(row.get("on_invalid", OnInvalid.HOLD)),
        **values,
    )


def rules_from_json(stored: Mapping[str, Any]) -> tuple[tuple[Rule, ...], dict[str, str]]:
    """Rules and their notes by target from {"rules": […]}; raises ValueError when it is none."""
    rows = stored.get("rules") if isinstance(stored, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) and isinstance(row.get("target"), str) for row in rows):
        raise ValueError('a mapping is an object with a list of "rules", each with a "target"')
    try:
        return tuple(map(rule_from_json, rows)), {row["target"]: str(row["note"]) for row in rows if row.get("note")}
    except TypeError as fault:
        raise ValueError(str(fault)) from fault


def rules_to_json(rows: Iterable[FieldRule]) -> dict[str, Any]:
    """The rows of a version in the form that `rules_from_json` reads; what is at its default is left out."""
    return {"rules": [_to_json(row) for row in rows]}


def _to_json(row: FieldRule) -> dict[str, Any]:
    rule = row.value()
    found = {name: getattr(rule, name) for name, default in _DEFAULTS.items() if getattr(rule, name) != default}
    if rule.transforms:
        found["transforms"] = [
            {"name": call.name} if call.argument is None else {"name": call.name, "argument": call.argument} for call in rule.transforms
        ]
    return {**found, **({"note": row.note} if row.note else {})}
