"""Run two sets of rules over given records: what each field is today, what it would become, and what would hold the record. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.compiler import Plan
from mapping.crosswalk import Lookups
from mapping.records import Record
from mapping.transform import Issue, JsonObject, Mapped, transform


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that the draft changes; None on the side where it is not sent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One record under both plans. `before` is None when nothing is published yet; `issues` and `dropped` are the draft's."""

    record_key: str
    before: JsonObject | None
    after: JsonObject
    changes: tuple[FieldChange, ...]
    issues: tuple[Issue, ...]
    dropped: tuple[Issue, ...] = ()
    issues_before: tuple[Issue, ...] = ()


def preview(plan_before: Plan | None, plan_after: Plan, records: Sequence[Record], lookups: Lookups) -> list[PreviewRow]:
    """One row per record, in the order given; `lookups` must cover the tables of both plans."""
    return [compare(plan_before, plan_after, record, lookups) for record in records]


def compare(
    plan_before: Plan | None, plan_after: Plan, record: Record, lookups: Lookups, *, current: JsonObject | None = None,
    then: Callable[[Mapped], Mapped] = lambda mapped: mapped,
) -> PreviewRow:  # fmt: skip
    """One record under both plans; `current` is what the destination is taken to hold, `then` what happens to a payload afterwards."""
    after = then(transform(record, plan_after, lookups, current=current))
    before = None if plan_before is None else then(transform(record, plan_before, lookups, current=current))
    return PreviewRow(
        record.key,
        None if before is None else before.payload,
        after.payload,
        () if _equal(before, after) else changed_fields({} if before is None else before.payload, after.payload),
        after.issues,
        after.dropped,
        () if before is None else before.issues,
    )


def changed_fields(before: JsonObject, after: JsonObject) -> tuple[FieldChange, ...]:
    """Every leaf that differs between two payloads, by path ("lineitems[0].sku"); true is not 1 and 1 is not 1.0 in type only."""
    old, new = dict(leaves(before)), dict(leaves(after))
    return tuple(
        FieldChange(path, old.get(path), new.get(path))
        for path in [*new, *(path for path in old if path not in new)]
        if path not in old or path not in new or old[path] != new[path] or isinstance(old[path], bool) != isinstance(new[path], bool)
    )


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar (and every empty list or object) of a payload with its path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    elif path:
        yield path, value


def _equal(before: Mapped | None, after: Mapped) -> bool:
    """Whether both payloads are known to be the same; the hash is empty for a record that would be held."""
    return before is not None and after.payload_hash != "" and before.payload_hash == after.payload_hash


def generic(path: str) -> str:
    """A payload path without list positions: "lineitems[0].sku" → "lineitems[].sku"."""
    out, skip = [], False
    for character in path:
        skip = character == "[" or (skip and character != "]")
        if character == "[":
            out.append("[")
        elif not skip:
            out.append(character)
    return "".join(out)
