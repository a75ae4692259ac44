"""Open questions by kind: counted live while there are few, told by the samples when there are many."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.models import Hold, SyncException
from integrations.models.kinds import KINDS
from monitoring.bounded import PEEK
from monitoring.latest import Amount, LatestSamples


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionLine:
    """Open questions of one kind: who settles them, how many, since when, and how many deliveries wait."""

    kind: str
    label: str
    team: str
    count: Amount
    oldest: datetime
    waiting: Amount


def question_lines(samples: LatestSamples) -> list[QuestionLine]:
    """Open questions by kind, the oldest first: counted live while there are few, else from the last samples; at most two queries."""
    rows = list(SyncException.objects.filter(state=SyncException.State.OPEN).order_by().values_list("id", "kind", "first_seen")[: PEEK + 1])
    many = len(rows) > PEEK
    live = _tally(rows, many=many)
    counted = (_sampled_questions(samples) or live) if many else live
    waiting = _sampled_waiting(samples) if many else _waiting([pk for pk, _, _ in rows], samples)
    lines = [_question_line(kind, count, oldest, waiting.get(kind, Amount(0))) for kind, (count, oldest) in counted.items()]
    return sorted(lines, key=lambda line: line.oldest)


def _tally(rows: Sequence[tuple[int, str, datetime]], *, many: bool) -> dict[str, tuple[Amount, datetime]]:
    counts = Tally(kind for _, kind, _ in rows)
    return {kind: (Amount(count, more=many), min(seen for _, other, seen in rows if other == kind)) for kind, count in counts.items()}


def _question_line(kind: str, count: Amount, oldest: datetime, waiting: Amount) -> QuestionLine:
    known = KINDS[kind]
    return QuestionLine(kind=kind, label=known.label, team=known.team, count=count, oldest=oldest, waiting=waiting)


def _sampled_questions(samples: LatestSamples) -> dict[str, tuple[Amount, datetime]]:
    oldest = samples.by_prefix("oldest.")
    counts = samples.by_prefix("questions.")
    return {kind: (Amount(int(counts[kind])), datetime.fromtimestamp(oldest[kind], UTC)) for kind in counts.keys() & oldest.keys()}


def _waiting(exceptions: Sequence[int], samples: LatestSamples) -> dict[str, Amount]:
    """How many deliveries wait for these, per kind; looked at up to PEEK, beyond that from the last samples."""
    held = Hold.objects.filter(exception__in=exceptions).order_by().values_list("exception__kind", flat=True)[: PEEK + 1]
    counts = Tally(held)
    if counts.total() <= PEEK:
        return {kind: Amount(count) for kind, count in counts.items()}
    return _sampled_waiting(samples) or {kind: Amount(count, more=True) for kind, count in counts.items()}


def _sampled_waiting(samples: LatestSamples) -> dict[str, Amount]:
    return {kind: Amount(int(count)) for kind, count in samples.by_prefix("waiting.").items()}
