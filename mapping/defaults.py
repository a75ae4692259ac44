"""Default mappings, value tables and identity rules that ship as data; loading them never overwrites what staff changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Model
from simple_history.utils import bulk_create_with_history

from mapping.compiler import plan_from_rules
from mapping.exchange import rules_from_json
from mapping.masking_rules import Mask
from mapping.models import IdentityRule, MappingVersion, MaskingRule, ValueCrosswalk
from mapping.rules import Rule
from mapping.versions import publish_where_none

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "defaults"
NOTE = "Default mapping"


@dataclass(frozen=True, slots=True)
class DefaultMapping:
    """What ships for one pair of platforms and record type: rules, a note per target, the order of identity keys."""

    rules: tuple[Rule, ...]
    notes: Mapping[str, str]
    identity: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading changed: the version it published (None when staff already have one), and how many rows it added."""

    version: MappingVersion | None
    value_rows: int
    identity_rows: int


@cache
def default_mapping(source: str, destination: str, record_type: str) -> DefaultMapping | None:
    """The default for a pair of platform slugs and a record type, None when none ships; raises ValueError for a broken file."""
    path = FOLDER / f"{source}_{destination}_{record_type}.json"
    if not path.is_file():
        return None
    stored = orjson.loads(path.read_bytes())
    rules, notes = rules_from_json(stored)
    return DefaultMapping(rules, notes, tuple(stored.get("identity", ())))


@cache
def default_tables() -> dict[str, dict[str, str]]:
    """Every value table that ships: name → source value → target value."""
    return orjson.loads((FOLDER / "value_tables.json").read_bytes())


@cache
def default_masks() -> tuple[dict[str, str], ...]:
    """Every masking rule that ships, as the columns of its row."""
    return tuple(orjson.loads((FOLDER / "masking_rules.json").read_bytes()))


def masks_for(platform: str) -> tuple[Mask, ...]:
    """The masking rules for records of a platform; those that ship while nobody ever had a row of the table."""
    rows = [(row.platform, row.value()) for row in MaskingRule.objects.filter(platform__in=["", platform])]
    if not rows and not MaskingRule.history.exists():
        rows = [(row["platform"], Mask(row["field"], row["how"], row["pattern"])) for row in default_masks()]
    return tuple(mask for of, mask in rows if of in ("", platform))


def load_defaults(flow: Any) -> Loaded:
    """What `load_all_defaults` does, for one flow."""
    return load_all_defaults([flow])[0]


@transaction.atomic
def load_all_defaults(flows: Sequence[Any]) -> list[Loaded]:
    """Give flows their default mapping unless one is published, and add what is missing of value tables, identity and masking rules.

    Rows that staff deleted stay deleted; rows that exist stay as they are. Nothing happens to a flow whose pair has no default.
    """
    defaults = ((flow, default_mapping(flow.source.platform, flow.destination.platform, flow.record_type)) for flow in flows)
    found = [(flow, default) for flow, default in defaults if default is not None]
    if not found:
        return [Loaded(None, 0, 0)] * len(flows)
    tables = {flow.pk: plan_from_rules(default.rules, record_type=flow.record_type).tables for flow, default in found}
    rules = {flow.pk: [(rule, default.notes.get(rule.target, "")) for rule in default.rules] for flow, default in found}
    versions = publish_where_none(rules, NOTE)
    _add_masks()
    values, identity = _add_values(tables), _add_identity(found)
    return [Loaded(versions.get(flow.pk), values.get(flow.pk, 0), identity.get(flow.pk, 0)) for flow in flows]


def _add_values(tables: Mapping[int, Iterable[str]]) -> dict[int, int]:
    """The rows that these tables of each flow lack; how many for each."""
    names = {name for each in tables.values() for name in each}
    settled = set(ValueCrosswalk.objects.filter(name__in=names).values_list("name", "source_value"))
    settled |= set(ValueCrosswalk.history.filter(name__in=names).values_list("name", "source_value"))
    rows, counts = [], {}
    for flow, each in tables.items():
        wanted = {(name, word): target for name in each for word, target in default_tables().get(name, {}).items()}
        missing = sorted(set(wanted) - settled)
        rows += [ValueCrosswalk(name=name, source_value=word, target_value=wanted[name, word]) for name, word in missing]
        counts[flow] = len(missing)
        settled.update(missing)
    _add(rows)
    return counts


def _add_masks() -> None:
    columns = ("platform", "field", "how", "pattern")
    settled = set(MaskingRule.history.values_list(*columns)) | set(MaskingRule.objects.values_list(*columns))
    _add([MaskingRule(**row) for row in default_masks() if tuple(row[name] for name in columns) not in settled])


def _add_identity(found: Sequence[tuple[Any, DefaultMapping]]) -> dict[int, int]:
    """The order of identity keys of destinations that never had one; how many rows for each flow."""
    destinations = {flow.destination_id for flow, _ in found}
    settled = set(IdentityRule.history.filter(destination__in=destinations).order_by().values_list("destination", flat=True).distinct())
    rows, counts = [], {}
    for flow, default in found:
        if default.identity and flow.destination_id not in settled:
            keys = enumerate(default.identity, start=1)
            rows += [IdentityRule(destination_id=flow.destination_id, position=place, key=key) for place, key in keys]
            counts[flow.pk] = len(default.identity)
            settled.add(flow.destination_id)
    _add(rows)
    return counts


def _add(rows: Sequence[Model]) -> None:
    """Store rows of one table, each with the beginning of its history."""
    if rows:
        bulk_create_with_history(rows, type(rows[0]))
