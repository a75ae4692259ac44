"""One look at everything that is watched: states change, each change is an event, and each event a message for those who want it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from monitoring.alerts import messages
from monitoring.alerts.debounce import Standing, settled
from monitoring.alerts.looking import Found, Reading, read
from monitoring.alerts.routing import wants
from monitoring.alerts.watches import WATCHES
from monitoring.models import AlertEvent, AlertMessage, AlertRound, AlertState, AlertTarget

log = structlog.get_logger(__name__)
EVERY = timedelta(seconds=30)  # looks that follow each other sooner see the same
Change = AlertEvent.Change
WORDS = ("severity", "teams", "title", "text", "url", "action")


def look(now: datetime | None = None) -> list[AlertEvent] | None:
    """Look once, in one transaction; returns what changed, None when somebody else looks or has just looked."""
    now = now or timezone.now()
    with transaction.atomic():
        turn = AlertRound.objects.select_for_update(skip_locked=True).filter(pk=_the_round()).first()
        if turn is None or (turn.looked_at is not None and now - turn.looked_at < EVERY):
            return None
        alive = {row.key: row for row in AlertState.objects.filter(Q(wrong=True) | Q(raw=True))}
        told = frozenset(key.partition(":")[2] for key, row in alive.items() if row.watch == "worth")
        changed = _settle(alive, read(now, worth=turn.worth, told=told), now)
        _tell(changed, now)
        turn.looked_at = now
        turn.save(update_fields=["looked_at"])
    if changed:
        log.info("alerts changed", opened=sum(e.change == "opened" for e in changed), over=sum(e.change == "over" for e in changed))
    return changed


def _the_round() -> int:
    AlertRound.objects.bulk_create([AlertRound(pk=1)], ignore_conflicts=True)
    return 1


def _settle(alive: dict[str, AlertState], reading: Reading, now: datetime) -> list[AlertEvent]:
    """Bring every state up to what was read; returns the events of those that changed."""
    rows = {**{row.key: row for row in AlertState.objects.filter(key__in=reading.found.keys() - alive.keys())}, **alive}
    events = []
    for key in sorted(rows.keys() | reading.found.keys()):
        found, row = reading.found.get(key), rows.get(key)
        slug = found.watch if found else row.watch
        if slug in reading.unknown:
            continue
        before = Standing(row.wrong, row.raw, row.raw_since) if row else None
        after = settled(before, found is not None, now, WATCHES.get(slug, WATCHES["kind"]))
        event = _store(row or AlertState(key=key, watch=slug), found, after, now)
        events += [event] if event else []
    return events


def _store(row: AlertState, found: Found | None, after: Standing, now: datetime) -> AlertEvent | None:
    """Save what is new of one state; returns the event when it changed for people."""
    opened, over = after.wrong and not row.wrong, row.wrong and not after.wrong
    if not _renew(row, found, after) and row.pk is not None and not (opened or over):
        return None
    row.wrong = after.wrong
    if opened:
        row.since, row.recovered_at = after.raw_since, None
    if over:
        row.recovered_at = after.raw_since
    row.save()
    if opened:
        return AlertEvent.objects.create(alert=row, at=now, change=Change.OPENED, since=row.since, **_words(row))
    if over:
        words = _words(_beginning(row) or row)
        return AlertEvent.objects.create(alert=row, at=now, change=Change.OVER, since=row.since, until=row.recovered_at, **words)
    return None


def _renew(row: AlertState, found: Found | None, after: Standing) -> bool:
    """Take over what was read; whether anything is new."""
    new = {"raw": after.raw, "raw_since": after.raw_since}
    if found:
        new |= {name: getattr(found, name) for name in WORDS} | {"teams": list(found.teams)}
    changed = {name: value for name, value in new.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _words(told: AlertState | AlertEvent) -> dict[str, Any]:
    return {name: getattr(told, name) for name in ("watch", *WORDS)}


def _beginning(row: AlertState) -> AlertEvent | None:
    """The event that told people of what is wrong now, or was until now."""
    return row.events.filter(change=Change.OPENED).order_by("-at", "-pk").first()


def _tell(events: Sequence[AlertEvent], now: datetime) -> None:
    """One message for each target that wants an event; the end of something is told where its beginning was."""
    targets = list(AlertTarget.objects.filter(state=AlertTarget.State.ACTIVE)) if events else []
    for event in events:
        hearers = _heard(event, targets) if event.change == Change.OVER else [t for t in targets if wants(t, event.alert)]
        for target in hearers:
            messages.of_change(target, event, now)
        if hearers:
            AlertState.objects.filter(pk=event.alert_id).update(told_at=now)


def _heard(event: AlertEvent, targets: Iterable[AlertTarget]) -> list[AlertTarget]:
    knowing = set(AlertMessage.objects.filter(event=_beginning(event.alert)).values_list("target", flat=True))
    return [target for target in targets if target.pk in knowing]
