"""Which of several sources decides a field at a destination: what others bring for it is left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mapping.transform import Issue, Mapped, payload_hash

EMPTY = (None, "", [], {})
KIND = "owned"  # of the issues that tell what was left out; they hold nothing


@dataclass(frozen=True, slots=True)
class Owned:
    """One field at a destination, the connection that decides it, and whether others may write it while it is empty there."""

    target: str
    owner: int
    owner_name: str
    fills: bool


def without_owned(mapped: Mapped, rules: Sequence[Owned], *, held: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Mapped:
    """What a source that owns none of these fields may send; `dropped` names what it left to whom.

    `held` is what the destination has, by field at the top of a payload. A value that this source filled in earlier (`own`) is its own
    to renew until the owner says something else.
    """
    left = [rule for rule in rules if _brings(mapped.payload, rule.target) and not _may_fill(rule, mapped.payload, held, own or {})]
    if not left:
        return mapped
    payload = {name: value for name, value in mapped.payload.items() if name not in {rule.target for rule in left}}
    told = tuple(Issue(KIND, rule.target, f"{rule.owner_name} decides this field.", rule.target) for rule in left)
    return replace(mapped, payload=payload, payload_hash="" if mapped.issues else payload_hash(payload), dropped=(*mapped.dropped, *told))


def in_words(dropped: Sequence[Issue]) -> str:
    """What was left to other sources, in a sentence; empty when nothing was."""
    fields = [issue.field for issue in dropped if issue.kind == KIND]
    return f"Left to the source that decides them: {', '.join(fields)}." if fields else ""


def _brings(payload: Mapping[str, Any], target: str) -> bool:
    return payload.get(target) not in EMPTY


def _may_fill(rule: Owned, payload: Mapping[str, Any], held: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    if not rule.fills:
        return False
    there = held.get(rule.target)
    return there in EMPTY or there == own.get(rule.target)
