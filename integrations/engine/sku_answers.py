"""Answers to unknown SKUs: the crosswalk row, everything that it lets go, and a record of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import structlog
from django.contrib.postgres.functions import TransactionNow
from django.db import transaction
from django.db.models import Exists, OuterRef

from integrations.engine.exceptions import release_exceptions
from integrations.engine.waiting import UNMAPPED_SKU, WaitingSku, waiting_lines, waiting_shown
from integrations.models import Hold, SkuAnswer, SyncException
from mapping.models import SkuComponent, SkuCrosswalk
from mapping.suggestions import Component, Suggestion

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
MAX_COMPONENTS, MAX_QUANTITY = 20, 9999
State = SyncException.State


class CannotAnswer(Exception):
    """The answer was not taken, or not taken back; the message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an answer lets go: orders, units of the SKU in them, and the orders' net value per currency.

    `still_waiting` of these orders wait for another answer too.
    """

    orders: int = 0
    units: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    still_waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerResult:
    """What became of one pair of a bulk answer: the answer, or why there is none."""

    exception_id: int
    sku: str
    answer: SkuAnswer | None = None
    error: str = ""


def same_question(exception: SyncException) -> list[int]:
    """The same SKU is open once per flow of the same two connections; one answer settles them all."""
    if exception.flow is None:
        raise CannotAnswer("This question is about no flow.")
    rows = SyncException.objects.filter(
        kind=UNMAPPED_SKU, subject=exception.subject, state=State.OPEN, flow__source=exception.flow.source_id,
        flow__destination=exception.flow.destination_id,
    )  # fmt: skip
    return sorted({exception.pk, *rows.values_list("pk", flat=True)})


def preview_answer(exception: SyncException) -> Preview:
    """What any answer to this question lets go, in every flow of the same two connections."""
    ids = same_question(exception)
    found, value = waiting_shown(ids).values(), Counter[str]()
    for waiting in found:
        value.update(waiting.value)
    others = Hold.objects.filter(delivery=OuterRef("delivery")).exclude(exception__in=ids)
    return Preview(
        orders=sum(waiting.orders for waiting in found),
        units=sum(waiting.units for waiting in found),
        value=dict(value),
        still_waiting=Hold.objects.filter(Exists(others), exception__in=ids).values("delivery").distinct().count(),
    )


def answer_sku(
    exception: SyncException, components: Sequence[Component], by: User | None, *, automatic: bool = False, note: str = ""
) -> SkuAnswer:
    """Write the crosswalk row and release every delivery that waits for this SKU; raises CannotAnswer."""
    return _answer(exception, _checked(components), by, automatic=automatic, note=note)


def ignore_sku(exception: SyncException, by: User | None, note: str = "") -> SkuAnswer:
    """Let the SKU through as it is, from now on; raises CannotAnswer."""
    return _answer(exception, (), by, note=note)


def answer_many(pairs: Sequence[tuple[SyncException, Suggestion]], by: User | None) -> list[AnswerResult]:
    """Accept several suggestions; one that cannot be taken does not stop the others."""
    results = []
    for exception, suggestion in pairs:
        try:
            answer = answer_sku(exception, suggestion.components, by, note=f"Suggested with score {suggestion.score}")
            results.append(AnswerResult(exception_id=exception.pk, sku=exception.subject, answer=answer))
        except CannotAnswer as refusal:
            results.append(AnswerResult(exception_id=exception.pk, sku=exception.subject, error=str(refusal)))
    return results


def _checked(components: Sequence[Component]) -> tuple[Component, ...]:
    parts = tuple((sku.strip(), quantity, share) for sku, quantity, share in components)
    if not parts or not all(sku for sku, _, _ in parts):
        raise CannotAnswer("Name at least one target SKU.")
    if len(parts) > MAX_COMPONENTS:
        raise CannotAnswer(f"A bundle has at most {MAX_COMPONENTS} components.")
    for sku, quantity, share in parts:
        if not 1 <= quantity <= MAX_QUANTITY:
            raise CannotAnswer(f"The quantity of {sku} must be a whole number from 1 to {MAX_QUANTITY:,}.")
        if share is not None and share < 0:
            raise CannotAnswer(f"The share of {sku} must not be below zero.")
    twice = [sku for sku, count in Counter(sku for sku, _, _ in parts).items() if count > 1]
    if twice:
        raise CannotAnswer(f"{twice[0]} is named twice; put its whole quantity into one row.")
    return parts


def _answer(
    exception: SyncException, parts: tuple[Component, ...], by: User | None, *, automatic: bool = False, note: str = ""
) -> SkuAnswer:
    """Row, record and closed questions in one transaction; what waited goes afterwards, in small ones."""
    ids = same_question(exception)
    waiting = waiting_lines([exception.pk]).get(exception.pk)
    action = SkuCrosswalk.Action.MAP if parts else SkuCrosswalk.Action.IGNORE
    after = {"action": str(action), "note": note.strip()[:300], "components": [_plain(part) for part in parts]}
    with transaction.atomic():
        _still_open(ids, exception.pk)
        answer = _record(exception, after, waiting, by)
        answer.automatic = automatic
        answer.note = after["note"]
        answer.at = TransactionNow()  # the clock of the outbox's statements, so that nothing released is missed when it is taken back
        answer.save()
        answer.refresh_from_db(fields=["at"])
        said = f"{exception.subject}: {answer.words}{' (automatic)' if automatic else ''}"
        SyncException.objects.filter(pk__in=ids, state=State.OPEN).update(
            state=State.RESOLVED, resolved_by=by, resolved_at=TransactionNow(), note=said[:500]
        )
    answer.released = release_exceptions(ids, by)
    answer.save(update_fields=["released"])
    log.info("SKU answered", answer=answer.pk, by="automatic" if automatic else by.pk if by else None, released=answer.released)
    return answer


def _still_open(ids: Sequence[int], asked: int) -> None:
    rows = SyncException.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk")
    states = dict(rows.values_list("pk", "state"))
    if states.get(asked) != State.OPEN:
        raise CannotAnswer("This question was answered meanwhile.")


def _record(exception: SyncException, after: dict[str, Any], waiting: WaitingSku | None, by: User | None) -> SkuAnswer:
    flow = exception.flow
    pair = {"source_id": flow.source_id, "destination_id": flow.destination_id, "source_sku": exception.subject}
    before = row_as_json(SkuCrosswalk.objects.filter(**pair).first())
    row = write_row(pair, after, by, reason="Answer to an unknown SKU")
    return SkuAnswer(
        exception=exception,
        **pair,
        crosswalk=row,
        before=before,
        after=after,
        by=by,
        product_key=waiting.product_key[:200] if waiting and not waiting.component_of else "",
        title=waiting.title[:300] if waiting else "",
    )


def row_as_json(row: SkuCrosswalk | None) -> dict[str, Any] | None:
    """A crosswalk row as an answer keeps it; None where there is none."""
    if row is None:
        return None
    parts = row.components.order_by("id").values_list("target_sku", "quantity", "share")
    return {"action": row.action, "note": row.note, "components": [_plain(part) for part in parts]}


def write_row(pair: dict[str, Any], content: dict[str, Any], by: User | None, *, reason: str) -> SkuCrosswalk:
    """Make the crosswalk row hold exactly this; its history says who and why."""
    row = SkuCrosswalk.objects.select_for_update().filter(**pair).first() or SkuCrosswalk(**pair)
    row.action, row.note = content["action"], content["note"]
    row._history_user, row._change_reason = by, reason
    row.save()
    for old in row.components.all():
        old._history_user = by
        old.delete()
    for sku, quantity, share in content["components"]:
        part = SkuComponent(crosswalk=row, target_sku=sku[:255], quantity=quantity, share=None if share is None else Decimal(share))
        part._history_user = by
        part.save()
    return row


def _plain(part: tuple[str, int, Decimal | None]) -> list[Any]:
    """A component as JSON; its weight in the four decimals that the table keeps."""
    sku, quantity, share = part
    return [sku, quantity, None if share is None else str(Decimal(share).quantize(Decimal("0.0001")))]
