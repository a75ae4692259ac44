"""A route's own page: its line, its charts, its questions by kind with their value, its connections with their limits, its last runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from integrations.models import Checkpoint, Connection, RateBudget
from integrations.models.kinds import KINDS
from integrations.routes import Route
from monitoring.flow_lines import FlowLine, flow_lines, moved_by_flow
from monitoring.latest import Amount, LatestSamples, latest_samples
from monitoring.models import Metric
from monitoring.question_lines import OpenQuestions, open_questions
from monitoring.route_lines import RouteLine, route_lines
from monitoring.windows import Window, last_hour
from monitoring.worth import asked_of_flows, in_words

RUNS_SHOWN = 12
BECAME = (  # what became of what came in: words, metric, and how the list of tries calls it
    ("delivered", Metric.DELIVERED, "delivered"),
    ("nothing to change", Metric.UNCHANGED, "unchanged"),
    ("held for an answer", Metric.STOPPED, "held"),
    ("refused", Metric.REFUSED, "refused"),
    ("skipped on purpose", Metric.SKIPPED, "skipped"),
)


@dataclass(frozen=True, slots=True)
class Became:
    """How many of the last hour's records met one end."""

    words: str
    count: int
    what: str


@dataclass(frozen=True, slots=True)
class KindLine:
    """The route's open questions of one kind."""

    kind: str
    label: str
    team: str
    count: Amount
    worth: str  # what they hold up, in words; as of the newest sample


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a platform's limit is used at this moment, as a share of one; `blocked_until` while it made us wait."""

    group: str
    used: float
    blocked_until: datetime | None
    per_second: float


@dataclass(frozen=True, slots=True)
class End:
    """One connection of the route."""

    connection: Connection
    is_source: bool
    limits: Sequence[Limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteNow:
    """The part of a route's page that refreshes itself."""

    as_of: datetime
    hour: Window | None
    line: RouteLine
    became: Sequence[Became]
    kinds: Sequence[KindLine]


def route_now(route: Route, now: datetime) -> RouteNow | None:
    """A route as it stands; None when it has no flow. Ten queries."""
    samples = latest_samples()
    questions = open_questions(samples)
    flows = flow_lines(samples, now)
    line = next((line for line in route_lines(flows, questions, samples, now) if line.route == route), None)
    if line is None:
        return None
    return RouteNow(
        as_of=now,
        hour=last_hour(samples.at),
        line=line,
        became=_became(line.flows, samples, now),
        kinds=_kinds(line.flows, questions, samples),
    )


def _became(flows: Sequence[FlowLine], samples: LatestSamples, now: datetime) -> list[Became]:
    moved = moved_by_flow(samples.at or now)
    counts = [Became(words, sum(moved[line.flow.pk].last_hour(metric) for line in flows), what) for words, metric, what in BECAME]
    return [found for found in counts if found.count or found.what == "delivered"]


def _kinds(flows: Sequence[FlowLine], questions: OpenQuestions, samples: LatestSamples) -> list[KindLine]:
    flow_ids = [line.flow.pk for line in flows]
    counts, worth = questions.of_flows(flow_ids), asked_of_flows(flow_ids, samples)
    lines = [KindLine(kind, KINDS[kind].label, KINDS[kind].team, count, in_words(worth[kind])) for kind, count in counts.items()]
    return sorted(lines, key=lambda line: -line.count.value)


def ends_of(flows: Sequence[FlowLine], now: datetime) -> list[End]:
    """The route's connections, sources first; two queries."""
    sources = {line.flow.source_id for line in flows}
    both = sources | {line.flow.destination_id for line in flows}
    rows = Connection.objects.filter(pk__in=both).prefetch_related(Prefetch("budgets", RateBudget.objects.order_by("group")))
    ends = [End(row, row.pk in sources, [_limit(budget, now) for budget in row.budgets.all()]) for row in rows]
    return sorted(ends, key=lambda end: (not end.is_source, end.connection.name))


def _limit(budget: RateBudget, now: datetime) -> Limit:
    refilled = budget.tokens + budget.rate * max(0.0, (now - budget.updated_at).total_seconds())
    used = 1 - max(0.0, min(budget.burst, refilled)) / budget.burst if budget.burst else 0.0
    blocked = budget.blocked_until if budget.blocked_until and budget.blocked_until > now else None
    return Limit(budget.group, used, blocked, budget.rate)


def last_runs(flows: Sequence[FlowLine]) -> list[Checkpoint]:
    """The standing polls of the route's sources, then what was read on purpose, the newest first; two queries."""
    pulls = Checkpoint.objects.filter(connection__in={line.flow.source_id for line in flows}).select_related("connection")
    polls = pulls.filter(purpose=Checkpoint.Purpose.POLL).order_by("connection__name", "reader")
    others = pulls.exclude(purpose=Checkpoint.Purpose.POLL).order_by("-created_at")
    return [*polls, *others[:RUNS_SHOWN]]
