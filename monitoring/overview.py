"""The first page after sign-in, put together: a constant number of queries whatever the volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.engine.pull import Progress, progress
from integrations.models import Checkpoint
from monitoring.connection_lines import ConnectionLine, connection_lines, running_backfills
from monitoring.flow_lines import FlowLine, flow_lines
from monitoring.latest import latest_samples
from monitoring.notices import Notice, Situation, notices
from monitoring.question_lines import QuestionLine, question_lines


@dataclass(frozen=True, slots=True)
class BackfillLine:
    """A pull over history and how far it is."""

    checkpoint: Checkpoint
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the page shows; `sampled_at` is the minute that volumes are told up to."""

    as_of: datetime
    sampled_at: datetime | None
    notices: Sequence[Notice]
    questions: Sequence[QuestionLine]
    flows: Sequence[FlowLine]
    connections: Sequence[ConnectionLine]
    backfills: Sequence[BackfillLine]


def overview(now: datetime | None = None) -> Overview:
    """Everything on the page as of now; eight queries."""
    now = now or timezone.now()
    samples = latest_samples()
    questions, flows, connections = question_lines(samples), flow_lines(samples, now), connection_lines(samples, now)
    return Overview(
        as_of=now,
        sampled_at=samples.at if samples.at is None or now - samples.at < timedelta(days=1) else None,
        notices=notices(Situation(now, samples, flows, questions, connections)),
        questions=questions,
        flows=flows,
        connections=connections,
        backfills=[BackfillLine(row, progress(row)) for row in running_backfills()],
    )
