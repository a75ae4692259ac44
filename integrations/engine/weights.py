"""What waits for a question as numbers to sort by: how many deliveries, and the net value of the orders among them.

Amounts of several currencies cannot be added, so a question is sorted by the largest single one of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import orjson
import structlog
from django.db import connection as database
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.models import SyncException

log = structlog.get_logger(__name__)
BATCH = 500
FEW = 20  # orders whose records a page reads to tell their value
WEIGH_SECONDS = 10.0  # of every minute at most
WEIGHT_LASTS = timedelta(hours=1)  # what is asked again is weighed at once; this is for deliveries that left by themselves

PARTS = """
SELECT h.exception_id, CASE WHEN f.record_type = 'order' THEN COALESCE(d.record ->> 'currency', '') END AS currency, count(*) AS number,
  sum(CASE WHEN f.record_type = 'order' THEN (d.record #>> '{totals,net}')::numeric END) AS net
FROM integrations_hold h JOIN integrations_delivery d ON d.id = h.delivery_id JOIN integrations_flow f ON f.id = d.flow_id
WHERE h.exception_id = ANY(%(ids)s) GROUP BY 1, 2
"""
# A question that few wait for is looked up now; of one that many wait for the number is, and the value is what was weighed last: reading
# the records of thousands of orders takes longer than a page may.
STANDING = """
WITH asked AS MATERIALIZED (
  SELECT e.id, e.waiting_values, (SELECT count(*) FROM integrations_hold h WHERE h.exception_id = e.id) AS number
  FROM integrations_syncexception e WHERE e.id = ANY(%(ids)s))
SELECT id, number, CASE WHEN number > %(most)s THEN waiting_values ELSE (
  SELECT jsonb_object_agg(currency, net::text) FROM (
    SELECT COALESCE(d.record ->> 'currency', '') AS currency, sum((d.record #>> '{totals,net}')::numeric) AS net
    FROM integrations_hold h JOIN integrations_delivery d ON d.id = h.delivery_id
    JOIN integrations_flow f ON f.id = d.flow_id AND f.record_type = 'order'
    WHERE h.exception_id = asked.id GROUP BY 1) parts WHERE net IS NOT NULL) END
FROM asked WHERE number > 0
"""
# Rows in other hands are passed over: whoever has one says that it must be weighed again.
WEIGH = f"""
WITH mine AS MATERIALIZED (
  SELECT id FROM integrations_syncexception WHERE id = ANY(%(ids)s)
  ORDER BY flow_id, kind COLLATE "C", subject COLLATE "C" FOR UPDATE SKIP LOCKED),
sums AS (
  SELECT exception_id, sum(number) AS number, max(net) AS net, jsonb_object_agg(currency, net::text) FILTER (WHERE net IS NOT NULL) AS nets
  FROM ({PARTS}) parts GROUP BY 1)
UPDATE integrations_syncexception e SET weighed_at = now(), waiting_count = COALESCE(s.number, 0), waiting_value = COALESCE(s.net, 0),
  waiting_values = COALESCE(s.nets, '{{}}')
FROM mine LEFT JOIN sums s ON s.exception_id = mine.id WHERE e.id = mine.id
"""  # noqa: S608 - our own constants

SUM = "SELECT key, sum(value::numeric) FROM ({rows}) AS chosen (nets), jsonb_each_text(nets) GROUP BY key ORDER BY key"


@dataclass(frozen=True, slots=True)
class Weight:
    """How many deliveries wait, and the net value of the orders among them per currency."""

    count: int
    values: dict[str, Decimal]


NOTHING_WAITS = Weight(0, {})


def weights(ids: Sequence[int]) -> dict[int, Weight]:
    """What waits for these questions now, the value of more than FEW as last weighed; nothing for the others. One query."""
    if not ids:
        return {}
    with database.cursor() as cursor:
        cursor.execute(STANDING, {"ids": list(ids), "most": FEW})
        rows = cursor.fetchall()
    return {
        exception_id: Weight(number, {currency: Decimal(net) for currency, net in sorted(orjson.loads(nets or "{}").items())})
        for exception_id, number, nets in rows
    }


def stored_values(rows: QuerySet[SyncException]) -> dict[str, Decimal]:
    """Net value of the orders that wait for all of these questions, per currency, as it was last weighed. One query."""
    sql, params = rows.filter(waiting_value__gt=0).order_by().values_list("waiting_values").query.sql_with_params()
    with database.cursor() as cursor:
        cursor.execute(SUM.format(rows=sql), params)
        return {currency: Decimal(total) for currency, total in cursor.fetchall()}


def store_weights(ids: Sequence[int]) -> int:
    """Look up and keep what waits for these questions; returns how many were written."""
    with database.cursor() as cursor:
        cursor.execute(WEIGH, {"ids": list(ids)})
        return cursor.rowcount


def refresh(seconds: float = WEIGH_SECONDS) -> int:
    """Every minute: weigh what changed, then what was weighed longest ago, as long as `seconds` allow; returns how many."""
    until, weighed = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        batch = list(_stale().values_list("pk", flat=True)[:BATCH])
        written = store_weights(batch)
        weighed += written
        if len(batch) < BATCH or not written:
            break
    if weighed:
        log.info("questions weighed", number=weighed)
    return weighed


def _stale() -> QuerySet[SyncException]:
    old = Q(weighed_at=None) | Q(weighed_at__lt=timezone.now() - WEIGHT_LASTS)
    rows = SyncException.objects.filter(old, state=SyncException.State.OPEN, flow__isnull=False)
    return rows.order_by(F("weighed_at").asc(nulls_first=True))
