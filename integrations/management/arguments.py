"""What the commands' arguments name: a connection, a person, a moment."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from integrations.models import Connection

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def connection_named(text: str) -> Connection:
    """The connection with this number, name or account; raises CommandError with the ones there are."""
    found = Q(name__iexact=text) | Q(external_id__iexact=text)
    if text.isdecimal():
        found |= Q(pk=int(text))
    rows = list(Connection.objects.filter(found)[:2])
    if len(rows) == 1:
        return rows[0]
    known = ", ".join(f"{row.pk} = {row.name}" for row in Connection.objects.order_by("pk")) or "none yet"
    said = "Several connections are" if rows else "No connection is"
    raise CommandError(f"{said} called {text!r}. There are: {known}.")


def person_named(username: str | None) -> User | None:
    """The person in whose name a command acts, None for the program itself; raises CommandError."""
    if not username:
        return None
    user = get_user_model().objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user called {username!r}.")
    return user


def moment(text: str) -> datetime:
    """An ISO date or date and time; without a zone it is taken in the console's own. Raises CommandError."""
    try:
        day = parse_date(text)
        found = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001 - made aware below
    except ValueError as fault:
        raise CommandError(f"{text!r} is no date: {fault}.") from fault
    if found is None:
        raise CommandError(f"{text!r} is no date. Write 2026-01-31 or 2026-01-31T08:00.")
    return timezone.make_aware(found) if timezone.is_naive(found) else found
