"""Storing a batch: results, holds, attempts and receipts in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from integrations.engine.attempts import write_attempts
from integrations.engine.exceptions import Question, raise_questions
from integrations.engine.outbox import Claim, Result, store_results
from integrations.engine.visitors import count_orphans
from integrations.models import Delivery, Flow, Hold, Receipt

FIRST_CHECK = timedelta(seconds=1)  # until a receipt is first asked about
Asked = Sequence[tuple[int, list[Question]]]


def store_batch(
    flow: Flow, claim: Claim, results: Sequence[Result], asked: Asked = (), *, mapping_version: int | None = None, receipt_id: str = ""
) -> Counter[str]:
    """Write what became of claimed deliveries; counts by outcome, of those rows only that were still in our hands."""
    if not results:
        return Counter()
    with transaction.atomic():
        receipt = None
        if receipt_id:
            receipt = Receipt.objects.create(
                flow=flow, external_id=receipt_id[:100], check_at=timezone.now() + FIRST_CHECK, count=len(results)
            )
        written = store_results(claim, results, mapping_version=mapping_version, receipt=receipt.pk if receipt else None)
        return note(flow, results, asked, written)


def note(flow: Flow, results: Sequence[Result], asked: Asked, written: dict[int, str]) -> Counter[str]:
    """Holds, attempts and the flow's clock for results that were written; call inside their transaction."""
    Hold.objects.filter(delivery_id__in=list(written)).delete()  # what it waited for before is answered or asked again now
    raise_questions(flow, [(pk, questions) for pk, questions in asked if written.get(pk) == Delivery.State.BLOCKED])
    mine = [result for result in results if result.delivery_id in written]
    write_attempts(mine)
    count_orphans(flow, mine)
    if any(result.state == Delivery.State.DELIVERED for result in mine):
        Flow.objects.filter(pk=flow.pk).update(last_delivered_at=timezone.now())
    return Counter(str(result.outcome) or "waits" for result in mine)
