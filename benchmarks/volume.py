"""Filling the database with a long life: deliveries, attempts, messages, questions, what waits for them, a week of samples; by SQL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import orjson
from django.db import connection as database
from django.utils import timezone

from integrations.engine.accounts import account_for, platform_of
from integrations.models import Connection, Flow
from integrations.models.kinds import KINDS
from integrations.platforms.base import RawObject
from mapping import codec
from monitoring import sampling

# What a row is, is drawn from its number by a hash: flow, state and kind must not go in step with each other.
DELIVERIES = """
INSERT INTO integrations_delivery (flow_id, record_key, parent_key, record, occurred_at, version, lane, state, due_at, ready_since,
  attempts, destination_key, sent_payload, sent_hash, sent_at, delivered_at, last_code, last_message, issues, manual, cause,
  created_at, updated_at)
SELECT (%(flows)s::bigint[])[1 + n %% %(flow_count)s], 'bench-' || n, 'person-' || n %% 50000,
  %(record)s::jsonb || jsonb_build_object('key', 'bench-' || n, 'number', '#' || n, 'sku', 'SKU-' || n %% 5000),
  now() - n * interval '1 second', 1, 0, s.state, now() + interval '1 day', now() - interval '1 hour', 1, 'shp-' || n,
  %(record)s::jsonb || jsonb_build_object('id', 'shp-' || n), md5(n::text), now(), now(), '', '', '[]', false,
  (ARRAY['webhook', 'poll', 'backfill'])[1 + n %% 3], now(), now() - n * interval '1 second'
FROM generate_series(1, %(count)s) AS n,
  LATERAL (SELECT abs(hashint4(n)::bigint) AS h) AS hashed,
  LATERAL (SELECT CASE WHEN h %% 10 = 0 THEN 'blocked' WHEN h %% 97 = 0 THEN 'skipped' WHEN h %% 89 = 0 THEN 'ready'
                       WHEN h %% 83 = 0 THEN 'accepted' ELSE 'delivered' END AS state) AS s
"""
EXCEPTIONS = """
INSERT INTO integrations_syncexception (flow_id, kind, subject, title, detail, state, occurrences, first_seen, last_seen, note)
SELECT CASE WHEN unknown_sku THEN %(orders)s ELSE (%(flows)s::bigint[])[1 + n %% %(flow_count)s] END,
  CASE WHEN unknown_sku THEN 'unmapped_sku' ELSE (%(kinds)s::text[])[1 + h %% %(kind_count)s] END, 'SUBJECT-' || n,
  'Unknown SKU SUBJECT-' || n, repeat('word ', 20), CASE WHEN h %% 20 = 0 THEN 'resolved' WHEN h %% 31 = 0 THEN 'ignored' ELSE 'open' END,
  1 + n %% 7, now() - n * interval '3 seconds', now() - n * interval '2 seconds', ''
FROM generate_series(1, %(count)s) AS n, LATERAL (SELECT abs(hashint4(n)::bigint) AS h) AS hashed,
  LATERAL (SELECT h %% 3 <> 0 AS unknown_sku) AS share
"""
BACKLOG = """
INSERT INTO integrations_skubacklog (exception_id, orders, units, value, score, suggestion, refreshed_at, suggested_at)
SELECT e.id, 1 + h %% 40, 1 + h %% 90, (h %% 1000000) / 100.0, score, CASE WHEN score IS NULL THEN '{}'::jsonb ELSE
  jsonb_build_object('parts', jsonb_build_array(jsonb_build_array('SKU-' || h %% 5000, 1, NULL)), 'titles', jsonb_build_array('Thing'),
    'reasons', jsonb_build_array('same normalised SKU')) END, now(), now()
FROM integrations_syncexception e, LATERAL (SELECT abs(hashint8(e.id)::bigint) AS h) AS hashed,
  LATERAL (SELECT CASE WHEN h %% 5 > 0 THEN 40 + h %% 61 END AS score) AS found
WHERE e.kind = 'unmapped_sku' AND e.state = 'open'
"""
HOLDS = """
INSERT INTO integrations_hold (exception_id, delivery_id, since)
SELECT e.id, d.id, now() FROM (
  SELECT id, flow_id, row_number() OVER (PARTITION BY flow_id ORDER BY id) AS n FROM integrations_syncexception WHERE state = 'open') AS e
JOIN (
  SELECT id, flow_id, row_number() OVER (PARTITION BY flow_id ORDER BY id) AS n FROM integrations_delivery WHERE state = 'blocked') AS d
USING (flow_id, n)
"""
ATTEMPTS = """
INSERT INTO integrations_attempt (delivery_id, number, at, outcome, code, message, ms, request_id, manual)
SELECT id, number, updated_at - (5 - number) * interval '1 minute', CASE WHEN number < 5 THEN 'later' ELSE 'delivered' END, '', '', 12, '',
  false
FROM integrations_delivery, generate_series(1, 5) AS number
"""
INBOX = """
INSERT INTO integrations_inboxevent (connection_id, topic, dedup_key, body, hint, object_key, received_at, state, done_at)
SELECT %(source)s, 'orders/updated', 'bench-' || n, '{"id": 1}', false, 'bench-' || n, now() - n * interval '1 second',
  CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'done' END, now()
FROM generate_series(1, %(count)s / 4) AS n
"""
SAMPLES = """
INSERT INTO monitoring_sample (flow_id, metric, at, value)
SELECT f, m, date_trunc('minute', now()) - n * interval '1 minute', 1 + n %% 50
FROM generate_series(2, %(minutes)s) AS n, unnest(%(flows)s::bigint[]) AS f, unnest(ARRAY['delivered', 'failed', 'ready', 'held']) AS m
"""
TABLES = (
    "integrations_delivery", "integrations_syncexception", "integrations_hold", "integrations_attempt", "integrations_skubacklog",
    "integrations_inboxevent", "monitoring_sample",
)  # fmt: skip
WEEK = timedelta(days=7)


def fill(deliveries: int, exceptions: int, bodies: Path) -> None:
    """So many deliveries over all flows, a tenth of them held, each tried five times, and so many questions, nine of ten open."""
    flows = list(Flow.objects.order_by("pk").values_list("pk", flat=True))
    orders = Flow.objects.filter(record_type="order").first()
    kinds = [kind.slug for kind in KINDS.values() if kind.origin != "permission"]
    values = {"flows": flows, "flow_count": len(flows), "kinds": kinds, "kind_count": len(kinds), "minutes": WEEK // timedelta(minutes=1)}
    with database.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
        cursor.execute(DELIVERIES, {**values, "count": deliveries, "record": _record(bodies)})
        cursor.execute(EXCEPTIONS, {**values, "count": exceptions, "orders": orders.pk})
        cursor.execute(BACKLOG, {})
        cursor.execute(HOLDS)
        cursor.execute(ATTEMPTS)
        cursor.execute(INBOX, {"source": orders.source_id, "count": deliveries})
        cursor.execute(SAMPLES, values)
        cursor.execute("VACUUM (ANALYZE)")
    sampling.sample(timezone.now())


def _record(bodies: Path) -> str:
    """An order as the product itself stores it, so that rows are as wide as in life."""
    source = Connection.objects.get(platform="shopify")
    with bodies.open("rb") as file:
        raw = RawObject("webhook:orders/create", orjson.loads(file.readline()))
    records = platform_of(source).parse(account_for(source), raw)
    return codec.dumps(records[0]).decode()
