"""Messages: made once with their words and their id, in the transaction of what they tell, and held while a target has quiet hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from secrets import token_hex

from django.db import transaction
from django.utils import timezone

from monitoring.alerts import wording
from monitoring.alerts.digest import digest_of
from monitoring.alerts.quiet import held_until
from monitoring.alerts.wording import Words
from monitoring.models import AlertEvent, AlertMessage, AlertTarget

Kind, State = AlertMessage.Kind, AlertMessage.State
OPEN = (State.HELD, State.WAITING)


def make(target: AlertTarget, kind: str, words: Words, now: datetime, **values: object) -> AlertMessage:
    """One message with an id of its own, due now unless told otherwise."""
    uid = f"msg_{token_hex(16)}"
    mail = target.kind == AlertTarget.Kind.EMAIL
    text, html = (words.text, words.html) if mail else (words.body(), "")
    given = {"made_at": now, "due_at": now, **values}
    return AlertMessage.objects.create(target=target, kind=kind, uid=uid, subject=words.subject[:400], text=text, html=html, **given)


def of_change(target: AlertTarget, event: AlertEvent, now: datetime) -> AlertMessage:
    """The message of one event to one target; held while the target's quiet hours last."""
    until = held_until(target, event.severity, now)
    words = wording.of_change(event)
    if until is None:
        return make(target, Kind.CHANGE, words, now, event=event)
    return make(target, Kind.CHANGE, words, now, event=event, state=State.HELD, due_at=until)


def of_test(target: AlertTarget, now: datetime, *, lease_until: datetime) -> AlertMessage:
    """A test in the hands of whoever made it."""
    return make(target, Kind.TEST, wording.of_test(target.name, now), now, lease_until=lease_until, tries=1)


def sum_up(now: datetime | None = None) -> int:
    """What quiet hours held back goes out as one message per target; returns how many. One worker does it, the others pass by."""
    now = now or timezone.now()
    with transaction.atomic():
        held = AlertMessage.objects.select_for_update(skip_locked=True, of=("self",)).filter(state=State.HELD, due_at__lte=now)
        rows = list(held.select_related("event").order_by("target", "pk"))
        targets = AlertTarget.objects.in_bulk({row.target_id for row in rows})
        groups = [(targets[pk], list(group)) for pk, group in groupby(rows, key=lambda row: row.target_id)]
        for target, group in groups:
            _release(target, group, now)
    return len(groups)


def _release(target: AlertTarget, held: Sequence[AlertMessage], now: datetime) -> None:
    """One message goes as it is; several are told as one."""
    ids = [row.pk for row in held]
    if len(held) == 1:
        AlertMessage.objects.filter(pk__in=ids).update(state=State.WAITING)
        return
    words = wording.of_summary([row.event for row in held if row.event], held[0].made_at, now)
    summary = make(target, Kind.SUMMARY, words, now)
    AlertMessage.objects.filter(pk__in=ids).update(state=State.SUMMED, summary=summary)


def digests(now: datetime | None = None) -> int:
    """The daily digests whose hour has come; each target's of one day is made by one worker, once. Returns how many."""
    now = now or timezone.now()
    return sum(_digest(target, now) for target in AlertTarget.objects.filter(state="active", digest_hour__isnull=False))


def _digest(target: AlertTarget, now: datetime) -> bool:
    day = wording.local(now, target.zone)
    if day.hour < target.digest_hour or (target.digested_on is not None and target.digested_on >= day.date()):
        return False
    with transaction.atomic():
        mine = AlertTarget.objects.filter(pk=target.pk, digested_on=target.digested_on).update(digested_on=day.date())
        if mine:
            make(target, Kind.DIGEST, wording.of_digest(digest_of(target, now)), now)
    return bool(mine)


def drop(target: AlertTarget) -> int:
    """What waits for a target is not sent any more; returns how many messages."""
    return target.messages.filter(state__in=OPEN).update(state=State.CANCELLED, lease_until=None)
