"""Worker entries of segment health. No logic, positional arguments, safe to run twice."""

from __future__ import annotations

from django_q.tasks import async_task

from monitoring.segments import facts, reading
from monitoring.segments import read_back as read_backs

FACTS_SECONDS = 15.0


def tick() -> None:
    """Every minute: take in what changed in the outbox, and start what is due."""
    facts.catch_up(FACTS_SECONDS)
    for connection_id in reading.due():
        async_task("monitoring.segments.tasks.read_segments", connection_id)
    for read_back_id in read_backs.due():
        async_task("monitoring.segments.tasks.read_back", read_back_id)


def read_segments(connection_id: int) -> None:
    """Read one connection's segments."""
    reading.read(connection_id)


def read_back(read_back_id: int) -> None:
    """Go on with one read-back."""
    read_backs.run(read_back_id)
