"""The first promise: a verified message is on disk before it is acknowledged.

Calls that arrive together are committed together: while one thread writes, the event loop gathers what comes next, so that the number
of commits does not grow with the number of callers, and no caller needs a thread of its own to wait in.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import DataError, IntegrityError, close_old_connections, transaction

from integrations.engine.arrays import text_array
from integrations.engine.statements import bound_cursor
from integrations.engine.wake import wake_connection
from integrations.platforms.base import IncomingEvent, Lane

GROUP_BYTES = 8 * 1024 * 1024  # of bodies in one transaction; one caller's events are never parted

INSERT = """
INSERT INTO integrations_inboxevent (connection_id, topic, dedup_key, body, hint, object_key, occurred_at, due_at, lane)
SELECT c, t, k, b, h, o, a, now() + w * interval '1 second', l
FROM unnest(%(connections)s::bigint[], %(topics)s::text[], %(keys)s::text[], %(bodies)s::text[], %(hints)s::bool[],
            %(objects)s::text[], %(times)s::timestamptz[], %(waits)s::float8[], %(lanes)s::int[]) AS e(c, t, k, b, h, o, a, w, l)
ORDER BY c, k COLLATE "C"
ON CONFLICT (connection_id, dedup_key) DO NOTHING
RETURNING connection_id
"""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The events of one caller."""

    connection_id: int
    events: Sequence[IncomingEvent]

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(len(event.body) for event in self.events)


def ingest(connection_id: int, events: Sequence[IncomingEvent]) -> int:
    """Store the events and wake a worker in one transaction; returns how many were new. When it returns they are durable."""
    return _write([Call(connection_id, events)])[connection_id]


class Gatherer:
    """The callers of one event loop, written together by one thread."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Call, asyncio.Future[None]]] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._drain: asyncio.Task[None] | None = None

    async def store(self, connection_id: int, events: Sequence[IncomingEvent]) -> None:
        """Return when the events are durable; raises what kept them from it, and then they are not stored."""
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((Call(connection_id, events), stored))
        if self._drain is None:
            self._drain = loop.create_task(self._write_all(loop))
        await stored

    async def _write_all(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write group after group until nobody waits; a caller that went away meanwhile has its events stored all the same."""
        try:
            while self._waiting:
                group = self._next_group()
                faults = await loop.run_in_executor(self._writer, write_group, [call for call, _ in group])
                for (_, stored), fault in zip(group, faults, strict=True):
                    if stored.cancelled():
                        continue
                    if fault is None:
                        stored.set_result(None)
                    else:
                        stored.set_exception(fault)
        finally:
            self._drain = None

    def _next_group(self) -> list[tuple[Call, asyncio.Future[None]]]:
        taken, size = 0, 0
        for call, _ in self._waiting:
            size += call.size
            if taken and size > GROUP_BYTES:
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group


def write_group(group: Sequence[Call]) -> list[Exception | None]:
    """Write together what can be written together; for each caller None, or what kept its events from being stored."""
    try:
        _write(group)
    except (DataError, IntegrityError) as fault:  # a row that does not fit, or whose connection is gone, fails its own caller only
        return [fault] if len(group) == 1 else [answer for call in group for answer in write_group([call])]
    except Exception as fault:  # noqa: BLE001 - handed to every caller of the group, which raises it: none may think it was stored
        return [fault] * len(group)
    finally:
        close_old_connections()
    return [None] * len(group)


def _write(group: Sequence[Call]) -> dict[int, int]:
    """New rows per connection."""
    rows = {(call.connection_id, event.dedup_key): event for call in group for event in call.events}
    stored: dict[int, int] = defaultdict(int)
    with transaction.atomic():
        with bound_cursor() as cursor:
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
