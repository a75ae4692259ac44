"""From claimed deliveries to items that may be sent: steps, look-ups, identity, mapping, checks. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from django.db import DatabaseError

from integrations.engine.catalogue import lookups_for
from integrations.engine.consent import speaking
from integrations.engine.corrections import Values, values_of
from integrations.engine.exceptions import Question
from integrations.engine.follow import as_contact, following
from integrations.engine.identify import NOTHING, READING, Identified, identify
from integrations.engine.links import linked
from integrations.engine.masks import unmasked
from integrations.engine.outbox import Claimed, Result
from integrations.engine.ownership import held_by_others, owned_by_others
from integrations.engine.relevance import not_yet, why_not
from integrations.engine.visitors import named
from integrations.flows import FlowSpec
from integrations.models import Attempt, Delivery, Flow
from integrations.models.kinds import KINDS
from integrations.platforms.base import Item, Writer
from integrations.platforms.errors import PlatformError
from mapping import codec
from mapping.gate import NO_SKU
from mapping.lookups import Lookups
from mapping.ownership import Owned, in_words, without_owned
from mapping.plans import Plan
from mapping.preview import generic
from mapping.records import Customer, Record, RecordType
from mapping.steps import STEPS
from mapping.transform import Mapped, payload_hash, transform

log = structlog.get_logger(__name__)
READING_DELAY = 1.0  # seconds until a person is looked up again while a destination's contacts are read
State, Outcome = Delivery.State, Attempt.Outcome
Row = tuple[Claimed, Record]


@dataclass(slots=True)
class Prepared:
    """A batch sorted out: what to send, what is settled without a call, and what asks a person."""

    items: list[Item] = field(default_factory=list)
    rows: dict[str, Claimed] = field(default_factory=dict)  # by item key
    hashes: dict[str, str] = field(default_factory=dict)  # by item key
    results: list[Result] = field(default_factory=list)  # settled without a call
    questions: list[tuple[int, list[Question]]] = field(default_factory=list)

    def settle(self, row: Claimed, state: State, outcome: str, **facts: Any) -> None:
        """Note a result that needs no call."""
        self.results.append(Result(delivery_id=row.id, state=state, outcome=outcome, number=row.attempts, manual=row.manual, **facts))

    def add(self, other: Prepared) -> None:
        """Take another batch's rows into this one."""
        self.items += other.items
        self.rows.update(other.rows)
        self.hashes.update(other.hashes)
        self.results += other.results
        self.questions += other.questions

    def ask(self, row: Claimed, questions: Sequence[Question], fields: Sequence[str] = ()) -> None:
        """Hold a row until people answered these questions."""
        issues = tuple(
            {"kind": q.kind, "subject": q.subject, "message": q.title, "field": fields[i] if i < len(fields) else ""}
            for i, q in enumerate(questions)
        )
        self.settle(row, State.BLOCKED, Outcome.HELD, code=questions[0].kind, message=questions[0].title, issues=issues)
        self.questions.append((row.id, list(questions)))


@dataclass(frozen=True, slots=True)
class Bench:
    """What mapping one batch needs."""

    flow: Flow
    spec: FlowSpec
    plan: Plan
    writer: Writer
    lookups: Lookups
    known: Identified
    client: Any
    corrected: Mapping[int, Values]  # by delivery
    owned: Sequence[Owned]  # fields that another source decides


def prepare(flow: Flow, spec: FlowSpec, plan: Plan, writer: Writer, *, client: Any, claimed: Sequence[Claimed]) -> Prepared:
    """Sort out one claimed batch; a record that cannot be handled is held alone. Raises the platform errors of the look-ups."""
    batch = Prepared()
    try:
        _prepare_together(flow, spec, plan, writer, client=client, claimed=claimed, batch=batch)
    except (PlatformError, DatabaseError):
        raise
    except Exception as fault:  # noqa: BLE001 - a record spoilt what all share: each is looked at alone, and only it is held
        batch = Prepared()
        if len(claimed) == 1:
            _fault(flow, claimed[0], fault, batch)
            return batch
        for row in claimed:
            batch.add(prepare(flow, spec, plan, writer, client=client, claimed=[row]))
    return batch


def _prepare_together(
    flow: Flow, spec: FlowSpec, plan: Plan, writer: Writer, *, client: Any, claimed: Sequence[Claimed], batch: Prepared
) -> None:
    rows = linked(flow, spec, named(flow, _relevant(flow, spec, claimed, batch), batch), batch)
    rows = speaking(flow, following(flow, rows), batch)
    lookups = lookups_for(flow, spec, [record for _, record in rows], plan.tables)
    known = identify(flow, writer, client, rows) if flow.record_type == RecordType.CUSTOMER else NOTHING
    bench = Bench(flow, spec, plan, writer, lookups, known, client, values_of([row.id for row, _ in rows]), owned_by_others(flow))
    for row, record in rows:
        try:
            _prepare_one(bench, row, record, batch)
        except (PlatformError, DatabaseError):
            raise
        except Exception as fault:  # noqa: BLE001 - one poisoned record must not hold up the others; it is logged and asked about
            _fault(flow, row, fault, batch)


def _fault(flow: Flow, row: Claimed, fault: Exception, batch: Prepared) -> None:
    log.error("record could not be handled", flow=flow.pk, delivery=row.id, exc_info=fault)
    batch.ask(row, [internal(flow, fault)])


def internal(flow: Flow, fault: Exception) -> Question:
    """What to ask about a fault of this program: one question for all records that meet it."""
    name = type(fault).__name__
    return Question("internal", name, f"{name} while handling {flow.record_type} records", str(fault)[:500])


def _relevant(flow: Flow, spec: FlowSpec, claimed: Sequence[Claimed], batch: Prepared) -> list[Row]:
    """The rows that are to be sent, without what masking rules recognise by now; the others are skipped with their reason."""
    rows: list[Row] = []
    for row in claimed:
        try:
            (record,) = unmasked(flow.source.platform, [codec.loads(flow.record_type, row.record_json)])
        except (KeyError, ValueError, TypeError) as fault:
            _fault(flow, row, fault, batch)
            continue
        sent_before = bool(row.sent_hash)
        if reason := why_not(record, sent_before=sent_before):
            batch.settle(row, State.SKIPPED, Outcome.SKIPPED, code="not_relevant", message=reason)
        elif reason := not_yet(flow, spec, record, sent_before=sent_before):
            batch.settle(row, State.SKIPPED, Outcome.SKIPPED, code="not_yet", message=reason)
        else:
            rows.append((row, record))
    return rows


def _prepare_one(bench: Bench, row: Claimed, record: Record, batch: Prepared) -> None:
    for name in bench.spec.steps:
        record = STEPS[name](record, bench.lookups)
    if row.key in bench.known.waiting:
        batch.settle(row, State.READY, "", delay=READING_DELAY, refund=1, code="reading_contacts", message=READING)
        return
    if question := bench.known.questions.get(row.key):
        batch.ask(row, [question])
        return
    mapped = _mapped(bench, row, record)
    if mapped.issues:
        batch.ask(row, [_question(bench.flow, issue) for issue in mapped.issues], [issue.field for issue in mapped.issues])
        return
    payload, digest = mapped.payload, mapped.payload_hash
    if digest == row.sent_hash:
        batch.settle(row, State.DELIVERED, Outcome.UNCHANGED, code="unchanged", message="Nothing to change at the destination.")
        return
    problems = bench.writer.check(payload)
    if problems:
        questions = [
            Question("invalid_payload", generic(problem.field), f"{generic(problem.field)}: {problem.message}", problem.message)
            for problem in problems
        ]
        batch.ask(row, _distinct(questions), [problem.field for problem in problems])
        return
    batch.items.append(
        Item(
            key=row.key, record=record, payload=payload, destination_key=row.destination_key or bench.writer.destination_key(payload),
            previous=row.sent_payload, idempotency_key=f"{bench.flow.pk}:{row.key}:{digest[:16]}",
            note=in_words(mapped.dropped),
        )
    )  # fmt: skip
    batch.rows[row.key] = row
    batch.hashes[row.key] = digest


def _mapped(bench: Bench, row: Claimed, record: Record) -> Mapped:
    """The payload without the fields that another source decides, apart from what only fills a gap."""
    mapped = _by_the_rules(bench, row, record)
    if not bench.owned or mapped.issues:
        return mapped
    contact = bench.known.existing.get(row.key)
    held = contact.fields if contact else held_by_others(bench.flow, row.destination_key or bench.writer.destination_key(mapped.payload))
    return without_owned(mapped, bench.owned, held=held, own=row.sent_payload)


def _by_the_rules(bench: Bench, row: Claimed, record: Record) -> Mapped:
    """The payload; a customer who is a known contact gets the identity of that contact, and fills only what is empty there."""
    contact, corrected = bench.known.existing.get(row.key), bench.corrected.get(row.id)
    if contact is None or not isinstance(record, Customer):
        return transform(record, bench.plan, bench.lookups, current=_current(bench, row, record), corrected=corrected)
    own = row.sent_payload or {}
    mapped = transform(record, bench.plan, bench.lookups, current={**own, **contact.fields}, own=own, corrected=corrected)
    payload = as_contact(mapped.payload, record, contact)
    return mapped if payload == mapped.payload or mapped.issues else replace(mapped, payload=payload, payload_hash=payload_hash(payload))


def _current(bench: Bench, row: Claimed, record: Record) -> dict[str, Any] | None:
    """The object as the destination holds it, for rules that fill only what is empty there or append; otherwise it is not asked for."""
    if not bench.plan.needs_current:
        return row.sent_payload
    key = row.destination_key or bench.writer.destination_key(transform(record, bench.plan, bench.lookups).payload)
    return bench.writer.read_back(bench.client, key)


def _question(flow: Flow, issue: Any) -> Question:
    kind = issue.kind if issue.kind in KINDS else "bad_value"
    titles: Mapping[str, str] = {
        "unmapped_sku": _sku_title(issue.subject),
        "unmapped_value": f"Unknown value {issue.subject}",
        "missing_field": f"Required field {issue.field} is empty",
        "bad_phone": f"Phone number of {flow.record_type} {issue.subject} cannot be read",
        "bad_email": f"E-mail address of {flow.record_type} {issue.subject} cannot be read",
    }
    return Question(kind, issue.subject or issue.field, titles.get(kind, f"{KINDS[kind].label}: {issue.field}"), issue.message)


def _sku_title(name: str) -> str:
    return f"Line without SKU: {name.removeprefix(NO_SKU)}" if name.startswith(NO_SKU) else f"Unknown SKU {name}"


def _distinct(questions: Sequence[Question]) -> list[Question]:
    return list({(question.kind, question.subject): question for question in questions}.values())
