"""One pass a minute writes samples: numbers of a minute from the attempts made in it, numbers of the moment from partial indexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncMinute
from django.utils import timezone

from integrations.models import Attempt, Checkpoint, Delivery, Hold, InboxEvent, SyncException
from integrations.models.exception import SHOWN
from monitoring.bounded import flows_with_backlog
from monitoring.hours import STEPS, sum_up
from monitoring.models import Metric, Sample
from monitoring.silence import usual_gaps
from monitoring.unusual import unusual_volumes
from monitoring.worth import asked_worth, held_worth

SETTLE = timedelta(seconds=5)  # rows carry the start of their transaction; what began in a minute is visible this much later
ONE_MINUTE = timedelta(minutes=1)
CATCH_UP = timedelta(hours=1)  # after a stop no older minute is looked at
COUNTED = {  # an attempt → what it counts as; an accepted one counts when it is confirmed
    Attempt.Outcome.DELIVERED: (Metric.DELIVERED,),
    Attempt.Outcome.LATER: (Metric.FAILED,),
    Attempt.Outcome.REFUSED: (Metric.FAILED, Metric.REFUSED),
    Attempt.Outcome.HELD: (Metric.STOPPED,),
    Attempt.Outcome.UNCHANGED: (Metric.UNCHANGED,),
    Attempt.Outcome.SKIPPED: (Metric.SKIPPED,),
}
STANDING = {Delivery.State.READY: Metric.READY, Delivery.State.ACCEPTED: Metric.ACCEPTED, Delivery.State.BLOCKED: Metric.HELD}


@dataclass(frozen=True, slots=True)
class Minute:
    """The span of time one pass looks at; `since` belongs to it, `until` does not."""

    since: datetime
    until: datetime
    previous: datetime | None  # when the pass before this one was, None for the first

    @property
    def caught_up(self) -> list[datetime]:
        """Ends of the minutes before the last one: nobody looked then, but what was tried in them is counted now."""
        return [self.since + ONE_MINUTE * number for number in range(1, (self.until - self.since) // ONE_MINUTE)]


def sample(now: datetime | None = None) -> int:
    """Write the samples since the last pass; returns how many, 0 when this minute has been sampled."""
    started = monotonic()
    now = now or timezone.now()
    minute = _minute(now)
    if minute.since >= minute.until:
        return 0
    rows = [*_moving(minute), *_standing(), *_lags(now), *_inbox(), *_arrivals(minute), *_questions(), *usual_gaps(now)]
    rows += [*held_worth(minute.previous, minute.until), *asked_worth(), *unusual_volumes(rows, minute.previous, minute.until)]
    rows += [Sample(metric=Metric.PASS, at=end, value=1.0) for end in minute.caught_up]
    rows.append(Sample(metric=Metric.PASS, value=max(1.0, (monotonic() - started) * 1000)))
    for row in rows:
        row.at = row.at or minute.until
    Sample.objects.bulk_create([row for row in rows if row.value], ignore_conflicts=True, batch_size=1000)
    return len(rows) + sum(sum_up(step, minute.until) for step in STEPS)


def last_pass() -> datetime | None:
    """The minute that the newest pass looked at."""
    return Sample.objects.filter(metric=Metric.PASS, flow=None, connection=None).aggregate(at=Max("at"))["at"]


def _minute(now: datetime) -> Minute:
    until = (now - SETTLE).replace(second=0, microsecond=0)
    previous = last_pass()
    since = until - ONE_MINUTE if previous is None else max(previous, until - CATCH_UP)
    return Minute(since, until, previous)


def _moving(minute: Minute) -> Iterator[Sample]:
    """What was tried per flow, each attempt in the sample that ends its own minute, so that sums of samples are counts of attempts."""
    made = Attempt.objects.filter(at__gte=minute.since, at__lt=minute.until, outcome__in=list(COUNTED))
    made = made.annotate(begun=TruncMinute("at", tzinfo=UTC))
    sums: Counter[tuple[datetime, int, Metric]] = Counter()
    for begun, flow_id, outcome, count in made.values_list("begun", "delivery__flow", "outcome").annotate(n=Count("id")):
        for metric in COUNTED[outcome]:
            sums[(begun + ONE_MINUTE, flow_id, metric)] += count
    for (at, flow_id, metric), count in sums.items():
        yield Sample(flow_id=flow_id, metric=metric, at=at, value=count)


def _standing() -> Iterator[Sample]:
    """How many deliveries stand in which state, per flow; one query per state so that each uses its partial index."""
    for state, metric in (*STANDING.items(), (Delivery.State.SENDING, Metric.SENDING)):
        for flow_id, count in Delivery.objects.filter(state=state).values_list("flow").annotate(n=Count("id")):
            yield Sample(flow_id=flow_id, metric=metric, value=count)


def _lags(now: datetime) -> Iterator[Sample]:
    for flow in flows_with_backlog():
        if flow.oldest_due is not None:
            yield Sample(flow=flow, metric=Metric.LAG, value=max(0.0, (now - flow.oldest_due).total_seconds()))


def _inbox() -> Iterator[Sample]:
    for state, metric in ((InboxEvent.State.NEW, Metric.INBOX_WAITING), (InboxEvent.State.FAILED, Metric.INBOX_FAILED)):
        for connection_id, count in InboxEvent.objects.filter(state=state).values_list("connection").annotate(n=Count("id")):
            yield Sample(connection_id=connection_id, metric=metric, value=count)


def _arrivals(minute: Minute) -> Iterator[Sample]:
    """What came in: inbox events received, and objects pulled since the pass before (the first pass has nothing to compare with)."""
    received = InboxEvent.objects.filter(received_at__gte=minute.since, received_at__lt=minute.until)
    arrived = dict(received.values_list("connection").annotate(n=Count("id")))
    before = Sample.objects.filter(at=minute.previous, metric=Metric.READ_TOTAL, connection__isnull=False)
    known = dict(before.values_list("connection", "value"))
    totals = Checkpoint.objects.order_by().values_list("connection").annotate(n=Sum("read_count"))
    for connection_id, total in totals:
        yield Sample(connection_id=connection_id, metric=Metric.READ_TOTAL, value=total)
        if minute.previous is not None:
            arrived[connection_id] = arrived.get(connection_id, 0) + max(0, total - int(known.get(connection_id, 0)))
    for connection_id, count in arrived.items():
        yield Sample(connection_id=connection_id, metric=Metric.ARRIVED, value=count)


def _questions() -> Iterator[Sample]:
    """Open questions per kind, in all and per flow: how many, since when, and how many deliveries wait."""
    asked = SyncException.objects.filter(SHOWN)
    counts: Counter[str] = Counter()
    oldest: dict[str, datetime] = {}
    for kind, flow_id, count, first in asked.order_by().values_list("kind", "flow").annotate(n=Count("id"), oldest=Min("first_seen")):
        counts[kind] += count
        oldest[kind] = min(first, oldest.get(kind, first))
        if flow_id is not None:
            yield Sample(flow_id=flow_id, metric=f"questions.{kind}", value=count)
    for kind, count in counts.items():
        yield Sample(metric=f"questions.{kind}", value=count)
        yield Sample(metric=f"oldest.{kind}", value=oldest[kind].timestamp())
    holds = Hold.objects.filter(exception__state=SyncException.State.OPEN, exception__snoozed_until=None)
    for kind, count in holds.values_list("exception__kind").annotate(n=Count("delivery", distinct=True)):
        yield Sample(metric=f"waiting.{kind}", value=count)
