"""Open questions by kind, without those put away for later: counted live while there are few, told by the samples when there are many."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.models import Hold, SyncException
from integrations.models.exception import SHOWN
from integrations.models.kinds import KINDS
from monitoring.bounded import PEEK
from monitoring.latest import Amount, LatestSamples, add_up


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionLine:
    """Open questions of one kind: who settles them, how many, since when, and how many deliveries wait."""

    kind: str
    label: str
    team: str
    count: Amount
    oldest: datetime
    waiting: Amount


@dataclass(frozen=True, slots=True)
class OpenQuestions:
    """The open questions: a line per kind, the oldest first, and how many each flow has of each kind."""

    lines: Sequence[QuestionLine]
    by_flow: Mapping[int, Mapping[str, Amount]]

    def of_flows(self, flow_ids: Iterable[int]) -> dict[str, Amount]:
        """Kind → how many of these flows."""
        kinds: dict[str, list[Amount]] = defaultdict(list)
        for flow_id in flow_ids:
            for kind, count in self.by_flow.get(flow_id, {}).items():
                kinds[kind].append(count)
        return {kind: add_up(counts) for kind, counts in kinds.items()}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One open question as it was looked at."""

    pk: int
    kind: str
    first_seen: datetime
    flow_id: int | None


def open_questions(samples: LatestSamples) -> OpenQuestions:
    """Open questions, counted live while there are few, else from the last samples; at most two queries."""
    asked = SyncException.objects.filter(SHOWN).order_by().values_list("id", "kind", "first_seen", "flow")
    rows = [_Asked(*row) for row in asked[: PEEK + 1]]
    many = len(rows) > PEEK
    counted = _sampled_questions(samples) if many else {}
    if not counted:
        return OpenQuestions(_lines(_tally(rows, more=many), _waiting(rows, samples)), _tally_by_flow(rows, more=many))
    return OpenQuestions(_lines(counted, _sampled_waiting(samples)), _sampled_by_flow(samples))


def _lines(counted: Mapping[str, tuple[Amount, datetime]], waiting: Mapping[str, Amount]) -> list[QuestionLine]:
    lines = [_question_line(kind, count, oldest, waiting.get(kind, Amount(0))) for kind, (count, oldest) in counted.items()]
    return sorted(lines, key=lambda line: line.oldest)


def _tally(rows: Sequence[_Asked], *, more: bool) -> dict[str, tuple[Amount, datetime]]:
    counts = Tally(row.kind for row in rows)
    return {kind: (Amount(count, more=more), min(row.first_seen for row in rows if row.kind == kind)) for kind, count in counts.items()}


def _tally_by_flow(rows: Sequence[_Asked], *, more: bool) -> dict[int, dict[str, Amount]]:
    found: dict[int, dict[str, Amount]] = defaultdict(dict)
    for (flow_id, kind), count in Tally((row.flow_id, row.kind) for row in rows if row.flow_id is not None).items():
        found[flow_id][kind] = Amount(count, more=more)
    return found


def _question_line(kind: str, count: Amount, oldest: datetime, waiting: Amount) -> QuestionLine:
    known = KINDS[kind]
    return QuestionLine(kind=kind, label=known.label, team=known.team, count=count, oldest=oldest, waiting=waiting)


def _sampled_questions(samples: LatestSamples) -> dict[str, tuple[Amount, datetime]]:
    oldest = samples.by_prefix("oldest.")
    counts = samples.by_prefix("questions.")
    return {kind: (Amount(int(counts[kind])), datetime.fromtimestamp(oldest[kind], UTC)) for kind in counts.keys() & oldest.keys()}


def _sampled_by_flow(samples: LatestSamples) -> dict[int, dict[str, Amount]]:
    found = samples.by_flow("questions.")
    return {flow_id: {kind: Amount(int(count)) for kind, count in kinds.items()} for flow_id, kinds in found.items()}


def _waiting(rows: Sequence[_Asked], samples: LatestSamples) -> dict[str, Amount]:
    """How many deliveries wait for these, per kind; looked at up to PEEK, beyond that from the last samples."""
    held = Hold.objects.filter(exception__in=[row.pk for row in rows]).order_by().values_list("exception__kind", "delivery")[: PEEK + 1]
    waits = list(held)
    more = len(waits) > PEEK
    if more and (sampled := _sampled_waiting(samples)):
        return sampled
    return {kind: Amount(count, more=more) for kind, count in Tally(kind for kind, _ in set(waits)).items()}


def _sampled_waiting(samples: LatestSamples) -> dict[str, Amount]:
    return {kind: Amount(int(count)) for kind, count in samples.by_prefix("waiting.").items()}
