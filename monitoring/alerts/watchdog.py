"""When no worker runs, nobody would tell of it: so the web process looks and sends in the worker's place until one runs again."""

from __future__ import annotations

import threading
import time

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from monitoring.alerts import tasks
from monitoring.latest import latest_samples
from monitoring.models import AlertRound
from monitoring.working import Working, working

log = structlog.get_logger(__name__)
EVERY = 60.0  # seconds


def start() -> threading.Thread | None:
    """Keep watch in a thread of this process; not in tests."""
    if settings.TESTING:
        return None
    thread = threading.Thread(target=_watch, name="alert-watchdog", daemon=True)
    thread.start()
    return thread


def stand_in() -> bool:
    """Do the worker's minute when it has stopped; whether that was so.

    Never on a database on which no worker has looked yet, or whose state is of another day: a copy must not raise alarms.
    """
    if not AlertRound.objects.filter(looked_at__isnull=False).exists():
        return False
    if working(latest_samples(), timezone.now()) != Working.STOPPED:
        return False
    tasks.tick()
    return True


def _watch() -> None:
    while True:
        time.sleep(EVERY)
        try:
            close_old_connections()
            if stand_in():
                log.warning("no worker runs: the web process looks for alerts")
        except DatabaseError as fault:
            log.warning("the watchdog of alerts could not look", fault=type(fault).__name__)
        finally:
            connection.close()
