"""Filling the database with a long life: deliveries, attempts, questions, what waits for them and a week of samples, by generate_series."""

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
  LATERAL (SELECT CASE WHEN n %% 10 = 0 THEN 'blocked' WHEN n %% 97 = 0 THEN 'skipped' WHEN n %% 89 = 0 THEN 'ready'
                       WHEN n %% 83 = 0 THEN 'accepted' ELSE 'delivered' END AS state) AS s
"""
EXCEPTIONS = """
INSERT INTO integrations_syncexception (flow_id, kind, subject, title, detail, state, occurrences, first_seen, last_seen, note)
SELECT (%(flows)s::bigint[])[1 + n %% %(flow_count)s], (%(kinds)s::text[])[1 + n %% %(kind_count)s], 'SUBJECT-' || n,
  'Unknown SKU SUBJECT-' || n, repeat('word ', 20), CASE WHEN n %% 20 = 0 THEN 'resolved' WHEN n %% 31 = 0 THEN 'ignored' ELSE 'open' END,
  1 + n %% 7, now() - n * interval '3 seconds', now() - n * interval '2 seconds', ''
FROM generate_series(1, %(count)s) AS n
"""
HOLDS = """
INSERT INTO integrations_hold (exception_id, delivery_id, since)
SELECT e.id, d.id, now() FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM integrations_syncexception WHERE state = 'open') AS e
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM integrations_delivery WHERE state = 'blocked') AS d USING (n)
"""
ATTEMPTS = """
INSERT INTO integrations_attempt (delivery_id, number, at, outcome, code, message, ms, request_id, manual)
SELECT id, 1, updated_at, 'delivered', '', '', 12, '', false FROM integrations_delivery
"""
SAMPLES = """
INSERT INTO monitoring_sample (flow_id, metric, at, value)
SELECT f, m, date_trunc('minute', now()) - n * interval '1 minute', 1 + n %% 50
FROM generate_series(2, %(minutes)s) AS n, unnest(%(flows)s::bigint[]) AS f, unnest(ARRAY['delivered', 'failed', 'ready', 'held']) AS m
"""
TABLES = ("integrations_delivery", "integrations_syncexception", "integrations_hold", "integrations_attempt", "monitoring_sample")
WEEK = timedelta(days=7)


def fill(deliveries: int, exceptions: int, bodies: Path) -> None:
    """So many deliveries over all flows, a tenth of them held, and so many questions, most of them open with one delivery waiting."""
    flows = list(Flow.objects.order_by("pk").values_list("pk", flat=True))
    kinds = [kind.slug for kind in KINDS.values() if kind.origin != "permission"]
    values = {"flows": flows, "flow_count": len(flows), "kinds": kinds, "kind_count": len(kinds), "minutes": WEEK // timedelta(minutes=1)}
    with database.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
        cursor.execute(DELIVERIES, {**values, "count": deliveries, "record": _record(bodies)})
        cursor.execute(EXCEPTIONS, {**values, "count": exceptions})
        cursor.execute(HOLDS)
        cursor.execute(ATTEMPTS)
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
