"""Open questions by kind: counted live while there are few, told by the samples when there are many."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, Min, QuerySet

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
    """Open questions by kind, the oldest first: counted live while there are few, else from the last samples; two queries."""
    asked = SyncException.objects.filter(state=SyncException.State.OPEN)
    some = asked.order_by().values("id")[: PEEK + 1]
    found = SyncException.objects.filter(pk__in=some).order_by().values_list("kind").annotate(n=Count("id"), oldest=Min("first_seen"))
    live = {kind: (Amount(count), oldest) for kind, count, oldest in found}
    if sum(count.value for count, _ in live.values()) > PEEK:
        live = _sampled_questions(samples) or {kind: (Amount(count.value, more=True), oldest) for kind, (count, oldest) in live.items()}
    waiting = _waiting_by_kind(samples, some)
    lines = [_question_line(kind, count, oldest, waiting.get(kind, Amount(0))) for kind, (count, oldest) in live.items()]
    return sorted(lines, key=lambda line: line.oldest)


def _question_line(kind: str, count: Amount, oldest: datetime, waiting: Amount) -> QuestionLine:
    known = KINDS[kind]
    return QuestionLine(kind=kind, label=known.label, team=known.team, count=count, oldest=oldest, waiting=waiting)


def _sampled_questions(samples: LatestSamples) -> dict[str, tuple[Amount, datetime]]:
    oldest = samples.by_prefix("oldest.")
    counts = samples.by_prefix("questions.")
    return {kind: (Amount(int(counts[kind])), datetime.fromtimestamp(oldest[kind], UTC)) for kind in counts.keys() & oldest.keys()}


def _waiting_by_kind(samples: LatestSamples, some: QuerySet) -> dict[str, Amount]:
    """How many deliveries wait per kind of question, looked at up to PEEK, beyond that from the last samples."""
    held = Hold.objects.filter(exception__in=some).order_by().values_list("exception__kind", flat=True)[: PEEK + 1]
    counts = Tally(held)
    if counts.total() <= PEEK:
        return {kind: Amount(count) for kind, count in counts.items()}
    sampled = {kind: Amount(int(count)) for kind, count in samples.by_prefix("waiting.").items()}
    return sampled or {kind: Amount(count, more=True) for kind, count in counts.items()}
