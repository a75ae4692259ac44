"""Variants that their product no longer lists: deactivated at the destinations, because no platform tells of them one by one."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection as database

from integrations.engine.wake import wake_flow
from integrations.models import Connection
from mapping.records import Product, Record, RecordType, Variant

DROP = """
WITH gone AS MATERIALIZED (
  SELECT d.id FROM integrations_delivery d JOIN integrations_flow f ON f.id = d.flow_id
  JOIN unnest(%(products)s::text[], %(times)s::timestamptz[]) AS p(key, at) ON p.key = d.parent_key
  WHERE f.source_id = %(source)s AND f.record_type = %(variant)s AND d.parent_key <> '' AND NOT d.record_key = ANY(%(keys)s)
    AND d.occurred_at < p.at AND (d.record ->> 'active')::bool
  ORDER BY d.record_key COLLATE "C" FOR UPDATE OF d)
UPDATE integrations_delivery d SET record = d.record || '{"active": false, "removed": true}', version = version + 1,
  state = CASE WHEN state IN ('sending', 'accepted') THEN state ELSE 'ready' END, due_at = now(), ready_since = now(), updated_at = now()
FROM gone WHERE d.id = gone.id RETURNING d.flow_id
"""


def drop_missing_variants(connection: Connection, records: Sequence[Record]) -> int:
    """Mark the variants of these products that did not come with them; returns how many."""
    products = [record for record in records if isinstance(record, Product)]
    if not products:
        return 0
    with database.cursor() as cursor:
        cursor.execute(
            DROP,
            {
                "source": connection.pk,
                "variant": RecordType.VARIANT,
                "products": [product.key for product in products],
                "times": [product.occurred_at for product in products],
                "keys": [record.key for record in records if isinstance(record, Variant)],
            },
        )
        flows = [flow_id for (flow_id,) in cursor.fetchall()]
    for flow_id in set(flows):
        wake_flow(flow_id)
    return len(flows)
