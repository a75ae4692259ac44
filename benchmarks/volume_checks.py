"""What is compared and counted: segments with a quarter of readings, comparisons with 20,000 drifts, suspected duplicates."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection as database
from django.utils import timezone

from integrations.models import Flow
from monitoring.models import OrderFact, Reconciliation, Segment, SegmentSource
from monitoring.models.segments import SegmentRows
from monitoring.reconcile.causes import CAUSES
from monitoring.segments.causes import CHANGED, KEPT, MISSING
from monitoring.segments.rule import ANY, Rule

LISTED, WATCHED = 600, 12
DRIFTS, DUPLICATES, COMPARISONS = 20_000, 5000, 400
READINGS = """
INSERT INTO monitoring_segmentreading (segment_id, at, size, status, refreshed_at, expected, answer)
SELECT s.id, now() - n * interval '1 hour', 1000 + (n * 7 + s.id) %% 90, 'READY', now() - n * interval '1 hour', 1040, 'healthy'
FROM monitoring_segment s, generate_series(0, 24 * 90) AS n WHERE s.watched
"""
FLIPS = """
INSERT INTO monitoring_segmentflip (segment_id, at, before, after, reason)
SELECT s.id, now() - n * interval '9 hours', 'healthy', 'shrunk', 'It is a fifth smaller than usual.'
FROM monitoring_segment s, generate_series(1, 200) AS n WHERE s.watched
"""
READ_BACKS = """
INSERT INTO monitoring_readback (segment_id, asked_at, due_at, finished_at, state, chosen, done, fields, faults, error)
SELECT s.id, now() - n * interval '1 day', now(), now(), 'done',
  (SELECT jsonb_agg(id) FROM (SELECT id FROM integrations_delivery WHERE flow_id = %(orders)s ORDER BY id LIMIT 100) AS d), 100,
  '{"order.status": [100, 2], "contact.email": [100, 1]}', 0, ''
FROM monitoring_segment s, generate_series(1, 5) AS n WHERE s.watched
"""
READ_BACK_ROWS = """
INSERT INTO monitoring_readbackrow (read_back_id, delivery_id, kind, found, member, differences, cause)
SELECT r.id, chosen.id::bigint, 'order', chosen.place %% 9 > 0, chosen.place %% 5 > 0,
  '[{"field": "status", "sent": "paid", "there": "pending"}]', CASE WHEN chosen.place %% 9 = 0 THEN 'gone' ELSE 'same' END
FROM monitoring_readback r, jsonb_array_elements_text(r.chosen) WITH ORDINALITY AS chosen(id, place)
"""
RUNS = """
INSERT INTO monitoring_reconciliation (flow_id, level, basis, window_from, window_to, nightly, grace_seconds, state, stage, cursor, note,
  error, faults, stored_count, source_count, people_count, matched, left_out, under_way, drifted, closed, value, currency, days, due_at,
  created_at, started_at, finished_at)
SELECT (%(slots)s::bigint[])[1 + n %% 2], CASE WHEN n %% 10 = 9 THEN 'counts' ELSE 'records' END, 'changed', d.day - interval '1 day',
  d.day, true, 1800, 'done', 'over', '', '', '', 0, 12000, 12100, 4000, 11900, 14, 20,
  CASE n WHEN 1 THEN %(drifts)s ELSE n %% 60 END, n %% 9,
  n * 37, 'GBP', CASE WHEN n %% 10 = 9 THEN (SELECT jsonb_agg(jsonb_build_array(to_jsonb(d.day - m * interval '1 day'), 120 + m, 118 + m))
    FROM generate_series(1, 30) AS m) ELSE '[]' END, d.day, d.day, d.day, d.day
FROM generate_series(1, %(runs)s) AS n, LATERAL (SELECT now() - n * interval '6 hours' AS day) AS d
"""
DRIFT_ROWS = """
INSERT INTO monitoring_drift (flow_id, run_id, aspect, cause, record_key, destination_key, pull_key, title, field, ours, theirs, more,
  value, currency, delivery_id, state, note, tries, first_seen, last_seen, closed_at)
SELECT %(orders)s, (SELECT max(id) - CASE WHEN n %% 50 = 0 THEN n %% 300 ELSE 0 END FROM monitoring_reconciliation WHERE level = 'records'),
  (ARRAY['order', 'refund'])[1 + n %% 2], (%(causes)s::text[])[1 + abs(hashint4(n)) %% %(cause_count)s], 'bench-' || n, 'shp-' || n, '',
  'Order #' || n || ' · £54.00 · paid · A••• B•••', 'status', 'paid', 'pending', n %% 3, n %% 500, 'GBP', d.id,
  CASE WHEN n %% 8 = 0 THEN 'closed' WHEN n %% 15 = 0 THEN 'dismissed' WHEN n %% 31 = 0 THEN 'repairing' ELSE 'open' END, '', n %% 3,
  now() - n * interval '1 minute', now() - n * interval '20 seconds', CASE WHEN n %% 8 = 0 THEN now() END
FROM generate_series(1, %(drifts)s) AS n JOIN integrations_delivery d ON d.id = n
"""
PAIRS = """
INSERT INTO monitoring_duplicate (connection_id, first, second, reasons, listing, title, state, survivor, job, note, faults, due_at,
  found_at, seen_at)
SELECT %(destination)s, 'contact-person-' || n, 'contact-person-' || n + 1, '["same_phone"]', '', 'A••• B•••, a•••@example.com',
  CASE WHEN n %% 5 = 0 THEN 'different' WHEN n %% 17 = 0 THEN 'merged' ELSE 'open' END, '', '', '', 0, now(), now() - n * interval '1 hour',
  now()
FROM generate_series(1, %(pairs)s) AS n
"""
TABLES = (
    "monitoring_segment", "monitoring_segmentsource", "monitoring_segmentreading", "monitoring_segmentflip", "monitoring_segmentrows",
    "monitoring_readback", "monitoring_readbackrow", "monitoring_reconciliation", "monitoring_drift", "monitoring_duplicate",
)  # fmt: skip


def fill(orders: Flow, deliveries: int, _me: int) -> None:
    """So many of each; fewer drifts where there are fewer deliveries."""
    _segments(orders)
    flows = [orders.pk, *Flow.objects.filter(record_type="customer").values_list("pk", flat=True)]
    values = {
        "orders": orders.pk, "destination": orders.destination_id, "slots": flows, "runs": COMPARISONS, "pairs": DUPLICATES,
        "causes": list(CAUSES), "cause_count": len(CAUSES), "drifts": min(DRIFTS, deliveries),
    }  # fmt: skip
    with database.cursor() as cursor:
        for statement in (READINGS, FLIPS, READ_BACKS, READ_BACK_ROWS, RUNS, DRIFT_ROWS, PAIRS):
            cursor.execute(statement, values)
    newest = Reconciliation.objects.filter(level="records").order_by("-pk").first()
    Reconciliation.objects.filter(pk=newest.pk).update(created_at=timezone.now(), drifted=values["drifts"])


def _segments(orders: Flow) -> None:
    now = timezone.now()
    SegmentSource.objects.create(connection=orders.destination, due_at=now + timedelta(days=1), read_at=now, total=WATCHED, done=WATCHED)
    rows = [Segment(connection=orders.destination, list_id=str(n), title=f"Segment {n}", size=1000 + n) for n in range(LISTED)]
    for number, row in enumerate(rows):
        row.kind, row.status, row.refreshed_at, row.read_at = "DYNAMIC", "READY", now - timedelta(hours=number % 300), now
    for number, row in enumerate(rows[:WATCHED]):
        row.watched, row.rule = True, Rule(sources=(ANY,), days=(30, 90, 365)[number % 3], consent=number % 2 == 0).stored()
        row.usual, row.expected, row.expected_at, row.answered_at = 1040, 1100, now, now
        row.answer, row.reasons = ("shrunk", ["It is a fifth smaller than usual."]) if number % 3 else ("healthy", [])
        row.missing = {name: {"people": 40, "rows": 55, "questions": []} for name in MISSING}
        causes = {name: {"people": 4, "rows": 5} for name in CHANGED}
        row.changed = {"day": {"since": (now - timedelta(days=1)).isoformat(), "size": 1050, "expected": 1090, "causes": causes}}
        row.spark = [1000 + 7 * place % 90 for place in range(30)]
    Segment.objects.bulk_create(rows)
    newest = list(OrderFact.objects.order_by("-pk").values_list("delivery", flat=True)[:KEPT])
    moments = [*((name, None) for name in MISSING), *((name, now - timedelta(days=1)) for name in CHANGED)]
    SegmentRows.objects.bulk_create(
        SegmentRows(segment=row, cause=name, since=since, deliveries=newest) for row in rows[:WATCHED] for name, since in moments
    )
