"""From what a destination said to what becomes of a delivery."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.engine.exceptions import Question
from integrations.engine.masking import masked_text
from integrations.engine.outbox import MAX_ATTEMPTS, Claimed, Result, backoff
from integrations.models import Attempt, Delivery
from integrations.models.kinds import KINDS
from integrations.platforms.base import Item, Outcome, OutcomeState

State, Kept = Delivery.State, Attempt.Outcome
Settled = tuple[Result, list[Question]]
NO_ANSWER = "The destination gave no answer for this record."


def settled(row: Claimed, item: Item, outcome: Outcome | None, *, digest: str, ms: int) -> Settled:
    """The result of one item, and the question it raises if any; no answer for an item is a reason to try later."""
    if outcome is None:
        outcome = Outcome(key=item.key, state=OutcomeState.LATER, code="no_answer", message=NO_ANSWER)
    if outcome.state in (OutcomeState.DELIVERED, OutcomeState.ACCEPTED):
        state = State.DELIVERED if outcome.state == OutcomeState.DELIVERED else State.ACCEPTED
        result = Result(
            delivery_id=row.id, state=state, outcome=str(outcome.state), number=row.attempts, manual=row.manual, sent_hash=digest,
            payload=item.payload, destination_key=outcome.destination_key or item.destination_key, code=outcome.code,
            message=outcome.message or item.note, request_id=outcome.request_id, ms=ms,
        )  # fmt: skip
        return result, []
    if outcome.state == OutcomeState.SKIPPED:
        result = Result(
            delivery_id=row.id, state=State.SKIPPED, outcome=Kept.SKIPPED, number=row.attempts, manual=row.manual,
            destination_key=outcome.destination_key, code=outcome.code, message=outcome.message, request_id=outcome.request_id, ms=ms,
        )  # fmt: skip
        return result, []
    if outcome.state == OutcomeState.REFUSED:
        return refused(row.id, outcome, number=row.attempts, manual=row.manual, ms=ms)
    return later(row, code=outcome.code, message=outcome.message, delay=outcome.resume_in, request_id=outcome.request_id, ms=ms)


def refused(delivery_id: int, outcome: Outcome, *, number: int, manual: bool = False, ms: int = 0, forget: bool = False) -> Settled:
    """A dead letter: held by an exception that groups what was refused for the same reason. `forget` = it was taken to be sent.

    Whom the destination's words name is told at the delivery only: the question is about all who wait.
    """
    kind = outcome.code if outcome.code in KINDS else "refused"  # a destination may say which question it is
    said = outcome.message or "no reason given"
    told = masked_text(said)
    subject = outcome.field or outcome.code or told[:100]
    title = told if kind != "refused" else f"Refused: {outcome.field}: {told}" if outcome.field else f"Refused: {told}"
    result = Result(
        delivery_id=delivery_id, state=State.BLOCKED, outcome=Kept.REFUSED, number=number, manual=manual, code=outcome.code,
        message=said, request_id=outcome.request_id, ms=ms, sent_hash="" if forget else None,
        issues=({"kind": kind, "subject": subject, "message": said, "field": outcome.field},),
    )  # fmt: skip
    return result, [Question(kind, subject, title, told)]


def later(
    row: Claimed, *, code: str, message: str, delay: float | None = None, counts: bool = True, request_id: str = "", ms: int = 0
) -> Settled:
    """Try again, or after the last try wait for a person. A try that does not count leaves no mark on the delivery's patience."""
    if counts and row.attempts >= MAX_ATTEMPTS:
        result = Result(
            delivery_id=row.id, state=State.BLOCKED, outcome=Kept.LATER, number=row.attempts, manual=row.manual, code="exhausted",
            message=message, request_id=request_id, ms=ms,
            issues=({"kind": "exhausted", "subject": code, "message": message, "field": ""},),
        )  # fmt: skip
        told = masked_text(message)
        return result, [Question("exhausted", code, f"Gave up after {MAX_ATTEMPTS} tries: {told}"[:300], told)]
    result = Result(
        delivery_id=row.id, state=State.READY, outcome=Kept.LATER if counts else "", number=row.attempts, manual=row.manual, code=code,
        message=message, delay=backoff(row.attempts) if delay is None else delay, refund=0 if counts else 1, request_id=request_id, ms=ms,
    )  # fmt: skip
    return result, []


def split(settled_rows: Sequence[Settled]) -> tuple[list[Result], list[tuple[int, list[Question]]]]:
    """Results, and questions by delivery id."""
    return [result for result, _ in settled_rows], [(result.delivery_id, asked) for result, asked in settled_rows if asked]
