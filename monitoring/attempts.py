"""What was tried in a span of time: the rows behind the volumes and shares of the overview, newest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum
from django.utils import timezone

from integrations.models import Attempt, Flow
from integrations.routes import flows_of, route_named
from monitoring.flow_lines import ACTED_ON
from monitoring.models import Metric, Sample
from monitoring.sampling import COUNTED, last_pass
from monitoring.windows import MINUTE, Window, read_moment

PER_PAGE = 50
LONGEST = timedelta(days=31)
Outcome = Attempt.Outcome


@dataclass(frozen=True, slots=True)
class What:
    """One way of looking at tries: its words, and what the overview counts of it."""

    label: str
    metrics: tuple[Metric, ...]

    @property
    def outcomes(self) -> list[str]:
        """The outcomes of the tries that count."""
        return [str(outcome) for outcome, metrics in COUNTED.items() if set(metrics) & set(self.metrics)]


WHATS: dict[str, What] = {
    "acted": What("Everything dealt with", ACTED_ON),
    "delivered": What("Delivered", (Metric.DELIVERED,)),
    "failed": What("Did not go through", (Metric.FAILED,)),
    "tried": What("Delivered or not", (Metric.DELIVERED, Metric.FAILED)),
    "refused": What("Refused", (Metric.REFUSED,)),
    "held": What("Held before sending", (Metric.STOPPED,)),
    "unchanged": What("Nothing to change", (Metric.UNCHANGED,)),
    "skipped": What("Skipped on purpose", (Metric.SKIPPED,)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for; `before` is where the last page ended."""

    what: str
    flows: Sequence[Flow]
    window: Window
    before: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """One page of tries, how many there are in the whole span, and where the next page begins (empty: this is the last)."""

    rows: Sequence[Attempt]
    total: int
    following: str


def question_from(query: Mapping[str, str], flows: Sequence[Flow]) -> Question:
    """What an address asks for; parts that make no sense are left out, and a span without an end ends with the newest sample."""
    sampled = last_pass() or timezone.now().replace(second=0, microsecond=0)
    until = min(read_moment(query.get("until", "")) or sampled, sampled)
    since = read_moment(query.get("from", "")) or until - timedelta(hours=1)
    route = route_named(query.get("route", ""))
    chosen = list(flows) if route is None else flows_of(route, flows)
    if query.get("flow", "").isdecimal():
        chosen = [flow for flow in chosen if flow.pk == int(query["flow"])]
    what = query.get("what", "")
    window = Window(max(min(since, until), until - LONGEST), until)
    return Question(what=what if what in WHATS else "acted", flows=chosen, window=window, before=_cursor(query.get("before", "")))


def _cursor(text: str) -> tuple[datetime, int] | None:
    moment, _, pk = text.rpartition("_")
    try:
        return (datetime.fromisoformat(moment), int(pk)) if moment else None
    except ValueError:
        return None


def tries(question: Question) -> Tries:
    """The page asked for; three queries, and none of them reads more minutes than hold its rows."""
    flow_ids = [flow.pk for flow in question.flows]
    minutes = _per_minute(question, flow_ids)
    found = _rows(question, flow_ids, _low_end(question, minutes))
    rows = found[:PER_PAGE]
    following = f"{rows[-1].at.isoformat()}_{rows[-1].pk}" if len(found) > PER_PAGE else ""
    return Tries(rows, sum(minutes.values()), following)


def _per_minute(question: Question, flow_ids: Collection[int]) -> dict[datetime, int]:
    """How many per minute of the span, by the end of the minute, the newest first."""
    window = question.window
    samples = Sample.objects.filter(at__gt=window.since, at__lte=window.until, flow__in=flow_ids, metric__in=WHATS[question.what].metrics)
    rows = samples.order_by("-at").values_list("at").annotate(total=Sum("value"))
    return {at: int(total) for at, total in rows}


def _low_end(question: Question, minutes: Mapping[datetime, int]) -> datetime:
    """The minute that the page's oldest row lies in, so that older ones need not be looked at."""
    needed = PER_PAGE + 1
    for end, count in minutes.items():
        begins = end - MINUTE
        if question.before is None or end <= question.before[0]:  # the minute in which the last page ended is shown in part: not counted
            needed -= count
        if needed <= 0:
            return begins
    return question.window.since


def every(question: Question) -> QuerySet[Attempt]:
    """All tries of the span whatever the page, newest first. In the order of their keys, which needs no sorting of millions."""
    return _asked(question, [flow.pk for flow in question.flows], question.window.since).order_by("-pk")


def _asked(question: Question, flow_ids: Collection[int], since: datetime) -> QuerySet[Attempt]:
    rows = Attempt.objects.filter(
        at__gte=since, at__lt=question.window.until, delivery__flow__in=flow_ids, outcome__in=WHATS[question.what].outcomes
    )
    return rows.select_related("delivery__flow__source", "delivery__flow__destination").defer("delivery__sent_payload", "delivery__issues")


def _rows(question: Question, flow_ids: Collection[int], since: datetime) -> list[Attempt]:
    rows = _asked(question, flow_ids, since)
    if question.before is not None:
        moment, pk = question.before
        rows = rows.filter(at__lte=moment).exclude(at=moment, pk__gte=pk)
    return list(rows.order_by("-at", "-pk")[: PER_PAGE + 1])
