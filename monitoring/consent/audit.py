"""The walk through the ledger: part after part, each with its place stored beside what it found, so that a kill costs one part."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine.consent import Standing, walk
from integrations.engine.consent_rows import Handle
from monitoring.consent.judge import Stale, receivers, stale_sides, standings_of
from monitoring.consent.questions import ask
from monitoring.models import ConsentAudit, StaleConsent

log = structlog.get_logger(__name__)
State = StaleConsent.State
PART = 500
SECONDS = 40.0  # of one task; the next goes on
PUMP = "monitoring.consent.tasks.pump"
COUNTED = {"granted": "granted", "withdrawn": "withdrawn", "suppressed": "suppressed", "unknown": "silent"}


def start(by_name: str = "") -> ConsentAudit | None:
    """Begin an audit now; None when one is running."""
    try:
        with transaction.atomic():
            audit = ConsentAudit.objects.create(by_name=by_name)
    except IntegrityError:
        return None
    async_task(PUMP)
    return audit


def start_daily(now: datetime | None = None) -> bool:
    """Begin the day's audit when its hour has come and there was none today."""
    local = timezone.localtime(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if local.hour < settings.RECONCILE_HOUR or ConsentAudit.objects.filter(started_at__gte=midnight, by_name="").exists():
        return False
    return start() is not None


def pump(seconds: float = SECONDS) -> int:
    """Go on with the audit that runs, for one task's time; returns how many addresses and numbers were looked at."""
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        looked = step()
        if looked is None:
            return done
        done += looked
    async_task(PUMP)
    return done


def step(limit: int = PART) -> int | None:
    """Look at the next part; None when no audit runs, another worker is at it, or this was the end."""
    with transaction.atomic():
        audit = ConsentAudit.objects.select_for_update(skip_locked=True).filter(state=ConsentAudit.State.RUNNING).first()
        if audit is None:
            return None
        handles = walk((audit.after_channel, audit.after_key) if audit.after_key else None, limit)
        if not handles:
            _end(audit)
            return None
        found = standings_of(handles)
        stale = _store(found, timezone.now())
        counts = Counter(COUNTED[str(standing.state)] for standing in found.values())
        added = {name: F(name) + number for name, number in (*counts.items(), ("looked", len(handles)), ("stale", stale))}
        place = {"after_channel": handles[-1][0], "after_key": handles[-1][1]}
        ConsentAudit.objects.filter(pk=audit.pk).update(**added, **place)
    return len(handles)


def _store(found: Mapping[Handle, Standing], now: datetime) -> int:
    """Keep what is stale of one part; returns how many people and sides."""
    into = receivers()
    stale = [(handle, side) for handle, standing in found.items() for side in stale_sides(standing, into, now)]
    if stale:
        keep(stale, now)
    return len(stale)


def keep(stale: Sequence[tuple[Handle, Stale]], now: datetime) -> None:
    """Open, or see again, a row for each; one that is being sent again stays so, one that agreed meanwhile is open once more."""
    rows = [
        StaleConsent(
            connection_id=side.connection, channel=handle[0], contact_key=handle[1], wanted=side.wanted, held=side.held,
            found_at=now, seen_at=now,
        )
        for handle, side in stale
    ]  # fmt: skip
    keys = [handle[1] for handle, _ in stale]
    StaleConsent.objects.filter(contact_key__in=keys, state=State.CLOSED).delete()
    StaleConsent.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["contact_key", "channel", "connection"], update_fields=["wanted", "held", "seen_at"]
    )


def _end(audit: ConsentAudit) -> None:
    """Close what was not found again, and ask about the rest."""
    now = timezone.now()
    gone = StaleConsent.objects.exclude(state=State.CLOSED).filter(seen_at__lt=audit.started_at)
    closed = gone.update(state=State.CLOSED, closed_at=now)
    ended = {"state": ConsentAudit.State.DONE, "ended_at": now, "after_channel": "", "after_key": ""}
    ConsentAudit.objects.filter(pk=audit.pk).update(**ended)
    ask(audit.started_at)
    log.info("consents audited", looked=audit.looked, stale=audit.stale, closed=closed)
