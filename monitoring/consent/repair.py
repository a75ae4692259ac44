"""Sending again what stands: asked for by a person, carried out by a worker, looked at until the side agrees."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine.consent import spread
from integrations.engine.consent_rows import Handle
from integrations.engine.outbox import bring_consents
from mapping.models import ConsentStatement
from monitoring.consent.judge import stale_of
from monitoring.consent.questions import close_settled
from monitoring.models import StaleConsent

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

log = structlog.get_logger(__name__)
State = StaleConsent.State
SEND = "monitoring.consent.tasks.send"
PART = 200
PATIENCE = timedelta(hours=1)  # after which a side that still does not agree is open again
NOTE = "Sent again what stands"


def send_now(handle: Handle) -> int:
    """Bring what stands for this person to every side that does not hold it; returns how many deliveries it made or woke."""
    return _send([handle])


def ask_again(rows: QuerySet[StaleConsent], by: User) -> int:
    """Have all these sent again by a worker, attributed; returns how many."""
    asked, now = 0, timezone.now()
    waiting = rows.filter(state=State.OPEN).order_by()
    while part := list(waiting.select_related("connection")[:1000]):
        ids = [row.pk for row in part]
        asked += StaleConsent.objects.filter(pk__in=ids, state=State.OPEN).update(
            state=State.ASKED, asked_at=now, asked_by=by, sent_at=None
        )
        LogEntry.objects.log_actions(by.pk, part, CHANGE, NOTE)
    if asked:
        async_task(SEND)
    return asked


def send_asked() -> int:
    """Worker's part: send what was asked for, a part at a time; returns how many rows. Safe to repeat."""
    done = 0
    while part := list(StaleConsent.objects.filter(state=State.ASKED, sent_at=None).order_by("pk")[:PART]):
        _send([(row.channel, row.contact_key) for row in part])
        StaleConsent.objects.filter(pk__in=[row.pk for row in part]).update(sent_at=timezone.now())
        done += len(part)
    return done


def look_again(limit: int = 500) -> int:
    """Every minute: close what agrees by now, open again what had an hour and still does not; returns how many agree."""
    now = timezone.now()
    rows = list(StaleConsent.objects.filter(state=State.ASKED, sent_at__isnull=False).order_by("sent_at")[:limit])
    if not rows:
        return 0
    stale = stale_of(dict.fromkeys((row.channel, row.contact_key) for row in rows), now)
    open_sides = {(*handle, side.connection) for handle, found in stale.items() for side in found}
    good = [row.pk for row in rows if (row.channel, row.contact_key, row.connection_id) not in open_sides]
    late = [row.pk for row in rows if row.pk not in set(good) and row.sent_at is not None and now - row.sent_at > PATIENCE]
    closed = StaleConsent.objects.filter(pk__in=good).update(state=State.CLOSED, closed_at=now)
    StaleConsent.objects.filter(pk__in=late).update(state=State.OPEN, sent_at=None)
    if closed:
        close_settled()
    return closed


def _send(handles: Sequence[Handle]) -> int:
    wanted = Q()
    for channel, key in dict.fromkeys(handles):
        wanted |= Q(contact_key=key, channel=channel)
    ids = list(ConsentStatement.objects.filter(wanted, told=False).order_by("pk").values_list("pk", flat=True)) if wanted else []
    changed = spread(ids, bring_consents)
    log.info("consents sent again", people=len(handles), deliveries=changed)
    return changed
