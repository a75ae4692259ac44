"""Accepted is not delivered: ask what became of the batches that a platform only queued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from integrations.engine import accounts, circuit
from integrations.engine.batches import note
from integrations.engine.outbox import Result, confirm_results
from integrations.engine.outcomes import Settled, refused, split
from integrations.engine.wake import wake_flow
from integrations.models import Delivery, Flow, Receipt
from integrations.platforms.base import Outcome, OutcomeState, Sent, Writer
from integrations.platforms.errors import PlatformError, Reconnect

log = structlog.get_logger(__name__)
LONGEST_WAIT = 30  # seconds between questions about one receipt


def confirm_receipts(flow: Flow, limit: int = 20) -> int:
    """Ask about the receipts that are due; returns how many deliveries got their final outcome. A fault only postpones the question."""
    due = list(Receipt.objects.filter(flow=flow, state=Receipt.State.OPEN, check_at__lte=timezone.now()).order_by("check_at")[:limit])
    if not due or not circuit.may_call(flow.destination):
        return 0
    client = None
    answers: list[Answer] = []
    waiting = _waiting(due)
    try:
        client = accounts.client_for(flow.destination)
        writer = accounts.platform_of(flow.destination).writers[flow.record_type]
        for receipt in due:
            answers.append(_asked(flow, receipt, waiting[receipt.pk], writer=writer, client=client))
    except Reconnect as fault:
        accounts.renewed(flow.destination, fault, client)
    except PlatformError as fault:
        seconds = getattr(fault, "seconds", 5.0)
        unasked = [receipt.pk for receipt in due[len(answers) :]]
        Receipt.objects.filter(pk__in=unasked, state=Receipt.State.OPEN, check_at__lte=timezone.now()).update(
            check_at=timezone.now() + timedelta(seconds=max(seconds, 0.2))
        )
        log.info("receipts not confirmed yet", flow=flow.pk, fault=type(fault).__name__, code=fault.code)
    return _store(flow, answers) if answers else 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery that waits for its receipt, as far as asking about it needs it."""

    id: int
    attempts: int
    sent: Sent


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform said of one receipt; None = it could not be asked."""

    receipt: Receipt
    rows: dict[str, Waiting]
    outcomes: Sequence[Outcome] | None


def _waiting(receipts: Sequence[Receipt]) -> dict[int, dict[str, Waiting]]:
    """By receipt and key what still waits; one query."""
    found: dict[int, dict[str, Waiting]] = {receipt.pk: {} for receipt in receipts}
    rows = Delivery.objects.filter(receipt__in=list(found), state=Delivery.State.ACCEPTED)
    for receipt, pk, attempts, *sent in rows.values_list("receipt", "pk", "attempts", "record_key", "destination_key", "sent_payload"):
        found[receipt][sent[0]] = Waiting(pk, attempts, Sent(*sent))
    return found


def _asked(flow: Flow, receipt: Receipt, rows: dict[str, Waiting], *, writer: Writer, client: Any) -> Answer:
    """Ask about one receipt; one that cannot be handled waits alone and is logged. Raises the platform's faults."""
    age = (timezone.now() - receipt.created_at).total_seconds()
    try:
        outcomes = writer.confirm(client, receipt.external_id, [row.sent for row in rows.values()], age) if rows else ()
    except (PlatformError, DatabaseError):
        raise
    except Exception as fault:  # noqa: BLE001 - one poisoned receipt must not hold up the others; it is logged and asked again
        log.error("receipt could not be handled", flow=flow.pk, receipt=receipt.pk, exc_info=fault)
        return Answer(receipt, rows, None)
    return Answer(receipt, rows, outcomes or ())


def _store(flow: Flow, answers: Sequence[Answer]) -> int:
    """Write all that was said, together; returns how many deliveries got their final outcome."""
    settled = [[_settled(one.rows[told.key], told) for told in one.outcomes or () if told.key in one.rows] for one in answers]
    results, asked = split([row for rows in settled for row in rows])
    with transaction.atomic():
        written = confirm_results([one.receipt.pk for one in answers], results)
        note(flow, results, asked, written)
        for one, rows in zip(answers, settled, strict=True):
            _close(one.receipt, whole=one.outcomes is not None and len(rows) >= len(one.rows))
        if Delivery.State.READY in written.values():
            wake_flow(flow.pk)
    return len(written)


def _close(receipt: Receipt, *, whole: bool) -> None:
    if whole:
        Receipt.objects.filter(pk=receipt.pk).update(state=Receipt.State.CONFIRMED, tries=receipt.tries + 1)
        return
    wait = min(LONGEST_WAIT, 2 ** min(receipt.tries, 5))
    Receipt.objects.filter(pk=receipt.pk).update(tries=receipt.tries + 1, check_at=timezone.now() + timedelta(seconds=wait))


def _settled(row: Waiting, outcome: Outcome) -> Settled:
    if outcome.state == OutcomeState.REFUSED:
        return refused(row.id, outcome, number=row.attempts, forget=True)
    if outcome.state == OutcomeState.LATER:
        waits = Result(
            delivery_id=row.id, state=Delivery.State.READY, outcome="later", number=row.attempts, sent_hash="", code=outcome.code,
            message=outcome.message, delay=outcome.resume_in or 1.0,
        )  # fmt: skip
        return waits, []
    done = Result(
        delivery_id=row.id, state=Delivery.State.DELIVERED, outcome="delivered", number=row.attempts, code=outcome.code,
        message=outcome.message, request_id=outcome.request_id, destination_key=outcome.destination_key,
    )  # fmt: skip
    return done, []
