"""Snoozing: a question stays open and is not shown among the open ones until its time comes, or until it gets worse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from integrations.models import SyncException

log = structlog.get_logger(__name__)
UNTIL_IT_CHANGES = datetime(9999, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=366)


def snooze(ids: Sequence[int], until: datetime) -> int:
    """Put open questions away until then; returns how many.

    One comes back sooner when as many records ask it again as wait for it now: it has doubled. Put away until it changes
    (`UNTIL_IT_CHANGES`), the next record that asks brings it back.
    """
    more = 1 if until >= UNTIL_IT_CHANGES else Greatest(F("waiting_count"), 1)
    rows = SyncException.objects.filter(pk__in=ids, state=SyncException.State.OPEN)
    return rows.update(snoozed_until=until, snooze_limit=F("occurrences") + more)


def wake(ids: Sequence[int]) -> int:
    """Show questions among the open ones again; returns how many were away."""
    rows = SyncException.objects.filter(pk__in=ids, snoozed_until__isnull=False)
    return rows.update(snoozed_until=None, snooze_limit=None)


def wake_due() -> int:
    """Every minute: questions whose time has come are shown again."""
    due = SyncException.objects.filter(state=SyncException.State.OPEN, snoozed_until__lte=timezone.now())
    woken = due.update(snoozed_until=None, snooze_limit=None)
    if woken:
        log.info("snoozed questions are back", number=woken)
    return woken
