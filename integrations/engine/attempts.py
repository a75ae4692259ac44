"""Attempts: one narrow row per try, written with the outcome it tells of."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.engine.arrays import text_array
from integrations.engine.outbox import Result
from integrations.engine.statements import bound_cursor

INSERT = """
INSERT INTO integrations_attempt (delivery_id, number, outcome, code, message, ms, request_id, manual)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::int[], %s::text[], %s::bool[])
"""


def write_attempts(results: Sequence[Result]) -> None:
    """One row for each result that was a try; waiting for a parent or for a turn is none."""
    rows = [result for result in results if result.outcome]
    if not rows:
        return
    with bound_cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                [row.delivery_id for row in rows],
                [row.number for row in rows],
                text_array(str(row.outcome) for row in rows),
                text_array(row.code[:60] for row in rows),
                text_array(row.message[:500] for row in rows),
                [row.ms for row in rows],
                text_array(row.request_id[:100] for row in rows),
                [row.manual for row in rows],
            ],
        )
