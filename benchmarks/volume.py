"""Filling the database with a long life, all of it by SQL: deliveries, attempts, messages, questions and what waits for them.

What newer pages read is filled beside it: `volume_people` (what is found, who is counted), `volume_time` (weeks of samples),
`volume_checks` (segments, comparisons, drifts) and `volume_rules` (crosswalk, answers, runs).
"""

from __future__ import annotations

from pathlib import Path

from django.db import connection as database
from django.utils import timezone

from benchmarks import volume_checks, volume_people, volume_rules, volume_time
from benchmarks.volume_records import flow_slots, records
from integrations.engine import backlog
from integrations.models import Flow, SkuBacklog
from integrations.models.kinds import KINDS
from monitoring import sampling

# What a row is, is drawn from its number by a hash: flow, state and kind must not go in step with each other. Each twentieth of the
# numbers has the customers n with n %% 20 from 10 to 14; an order is by one of them.
DELIVERIES = """
INSERT INTO integrations_delivery (flow_id, record_key, parent_key, record, occurred_at, version, lane, state, due_at, ready_since,
  attempts, destination_key, sent_payload, sent_hash, sent_at, delivered_at, last_code, last_message, issues, manual, cause,
  created_at, updated_at)
SELECT f.id, CASE f.record_type WHEN 'customer' THEN 'person-' || n ELSE 'bench-' || n END,
  CASE f.record_type WHEN 'order' THEN p.person WHEN 'variant' THEN 'bench-' || (n / 20 * 20 + 18) ELSE '' END,
  made.record, now() - n * interval '1 second', 1, 0, s.state, now() + interval '1 day', now() - interval '1 hour', 1, 'shp-' || n,
  made.record || jsonb_build_object('id', 'shp-' || n), md5(n::text), now(),
  CASE WHEN s.state = 'delivered' THEN now() - n * interval '1 second' END, '', '', '[]', false,
  (ARRAY['webhook', 'poll', 'backfill', 'backfill', 'backfill', 'replay'])[1 + (h / 7) %% 6], now(), now() - n * interval '1 second'
FROM generate_series(1, %(count)s) AS n
JOIN integrations_flow f ON f.id = (%(slots)s::bigint[])[1 + n %% 20],
  LATERAL (SELECT abs(hashint4(n)::bigint) AS h) AS hashed,
  LATERAL (SELECT 'person-' || (abs(hashint4(-n)::bigint) %% GREATEST(%(count)s / 20, 1) * 20 + 10 + h %% 5) AS person) AS p,
  LATERAL (SELECT CASE WHEN h %% 10 = 0 THEN 'blocked' WHEN h %% 97 = 0 THEN 'skipped' WHEN h %% 89 = 0 THEN 'ready'
                       WHEN h %% 83 = 0 THEN 'accepted' ELSE 'delivered' END AS state) AS s,
  LATERAL (SELECT %(records)s::jsonb -> f.record_type AS template) AS t,
  LATERAL (SELECT template || CASE f.record_type
    WHEN 'order' THEN jsonb_build_object('key', 'bench-' || n, 'number', '#' || n, 'placed_at', to_jsonb(now() - n * interval '40 seconds'),
      'customer', (template -> 'customer') || jsonb_build_object('key', p.person, 'email', p.person || '@example.com', 'phone', ''))
    WHEN 'customer' THEN jsonb_build_object('key', 'person-' || n, 'email', 'person-' || n || '@example.com',
      'phone', '+4477' || lpad((n %% 100000000)::text, 8, '0'))
    WHEN 'variant' THEN jsonb_build_object('key', 'bench-' || n, 'sku', 'SKU-' || n %% 50000, 'product_key', 'bench-' || (n / 20 * 20 + 18))
    ELSE jsonb_build_object('key', 'bench-' || n) END AS record) AS made
"""
EXCEPTIONS = """
INSERT INTO integrations_syncexception (flow_id, kind, subject, title, detail, state, occurrences, first_seen, last_seen, note,
  assignee_id, snoozed_until, returned, waiting_count, waiting_value, waiting_values, weighed_at, resolved_at, resolved_by_id)
SELECT CASE WHEN unknown_sku THEN %(orders)s ELSE (%(slots)s::bigint[])[1 + n %% 20] END,
  CASE WHEN unknown_sku THEN 'unmapped_sku' ELSE (%(kinds)s::text[])[1 + (h / 3) %% %(kind_count)s] END, 'SUBJECT-' || n,
  'Unknown SKU SUBJECT-' || n, repeat('word ', 20), s.state,
  1 + n %% 7, now() - n * interval '3 seconds', now() - n * interval '2 seconds', '',
  CASE WHEN h %% 23 = 0 THEN %(me)s::int END, CASE WHEN s.state = 'open' AND h %% 41 = 0 THEN now() + interval '3 days' END,
  CASE WHEN h %% 37 = 0 THEN 1 ELSE 0 END, 1 + h %% 40, (h %% 1000000) / 100.0,
  jsonb_build_object('GBP', ((h %% 1000000) / 100.0)::text), now(), CASE WHEN s.state <> 'open' THEN now() - n * interval '1 second' END,
  CASE WHEN s.state <> 'open' AND h %% 2 = 0 THEN %(me)s::int END
FROM generate_series(1, %(count)s) AS n, LATERAL (SELECT abs(hashint4(n)::bigint) AS h) AS hashed,
  LATERAL (SELECT h %% 3 <> 0 AS unknown_sku) AS share,
  LATERAL (SELECT CASE WHEN h %% 20 = 0 THEN 'resolved' WHEN h %% 31 = 0 THEN 'ignored' ELSE 'open' END AS state) AS s
"""
BACKLOG = """
INSERT INTO integrations_skubacklog (exception_id, orders, units, value, amounts, score, suggestion, refreshed_at, suggested_at)
SELECT e.id, 1 + h %% 40, 1 + h %% 90, (h %% 1000000) / 100.0, jsonb_build_object('GBP', ((h %% 1000000) / 100.0)::text),
  score, CASE WHEN score IS NULL THEN '{}'::jsonb ELSE
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
# One unknown SKU that an eighth of all held orders wait for.
CROWD = """
INSERT INTO integrations_hold (exception_id, delivery_id, since)
SELECT (SELECT min(id) FROM integrations_syncexception WHERE kind = 'unmapped_sku' AND state = 'open'), d.id, now()
FROM integrations_delivery d WHERE d.state = 'blocked' AND d.flow_id = %(orders)s AND d.id %% 8 = 1
ON CONFLICT DO NOTHING
"""
ATTEMPTS = """
INSERT INTO integrations_attempt (delivery_id, number, at, outcome, code, message, ms, request_id, manual)
SELECT id, number, updated_at - (5 - number) * interval '1 minute',
  CASE WHEN number < 5 THEN 'later' WHEN state = 'blocked' THEN 'refused' ELSE 'delivered' END, '', '', 12,
  CASE WHEN number = 5 THEN 'request-' || id / 100 ELSE '' END, false
FROM integrations_delivery, generate_series(1, 5) AS number
"""
INBOX = """
INSERT INTO integrations_inboxevent (connection_id, topic, dedup_key, body, hint, object_key, received_at, state, done_at)
SELECT %(source)s, 'orders/updated', 'bench-' || n, '{"id": 1}', false, 'bench-' || n, now() - n * interval '1 second',
  CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'done' END, now()
FROM generate_series(1, %(count)s / 4) AS n
"""
TABLES = (
    "integrations_delivery", "integrations_syncexception", "integrations_hold", "integrations_attempt", "integrations_skubacklog",
    "integrations_inboxevent",
)  # fmt: skip
# Foreign keys are right by the way rows are made; where we may, five million of them are not looked up one by one.
UNCHECKED = "SELECT set_config('session_replication_role', %s, false) FROM pg_roles WHERE rolname = current_user AND rolsuper"
PARTS = (volume_people, volume_checks, volume_rules, volume_time)


def fill(deliveries: int, exceptions: int, bodies: Path, *, me: int) -> None:
    """So many deliveries over all flows, a tenth of them held, each tried five times, and so many questions, nine of ten open.

    `me` is the person who has looked after some of the questions.
    """
    orders = Flow.objects.get(record_type="order")
    kinds = [kind.slug for kind in KINDS.values() if kind.origin != "permission"]
    values = {"orders": orders.pk, "kinds": kinds, "kind_count": len(kinds), "slots": flow_slots(), "me": me, "source": orders.source_id}
    tables = [*TABLES, *(table for part in PARTS for table in part.TABLES)]
    with database.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute(UNCHECKED, ["replica"])
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        cursor.execute(DELIVERIES, {**values, "count": deliveries, "records": records(bodies)})
        cursor.execute(EXCEPTIONS, {**values, "count": exceptions})
        cursor.execute("ANALYZE integrations_delivery, integrations_syncexception")
        for statement in (BACKLOG, HOLDS, CROWD, ATTEMPTS):
            cursor.execute(statement, values)
        cursor.execute(INBOX, {**values, "count": deliveries})
        cursor.execute("ANALYZE")
    for part in PARTS:
        part.fill(orders, deliveries, me)
    with database.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("RESET work_mem")
        cursor.execute(UNCHECKED, ["origin"])
    sampling.sample(timezone.now())
    backlog.store_facts([SkuBacklog.objects.order_by("exception").values_list("exception", flat=True)[0]])  # of the crowd
