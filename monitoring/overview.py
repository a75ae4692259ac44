"""The first page after sign-in, put together: a constant number of queries whatever the volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from integrations.engine.pull import Progress, progress
from integrations.models import Checkpoint
from monitoring.connection_lines import ConnectionLine, connection_lines, running_backfills
from monitoring.flow_lines import flow_lines
from monitoring.latest import LatestSamples, latest_samples
from monitoring.notices import Notice, Situation, notices
from monitoring.question_lines import OpenQuestions, QuestionLine, open_questions
from monitoring.route_lines import RouteLine, route_lines
from monitoring.unusual import unusual_routes
from monitoring.windows import Window, last_hour
from monitoring.working import Working, working


@dataclass(frozen=True, slots=True)
class BackfillLine:
    """A pull over history and how far it is."""

    checkpoint: Checkpoint
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the page shows; numbers of the last hour are those of `hour`, which ends with the newest sample."""

    as_of: datetime
    hour: Window | None
    working: Working
    notices: Sequence[Notice]
    questions: Sequence[QuestionLine]
    routes: Sequence[RouteLine]
    connections: Sequence[ConnectionLine]
    backfills: Sequence[BackfillLine]


def overview(now: datetime | None = None) -> Overview:
    """Everything on the page as of now; thirteen queries, and one more while no samples come."""
    now = now or timezone.now()
    samples = latest_samples()
    questions = open_questions(samples)
    situation = situation_at(now, samples, questions)
    return Overview(
        as_of=now,
        hour=last_hour(samples.at),
        working=situation.working,
        notices=notices(situation),
        questions=questions.lines,
        routes=route_lines(situation.flows, questions, samples, now),
        connections=situation.connections,
        backfills=[BackfillLine(row, progress(row)) for row in running_backfills()],
    )


def situation_at(now: datetime, samples: LatestSamples, questions: OpenQuestions) -> Situation:
    """What the notices of the page and the alerts are both made from."""
    return Situation(
        now,
        samples,
        flow_lines(samples, now),
        questions.lines,
        connection_lines(samples, now),
        unusual_routes(samples),
        working(samples, now),
    )
