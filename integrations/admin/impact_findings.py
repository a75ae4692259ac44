"""What an impact run found, for its page: fields and reasons in people's words, with examples taken from the records as they are now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from integrations.admin.rule_words import targets_of
from integrations.admin.summaries import headline
from integrations.engine.findings import FieldFinding, ReasonFinding, fields_of, reasons_of
from integrations.engine.impact import trial_of
from integrations.engine.masking import masked, masked_text
from integrations.engine.preview import Tried, try_out
from integrations.models import ImpactRun, SyncException
from integrations.models.kinds import KINDS
from mapping.preview import generic
from mapping.rules import BadRules

SHOWN = 60  # fields, and reasons of each sort


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field that changes, with an example."""

    path: str
    label: str
    count: int
    what: str
    before: Any = None
    after: Any = None
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason for which records are held, with records to look at and the open question about it."""

    label: str
    field: str
    message: str
    count: int
    records: tuple[tuple[str, str], ...]
    question_url: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a run's page lists; the numbers say how many are not listed."""

    fields: list[FieldLine]
    fails: list[ReasonLine]
    answered: list[ReasonLine]
    more_fields: int
    more_fails: int
    more_answered: int


def findings_of(run: ImpactRun, *, personal: bool) -> Findings:
    """The run's findings in words; personal values are masked unless `personal`."""
    fields = fields_of(run.findings)
    fails, answered = (reasons_of(run.findings, name) for name in ("fails", "answered"))
    shown = (fields[:SHOWN], fails[:SHOWN], answered[:SHOWN])
    tried = _examples(run, [finding.samples[:1] for finding in shown[0]] + [finding.samples for finding in (*shown[1], *shown[2])])
    labels = {target.path: target.label for target in targets_of(run.flow)}
    questions = _questions(run, answered[:SHOWN])
    return Findings(
        [_field(finding, labels, tried, personal=personal) for finding in shown[0]],
        [_reason(finding, run, tried, personal=personal) for finding in shown[1]],
        [_reason(finding, run, tried, personal=personal, question=questions.get((finding.kind, finding.subject))) for finding in shown[2]],
        max(0, len(fields) - SHOWN) + run.findings.get("more_fields", 0),
        max(0, len(fails) - SHOWN) + run.findings.get("more_fails", 0),
        max(0, len(answered) - SHOWN) + run.findings.get("more_answered", 0),
    )


def _examples(run: ImpactRun, samples: Iterable[tuple[int, ...]]) -> dict[int, Tried]:
    """The sample records under both sets of rules, as they are now: nothing of them is kept in the run."""
    ids = sorted({pk for part in samples for pk in part})
    if not ids:
        return {}
    try:
        rules = trial_of(run)
    except BadRules:
        return {}
    return {one.delivery.pk: one for one in try_out(rules, list(run.flow.deliveries.filter(pk__in=ids)))}


def _field(finding: FieldFinding, labels: dict[str, str], tried: dict[int, Tried], *, personal: bool) -> FieldLine:
    what = "new" if finding.added == finding.count else "no longer sent" if finding.removed == finding.count else "changed"
    line = FieldLine(finding.path, labels.get(finding.path, ""), finding.count, what)
    one = tried.get(finding.samples[0]) if finding.samples else None
    change = next((change for change in one.row.changes if generic(change.path) == finding.path), None) if one and one.row else None
    if one is None or change is None:
        return line
    leaf = finding.path.rpartition(".")[2].removesuffix("[]")
    before, after = (value if personal else masked(value, leaf) for value in (change.before, change.after))
    title, url = _record(one, personal=personal)
    return FieldLine(line.path, line.label, line.count, line.what, before, after, title, url)


def _reason(finding: ReasonFinding, run: ImpactRun, tried: dict[int, Tried], *, personal: bool, question: int | None = None) -> ReasonLine:
    kind = KINDS.get(finding.kind)
    records = tuple(_record(tried[pk], personal=personal) for pk in finding.samples if pk in tried)
    url = reverse("admin:integrations_syncexception_change", args=[question]) if question else ""
    message = finding.message if personal else masked_text(finding.message)
    return ReasonLine(kind.label if kind else finding.kind, finding.field or finding.subject, message, finding.count, records, url)


def _record(one: Tried, *, personal: bool) -> tuple[str, str]:
    delivery = one.delivery
    title = headline(delivery.flow.record_type, delivery.record, personal=personal)
    return title or delivery.record_key, reverse("admin:integrations_delivery_change", args=[delivery.pk])


def _questions(run: ImpactRun, findings: Iterable[ReasonFinding]) -> dict[tuple[str, str], int]:
    """Open questions that the change would answer, by kind and subject; one query."""
    wanted = {(finding.kind, finding.subject) for finding in findings if finding.subject}
    if not wanted:
        return {}
    kinds, subjects = {kind for kind, _ in wanted}, {subject for _, subject in wanted}
    rows = SyncException.objects.filter(flow=run.flow_id, state=SyncException.State.OPEN, kind__in=kinds, subject__in=subjects)
    return {(kind, subject): pk for pk, kind, subject in rows.values_list("pk", "kind", "subject") if (kind, subject) in wanted}
