"""Sending what waits: claimed under a row lock by one worker, sent outside of any transaction, stored by the claimant.

A worker that is killed between sending and storing leaves a lease behind: when it ends the message goes once more, with the same id.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from integrations.models.secret import UnreadableSecret
from monitoring.alerts import mail, messages, webhook
from monitoring.alerts.outcome import Outcome
from monitoring.models import AlertMessage, AlertTarget, AlertTry
from monitoring.models.alerts import SECRETS

log = structlog.get_logger(__name__)
State = AlertMessage.State
MINUTE = 60
LEFT_OUT = tuple(f"target__{name}" for name in SECRETS)
# Seconds before each further try, as the Standard Webhooks specification recommends; more than three days in all.
SCHEDULE = (5, 5 * MINUTE, 30 * MINUTE, *(hours * 60 * MINUTE for hours in (2, 5, 10, 14, 20, 24)))
JITTER = 0.1
LEASE = timedelta(seconds=90)  # longer than the longest try
OTHERS_WAIT = timedelta(seconds=60)  # what else waits for a target that has just failed
SOON = 6.0  # seconds; a try that is due so soon is waited for
RECENT = timedelta(days=1)
LONG_FAILURE = timedelta(days=3)  # after so long without one success a target is switched off


def send_due(seconds: float = 50.0) -> int:
    """Send what is due until nothing is, or the time is up; returns how many tries were made."""
    ends, tries = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        message = _claim(timezone.now())
        if message is None:
            pause = _next_in(timezone.now())
            if pause is None or pause > SOON or time.monotonic() + pause > ends:
                break
            time.sleep(pause + 0.05)
            continue
        store(message, SENDERS[message.target.kind](message))
        tries += 1
    return tries


def send_test(target: AlertTarget, now: datetime) -> Outcome:
    """Make a test and send it at once, once; nobody else can claim it meanwhile."""
    message = messages.of_test(target, now, lease_until=now + LEASE)
    outcome = SENDERS[target.kind](message)
    store(message, outcome, again=False)
    return outcome


def again(target: AlertTarget, now: datetime) -> int:
    """Try at once what waits for its next try or was given up in the last day; returns how many messages."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    late = Q(state=State.WAITING, tries__gt=0) | Q(state=State.FAILED, made_at__gte=now - RECENT) & ~Q(kind=AlertMessage.Kind.TEST)
    return AlertMessage.objects.filter(free, late, target=target).update(state=State.WAITING, due_at=now, tries=0)


def _claim(now: datetime) -> AlertMessage | None:
    """The message that has been due for longest, for this worker alone."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    with transaction.atomic():
        waiting = AlertMessage.objects.select_for_update(skip_locked=True, of=("self",)).select_related("target").defer(*LEFT_OUT)
        row = waiting.filter(free, state=State.WAITING, due_at__lte=now).order_by("due_at", "pk").first()
        if row is None:
            return None
        row.lease_until, row.tries = now + LEASE, row.tries + 1
        row.save(update_fields=["lease_until", "tries"])
    return row


def _next_in(now: datetime) -> float | None:
    """Seconds until the next message is due that nobody holds, None when none waits."""
    rows = AlertMessage.objects.filter(state=State.WAITING, lease_until=None, due_at__gt=now)
    due = rows.order_by("due_at", "pk").values_list("due_at", flat=True).first()
    return None if due is None else (due - now).total_seconds()


def store(message: AlertMessage, outcome: Outcome, *, again: bool = True) -> None:
    """Write what came of a try; only the claimant does, so a claim that ran out changes nothing but the log."""
    now, target = timezone.now(), message.target
    wait = _wait(message.tries, outcome) if again else None
    with transaction.atomic():
        mine = AlertMessage.objects.filter(pk=message.pk, state=State.WAITING, lease_until=message.lease_until)
        if outcome.ok:
            held = mine.update(state=State.SENT, sent_at=now, lease_until=None)
        elif wait is None or outcome.gone:
            held = mine.update(state=State.FAILED, lease_until=None)
        else:
            held = mine.update(due_at=now + timedelta(seconds=wait), lease_until=None)
        said = {"ok": outcome.ok, "status": outcome.status, "note": outcome.note[:300], "ms": outcome.ms}
        AlertTry.objects.create(message_id=message.pk, at=now, number=message.tries, **said)
        if held and again:
            _mark(target, outcome, now, given_up=wait is None)
    log.info("alert sent" if outcome.ok else "alert not sent", target=target.pk, kind=target.kind, number=message.tries, ms=outcome.ms)


def _wait(tries: int, outcome: Outcome) -> float | None:
    """Seconds until the next try, None after the last; what the receiver asks for is respected when it is longer."""
    if tries > len(SCHEDULE):
        return None
    planned = SCHEDULE[tries - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load
    return max(planned, outcome.wait or 0.0)


def _mark(target: AlertTarget, outcome: Outcome, now: datetime, *, given_up: bool) -> None:
    """Keep since when a target fails; what else waits for it waits a little, and after long failure it is switched off."""
    row = AlertTarget.objects.filter(pk=target.pk)
    if outcome.ok:
        row.update(last_ok_at=now, failing_since=None)
        return
    row.filter(failing_since=None).update(failing_since=now)
    others = AlertMessage.objects.filter(target=target, state=State.WAITING, lease_until=None, tries=0)
    others.update(due_at=Greatest(F("due_at"), now + OTHERS_WAIT))
    since = row.values_list("failing_since", flat=True).get()
    if outcome.gone or (given_up and now - since >= LONG_FAILURE):
        _switch_off(target, outcome.note)


def _switch_off(target: AlertTarget, why: str) -> None:
    changed = AlertTarget.objects.filter(pk=target.pk, state=AlertTarget.State.ACTIVE)
    if changed.update(state=AlertTarget.State.OFF, state_reason=f"The last answer: {why}"[:300]):
        messages.drop(target)
        log.warning("alert target switched off", target=target.pk)


def _secrets(target: AlertTarget, now: datetime) -> list[str]:
    """The secret, and the one before while receivers change over."""
    former = target.former_secret if target.former_until is not None and now < target.former_until else ""
    return [secret for secret in (target.secret, former) if secret]


def _by_webhook(message: AlertMessage) -> Outcome:
    try:
        secrets = _secrets(message.target, timezone.now())
    except UnreadableSecret as fault:
        return Outcome(False, str(fault))
    return webhook.post(message.target.url, secrets, message.uid, message.text.encode())


SENDERS: dict[str, Callable[[AlertMessage], Outcome]] = {AlertTarget.Kind.WEBHOOK: _by_webhook, AlertTarget.Kind.EMAIL: mail.send}
