"""When a platform is down: pause the connection, probe it now and then, ask one question instead of thousands."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from integrations.engine import exceptions
from integrations.models import Connection

log = structlog.get_logger(__name__)
TRIP_AFTER = 5  # failed calls in a row
FIRST_PAUSE, LONGEST_PAUSE = 10, 300  # seconds between probes


def may_call(connection: Connection) -> bool:
    """True while the connection is active and not waiting for its next probe."""
    return connection.state == Connection.State.ACTIVE and (connection.resume_at is None or connection.resume_at <= timezone.now())


def failed(connection: Connection, reason: str) -> bool:
    """Count a failed call; True when the platform is (now) taken to be down, so that the try must not count."""
    Connection.objects.filter(pk=connection.pk).update(faults=F("faults") + 1)
    connection.refresh_from_db(fields=["faults"])
    if connection.faults < TRIP_AFTER:
        return False
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(connection.faults - TRIP_AFTER, 10))
    connection.resume_at = timezone.now() + timedelta(seconds=pause)
    Connection.objects.filter(pk=connection.pk).update(resume_at=connection.resume_at)
    exceptions.raise_for_connection(connection, "platform_down", "", f"{connection.name} does not answer", detail=reason)
    log.warning("platform is down", connection=connection.pk, probe_in=pause)
    return True


def answered(connection: Connection) -> None:
    """A call succeeded: close the alarm if one is open."""
    if not connection.faults and connection.resume_at is None:
        return
    was_down = connection.faults >= TRIP_AFTER
    Connection.objects.filter(pk=connection.pk).update(faults=0, resume_at=None)
    connection.faults, connection.resume_at = 0, None
    if was_down:
        exceptions.close_for_connection(connection, "platform_down")
        log.info("platform answers again", connection=connection.pk)
