"""What an impact run found, small whatever it looked at: counts per field and per reason, with the ids of a few examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.preview import FieldChange, generic
from mapping.transform import SUBJECT_IS_RECORD, Issue

MOST_FIELDS, MOST_REASONS = 300, 200  # kept apart; what is beyond is counted together
SAMPLES = 3
Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """One field of the payload: records in which it changes, in which it is new, and in which it goes; deliveries to look at."""

    path: str
    count: int
    added: int
    removed: int
    samples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReasonFinding:
    """One reason why records are held: the kind of question, the field and the subject it would ask about."""

    kind: str
    field: str
    subject: str
    message: str
    count: int
    samples: tuple[int, ...]


def note_changes(found: Stored, delivery_id: int, changes: Iterable[FieldChange]) -> None:
    """Count a changed record once per field."""
    kinds: dict[str, set[str]] = {}
    for change in changes:
        kind = "added" if change.before is None else "removed" if change.after is None else "changed"
        kinds.setdefault(generic(change.path), set()).add(kind)
    fields = found.setdefault("fields", {})
    for path, what in kinds.items():
        if path not in fields and len(fields) >= MOST_FIELDS:
            found["more_fields"] = found.get("more_fields", 0) + 1
            continue
        entry = fields.setdefault(path, [0, 0, 0, []])
        entry[0] += 1
        entry[1] += what == {"added"}
        entry[2] += what == {"removed"}
        _sample(entry[3], delivery_id)


def note_reasons(found: Stored, name: str, delivery_id: int, issues: Iterable[Issue]) -> None:
    """Count a record once per reason; `name` is "fails" or "answered"."""
    reasons = found.setdefault(name, {})
    for key, issue in {_key(issue): issue for issue in issues}.items():
        if key not in reasons and len(reasons) >= MOST_REASONS:
            found[f"more_{name}"] = found.get(f"more_{name}", 0) + 1
            continue
        subject = "" if issue.kind in SUBJECT_IS_RECORD else issue.subject
        entry = reasons.setdefault(key, [issue.kind, generic(issue.field), subject, issue.message[:300], 0, []])
        entry[4] += 1
        _sample(entry[5], delivery_id)


def fields_of(found: Stored) -> list[FieldFinding]:
    """The fields that change, most records first."""
    rows = [FieldFinding(path, *entry[:3], tuple(entry[3])) for path, entry in found.get("fields", {}).items()]
    return sorted(rows, key=lambda row: (-row.count, row.path))


def reasons_of(found: Stored, name: str) -> list[ReasonFinding]:
    """The reasons of that name, most records first."""
    rows = [ReasonFinding(*entry[:5], tuple(entry[5])) for entry in found.get(name, {}).values()]
    return sorted(rows, key=lambda row: (-row.count, row.field, row.subject))


def samples_of(found: Stored) -> list[int]:
    """Ids of every delivery that stands for something."""
    ids: Sequence[int] = [pk for entry in found.get("fields", {}).values() for pk in entry[3]]
    return sorted({*ids, *(pk for name in ("fails", "answered") for entry in found.get(name, {}).values() for pk in entry[5])})


def _key(issue: Issue) -> str:
    return "|".join((issue.kind, generic(issue.field), "" if issue.kind in SUBJECT_IS_RECORD else issue.subject))


def _sample(ids: list[int], delivery_id: int) -> None:
    if len(ids) < SAMPLES:
        ids.append(delivery_id)
