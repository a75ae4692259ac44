"""Connections, whether they are silent for longer than usual, and the backfills that run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Subquery

from integrations.models import Checkpoint, Connection, Flow
from monitoring.bounded import inbox_counts
from monitoring.latest import Amount, LatestSamples, amount
from monitoring.models import Metric, Sample
from monitoring.silence import DAYS, silence_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLine:
    """One connection; `silent_for` is set when nothing has arrived for longer than usual, `expects` when it is the source of a flow."""

    connection: Connection
    waiting: Amount
    unreadable: Amount
    last_arrival: datetime | None
    expects: bool
    silent_for: timedelta | None
    usual: timedelta | None


def connection_lines(samples: LatestSamples, now: datetime) -> list[ConnectionLine]:
    """Every connection with what waits in its inbox and whether it is silent for longer than usual; one query."""
    sources = Flow.objects.filter(source=OuterRef("pk"), enabled=True)
    week = Sample.objects.filter(connection=OuterRef("pk"), metric=Metric.ARRIVED, at__gt=now - timedelta(days=DAYS))
    arrived = Subquery(week.order_by("-at").values("at")[:1])
    rows = Connection.objects.annotate(expects=Exists(sources), arrived=arrived, **inbox_counts())
    return [_connection_line(row, samples, now) for row in rows]


def _connection_line(row: Connection, samples: LatestSamples, now: datetime) -> ConnectionLine:
    usual = samples.of_connection(row.pk, Metric.USUAL_GAP)
    last = max((moment for moment in (row.arrived, row.last_event_at) if moment is not None), default=None)
    quiet = now - (last or row.created_at)
    silent = row.expects and row.state == Connection.State.ACTIVE and not samples.stale(now) and quiet > silence_limit(usual)
    return ConnectionLine(
        connection=row,
        waiting=amount(row.waiting, samples.of_connection(row.pk, Metric.INBOX_WAITING)),
        unreadable=amount(row.unreadable, samples.of_connection(row.pk, Metric.INBOX_FAILED)),
        last_arrival=last,
        expects=row.expects,
        silent_for=quiet if silent else None,
        usual=None if usual is None else timedelta(seconds=usual),
    )


def running_backfills() -> list[Checkpoint]:
    """Backfills and repairs that are not over, the newest first; one query."""
    alive = (Checkpoint.State.WAITING, Checkpoint.State.RUNNING, Checkpoint.State.PAUSED)
    return list(Checkpoint.objects.filter(state__in=alive).exclude(purpose=Checkpoint.Purpose.POLL).select_related("connection")[:20])
