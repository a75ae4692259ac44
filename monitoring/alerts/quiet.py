"""Quiet hours of a target by the clock on its own wall. Pure but for the target's columns."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitoring.alerts.watches import Severity
from monitoring.models import AlertTarget


def quiet_end(start: time | None, end: time | None, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours that hold now are over; None when it is not quiet. Hours may span midnight and changes of the clock."""
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(ZoneInfo(zone))
    at = local.time().replace(tzinfo=None)
    inside = start <= at < end if start < end else at >= start or at < end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if start > end and at >= start else 0)
    ends = datetime.combine(day, end, ZoneInfo(zone))
    if ends.timestamp() <= now.timestamp():  # in the hour that is repeated when the clocks go back
        ends = ends.replace(fold=1)
    return ends.astimezone(UTC)


def held_until(target: AlertTarget, severity: str, now: datetime) -> datetime | None:
    """Until when a message of that severity waits; None when it may go out now."""
    if severity == Severity.URGENT and target.urgent_passes:
        return None
    return quiet_end(target.quiet_from, target.quiet_until, target.zone, now)
