"""Storing what a comparison found: every drift once, healed ones closed, those that a person let be left alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from integrations.engine.erased import erased_among
from integrations.models import Flow
from monitoring.models import Drift, Reconciliation
from monitoring.reconcile.judge import Finding, Result, Verdict

STANDING = (Drift.State.OPEN, Drift.State.REPAIRING)
PATIENCE = timedelta(minutes=2)  # that a repair gets before what is still different counts as not healed
FACTS = (
    "cause", "destination_key", "pull_key", "title", "field", "ours", "theirs", "more", "value", "currency", "delivery_id", "exception_id",
)  # fmt: skip
MOVING = frozenset({"waiting", "unconfirmed"})
CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class Kept:
    """What storing findings came to: drifts that were closed, and findings that a person had decided to let be."""

    closed: int = 0
    let_be: int = 0


def record(flow: Flow, run: Reconciliation | None, verdicts: Sequence[Verdict], *, of_consent: bool = False) -> Kept:
    """Store the findings of records that were judged, and close what they no longer show.

    Consent is judged by itself: records judged otherwise say nothing about it.
    """
    findings = {(found.record_key, found.aspect): found for verdict in verdicts if (found := verdict.finding) is not None}
    gone = erased_among({key for key, _ in findings}, source=flow.source_id, destination=flow.destination_id)
    findings = {place: found for place, found in findings.items() if place[0] not in gone}
    settled = {verdict.key for verdict in verdicts if verdict.result is not Result.UNDER_WAY}
    standing = {(row.record_key, row.aspect): row for row in _standing(flow, {*settled, *(key for key, _ in findings)}, of_consent)}
    let_be = _let_be(flow, findings.values())
    now = timezone.now()
    fresh, changed, left = [], [], 0
    for place, found in findings.items():
        if place in standing:
            changed.append(_again(standing[place], found, run))
        elif (place, found.cause, found.theirs) in let_be:
            left += 1
        else:
            facts = {name: getattr(found, name) for name in FACTS}
            fresh.append(Drift(flow=flow, run=run, aspect=found.aspect, record_key=found.record_key, **facts))
    Drift.objects.bulk_create(fresh, ignore_conflicts=True)
    Drift.objects.bulk_update(changed, [*FACTS, "run", "state", "note", "last_seen"], batch_size=250)
    healed = [row.pk for place, row in standing.items() if place not in findings and place[0] in settled]
    closed = Drift.objects.filter(pk__in=healed, state__in=STANDING).update(state=Drift.State.CLOSED, closed_at=now, last_seen=now)
    return Kept(closed, left)


def _standing(flow: Flow, keys: Iterable[str], of_consent: bool) -> Iterable[Drift]:
    rows = Drift.objects.filter(flow=flow, record_key__in=list(keys), state__in=STANDING)
    return rows.filter(aspect=CONSENT) if of_consent else rows.exclude(aspect=CONSENT)


def _let_be(flow: Flow, findings: Iterable[Finding]) -> set[tuple[tuple[str, str], str, str]]:
    """Differences that a person decided to leave as they are."""
    keys = [found.record_key for found in findings]
    rows = Drift.objects.filter(flow=flow, record_key__in=keys, state=Drift.State.DISMISSED)
    return {((key, aspect), cause, theirs) for key, aspect, cause, theirs in rows.values_list("record_key", "aspect", "cause", "theirs")}


def _again(row: Drift, found: Finding, run: Reconciliation | None) -> Drift:
    """A drift that is still there; one that was to be repaired is open again when its time was enough."""
    for name in FACTS:
        setattr(row, name, getattr(found, name))
    row.last_seen, row.run = timezone.now(), run or row.run
    if row.state == Drift.State.REPAIRING and found.cause not in MOVING and _had_time(row):
        row.state = Drift.State.OPEN
        row.note = f"A repair was tried {row.tries} time{'' if row.tries == 1 else 's'} and it still differs."
    return row


def _had_time(row: Drift) -> bool:
    return row.asked_at is None or timezone.now() - row.asked_at > PATIENCE


def dismiss(row: Drift, note: str) -> None:
    """A person lets it be; the same difference is not listed again."""
    Drift.objects.filter(pk=row.pk, state__in=STANDING).update(state=Drift.State.DISMISSED, note=note[:500], closed_at=timezone.now())


def reopen(row: Drift) -> bool:
    """Take that back; False when the same record drifted anew meanwhile."""
    newer = Drift.objects.filter(flow=row.flow_id, record_key=row.record_key, aspect=row.aspect, state__in=STANDING).exclude(pk=row.pk)
    if newer.exists():
        return False
    return bool(Drift.objects.filter(pk=row.pk, state=Drift.State.DISMISSED).update(state=Drift.State.OPEN, closed_at=None, note=""))


def asked(keys: Sequence[int], by: int | None) -> int:
    """Note that a repair was asked for; returns of how many."""
    rows = Drift.objects.filter(pk__in=list(keys), state__in=STANDING)
    return rows.update(state=Drift.State.REPAIRING, asked_by=by, asked_at=timezone.now(), tries=F("tries") + 1)
