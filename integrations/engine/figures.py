"""Daily figures of a source: kept for people to read, and sent nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.models import Connection, EngagementFigure
from mapping.records import Figures, Record


def keep_figures(connection: Connection, records: Sequence[Record]) -> int:
    """Store what the source counted, the latest count of each day in place of the earlier; returns how many."""
    newest: dict[tuple[str, str], Figures] = {}
    for record in records:
        if isinstance(record, Figures):
            newest[(record.subject, record.day)] = record
    rows = [
        EngagementFigure(
            connection=connection, subject=record.subject[:150], day=record.day, currency=record.currency[:3],
            values={name: str(value) for name, value in record.values.items()}, occurred_at=record.occurred_at,
        )
        for record in newest.values()
    ]  # fmt: skip
    EngagementFigure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["connection", "day", "subject"], update_fields=["currency", "values", "occurred_at"]
    )
    return len(rows)
