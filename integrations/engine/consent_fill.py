"""Filling the ledger once from what was stored before there was one: the customers in the outbox, as history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import structlog

from integrations.engine.consent_rows import note_rows
from integrations.engine.consent_spread import Bring, spread
from integrations.engine.masks import unmasked
from integrations.models import Connection, Delivery, Flow
from mapping import codec
from mapping.records import Record, RecordType

log = structlog.get_logger(__name__)
PART = 500


def fill(bring: Bring, *, after: int = 0, limit: int | None = None) -> Iterator[tuple[int, int]]:
    """Note what stored customers say, in parts by delivery id: yields the last id and how many were read. Safe to repeat and to go on.

    Nobody is opted in by it: it all counts as history until a source says it again.
    """
    sources = {connection.pk: connection for connection in Connection.objects.all()}
    carrying = set(Flow.objects.filter(record_type=RecordType.CONSENT, enabled=True).values_list("source", flat=True))
    left = limit
    while left is None or left > 0:
        rows = Delivery.objects.filter(flow__record_type=RecordType.CUSTOMER, pk__gt=after).order_by("pk")
        part = list(rows.values_list("pk", "flow__source", "record")[: PART if left is None else min(PART, left)])
        if not part:
            return
        found: dict[int, list[Record]] = defaultdict(list)
        for pk, source, data in part:
            found[source] += _records(pk, data)
        for source, records in found.items():
            plain = unmasked(sources[source].platform, records)
            news = note_rows(source, plain, history=True, carries=source in carrying)
            spread(news, bring)
        after, left = part[-1][0], None if left is None else left - len(part)
        yield after, len(part)


def _records(pk: int, data: dict[str, object]) -> list[Record]:
    try:
        return [codec.from_json(RecordType.CUSTOMER, data)]
    except (KeyError, ValueError, TypeError):
        log.warning("stored record cannot be read", delivery=pk)
        return []
