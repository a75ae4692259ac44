"""Who did what to a row: its stored versions and the console's log as one list, each change with before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.utils.text import Truncator

SHOWN = 15
TOGETHER = timedelta(seconds=5)  # a log line and the version that it wrote belong together
LONGEST = 120  # characters of a value
PROGRAM = "the program"
ADDED = {"+": "Added", "-": "Deleted"}
HIDDEN = frozenset({"password", "usable_password", "password1", "password2"})
QUIET = frozenset({"resume_at", "last_event_at", "version_served", "deprecation", "updated_at"})  # what the program notes for itself


@dataclass(frozen=True, slots=True)
class Part:
    """One value that changed."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One act: when, by whom, in words, and what it changed."""

    at: datetime
    by: str
    what: str
    parts: tuple[Part, ...] = ()


def changes_of(row: Model, labels: Mapping[str, str] | None = None, parts: Sequence[QuerySet] = ()) -> list[Change]:
    """The latest acts on a row, newest first; `labels` names the entries of JSON columns, `parts` are stored versions of rows of its own.

    Secrets are in none of these tables, so never in here.
    """
    told, versions = list(_told(row)), list(_versions(row, labels or {}))
    for part in parts:
        versions += _parts_of_it(part)
    merged = [*versions]
    for entry in told:
        twin = next((each for each in merged if each.by == entry.by and abs(each.at - entry.at) <= TOGETHER), None)
        if twin is None:
            merged.append(entry)
        else:
            merged[merged.index(twin)] = replace(twin, what=entry.what if twin in versions else f"{twin.what}. {entry.what}")
    return sorted(merged, key=lambda change: change.at, reverse=True)[:SHOWN]


def _told(row: Model) -> Iterator[Change]:
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk))
    for entry in entries.select_related("user").order_by("-action_time")[:SHOWN]:
        yield Change(entry.action_time, entry.user.get_username(), entry.get_change_message())


def _versions(row: Model, labels: Mapping[str, str]) -> Iterator[Change]:
    if not hasattr(row, "history"):
        return
    rows = list(row.history.select_related("history_user").order_by("-history_date", "-history_id")[: SHOWN + 1])
    for newer, older in pairwise(rows):
        parts = tuple(_parts(newer, older, labels))
        if parts:
            yield _version(newer, newer.history_change_reason or "Changed", parts)
    if rows and rows[-1].history_type in ADDED:
        yield _version(rows[-1], ADDED[rows[-1].history_type])


def _parts_of_it(versions: QuerySet) -> Iterator[Change]:
    """Acts on the rows that belong to another one, each named by what it is."""
    by_row: dict[Any, list[Any]] = defaultdict(list)
    for version in versions.select_related("history_user").order_by("-history_date", "-history_id")[: 4 * SHOWN]:
        by_row[version.id].append(version)
    for rows in by_row.values():
        for newer, older in pairwise(rows):
            if found := tuple(_parts(newer, older, {})):
                yield _version(newer, f"{newer.history_object}", found)
        for version in rows:
            if version.history_type in ADDED:
                yield _version(version, f"{ADDED[version.history_type]} {version.history_object}")


def _version(version: Any, what: str, parts: tuple[Part, ...] = ()) -> Change:
    person = version.history_user
    return Change(version.history_date, person.get_username() if person else PROGRAM, what, parts)


def _parts(newer: Any, older: Any, labels: Mapping[str, str]) -> Iterator[Part]:
    for change in newer.diff_against(older).changes:
        if change.field in QUIET:
            continue
        if isinstance(change.old, dict) or isinstance(change.new, dict):
            yield from _entries(change.old or {}, change.new or {}, labels)
        else:
            name = newer._meta.get_field(change.field).verbose_name
            yield Part(str(name).capitalize(), shown(change.old), shown(change.new))


def _entries(old: Mapping[str, Any], new: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[Part]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Part(labels.get(name, name.replace("_", " ").capitalize()), shown(old.get(name)), shown(new.get(name)))


def shown(value: object) -> str:
    """A value as people say it, cut where it is long."""
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
    return Truncator(text).chars(LONGEST)


def spoken(form: BaseForm) -> str:
    """What a form changed, before and after, for the log; of passwords only that they were set."""
    told = []
    for name in form.changed_data:
        label = form.fields[name].label or name
        before, after = shown(listed(form.initial.get(name))), shown(listed(form.cleaned_data.get(name)))
        told.append(f"{label} set" if name in HIDDEN else f"{label}: {before} → {after}")
    return "; ".join(told) or "Saved without a change"


def listed(value: object) -> object:
    """Rows of a relation as a list; everything else as it is."""
    return sorted(map(str, value)) if isinstance(value, QuerySet | list | tuple) else value
