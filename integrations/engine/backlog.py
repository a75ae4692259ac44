"""What the page of unmapped products keeps ready: what waits for each open SKU, its best suggestion, and how far an answer has got."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import connection as database
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.engine.suggest import suggestions_for
from integrations.engine.waiting import LINE_NAME, NEWEST, PART_NAME, UNMAPPED_SKU, waiting_lines
from integrations.models import Delivery, Flow, SkuAnswer, SkuBacklog, SyncException
from mapping.suggestions import Component, Suggestion

log = structlog.get_logger(__name__)
BATCH = 500
REFRESH_SECONDS = 20.0  # of every minute at most
FACTS_LAST = timedelta(hours=6)  # new orders refresh at once; this is for orders that left by themselves
NOTHING_FOUND_LASTS = timedelta(hours=1)  # the catalogue may have grown
SUGGESTION_LASTS = timedelta(hours=24)
LATE_COMMIT = timedelta(seconds=10)  # a question is dated at the start of its transaction and seen after its end
MOVING = (Delivery.State.READY, Delivery.State.SENDING, Delivery.State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of the deliveries that one answer let go; `waiting` ones need another answer too."""

    released: int
    delivered: int = 0
    moving: int = 0
    waiting: int = 0

    @property
    def share(self) -> float:
        """Part of what was released that arrived."""
        return min(1.0, self.delivered / self.released) if self.released else 1.0


def open_questions() -> QuerySet[SyncException]:
    """Open questions about SKUs."""
    return SyncException.objects.filter(kind=UNMAPPED_SKU, state=SyncException.State.OPEN, flow__isnull=False)


ADOPT = """
INSERT INTO integrations_skubacklog (exception_id, orders, units, value, amounts, suggestion)
SELECT e.id, 0, 0, 0, '{}', '{}' FROM integrations_syncexception e
WHERE e.kind = %(kind)s AND e.state = 'open' AND e.flow_id IS NOT NULL
  AND e.id > COALESCE((SELECT max(exception_id) FROM integrations_skubacklog), 0)
ON CONFLICT DO NOTHING
"""


def adopt() -> None:
    """Put questions that were asked since the last refresh at the end of the list, without looking anything up: two index look-ups."""
    with database.cursor() as cursor:
        cursor.execute(ADOPT, {"kind": UNMAPPED_SKU})


def refresh(seconds: float) -> int:
    """Bring the stored facts, then the suggestions, up to date for as long as `seconds` allow; returns how many rows were looked up."""
    until = time.monotonic() + seconds
    SkuBacklog.objects.exclude(exception__state=SyncException.State.OPEN).delete()
    facts = _refresh_facts(until)
    found = _refresh_suggestions(until)
    if facts or found:
        log.info("backlog of SKUs refreshed", facts=facts, suggestions=found)
    return facts + found


def _refresh_facts(until: float) -> int:
    now, done = timezone.now(), 0
    old = Q(backlog=None) | Q(backlog__refreshed_at=None) | Q(backlog__refreshed_at__lt=now - FACTS_LAST)
    seen_since = Q(backlog__refreshed_at__lt=F("last_seen") + LATE_COMMIT)
    stale = list(open_questions().filter(old | seen_since).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(stale), BATCH):
        if time.monotonic() >= until:
            break
        done += store_facts(stale[start : start + BATCH])
    return done


def store_facts(ids: Sequence[int]) -> int:
    """Look up and store what waits for these questions; returns how many rows were written."""
    waiting, now = waiting_lines(ids), timezone.now()
    rows = [SkuBacklog(exception_id=pk, refreshed_at=now) for pk in ids]
    for row in rows:
        if (found := waiting.get(row.exception_id)) is not None:
            row.orders, row.units, row.value = found.orders, found.units, sum(found.value.values(), Decimal(0))
            row.amounts = {currency: str(amount) for currency, amount in found.value.items()}
    _write(rows, ["orders", "units", "value", "amounts", "refreshed_at"])
    return len(rows)


def _refresh_suggestions(until: float) -> int:
    done, now = 0, timezone.now()
    old = Q(backlog__suggested_at=None) | Q(backlog__suggested_at__lt=now - SUGGESTION_LASTS)
    unlucky = Q(backlog__score=None, backlog__suggested_at__lt=now - NOTHING_FOUND_LASTS)
    rows = open_questions().filter(old | unlucky).select_related("flow").order_by("-backlog__value", "pk")
    while time.monotonic() < until and (batch := list(rows[:BATCH])):
        waiting = waiting_lines([row.pk for row in batch], newest=NEWEST)
        for row in batch:
            if time.monotonic() >= until:
                break
            remember_best(row.pk, suggestions_for(row, 1, waiting=waiting.get(row.pk)))
            done += 1
    return done


def look_again(flow: Flow) -> int:
    """Suggestions for this flow's open SKUs are looked up anew: its catalogue is another one now. Returns how many."""
    return SkuBacklog.objects.filter(exception__flow=flow).update(suggested_at=None)


def remember_best(exception_id: int, suggestions: Sequence[Suggestion]) -> None:
    """Store the first of these as the best one that is known, or that there is none."""
    best = suggestions[0] if suggestions else None
    row = SkuBacklog(exception_id=exception_id, suggested_at=timezone.now(), score=best.score if best else None)
    if best is not None:
        row.suggestion = {"parts": plain_parts(best.components), "reasons": list(best.reasons), "titles": [e.label for e in best.entries]}
    _write([row], ["score", "suggestion", "suggested_at"])


def _write(rows: list[SkuBacklog], fields: list[str]) -> None:
    SkuBacklog.objects.bulk_create(rows, update_conflicts=True, unique_fields=["exception"], update_fields=fields)


def plain_parts(components: Sequence[Component]) -> list[list[Any]]:
    """Components as JSON holds them."""
    return [[sku, quantity, None if share is None else str(share)] for sku, quantity, share in components]


PROGRESS = f"""
SELECT d.state, count(*) FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
WHERE f.source_id = %(source)s AND f.destination_id = %(destination)s AND f.record_type = 'order'
  AND d.updated_at >= %(since)s AND d.created_at <= %(since)s
  AND EXISTS (SELECT 1 FROM jsonb_array_elements(d.record -> 'lines') l WHERE {LINE_NAME} = %(sku)s
    OR EXISTS (SELECT 1 FROM jsonb_array_elements(l -> 'components') c WHERE {PART_NAME} = %(sku)s))
GROUP BY d.state
"""  # noqa: S608 - our own constants


def progress(answer: SkuAnswer) -> Progress:
    """How far the deliveries are that were there when this answer was given and carry its SKU."""
    facts = {"source": answer.source_id, "destination": answer.destination_id, "since": answer.at, "sku": answer.source_sku}
    with database.cursor() as cursor:
        cursor.execute(PROGRESS, facts)
        states = dict(cursor.fetchall())
    delivered = states.get(Delivery.State.DELIVERED, 0)
    moving, waiting = sum(states.get(state, 0) for state in MOVING), states.get(Delivery.State.BLOCKED, 0)
    return Progress(max(answer.released, delivered + moving), delivered, moving, waiting)
