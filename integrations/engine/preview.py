"""What a draft mapping would do to records that really passed through a flow. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from integrations.engine import accounts
from integrations.engine.catalogue import lookups_for
from integrations.engine.consent import standings_for
from integrations.engine.follow import following
from integrations.engine.masks import unmasked
from integrations.engine.ownership import owned_by_others
from integrations.engine.relevance import not_yet, why_not
from integrations.flows import FlowSpec, spec_for
from integrations.models import Delivery, Flow
from integrations.platforms.base import JsonObject, Problem
from mapping import codec
from mapping.lookups import Lookups
from mapping.models import MappingVersion
from mapping.ownership import without_owned
from mapping.plans import NoPlan, Plan, active_plan, compile_plan
from mapping.preview import PreviewRow, compare, generic
from mapping.records import Record
from mapping.steps import STEPS
from mapping.transform import Issue

log = structlog.get_logger(__name__)
UNREADABLE = "The stored record cannot be read by this program any more."


class Verdict(StrEnum):
    """What becomes of one record when the rules change."""

    SAME = "same"
    CHANGED = "changed"
    FAILS = "fails"  # it went out and would be held
    ANSWERED = "answered"  # it was held and would go out
    HELD = "held"  # before and after
    LEFT = "left"  # not sent, whatever the rules


@dataclass(frozen=True, slots=True)
class Tried:
    """One record under both sets of rules; `row` is None and `reason` says why when the rules do not matter for it."""

    delivery: Delivery
    verdict: Verdict
    row: PreviewRow | None = None
    reason: str = ""
    issues: tuple[Issue, ...] = ()  # that would hold it
    issues_before: tuple[Issue, ...] = ()  # that hold it today


@dataclass(frozen=True, slots=True)
class Trial:
    """Two sets of rules side by side, ready to run over records of their flow; `before` is None while nothing is published."""

    flow: Flow
    spec: FlowSpec
    before: Plan | None
    after: Plan
    check: Callable[[JsonObject], Sequence[Problem]]

    @property
    def needs_current(self) -> bool:
        """Whether rules look at what the destination holds; here it is taken to hold what was last sent."""
        looked_at = self.after.needs_current or (self.before is not None and self.before.needs_current)
        return looked_at or bool(owned_by_others(self.flow))

    @property
    def tables(self) -> frozenset[str]:
        """Value tables that either set reads."""
        return self.after.tables | (self.before.tables if self.before else frozenset())


def latest_deliveries(flow: Flow, limit: int = 20) -> list[Delivery]:
    """The flow's most recently changed deliveries; one short look into the index per state, however long the table is."""
    parts = [Delivery.objects.filter(flow=flow, state=state).order_by("-updated_at")[:limit] for state in Delivery.State.values]
    ids = parts[0].values("pk").union(*(part.values("pk") for part in parts[1:]), all=True)
    rows = flow.deliveries.filter(pk__in=[row["pk"] for row in ids])
    return sorted(rows, key=lambda row: (row.updated_at, row.pk), reverse=True)[:limit]


def trial(flow: Flow, before: Plan | None, after: Plan) -> Trial:
    """The two sets of rules made ready; `flow` comes with its connections."""
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    return Trial(flow, spec, before, after, accounts.platform_of(flow.destination).writers[flow.record_type].check)


def published_plan(flow_id: int) -> Plan | None:
    """The rules that are in force; raises BadRules."""
    try:
        return active_plan(flow_id)
    except NoPlan:
        return None


def preview_draft(version: MappingVersion, deliveries: Sequence[Delivery]) -> list[Tried]:
    """Before and after per field for the records of these deliveries, and the issues the draft would raise; raises BadRules."""
    flow = Flow.objects.select_related("source", "destination").get(pk=version.flow_id)
    return try_out(trial(flow, published_plan(flow.pk), compile_plan(version)), deliveries)


def try_out(rules: Trial, deliveries: Sequence[Delivery]) -> list[Tried]:
    """Every delivery's record under both sets of rules, in the order given; look-ups are loaded once for all."""
    found = {delivery.pk: _record(rules, delivery) for delivery in deliveries}
    rows = [(delivery, record) for delivery in deliveries if isinstance(record := found[delivery.pk], Record)]
    rows = following(rules.flow, rows)
    heard = standings_for([record for _, record in rows], rules.flow)
    ready: dict[int, Record] = {delivery.pk: record for (delivery, _), record in zip(rows, heard, strict=True)}
    lookups = lookups_for(rules.flow, rules.spec, list(ready.values()), rules.tables)
    tried = {delivery.pk: _tried(rules, delivery, ready[delivery.pk], lookups) for delivery, _ in rows}
    return [tried.get(delivery.pk) or found[delivery.pk] for delivery in deliveries]


def prepared_records(flow: Flow, deliveries: Iterable[Delivery]) -> list[Record]:
    """The records of these deliveries as the source tells them, without masked values; those that cannot be read are left out."""
    records = []
    for delivery in deliveries:
        try:
            records += unmasked(flow.source.platform, [codec.from_json(flow.record_type, delivery.record)])
        except (KeyError, ValueError, TypeError, AttributeError):
            log.warning("stored record cannot be read", delivery=delivery.pk)
    return records


def _record(rules: Trial, delivery: Delivery) -> Record | Tried:
    """The record as it would be prepared, or what is to be said when the rules do not matter for it."""
    found = prepared_records(rules.flow, [delivery])
    if not found:
        return Tried(delivery, Verdict.LEFT, reason=UNREADABLE)
    sent_before = bool(delivery.sent_hash)
    reason = why_not(found[0], sent_before=sent_before) or not_yet(rules.flow, rules.spec, found[0], sent_before=sent_before)
    return Tried(delivery, Verdict.LEFT, reason=reason) if reason else found[0]


def _tried(rules: Trial, delivery: Delivery, record: Record, lookups: Lookups) -> Tried:
    try:
        for name in rules.spec.steps:
            record = STEPS[name](record, lookups)
        current = delivery.sent_payload if rules.needs_current else None
        held, owned = current or {}, owned_by_others(rules.flow)
        row = compare(
            rules.before, rules.after, record, lookups, current=current, then=lambda one: without_owned(one, owned, held=held, own=held)
        )
        return _judged(rules, delivery, row)
    except Exception as fault:  # noqa: BLE001 - one poisoned record must not end a run over thousands; it is named in its result
        log.error("record could not be tried", delivery=delivery.pk, exc_info=fault)
        return Tried(delivery, Verdict.HELD, reason=f"{type(fault).__name__} while its record was handled")


def _judged(rules: Trial, delivery: Delivery, row: PreviewRow) -> Tried:
    """The destination's own limits are asked only where the rules alone do not say that nothing changes."""
    differs = bool(row.changes)
    asks = differs or bool(row.issues) or bool(row.issues_before)
    after = row.issues or (_problems(rules.check(row.after)) if asks else ())
    if row.before is None:
        return Tried(delivery, Verdict.HELD if after else Verdict.ANSWERED, row, issues=after)
    before = row.issues_before or (_problems(rules.check(row.before)) if asks else ())
    verdict = {
        (False, False): Verdict.CHANGED if differs else Verdict.SAME,
        (False, True): Verdict.FAILS,
        (True, False): Verdict.ANSWERED,
        (True, True): Verdict.HELD,
    }[bool(before), bool(after)]
    return Tried(delivery, verdict, row, issues=after, issues_before=before)


def _problems(problems: Iterable[Problem]) -> tuple[Issue, ...]:
    """What the destination's own limits say of a payload, as the questions that they would become."""
    return tuple(Issue("invalid_payload", generic(each.field), f"{each.field}: {each.message}", each.field) for each in problems)
