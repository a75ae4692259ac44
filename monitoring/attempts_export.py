"""Tries as a file: what the list of a span shows, every page of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from integrations.admin.exports import Column, Sheet, file_name, take_along
from integrations.admin.sheets import FORMATS
from integrations.admin.summaries import headline
from integrations.engine.masking import masked_text
from integrations.models import Attempt
from monitoring.attempts import WHATS, Question, every


def _record(row: Attempt, personal: bool) -> str:
    return headline(row.delivery.flow.record_type, row.delivery.record, personal=personal)


COLUMNS = (
    Column("ID", "pk"), Column("Delivery", "delivery_id"), Column("Record", _record), Column("Type", "delivery.flow.record_type"),
    Column("Key at the source", "delivery.record_key"), Column("Source", "delivery.flow.source.name"),
    Column("Destination", "delivery.flow.destination.name"), Column("Outcome", "get_outcome_display"), Column("Code", "code"),
    Column("Answer", lambda row, personal: row.message if personal else masked_text(row.message)), Column("Try", "number"),
    Column("By hand", "manual"), Column("Took milliseconds", "ms"), Column("Request id", "request_id"), Column("At", "at"),
)  # fmt: skip


def attempts_file(request: HttpRequest, form: str, question: Question, *, personal: bool) -> HttpResponse:
    """The tries that a question asks for; raises Http404 for other forms than csv and xlsx."""
    if form not in FORMATS:
        raise Http404(f"There is no form {form}.")
    chosen = [("what", WHATS[question.what].label), *(("flow", str(flow)) for flow in question.flows if len(question.flows) == 1)]
    sheet = Sheet(
        name=file_name("tries", chosen), header=[column.heading for column in COLUMNS], rows=every(question), cells=_cells(personal),
        chosen=chosen, back=reverse("admin:attempts"),
    )  # fmt: skip
    return take_along(request, form, sheet)


def _cells(personal: bool) -> Callable[[list[Attempt]], Iterable[Sequence[object]]]:
    reads = [column.read for column in COLUMNS]
    return lambda rows: ([read(row, personal) for read in reads] for row in rows)
