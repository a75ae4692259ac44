"""What people decided and had done: crosswalk and value tables with their history, answers, runs over many exceptions, impact runs."""

from __future__ import annotations

from django.db import connection as database
from django.utils import timezone

from integrations.models import Delivery, DeskRun, Flow, ImpactRun
from mapping import versions
from mapping.exchange import rules_to_json
from mapping.models import MappingVersion

SKUS, VALUES, ANSWERS, RUNS, ACTS, COMMENTS, FIGURES, PULLS = 20_000, 2000, 3000, 300, 5000, 100, 50_000, 300
CROSSWALK = """
INSERT INTO mapping_skucrosswalk (source_id, destination_id, source_sku, action, note, updated_at)
SELECT %(source)s, %(destination)s, 'TT-' || n, 'map', '', now() - n * interval '1 minute' FROM generate_series(1, %(skus)s) AS n
"""
COMPONENTS = """
INSERT INTO mapping_skucomponent (crosswalk_id, target_sku, quantity, share)
SELECT c.id, 'SKU-' || c.id %% 50000 + part, 1, NULL FROM mapping_skucrosswalk c, generate_series(0, 1) AS part
"""
CROSSWALK_PAST = """
INSERT INTO mapping_historicalskucrosswalk (id, source_sku, action, note, updated_at, source_id, destination_id, history_date, history_type,
  history_user_id)
SELECT id, source_sku, action, note, updated_at, source_id, destination_id, updated_at - past * interval '1 day',
  CASE past WHEN 2 THEN '+' ELSE '~' END, %(me)s FROM mapping_skucrosswalk, generate_series(0, 2) AS past
"""
COMPONENTS_PAST = """
INSERT INTO mapping_historicalskucomponent (id, target_sku, quantity, share, crosswalk_id, history_date, history_type, history_user_id)
SELECT id, target_sku, quantity, share, crosswalk_id, now() - id * interval '1 minute', '+', %(me)s FROM mapping_skucomponent
"""
WORDS = """
INSERT INTO mapping_valuecrosswalk (name, source_value, target_value, updated_at)
SELECT 'bench_table_' || n %% 20, 'word ' || n, 'other ' || n, now() - n * interval '1 minute' FROM generate_series(1, %(values)s) AS n
"""
WORDS_PAST = """
INSERT INTO mapping_historicalvaluecrosswalk (id, name, source_value, target_value, updated_at, history_date, history_type,
  history_user_id)
SELECT id, name, source_value, target_value, updated_at, updated_at - past * interval '1 day',
  CASE past WHEN 2 THEN '+' ELSE '~' END, %(me)s
FROM mapping_valuecrosswalk, generate_series(0, 2) AS past WHERE name LIKE 'bench%%'
"""
GIVEN = """
INSERT INTO integrations_skuanswer (exception_id, source_id, destination_id, source_sku, crosswalk_id, before, after, product_key, title,
  by_id, automatic, note, at, released)
SELECT e.id, %(source)s, %(destination)s, e.subject, c.id, NULL, jsonb_build_object('action', 'map', 'note', '', 'components',
  jsonb_build_array(jsonb_build_array('SKU-1', 2, NULL))), 'product-' || n, 'Thing', %(me)s, n %% 9 = 0, '',
  now() - n * interval '1 minute', 3
FROM (SELECT id, subject, row_number() OVER (ORDER BY id) AS n FROM integrations_syncexception
  WHERE kind = 'unmapped_sku' AND state = 'resolved' LIMIT %(answers)s) AS e
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM mapping_skucrosswalk) AS c USING (n)
"""
DESK_RUNS = """
INSERT INTO integrations_deskrun (act, query, words, arguments, by_id, state, total, done, "left", failed, deliveries, created_at,
  started_at, ended_at)
SELECT 'assign', 'state=open&kind=unmapped_sku', 'Assign all unknown SKUs', jsonb_build_object('assignee', %(me)s::int), %(me)s, 'done',
  %(acts)s, %(acts)s - 9, 6, 3, 0, now() - n * interval '1 hour', now() - n * interval '1 hour', now() - n * interval '59 minutes'
FROM generate_series(1, %(runs)s) AS n
"""
DESK_ACTS = """
INSERT INTO integrations_deskact (exception_id, run_id, name, by_id, at, state, before, after, why)
SELECT e.id, (SELECT max(id) FROM integrations_deskrun), 'assign', %(me)s, now(), CASE e.id %% 1000 WHEN 0 THEN 'failed' ELSE 'done' END,
  '{"assignee": null}', jsonb_build_object('assignee', %(me)s::int), ''
FROM (SELECT id FROM integrations_syncexception WHERE kind = 'unmapped_sku' AND state = 'open' ORDER BY id LIMIT %(acts)s) AS e
"""
ACTS_ALONE = """
INSERT INTO integrations_deskact (exception_id, name, by_id, at, state, before, after, why)
SELECT exception_id, name, by_id, now() - id * interval '1 minute', 'done', before, after, '' FROM integrations_deskact
"""
SAID = """
INSERT INTO integrations_exceptioncomment (exception_id, author_id, at, text)
SELECT e.id, %(me)s, now() - n * interval '1 hour', 'The catalogue team was asked.'
FROM (SELECT id FROM integrations_syncexception ORDER BY last_seen DESC LIMIT 20) AS e, generate_series(1, %(comments)s) AS n
"""
COUNTED = """
INSERT INTO integrations_engagementfigure (connection_id, subject, day, currency, values, occurred_at)
SELECT %(source)s, 'product:' || n %% 200, current_date - (n / 200)::int, 'GBP', '{"views": "12", "carts": "3"}', now()
FROM generate_series(1, %(figures)s) AS n
"""
PULLED = """
INSERT INTO integrations_checkpoint (connection_id, reader, purpose, state, cursor, window_from, due_at, read_count, record_count,
  failed_count, total, faults, note, error, created_at, started_at, finished_at)
SELECT %(source)s, 'orders', 'backfill', CASE WHEN n %% 40 = 0 THEN 'failed' ELSE 'done' END, '', now() - interval '90 days', now(), n * 10,
  n * 10, 0, n * 10, 0, '', '', now() - n * interval '3 hours', now() - n * interval '3 hours', now() - n * interval '2 hours'
FROM generate_series(1, %(pulls)s) AS n
"""
LOGGED = """
INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message, content_type_id, user_id)
SELECT now() - n * interval '1 minute', e.id::text, e.title, 2, 'Assigned.', t.id, %(me)s
FROM (SELECT id, title, row_number() OVER (ORDER BY id) AS n FROM integrations_syncexception LIMIT 50000) AS e,
  (SELECT id FROM django_content_type WHERE model = 'syncexception') AS t
"""
STATEMENTS = (
    CROSSWALK, COMPONENTS, CROSSWALK_PAST, COMPONENTS_PAST, WORDS, WORDS_PAST, GIVEN, DESK_RUNS, DESK_ACTS, ACTS_ALONE, SAID, COUNTED,
    PULLED, LOGGED,
)  # fmt: skip
TABLES = (
    "mapping_skucrosswalk", "mapping_skucomponent", "mapping_historicalskucrosswalk", "mapping_historicalskucomponent",
    "mapping_historicalvaluecrosswalk", "integrations_skuanswer", "integrations_deskrun", "integrations_deskact",
    "integrations_exceptioncomment", "integrations_engagementfigure", "integrations_checkpoint", "integrations_impactrun",
    "django_admin_log",
)  # fmt: skip


def fill(orders: Flow, _deliveries: int, me: int) -> None:
    """So many rows of each; a draft of the orders' mapping with an impact run behind it."""
    values = {
        "source": orders.source_id, "destination": orders.destination_id, "me": me, "skus": SKUS, "values": VALUES, "answers": ANSWERS,
        "runs": RUNS, "acts": ACTS, "comments": COMMENTS, "figures": FIGURES, "pulls": PULLS,
    }  # fmt: skip
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM mapping_valuecrosswalk WHERE name LIKE 'bench%'")
        for statement in STATEMENTS:
            cursor.execute(statement, values)
    draft = MappingVersion.objects.filter(flow=orders, state="draft").first() or versions.draft_from(orders.pk)
    for purpose in ImpactRun.Purpose.values:
        _impact_run(draft, purpose)
    DeskRun.objects.filter(pk=1).update(state="waiting", ended_at=None)


def _impact_run(draft: MappingVersion, purpose: str) -> None:
    """Ended, with as many fields and reasons as a run shows, each with samples."""
    rows, now = list(draft.rules.all()), timezone.now()
    samples = list(Delivery.objects.filter(flow=draft.flow_id).order_by("pk").values_list("pk", flat=True)[:60])
    fields = {row.target: [900 - place, 10, 5, samples[place % 20 : place % 20 + 3]] for place, row in enumerate(rows)}
    fails = {
        f"unmapped_sku|lineitems[].sku|SKU-{place}": [
            "unmapped_sku", "lineitems[].sku", f"SKU-{place}", "The SKU is not in the crosswalk.", 90, samples[place : place + 3]
        ]
        for place in range(50)
    }  # fmt: skip
    ImpactRun.objects.create(
        flow=draft.flow, version=draft, before=versions.published_version(draft.flow_id), purpose=purpose, rules=rules_to_json(rows),
        fingerprint=versions.fingerprint(rows), state="done", most=100_000, total=100_000, looked_at=100_000, same=90_000, changed=9000,
        fails=900, answered=100, findings={"fields": fields, "fails": fails}, started_at=now, finished_at=now,
    )  # fmt: skip
