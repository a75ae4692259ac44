"""Taking an answer about a SKU back: the crosswalk row as it was, and everything that went by the answer looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from integrations.engine.sku_answers import CannotAnswer, row_as_json, write_row
from integrations.engine.waiting import LINE_NAME, PART_NAME, UNMAPPED_SKU
from integrations.engine.wake import wake_flow
from integrations.models import Flow, Hold, SkuAnswer, SyncException
from mapping.models import SkuCrosswalk

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
State = SyncException.State

# Orders with the SKU that wait, or that something happened to since the answer. One that was never sent waits again where its flow asks
# again; the others are set ready, and one in a worker's hands is looked at once more when its outcome is stored.
TAKE_BACK = f"""
WITH mine AS MATERIALIZED (
  SELECT d.id, d.flow_id = ANY(%(asking)s) AND (d.state = 'blocked' OR (d.state = 'ready' AND d.sent_hash = '')) AS waits
  FROM integrations_delivery d
  WHERE d.flow_id = ANY(%(flows)s) AND (d.state = 'blocked'
      OR (d.state = ANY('{{ready,sending,accepted,delivered}}') AND d.updated_at >= %(since)s))
    AND EXISTS (SELECT 1 FROM jsonb_array_elements(d.record -> 'lines') l WHERE {LINE_NAME} = %(sku)s
      OR EXISTS (SELECT 1 FROM jsonb_array_elements(l -> 'components') c WHERE {PART_NAME} = %(sku)s))
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET
  state = CASE WHEN mine.waits THEN 'blocked' WHEN d.state IN ('sending', 'accepted') THEN d.state ELSE 'ready' END,
  version = CASE WHEN d.state IN ('sending', 'accepted') THEN d.version + 1 ELSE d.version END,
  due_at = now(), ready_since = CASE WHEN mine.waits THEN d.ready_since ELSE now() END, attempts = 0, manual = true,
  last_code = CASE WHEN mine.waits THEN %(kind)s ELSE d.last_code END,
  last_message = CASE WHEN mine.waits THEN %(message)s ELSE d.last_message END, updated_at = now()
FROM mine WHERE d.id = mine.id AND (mine.waits OR d.state <> 'blocked')
RETURNING d.id, d.flow_id, mine.waits
"""  # noqa: S608 - our own constants


def undo_answer(answer: SkuAnswer, by: User | None) -> int:
    """Put the crosswalk row back as it was; what was not sent yet waits again, what was sent is looked at again. Raises CannotAnswer.

    Returns how many deliveries are touched. Orders that are at the destination already stay there until they are sent anew.
    """
    with transaction.atomic():
        answer = SkuAnswer.objects.select_for_update(of=("self",)).get(pk=answer.pk)
        _may_be_undone(answer)
        _restore(answer, by)
        answer.undone_at, answer.undone_by = timezone.now(), by
        answer.save(update_fields=["undone_at", "undone_by"])
        touched = _take_back(answer)
    log.info("SKU answer taken back", answer=answer.pk, by=by.pk if by else None, deliveries=touched)
    return touched


def _may_be_undone(answer: SkuAnswer) -> None:
    if answer.undone_at is not None:
        raise CannotAnswer("This answer was taken back already.")
    later = SkuAnswer.objects.filter(
        source=answer.source_id, destination=answer.destination_id, source_sku=answer.source_sku, undone_at=None, pk__gt=answer.pk
    )
    if later.exists():
        raise CannotAnswer("There is a later answer for this SKU; take that one back first.")
    if row_as_json(_row(answer)) != answer.after:
        raise CannotAnswer("The crosswalk row was changed since; change it there.")


def _row(answer: SkuAnswer) -> SkuCrosswalk | None:
    return SkuCrosswalk.objects.filter(source=answer.source_id, destination=answer.destination_id, source_sku=answer.source_sku).first()


def _restore(answer: SkuAnswer, by: User | None) -> None:
    row = _row(answer)
    if answer.before is not None:
        pair = {"source_id": answer.source_id, "destination_id": answer.destination_id, "source_sku": answer.source_sku}
        write_row(pair, answer.before, by, reason="Answer taken back")
    elif row is not None:
        row._history_user, row._change_reason = by, "Answer taken back"
        row.delete()


def _asks_again(answer: SkuAnswer) -> bool:
    """Whether nobody knows the SKU now: there was no row, or one without components."""
    before = answer.before
    return before is None or (before["action"] == SkuCrosswalk.Action.MAP and not before["components"])


def _take_back(answer: SkuAnswer) -> int:
    flows = list(Flow.objects.filter(source=answer.source_id, destination=answer.destination_id).values_list("pk", flat=True))
    questions = _reopened(answer, flows) if _asks_again(answer) else {}
    facts = {"kind": UNMAPPED_SKU, "message": f"Unknown SKU {answer.source_sku}: the answer was taken back."[:500]}
    with database.cursor() as cursor:
        facts |= {"flows": flows, "asking": list(questions), "since": answer.at, "sku": answer.source_sku}
        cursor.execute(TAKE_BACK, facts)
        touched = cursor.fetchall()
    holds = [Hold(exception_id=questions[flow_id], delivery_id=pk) for pk, flow_id, waits in touched if waits]
    Hold.objects.bulk_create(holds, ignore_conflicts=True)
    for flow_id in {flow_id for _, flow_id, waits in touched if not waits}:
        wake_flow(flow_id)
    return len(touched)


def _reopened(answer: SkuAnswer, flows: list[int]) -> dict[int, int]:
    """Flow → question that is open again: the one that was answered, unless the same is being asked anew already."""
    rows = SyncException.objects.filter(kind=UNMAPPED_SKU, subject=answer.source_sku, flow__in=flows)
    found = dict(rows.filter(state=State.RESOLVED, resolved_at__gte=answer.at).order_by("pk").values_list("flow_id", "pk"))
    found |= dict(rows.filter(state=State.OPEN).values_list("flow_id", "pk"))
    rows.filter(pk__in=found.values(), state=State.RESOLVED).update(
        state=State.OPEN, resolved_at=None, resolved_by=None, note="", last_seen=timezone.now(), snoozed_until=None, weighed_at=None
    )
    return found
