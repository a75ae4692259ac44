"""Values that a person put right on a held delivery: what may be changed, what it makes of the payload, and sending it like that.

A correction counts for the version of the record it was made for; a newer version from the source speaks for itself again.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog
from django.db import transaction
from django.db.models import F

from integrations.engine.accounts import platform_of
from integrations.engine.catalogue import lookups_for
from integrations.engine.consent import standings_for
from integrations.engine.masks import unmasked
from integrations.engine.replay import replay
from integrations.flows import spec_for
from integrations.models import Correction, Delivery
from integrations.platforms.base import JsonObject, TargetField
from mapping import codec
from mapping.plans import Plan, active_plan
from mapping.preview import FieldChange, changed_fields, generic, leaves
from mapping.steps import STEPS
from mapping.transform import Mapped, transform

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
Values = Mapping[str, Any]
CORRECTABLE = (Delivery.State.BLOCKED, Delivery.State.READY)
SCALARS = ("string", "number", "integer", "boolean", "datetime", "date")


class CannotCorrect(Exception):
    """The values were not taken; the message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """One field that the flow's mapping writes: its place, its name, what is written today, and what is wrong with it."""

    path: str
    label: str
    type: str
    value: Any = None
    choices: tuple[str, ...] = ()
    help: str = ""
    problem: str = ""
    source: str = ""  # where in the record the rule reads, and what stands there
    said: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What values make of a delivery: payload before and after, and what would still hold it (field → why)."""

    before: JsonObject
    after: JsonObject
    changes: tuple[FieldChange, ...]
    problems: Mapping[str, str]


def values_of(delivery_ids: Sequence[int]) -> dict[int, Values]:
    """The corrected values of claimed deliveries, by delivery; those made for an older version are left out. One query."""
    rows = Correction.objects.filter(delivery__in=delivery_ids, version=F("delivery__claimed_version")).order_by("pk")
    return dict(rows.values_list("delivery", "values"))  # the last one counts


def latest(delivery: Delivery) -> Correction | None:
    """The last correction of a delivery; it counts when its version is the delivery's."""
    return delivery.corrections.select_related("by").first()


def editable(delivery: Delivery) -> list[Editable]:
    """Fields of a delivery that a person may put right, those that hold it first; `delivery` comes with flow and connections."""
    plan, mapped = _mapped(delivery, _counting(delivery))
    problems = {**_problems(delivery, mapped)}
    targets = {target.path: target for target in platform_of(delivery.flow.destination).targets.get(delivery.flow.record_type, ())}
    written = dict(leaves(mapped.payload))
    plain = [rule.target for rule in plan.rules if "[]" not in rule.target]
    paths = [*problems, *(path for path in [*plain, *written] if path not in problems)]
    sources = {rule.target: rule.source for rule in plan.rules}
    rows = [_editable(path, targets.get(generic(path)), written.get(path), problems.get(path, "")) for path in dict.fromkeys(paths)]
    rows = [row for row in rows if generic(row.path) in sources and row.type in SCALARS and not row.path.startswith("@")]
    return [replace(row, source=sources.get(row.path, ""), said=_said(delivery.record, sources.get(row.path, ""))) for row in rows]


def draft(delivery: Delivery, values: Values) -> Draft:
    """What these values make of the delivery, on top of those put right before; nothing is stored."""
    counting = _counting(delivery)
    before, after = _mapped(delivery, counting)[1], _mapped(delivery, {**counting, **values})[1]
    return Draft(
        before=before.payload,
        after=after.payload,
        changes=changed_fields(before.payload, after.payload),
        problems=_problems(delivery, after),
    )


def correct(delivery: Delivery, values: Values, by: User, note: str = "") -> Correction:
    """Store values for this version of the record and send it with them; raises CannotCorrect, also while anything else is wrong."""
    if not values:
        raise CannotCorrect("No value was changed.")
    found = draft(delivery, values)
    if found.problems:
        raise CannotCorrect("Still wrong: " + "; ".join(f"{field}: {why}" if field else why for field, why in found.problems.items()))
    with transaction.atomic():
        row = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if row.state not in CORRECTABLE:
            raise CannotCorrect("It is not held any more, so nothing was changed.")
        if row.version != delivery.version:
            raise CannotCorrect("The source has sent a newer version meanwhile. Look at it first.")
        before = dict(leaves(found.before))
        kept = Correction.objects.create(
            delivery=row, version=row.version, values={**_counting(row), **values}, note=note[:300], by=by,
            before={path: before.get(path) for path in values},
        )  # fmt: skip
    replay([delivery.pk], by)
    log.info("delivery corrected", delivery=delivery.pk, fields=sorted(values), by=by.pk)
    return kept


def typed(field: Editable, text: str) -> Any:
    """What somebody typed as the value that the field takes, None for nothing; raises CannotCorrect."""
    text = text.strip()
    if not text:
        return None
    try:
        return CASTS.get(field.type, str)(text)
    except (ValueError, KeyError) as fault:
        raise CannotCorrect(f"{field.label} takes {TYPE_WORDS[field.type]}.") from fault


def _number(text: str) -> int | float:
    number = float(text.replace(",", "."))
    if number - number != 0:  # not a number, or without end
        raise ValueError(text)
    return int(number) if number.is_integer() and "." not in text else number


CASTS = {"number": _number, "integer": int, "boolean": lambda text: {"yes": True, "no": False, "true": True, "false": False}[text.lower()]}
TYPE_WORDS = {"number": "a number", "integer": "a whole number", "boolean": "yes or no"}


def _counting(delivery: Delivery) -> Values:
    row = latest(delivery)
    return row.values if row is not None and row.version == delivery.version else {}


def _mapped(delivery: Delivery, values: Values) -> tuple[Plan, Mapped]:
    """The published rules and the payload they make of the record now; raises NoPlan, and ValueError for a record that cannot be read."""
    flow = delivery.flow
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    plan = active_plan(flow.pk)
    (record,) = standings_for(unmasked(flow.source.platform, [codec.from_json(flow.record_type, delivery.record)]), flow)
    lookups = lookups_for(flow, spec, [record], plan.tables)
    for name in spec.steps:
        record = STEPS[name](record, lookups)
    return plan, transform(record, plan, lookups, current=delivery.sent_payload, corrected=values)


def _problems(delivery: Delivery, mapped: Mapped) -> dict[str, str]:
    """What holds this payload: the mapping's issues, then what the destination's limits say, by field."""
    found = {issue.field: issue.message for issue in mapped.issues}
    writer = platform_of(delivery.flow.destination).writers[delivery.flow.record_type]
    for problem in writer.check(copy.deepcopy(mapped.payload)):
        found.setdefault(problem.field, problem.message)
    return found


def _editable(path: str, target: TargetField | None, value: Any, problem: str) -> Editable:
    if target is None:
        kind = "string" if isinstance(value, str) or value is None else "number"
        return Editable(path=path, label=path, type=kind, value=value, problem=problem)
    label = f"{target.label} ({path})" if "[" in path else target.label
    return Editable(
        path=path, label=label, type=target.type, value=value, choices=target.choices, help=target.help, problem=problem
    )  # fmt: skip


def _said(record: JsonObject, source: str) -> Any:
    """What the source says where a rule reads, None where that is no single value."""
    found: Any = record
    for name in source.split(".") if source else ():
        found = found.get(name) if isinstance(found, dict) else None
    return found if source and not isinstance(found, dict | list) else None
