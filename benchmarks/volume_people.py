"""Who and what is found and counted: terms of the search, facts of segments, contacts as the destination holds them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection as database
from django.utils import timezone

from integrations.engine.find_terms import one_way
from integrations.models import Flow
from monitoring.models import FactMark
from monitoring.segments import facts

PART = 50_000
PEOPLE = "CREATE TEMPORARY TABLE bench_person (key text, email text, phone text)"
PERSON = "INSERT INTO bench_person SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])"
FORGET = "DROP TABLE bench_person"
NAMED = """
INSERT INTO integrations_searchterm (kind, term, connection_id, record_type, record_key)
SELECT named.kind, named.term, f.source_id, f.record_type, d.record_key
FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
JOIN LATERAL (
  SELECT 'number' AS kind, ltrim(d.record ->> 'number', '#') AS term WHERE f.record_type = 'order'
  UNION ALL SELECT 'sku', lower(d.record ->> 'sku') WHERE f.record_type = 'variant'
  UNION ALL SELECT 'word', unnest(ARRAY['organic', 'cotton', 'shirt']) WHERE f.record_type = 'product') AS named ON true
ORDER BY named.kind, named.term COLLATE "C"
ON CONFLICT DO NOTHING
"""
PERSONAL = """
INSERT INTO integrations_searchterm (kind, term, connection_id, record_type, record_key)
SELECT 'email', p.email, f.source_id, f.record_type, d.record_key
FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id AND f.record_type IN ('order', 'customer')
JOIN bench_person p ON p.key = CASE f.record_type WHEN 'order' THEN d.parent_key ELSE d.record_key END
UNION ALL
SELECT 'phone', p.phone, f.source_id, 'customer', p.key FROM bench_person p JOIN integrations_flow f ON f.record_type = 'customer'
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
CONTACTS = """
INSERT INTO mapping_contact (connection_id, contact_key, facts, seen_at)
SELECT %(destination)s, 'contact-' || key, '{}', now() FROM bench_person
"""
HANDLES = """
INSERT INTO mapping_contacthandle (connection_id, kind, value, contact_key, chosen, created_at)
SELECT %(destination)s, kind, CASE kind WHEN 'email' THEN key || '@example.com' ELSE key END, 'contact-' || key, false, now()
FROM bench_person, unnest(ARRAY['email', 'customer id']) AS kind
"""
CONSENTS = """
INSERT INTO mapping_consentstatement (connection_id, contact_key, channel, state, stated_at, source, explicit, recorded_at)
SELECT %(source)s, key, 'email', 'granted', now() - interval '30 days', 'checkout', true, now() FROM bench_person
"""
TABLES = (
    "integrations_searchterm", "monitoring_orderfact", "monitoring_contactfact", "monitoring_factmark", "mapping_contact",
    "mapping_contacthandle", "mapping_consentstatement",
)  # fmt: skip


def fill(orders: Flow, deliveries: int, _me: int) -> None:
    """Terms of everything that is found by a name, facts of all orders and contacts, a contact per customer."""
    now = timezone.now()
    places = {"source": orders.source_id, "destination": orders.destination_id}
    with database.cursor() as cursor:
        cursor.execute(PEOPLE)
        for numbers in _parts([n for n in range(1, deliveries + 1) if 10 <= n % 20 < 15]):
            keys = [f"person-{n}" for n in numbers]
            emails = [one_way(f"{key}@example.com") for key in keys]
            cursor.execute(PERSON, [keys, emails, [one_way(f"+4477{n:08d}") for n in numbers]])
        cursor.execute("ANALYZE bench_person")
        for statement in (NAMED, PERSONAL, CONTACTS, HANDLES, CONSENTS):
            cursor.execute(statement, places if "%(" in statement else None)
        cursor.execute(FORGET)
        for statement in (facts.ORDERS, facts.CONTACTS):
            cursor.execute(statement, {"since": datetime(2000, 1, 1, tzinfo=UTC), "until": now})
        cursor.execute("ANALYZE monitoring_orderfact, monitoring_contactfact, integrations_searchterm")
    FactMark.objects.create(name=facts.NAME, until=now, caught_up_at=now)


def _parts(numbers: list[int]) -> list[list[int]]:
    return [numbers[begin : begin + PART] for begin in range(0, len(numbers), PART)]
