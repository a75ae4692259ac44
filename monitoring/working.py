"""Whether somebody is at work: the worker runs and counts, runs and does not count, or does not run; and whose state one looks at."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django_q.models import Schedule

from monitoring.latest import STALE, LatestSamples

YESTERDAY = timedelta(hours=12)  # numbers older than this are another day's, not a short stop
BEAT = "integrations.tasks.sweep"  # the schedule whose next run moves on every minute while a worker runs


class Working(StrEnum):
    """What the samples and the schedules say about the worker."""

    YES = "yes"
    UNSAMPLED = "unsampled"  # it runs, but nothing is counted
    STOPPED = "stopped"
    YESTERDAY = "yesterday"  # the database stands as it was long ago: a copy, or nothing ran since
    AHEAD = "ahead"  # the newest sample lies in the future


def working(samples: LatestSamples, now: datetime) -> Working:
    """Who is at work; one query, and only when the samples have stopped."""
    if samples.ahead(now):
        return Working.AHEAD
    if not samples.stale(now):
        return Working.YES
    beats = Schedule.objects.filter(func=BEAT).order_by("-next_run").values_list("next_run", flat=True).first()
    if beats is not None and now - beats <= STALE:
        return Working.UNSAMPLED
    return Working.YESTERDAY if samples.at is not None and now - samples.at > YESTERDAY else Working.STOPPED
