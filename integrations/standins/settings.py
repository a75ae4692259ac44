"""Settings of a stand-in as control calls change them: known names and values of the right type only."""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_type_hints

SettingsOf = TypeVar("SettingsOf", bound=Any)  # a frozen dataclass


def with_changes(settings: SettingsOf, changes: object) -> SettingsOf:
    """A copy with some values replaced; raises ValueError for an unknown name or a value of the wrong type."""
    if not isinstance(changes, Mapping):
        raise ValueError("Settings are an object.")
    kinds = get_type_hints(type(settings))
    unknown = changes.keys() - {item.name for item in fields(settings)}
    if unknown:
        raise ValueError(f"Unknown settings: {sorted(unknown)}")
    wrong = sorted(name for name, value in changes.items() if not _fits(value, kinds[name]))
    if wrong:
        raise ValueError(f"Wrong type of value: {wrong}")
    return replace(settings, **changes)


def _fits(value: object, kind: type | UnionType) -> bool:
    allowed = set(get_args(kind) or (kind,))
    if value is None:
        return NoneType in allowed
    return type(value) in allowed or (type(value) is int and float in allowed)
