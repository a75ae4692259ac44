"""Accepted is not delivered: ask what became of the batches that a platform only queued."""

from __future__ import annotations

from collections.abc import Sequence
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
ASKED_ABOUT = ("record_key", "destination_key", "sent_payload", "attempts")
LONGEST_WAIT = 30  # seconds between questions about one receipt


def confirm_receipts(flow: Flow, limit: int = 20) -> int:
    """Ask about the receipts that are due; returns how many deliveries got their final outcome. A fault only postpones the question."""
    due = list(Receipt.objects.filter(flow=flow, state=Receipt.State.OPEN, check_at__lte=timezone.now()).order_by("check_at")[:limit])
    if not due or not circuit.may_call(flow.destination):
        return 0
    settled, client = 0, None
    try:
        client = accounts.client_for(flow.destination)
        writer = accounts.platform_of(flow.destination).writers[flow.record_type]
        for receipt in due:
            settled += _confirm(flow, receipt, writer, client)
    except Reconnect as fault:
        accounts.renewed(flow.destination, fault, client)
    except PlatformError as fault:
        seconds = getattr(fault, "seconds", 5.0)
        Receipt.objects.filter(pk__in=[receipt.pk for receipt in due], state=Receipt.State.OPEN, check_at__lte=timezone.now()).update(
            check_at=timezone.now() + timedelta(seconds=max(seconds, 0.2))
        )
        log.info("receipts not confirmed yet", flow=flow.pk, fault=type(fault).__name__, code=fault.code)
    return settled


def _confirm(flow: Flow, receipt: Receipt, writer: Writer, client: Any) -> int:
    """Ask about one receipt; one that cannot be handled waits alone and is logged. Raises the platform's faults."""
    accepted = Delivery.objects.filter(receipt=receipt, state=Delivery.State.ACCEPTED).only(*ASKED_ABOUT)
    rows = {row.record_key: row for row in accepted}
    sent = [Sent(row.record_key, row.destination_key, row.sent_payload) for row in rows.values()]
    age = (timezone.now() - receipt.created_at).total_seconds()
    outcomes: Sequence[Outcome] | None = ()
    try:
        outcomes = writer.confirm(client, receipt.external_id, sent, age) if sent else ()
    except (PlatformError, DatabaseError):
        raise
    except Exception as fault:  # noqa: BLE001 - one poisoned receipt must not hold up the others; it is logged and asked again
        log.error("receipt could not be handled", flow=flow.pk, receipt=receipt.pk, exc_info=fault)
        outcomes = None
    return _store(flow, receipt, rows, outcomes)


def _store(flow: Flow, receipt: Receipt, rows: dict[str, Delivery], outcomes: Sequence[Outcome] | None) -> int:
    settled = [_settled(rows[outcome.key], outcome) for outcome in outcomes or () if outcome.key in rows]
    results, asked = split(settled)
    with transaction.atomic():
        written = confirm_results(receipt.pk, results)
        note(flow, results, asked, written)
        if outcomes is not None and len(results) >= len(rows):
            Receipt.objects.filter(pk=receipt.pk).update(state=Receipt.State.CONFIRMED, tries=receipt.tries + 1)
        else:
            wait = min(LONGEST_WAIT, 2 ** min(receipt.tries, 5))
            Receipt.objects.filter(pk=receipt.pk).update(tries=receipt.tries + 1, check_at=timezone.now() + timedelta(seconds=wait))
        if Delivery.State.READY in written.values():
            wake_flow(flow.pk)
    return len(written)


def _settled(row: Delivery, outcome: Outcome) -> Settled:
    if outcome.state == OutcomeState.REFUSED:
        return refused(row.pk, outcome, number=row.attempts, forget=True)
    if outcome.state == OutcomeState.LATER:
        waits = Result(
            delivery_id=row.pk, state=Delivery.State.READY, outcome="later", number=row.attempts, sent_hash="", code=outcome.code,
            message=outcome.message, delay=outcome.resume_in or 1.0,
        )  # fmt: skip
        return waits, []
    done = Result(
        delivery_id=row.pk, state=Delivery.State.DELIVERED, outcome="delivered", number=row.attempts, code=outcome.code,
        message=outcome.message, request_id=outcome.request_id, destination_key=outcome.destination_key,
    )  # fmt: skip
    return done, []
