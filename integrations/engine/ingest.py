"""The first promise: a verified message is on disk before it is acknowledged.

Calls that arrive together are committed together: one caller writes for all that came while the caller before it was writing, so that
the number of commits does not grow with the number of callers.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DataError, transaction
from django.db import connection as database

from integrations.engine.arrays import text_array
from integrations.engine.wake import wake_connection
from integrations.platforms.base import IncomingEvent, Lane

INSERT = """
INSERT INTO integrations_inboxevent (connection_id, topic, dedup_key, body, hint, object_key, occurred_at, due_at, lane)
SELECT c, t, k, b, h, o, a, now() + w * interval '1 second', l
FROM unnest(%(connections)s::bigint[], %(topics)s::text[], %(keys)s::text[], %(bodies)s::text[], %(hints)s::bool[],
            %(objects)s::text[], %(times)s::timestamptz[], %(waits)s::float8[], %(lanes)s::int[]) AS e(c, t, k, b, h, o, a, w, l)
ORDER BY c, k COLLATE "C"
ON CONFLICT (connection_id, dedup_key) DO NOTHING
RETURNING connection_id
"""


@dataclass(slots=True)
class _Waiting:
    """One caller's events, and the answer it waits for; `turn` opens when it is written, or when it is this caller's turn to write."""

    connection_id: int
    events: Sequence[IncomingEvent]
    turn: threading.Lock
    written: bool = False
    stored: int = 0
    fault: BaseException | None = None


class _Line:
    """Who waits, and whether somebody writes."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: list[_Waiting] = []
        self.busy = False


_line = _Line()


def ingest(connection_id: int, events: Sequence[IncomingEvent]) -> int:
    """Store the events and wake a worker in one transaction; returns how many were new. When it returns they are durable."""
    mine = _Waiting(connection_id, events, threading.Lock())
    mine.turn.acquire()
    with _line.lock:
        _line.waiting.append(mine)
        leads, _line.busy = not _line.busy, True
    if not leads:
        mine.turn.acquire()
    if not mine.written:
        _lead()
    if mine.fault is not None:
        raise mine.fault
    return mine.stored


def _lead() -> None:
    """Write for everyone who is waiting now, then hand over to whoever came meanwhile."""
    with _line.lock:
        group, _line.waiting = _line.waiting, []
    try:
        _write_group(group)
    finally:
        with _line.lock:
            following = _line.waiting[0] if _line.waiting else None
            _line.busy = following is not None
        if following is not None:
            following.turn.release()
        for waiting in group:
            waiting.turn.release()


def _write_group(group: Sequence[_Waiting]) -> None:
    """Each caller gets its count, or the fault of the common transaction; a row that does not fit fails its own caller only."""
    try:
        stored = _write(group)
    except DataError as fault:
        if len(group) > 1:
            for waiting in group:
                _write_group([waiting])
            return
        group[0].fault = fault
    except BaseException as fault:  # noqa: BLE001 - handed to every caller of the group, which raises it: none may think it was stored
        for waiting in group:
            waiting.fault = fault
    else:
        for waiting in group:
            waiting.stored = min(stored[waiting.connection_id], len(waiting.events))
    for waiting in group:
        waiting.written = True


def _write(group: Sequence[_Waiting]) -> dict[int, int]:
    """New rows per connection."""
    rows = {(waiting.connection_id, event.dedup_key): event for waiting in group for event in waiting.events}
    stored: dict[int, int] = defaultdict(int)
    with transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute(
                INSERT,
                {
                    "connections": [connection_id for connection_id, _ in rows],
                    "topics": text_array(event.topic[:100] for event in rows.values()),
                    "keys": text_array(event.dedup_key[:200] for event in rows.values()),
                    "bodies": text_array(event.body.decode() for event in rows.values()),
                    "hints": [event.hint for event in rows.values()],
                    "objects": text_array(event.object_key[:100] for event in rows.values()),
                    "times": [event.occurred_at for event in rows.values()],
                    "waits": [event.wait_seconds for event in rows.values()],
                    "lanes": [int(Lane.STANDARD if event.wait_seconds else Lane.REALTIME) for event in rows.values()],
                },
            )
            for (connection_id,) in cursor.fetchall():
                stored[connection_id] += 1
        for connection_id in stored:
            wake_connection(connection_id)
    return stored
