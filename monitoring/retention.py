"""Nothing is kept longer than it is needed: rows are pruned by age in small batches that hold no lock for long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone
from django_q.models import Task

from integrations.models import Attempt, Connection, Correction, Delivery, DeskAct, DeskRun, InboxEvent, OAuthState, VisitorIdentity
from integrations.platforms.registry import PLATFORMS
from mapping.records import RecordType
from monitoring import hours
from monitoring.models import (
    AlertEvent,
    AlertMessage,
    AlertState,
    ConsentAudit,
    Drift,
    Metric,
    ReadBack,
    Reconciliation,
    Sample,
    SegmentFlip,
    SegmentReading,
    StaleConsent,
)

log = structlog.get_logger(__name__)
BATCH = 2000
VISITORS = timedelta(days=180)  # a browser that is forgotten is a stranger again when it returns
READINGS = timedelta(days=400)  # of segments: a year is compared with the one before
ALERTS = timedelta(days=180)
PASSING = (RecordType.CHECKOUT, RecordType.EVENT)  # records of a moment; lasting things keep their delivery for ever
OPEN = tuple(slug for slug, platform in PLATFORMS.items() if getattr(platform.webhooks, "open_to_all", False))
UNREADABLE_LASTS = timedelta(days=7)  # of platforms to which anybody may call; what others send and we cannot read is kept for people
MOST_UNREADABLE = 5000  # per connection, the newest: enough to see what is wrong
OVER = (Delivery.State.DELIVERED, Delivery.State.SKIPPED)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is deleted: its name in the log, the rows for a cutoff, and how long they are kept (None: the setting decides)."""

    name: str
    rows: Callable[[datetime], QuerySet[Model]]
    keep: timedelta | None = None


def _unreadable() -> QuerySet[InboxEvent]:
    return InboxEvent.objects.filter(state=InboxEvent.State.FAILED, connection__platform__in=OPEN)


RULES: tuple[Rule, ...] = (
    Rule(
        "inbox",
        lambda cutoff: InboxEvent.objects.filter(received_at__lt=cutoff, state__in=(InboxEvent.State.DONE, InboxEvent.State.IGNORED)),
    ),
    Rule("desk_runs", lambda cutoff: DeskRun.objects.filter(created_at__lt=cutoff)),
    Rule("desk_acts", lambda cutoff: DeskAct.objects.filter(at__lt=cutoff, run=None)),
    Rule("corrections", lambda cutoff: Correction.objects.filter(at__lt=cutoff, delivery__version__gt=F("version"))),  # that count no more
    Rule("attempts", lambda cutoff: Attempt.objects.filter(at__lt=cutoff)),
    Rule(
        "passing",
        lambda cutoff: Delivery.objects.filter(flow__record_type__in=PASSING, state__in=OVER, updated_at__lt=cutoff),
    ),
    Rule("unreadable", lambda cutoff: _unreadable().filter(received_at__lt=cutoff), UNREADABLE_LASTS),
    Rule("visitors", lambda cutoff: VisitorIdentity.objects.filter(seen_at__lt=cutoff), VISITORS),
    Rule("samples", lambda cutoff: Sample.objects.filter(at__lt=cutoff).exclude(metric__startswith=hours.PREFIX)),
    Rule("hours", lambda cutoff: Sample.objects.filter(at__lt=cutoff, metric__startswith=hours.PREFIX), hours.KEPT),
    Rule("readings", lambda cutoff: SegmentReading.objects.filter(at__lt=cutoff), READINGS),
    Rule("flips", lambda cutoff: SegmentFlip.objects.filter(at__lt=cutoff), READINGS),
    Rule("read-backs", lambda cutoff: ReadBack.objects.filter(asked_at__lt=cutoff)),
    Rule("comparisons", lambda cutoff: Reconciliation.objects.filter(finished_at__lt=cutoff), READINGS),
    Rule("drifts", lambda cutoff: Drift.objects.filter(closed_at__lt=cutoff)),
    Rule("consent audits", lambda cutoff: ConsentAudit.objects.filter(ended_at__lt=cutoff)),
    Rule("consents that agree", lambda cutoff: StaleConsent.objects.filter(closed_at__lt=cutoff, state=StaleConsent.State.CLOSED)),
    Rule("alert messages", lambda cutoff: AlertMessage.objects.filter(made_at__lt=cutoff).exclude(event__alert__wrong=True)),
    Rule("alert events", lambda cutoff: AlertEvent.objects.filter(at__lt=cutoff, alert__wrong=False), ALERTS),
    Rule("alerts", lambda cutoff: AlertState.objects.filter(raw_since__lt=cutoff, wrong=False, raw=False), ALERTS),
    Rule("tasks", lambda cutoff: Task.objects.filter(stopped__lt=cutoff), timedelta(days=2)),
    Rule("handshakes", lambda cutoff: OAuthState.objects.filter(created_at__lt=cutoff), timedelta(days=1)),
    Rule("sessions", lambda cutoff: Session.objects.filter(expire_date__lt=cutoff), timedelta()),
)


def prune(now: datetime | None = None) -> dict[str, int]:
    """Delete everything that is too old; returns how many rows of each rule, and how many sent payloads were emptied."""
    now = now or timezone.now()
    kept = timedelta(days=settings.RETENTION_DAYS)
    pruned = {rule.name: _delete(rule.rows(now - (kept if rule.keep is None else rule.keep))) for rule in RULES}
    pruned["unreadable"] += prune_unreadable()
    pruned["payloads"] = _empty_payloads(now - kept)
    log.info("pruned", **pruned)
    return pruned


def prune_unreadable() -> int:
    """Delete what could not be read and is beyond the newest of each connection to which anybody may call; returns how many rows."""
    deleted = 0
    for connection in Connection.objects.filter(platform__in=OPEN):
        mine = _unreadable().filter(connection=connection)
        beyond = mine.order_by("-pk").values_list("pk", flat=True)[MOST_UNREADABLE : MOST_UNREADABLE + 1]
        if last := next(iter(beyond), None):
            deleted += _delete(mine.filter(pk__lte=last))
    return deleted


def _delete(rows: QuerySet[Model]) -> int:
    """Delete in batches, each its own transaction; rows that another hand holds are left for the next night."""
    deleted = 0
    while True:
        with transaction.atomic():
            batch = list(rows.order_by().select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:BATCH])
            rows.model._default_manager.filter(pk__in=batch).delete()
        deleted += len(batch)
        if len(batch) < BATCH:
            return deleted


def _empty_payloads(cutoff: datetime) -> int:
    """Forget what was last sent by deliveries that nothing has touched since; the hash stays, so an equal payload still costs no call.

    Walks on from where the last night stopped, so that a night looks at a night's worth of rows.
    """
    mark = Sample.objects.filter(metric=Metric.PRUNED_UNTIL, flow=None, connection=None).order_by("-at").first()
    since = datetime.fromtimestamp(mark.value, UTC) if mark else datetime(2000, 1, 1, tzinfo=UTC)
    emptied = 0
    while True:
        page = Delivery.objects.filter(updated_at__gt=since, updated_at__lt=cutoff).order_by("updated_at")
        moments = list(page.values_list("updated_at", flat=True)[:BATCH])
        if not moments:
            break
        span = Delivery.objects.filter(updated_at__gt=since, updated_at__lte=moments[-1], state__in=OVER, sent_payload__isnull=False)
        with transaction.atomic():
            mine = list(span.order_by("record_key").select_for_update(skip_locked=True).values_list("pk", flat=True))
            emptied += Delivery.objects.filter(pk__in=mine).update(sent_payload=None)
        since = moments[-1]
    Sample.objects.create(metric=Metric.PRUNED_UNTIL, at=timezone.now(), value=since.timestamp())
    return emptied
