"""The pump of a flow: claim, prepare, send, store, batch after batch while something is due."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import DatabaseError

from integrations.engine import accounts, circuit, leases, turns
from integrations.engine.batches import store_batch
from integrations.engine.exceptions import Question
from integrations.engine.links import hurry
from integrations.engine.outbox import MAX_ATTEMPTS, Claim, Claimed, claim_deliveries
from integrations.engine.outcomes import Settled, later, refused, settled, split
from integrations.engine.pacing import DatabasePacer
from integrations.engine.prepare import Prepared, internal, prepare
from integrations.flows import spec_for
from integrations.models import Connection, Flow
from integrations.platforms.base import Item, Lane, Outcome, OutcomeState, Writer
from integrations.platforms.errors import PlatformError, Reconnect, Refused, SlowDown
from mapping.plans import NoPlan, active_plan

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PumpResult:
    """What a pump did: outcomes counted, batches and rows claimed, and the pause the platform asked for, in seconds."""

    counts: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    claimed: int = 0
    lane: Lane = Lane.REALTIME  # the lowest of the last batch
    resume_in: float = 0.0
    stop: bool = False  # the flow cannot go on now
    gives_way: bool = False  # what is left may wait, and another pump needs the worker

    def add(self, other: PumpResult) -> None:
        """Take another result's figures into this one."""
        self.counts.update(other.counts)
        self.batches += other.batches
        self.claimed += other.claimed
        self.resume_in = max(self.resume_in, other.resume_in)
        self.stop = self.stop or other.stop


def deliver_flow(flow: Flow, until: float) -> PumpResult:
    """Bring what is due for one flow to its destination until nothing is due, time `until` (monotonic) is over or history gives way."""
    done, began = PumpResult(), time.monotonic()
    while time.monotonic() < until and not done.stop and not done.gives_way:
        flow.destination.refresh_from_db()
        if not circuit.may_call(flow.destination):
            break
        batch = deliver_batch(flow)
        done.add(batch)
        suspect = PumpResult() if batch.stop else deliver_batch(flow, suspects=True)
        done.add(suspect)
        if not batch.claimed and not suspect.claimed:
            break
        leases.renew(flow)
        done.gives_way = batch.lane is Lane.BULK and turns.others_wait(began)
    return done


def deliver_batch(flow: Flow, *, suspects: bool = False) -> PumpResult:
    """Bring one batch of due deliveries, or one suspect, to the destination and store every outcome."""
    writer = accounts.platform_of(flow.destination).writers[flow.record_type]
    claim = claim_deliveries(flow, writer.batch_size, suspects=suspects)
    if not claim.rows:
        return PumpResult()
    if claim.rows[0].attempts > MAX_ATTEMPTS:
        return PumpResult(_lost(flow, claim), 1, len(claim.rows))
    started, client = time.monotonic(), None
    try:
        plan = active_plan(flow.pk)
        client = accounts.client_for(flow.destination, lane=claim.rows[0].lane)
        spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
        batch = prepare(flow, spec, plan, writer, client=client, claimed=claim.rows)
    except NoPlan:
        done = PumpResult(_without_mapping(flow, claim), 1, len(claim.rows))
    except PlatformError as fault:
        done = _give_back(flow, claim, claim.rows, fault=fault, client=client)
    else:
        done = PumpResult(store_batch(flow, claim, batch.results, batch.questions, mapping_version=plan.version_id))
        done.add(_Dispatch(flow, writer, client, claim, batch, plan.version_id).run())
    done.batches, done.claimed, done.lane = 1, len(claim.rows), claim.rows[-1].lane
    log.info("batch", flow=flow.pk, size=len(claim.rows), ms=round((time.monotonic() - started) * 1000), **done.counts)
    return done


def _lost(flow: Flow, claim: Claim) -> Counter[str]:
    """Every try took its worker down before there was an outcome: ask instead of trying for ever."""
    batch = Prepared()
    for row in claim.rows:
        batch.ask(row, [Question("exhausted", "worker_lost", f"Gave up after {MAX_ATTEMPTS} tries: the worker was lost each time")])
    return store_batch(flow, claim, batch.results, batch.questions)


def _without_mapping(flow: Flow, claim: Claim) -> Counter[str]:
    batch = Prepared()
    for row in claim.rows:
        batch.ask(row, [Question("no_mapping", "", f"{flow} has no published mapping")])
    return store_batch(flow, claim, batch.results, batch.questions)


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """Sending the items of one prepared batch."""

    flow: Flow
    writer: Writer
    client: Any
    claim: Claim
    batch: Prepared
    mapping_version: int

    def run(self) -> PumpResult:
        """Send everything in one call; when it is refused as a whole, one by one."""
        return self._send(self.batch.items) if self.batch.items else PumpResult()

    def _send(self, group: list[Item]) -> PumpResult:
        started = time.monotonic()
        try:
            outcomes = {outcome.key: outcome for outcome in self.writer.send(self.client, group)}
        except Refused as fault:
            return self._refused(group, fault)
        except PlatformError as fault:
            rows = [self.batch.rows[item.key] for item in group]
            return _give_back(self.flow, self.claim, rows, fault=fault, client=self.client)
        except DatabaseError:
            raise
        except Exception as fault:  # noqa: BLE001 - one poisoned record must not hold up the others; it is logged and asked about
            return self._broken(group, fault)
        circuit.answered(self.flow.destination)
        return PumpResult(self._store(group, outcomes, ms=round((time.monotonic() - started) * 1000)))

    def _one_by_one(self, group: list[Item]) -> PumpResult:
        """Find out whose fault it is by sending each item alone; when the platform cannot go on, the rest is given back untried."""
        done = PumpResult()
        for position, item in enumerate(group):
            done.add(self._send([item]))
            if done.stop:
                self._untried(group[position + 1 :], done)
                break
        return done

    def _untried(self, items: list[Item], done: PumpResult) -> None:
        waits = [later(self.batch.rows[item.key], code="not_tried", message="", delay=done.resume_in, counts=False) for item in items]
        store_batch(self.flow, self.claim, *split(waits))

    def _broken(self, group: list[Item], fault: Exception) -> PumpResult:
        """This program could not handle the call or its answer: the record it is about is held alone."""
        if len(group) > 1:
            return self._one_by_one(group)
        log.error("record could not be sent", flow=self.flow.pk, fault=type(fault).__name__, exc_info=fault)
        batch, row = Prepared(), self.batch.rows[group[0].key]
        batch.ask(row, [internal(self.flow, fault)])
        return PumpResult(store_batch(self.flow, self.claim, batch.results, batch.questions))

    def _refused(self, group: list[Item], fault: Refused) -> PumpResult:
        """The whole call was refused: find out whose fault it is."""
        circuit.answered(self.flow.destination)
        if len(group) > 1:
            return self._one_by_one(group)
        done = PumpResult()
        row = self.batch.rows[group[0].key]
        outcome = Outcome(key=row.key, state=OutcomeState.REFUSED, code=fault.code, message=str(fault), request_id=fault.request_id)
        done.counts = store_batch(self.flow, self.claim, *split([refused(row.id, outcome, number=row.attempts, manual=row.manual)]))
        return done

    def _store(self, group: list[Item], outcomes: dict[str, Outcome], *, ms: int) -> Counter[str]:
        by_receipt: dict[str, list[Settled]] = {}
        for item in group:
            outcome = outcomes.get(item.key)
            receipt = outcome.receipt if outcome is not None and outcome.state == OutcomeState.ACCEPTED else ""
            row = self.batch.rows[item.key]
            by_receipt.setdefault(receipt, []).append(settled(row, item, outcome, digest=self.batch.hashes[item.key], ms=ms))
        counts: Counter[str] = Counter()
        for receipt, rows in by_receipt.items():
            counts.update(store_batch(self.flow, self.claim, *split(rows), mapping_version=self.mapping_version, receipt_id=receipt))
        hurry(self.flow, [item.key for item in group if not self.batch.rows[item.key].sent_hash])
        return counts


def _give_back(flow: Flow, claim: Claim, rows: Sequence[Claimed], *, fault: PlatformError, client: Any) -> PumpResult:
    """The call failed as a whole: decide when these rows are tried again, and whether the flow can go on."""
    connection = flow.destination
    facts = {"code": fault.code or type(fault).__name__, "message": str(fault), "request_id": fault.request_id}
    if isinstance(fault, SlowDown):
        if fault.code != "paced":
            _pause(connection, fault)
        waits, done = (
            [later(row, delay=fault.seconds, counts=False, **facts) for row in rows],
            PumpResult(stop=True, resume_in=fault.seconds),
        )
    elif isinstance(fault, Reconnect):
        renewed = accounts.renewed(connection, fault, client)
        waits, done = [later(row, delay=0.0, counts=False, **facts) for row in rows], PumpResult(stop=not renewed)
    else:
        down = circuit.failed(connection, str(fault))
        waits, done = [later(row, counts=not down, **facts) for row in rows], PumpResult(stop=down)
    log.warning("call failed", flow=flow.pk, size=len(rows), fault=type(fault).__name__, code=fault.code, request_id=fault.request_id)
    done.counts = store_batch(flow, claim, *split(waits))
    return done


def _pause(connection: Connection, fault: SlowDown) -> None:
    rates = accounts.platform_of(connection).rates
    for group in [fault.group] if fault.group else list(rates):
        DatabasePacer(connection.pk, rates, settings=connection.settings).pause(group, fault.seconds)
