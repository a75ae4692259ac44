"""Samples, hours and tries for tests of the pages that watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from integrations.models import Attempt, Flow
from monitoring.hours import PASSES, hourly
from monitoring.models import Metric, Sample
from tests.rows import make_attempt, make_delivery, minutes_ago


def note(metric: str, value: float, minutes: float = 1, **of: object) -> None:
    """One sample some minutes ago."""
    Sample.objects.create(metric=metric, value=value, at=minutes_ago(minutes), **of)


def worker_runs(minutes: float = 0.5) -> None:
    """The mark that a minute was looked at."""
    note(Metric.PASS, 5, minutes=minutes)


def watched(hour: datetime, passes: int = 60) -> None:
    """An hour in which somebody counted."""
    Sample.objects.create(metric=PASSES, value=passes, at=hour)


def usual_weeks(flow: Flow, until: datetime, volumes: Sequence[float]) -> None:
    """What a flow delivered in the hour before `until` one, two, … weeks ago, and in the hour after it."""
    for back, volume in enumerate(volumes, 1):
        for hour in (until - timedelta(weeks=back, hours=1), until - timedelta(weeks=back)):
            watched(hour)
            if volume:
                Sample.objects.create(flow=flow, metric=hourly(Metric.DELIVERED), value=volume, at=hour)


def tried(flow: Flow, outcomes: Sequence[str], at: datetime) -> list[Attempt]:
    """One record per outcome, tried at that moment, in states that fit no list of the overview."""
    rows = [make_delivery(flow, f"{flow.pk}-{at.timestamp()}-{number}", state="delivered") for number in range(len(outcomes))]
    return [make_attempt(row, outcome, at=at) for row, outcome in zip(rows, outcomes, strict=True)]
