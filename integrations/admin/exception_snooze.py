"""Until when a question is put away, as people choose it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date

from integrations.admin.desk import Refusal
from integrations.engine.snoozes import LONGEST, UNTIL_IT_CHANGES

MORNING = time(8, 0)  # in the console's time zone: it is there when the day begins
CHOICES = (("tomorrow", "Tomorrow"), ("monday", "Monday"), ("week", "In a week"), ("changes", "Until it changes"))


def until(choice: str, day: str = "") -> datetime:
    """When a question that is put away like this comes back; raises Refusal."""
    today = timezone.localdate()
    if choice == "changes":
        return UNTIL_IT_CHANGES
    days = {"tomorrow": 1, "monday": 7 - today.weekday(), "week": 7}
    if choice in days:
        return _morning(today + timedelta(days=days[choice]))
    chosen = _day(day)
    if chosen is None:
        raise Refusal("Choose until when: a day in the future.")
    if chosen <= today or chosen - today > LONGEST:
        raise Refusal("Choose a day from tomorrow on, within a year.")
    return _morning(chosen)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _morning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, MORNING))
