"""The standing schedules, written to django-q2 by `sync_schedules`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

NIGHT_HOUR = 3
SCHEDULES: tuple[tuple[str, str, str, int | None], ...] = (
    ("Sweep", "integrations.tasks.sweep", Schedule.MINUTES, 1),
    ("Unmapped products", "integrations.tasks.sku_backlog", Schedule.MINUTES, 1),
    ("Exception desk", "integrations.tasks.desk", Schedule.MINUTES, 1),
    ("Privacy requests", "integrations.tasks.privacy_tick", Schedule.MINUTES, 1),
    ("Credentials and subscriptions", "integrations.tasks.hourly", Schedule.HOURLY, None),
    ("Samples", "monitoring.tasks.sample", Schedule.MINUTES, 1),
    ("Unreadable calls", "monitoring.tasks.prune_unreadable", Schedule.HOURLY, None),
    ("Segments", "monitoring.segments.tasks.tick", Schedule.MINUTES, 1),
    ("Reconciliation", "monitoring.reconcile.tasks.tick", Schedule.MINUTES, 1),
    ("Consent audit", "monitoring.consent.tasks.tick", Schedule.MINUTES, 1),
    ("Alerts", "monitoring.alerts.tasks.tick", Schedule.MINUTES, 1),
    ("Retention", "monitoring.tasks.prune", Schedule.DAILY, None),
    ("What things are found by", "integrations.tasks.search_terms", Schedule.DAILY, None),
)


def tonight() -> datetime:
    """The next time that it is three in the morning here: what is done once a day has the machine to itself then."""
    now = timezone.localtime()
    at = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


def sync_schedules() -> int:
    """Write the table above; rows that are no longer in it go. Returns how many schedules stand."""
    for name, func, schedule_type, minutes in SCHEDULES:
        values = {"func": func, "schedule_type": schedule_type, "minutes": minutes, "repeats": -1}
        first = {**values, "next_run": tonight()} if schedule_type == Schedule.DAILY else values
        Schedule.objects.update_or_create(name=name, defaults=values, create_defaults=first)
    Schedule.objects.exclude(name__in=[row[0] for row in SCHEDULES]).delete()
    async_task("monitoring.tasks.sample")  # the first thing a worker does is to say that it is there
    return len(SCHEDULES)
