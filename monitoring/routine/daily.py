"""The daily check: ten looks with today's numbers, each with the page behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from integrations.admin.manual import filled_by
from integrations.models import Connection, InboxEvent, SyncException
from integrations.words import plural, span
from monitoring.bounded import PEEK, flows_with_backlog
from monitoring.connection_lines import ConnectionLine, connection_lines
from monitoring.flow_lines import BEHIND
from monitoring.latest import Amount, LatestSamples, latest_samples
from monitoring.models import Drift
from monitoring.reconcile.numbers import alarms
from monitoring.routine.evidence import Item, Level, listed
from monitoring.segments.trouble import segment_trouble

OLD = timedelta(days=1)
AUTHORISATION = ("needs_auth", "grant_ends", "version_drift", "missing_subscription")


@dataclass(frozen=True, slots=True)
class Today:
    """What the items are made from."""

    now: datetime
    samples: LatestSamples
    connections: Sequence[ConnectionLine]
    flows: Sequence[Any]  # flows with `ready`, `held` and `oldest_due`


@filled_by("daily-check")
def daily_check(request: HttpRequest) -> dict[str, Any]:
    """The items, for those who may see the pages behind them."""
    if not request.user.has_perm("integrations.view_flow"):
        return {}
    now = timezone.now()
    samples = latest_samples()
    today = Today(now, samples, connection_lines(samples, now), list(flows_with_backlog().filter(enabled=True)))
    items = [look(today) for look in LOOKS]
    return {"items": items, "as_of": now, "fine": sum(item.level is Level.FINE for item in items)}


def worker(today: Today) -> Item:
    """Whether anything is sent at all."""
    stopped = today.samples.stale(today.now)
    if today.samples.at is None:
        answer = "No worker has reported yet"
    else:
        answer = f"Last report {span((today.now - today.samples.at).total_seconds())} ago"
    return Item(
        name="worker", title="The worker is at work", answer=answer, level=Level.WRONG if stopped else Level.FINE,
        why="Without it messages are kept, but nothing is sent.", url=listed("integrations_flow"), article="health", anchor="overview",
    )  # fmt: skip


def arrivals(today: Today) -> Item:
    """Whether every source speaks."""
    silent = [line.connection.name for line in today.connections if line.silent_for is not None]
    speaking = sum(line.expects for line in today.connections)
    answer = f"Silent for longer than usual: {', '.join(silent)}" if silent else f"{plural(speaking, 'source')}, none silent"
    return Item(
        name="arrivals", title="Data is arriving", answer=answer, level=Level.WRONG if silent else Level.FINE,
        why="Silence where there is usually traffic is the first sign of a broken subscription.", url=listed("integrations_connection"),
        article="health", anchor="silence",
    )  # fmt: skip


def standing(today: Today) -> Item:
    """Whether every connection is open."""
    still = [line.connection.name for line in today.connections if _stands_still(line.connection, today.now)]
    answer = f"Not active: {', '.join(still)}" if still else f"{plural(len(today.connections), 'connection')}, all active"
    return Item(
        name="connections", title="Connections are active", answer=answer, level=Level.WRONG if still else Level.FINE,
        why="What is meant for a connection that stands still waits.", url=listed("integrations_connection"), article="connections",
    )  # fmt: skip


def _stands_still(connection: Connection, now: datetime) -> bool:
    down = connection.resume_at is not None and connection.resume_at > now
    return connection.state != Connection.State.ACTIVE or down


def freshness(today: Today) -> Item:
    """Whether live records go out in time."""
    late = [flow for flow in today.flows if flow.oldest_due is not None and today.now - flow.oldest_due > BEHIND]
    answer = f"Behind: {', '.join(str(flow) for flow in late[:3])}" if late else f"{plural(len(today.flows), 'flow')}, none behind"
    return Item(
        name="freshness", title="Live records go out in time", answer=answer, level=Level.WRONG if late else Level.FINE,
        why="More than five minutes is late.", url=listed("integrations_delivery", "state=ready"), article="health", anchor="flows",
    )  # fmt: skip


def held(today: Today) -> Item:
    """How much waits for people."""
    counts = [flow.held for flow in today.flows]
    number = Amount(sum(min(count, PEEK) for count in counts), more=any(count > PEEK for count in counts))
    return Item(
        name="held", title="Few deliveries wait for an answer", answer=f"{number} held" if number else "None is held",
        level=Level.LOOK if number else Level.FINE, why="Each stands for an order or a person that the destination does not have yet.",
        url=listed("integrations_delivery", "state=blocked"), article="exceptions", anchor="desk",
    )  # fmt: skip


def old_questions(today: Today) -> Item:
    """How many questions have been open since yesterday or longer."""
    rows = SyncException.objects.filter(state=SyncException.State.OPEN, first_seen__lt=today.now - OLD)
    number = _upto(rows)
    return Item(
        name="old-questions", title="No question is older than a day", answer=f"{number} older than a day" if number else "None",
        level=Level.LOOK if number else Level.FINE, why="A question that nobody answers hides the next one.",
        url=listed("integrations_syncexception", "state=open"), article="exceptions", anchor="desk",
    )  # fmt: skip


def authorisation(today: Today) -> Item:
    """Whether a platform wants something of us."""
    rows = SyncException.objects.filter(state=SyncException.State.OPEN, kind__in=AUTHORISATION).order_by("kind", "-last_seen")
    titles = list(rows.values_list("title", flat=True)[:3])
    return Item(
        name="authorisation", title="No authorisation ends, no permission lacks", answer="; ".join(titles) or "Nothing to renew",
        level=Level.WRONG if titles else Level.FINE, why="Renewed in time it costs a minute; too late it costs a day.",
        url=listed("integrations_syncexception", "state=open&origin=permission"), article="connections", anchor="renew",
    )  # fmt: skip


def unreadable(today: Today) -> Item:
    """Whether messages came that could not be read."""
    sources = [line.connection.pk for line in today.connections]
    number = _upto(InboxEvent.objects.filter(state=InboxEvent.State.FAILED, connection__in=sources))
    return Item(
        name="inbox", title="Every message could be read", answer=f"{number} could not be read" if number else "All were read",
        level=Level.LOOK if number else Level.FINE, why="They are kept and can be processed again after a repair.",
        url=listed("integrations_inboxevent", "state=failed"), article="deliveries", anchor="inbox",
    )  # fmt: skip


def drifts(today: Today) -> Item:
    """Whether both ends agree on what was compared."""
    apart = alarms()
    number = _upto(Drift.objects.filter(state=Drift.State.OPEN))
    if apart:
        answer = "; ".join(f"{alarm.flow}: {alarm.drifted:,} of {alarm.compared:,} differ" for alarm in apart[:3])
    else:
        answer = f"{number} to repair" if number else "No drift is open"
    return Item(
        name="drifts", title="Both ends agree", answer=answer, level=Level.WRONG if apart else Level.LOOK if number else Level.FINE,
        why="A drift is a record that is not at the destination as it should be.", url=listed("monitoring_drift"),
        article="reconciliation", anchor="causes",
    )  # fmt: skip


def segments(today: Today) -> Item:
    """Whether the watched segments are as they should be."""
    trouble = segment_trouble()
    level = Level.FINE if trouble is None else Level.WRONG if trouble.grave else Level.LOOK
    return Item(
        name="segments", title="Watched segments are as they should be", answer=trouble.title if trouble else "None needs a look",
        level=level, why="A segment that shrank unnoticed sends a campaign to the wrong people.",
        url=trouble.url if trouble else listed("monitoring_segment"), article="segments", anchor="shrank" if trouble else "what",
    )  # fmt: skip


def _upto(rows: Any) -> Amount:
    """How many rows, looked at up to PEEK."""
    found = len(rows.order_by().values_list("pk", flat=True)[: PEEK + 1])
    return Amount(min(found, PEEK), more=found > PEEK)


LOOKS: tuple[Callable[[Today], Item], ...] = (
    worker, arrivals, standing, freshness, held, old_questions, authorisation, unreadable, drifts, segments,
)  # fmt: skip
