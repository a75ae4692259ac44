"""Answering many unknown SKUs: what would happen row by row, then step by step with the result of each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse

from integrations import words
from integrations.access import may_answer
from integrations.admin.desk import Refusal
from integrations.admin.unmapped_parts import Choice, choices_from_json, choices_to_json, give, in_words, part
from integrations.engine.waiting import UNMAPPED_SKU, WaitingSku, waiting_shown
from integrations.models import SyncException

if TYPE_CHECKING:
    from integrations.admin.unmapped import UnmappedDesk

STEP_SECONDS = 1.0  # after this long a step answers, so that the page shows how far it is
STEP_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a preview: what would become of one SKU, or why nothing does."""

    sku: str
    title: str = ""
    target: str = ""
    why: str = ""
    waiting: WaitingSku | None = None
    choice: Choice | None = None
    problem: str = ""
    remark: str = ""

    @property
    def tone(self) -> str:
        """How its badge looks."""
        return "bad" if self.problem else "good" if self.choice else "quiet"

    @property
    def lets_go(self) -> str:
        """Orders and their value in words."""
        return lets_go([self]) if self.choice else ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row."""

    sku: str
    target: str
    answer_id: int | None = None
    released: int = 0
    problem: str = ""


def value_words(value: dict[str, Decimal]) -> str:
    """Amounts of several currencies in one line."""
    return " + ".join(words.money(amount, currency) for currency, amount in sorted(value.items()))


def lets_go(rows: Iterable[Row]) -> str:
    """What the rows that have a choice let go together: "12 orders, £345.00"."""
    orders, value = 0, dict[str, Decimal]()
    for row in rows:
        if row.choice is None or row.waiting is None:
            continue
        orders += row.waiting.orders
        for currency, amount in row.waiting.value.items():
            value[currency] = value.get(currency, Decimal(0)) + amount
    return ", ".join(part for part in (words.plural(orders, "order"), value_words(value)) if part)


def best_rows(rows: Sequence[SyncException]) -> list[Row]:
    """A preview of accepting the best stored suggestion of each; rows come with their `backlog`."""
    waiting = waiting_shown([row.pk for row in rows])
    return [_best_row(row, waiting.get(row.pk)) for row in rows]


def _best_row(row: SyncException, waiting: WaitingSku | None) -> Row:
    best = row.backlog.suggestion if hasattr(row, "backlog") else {}
    title = waiting.title if waiting else ""
    if not best:
        return Row(sku=row.subject, title=title, waiting=waiting, remark="No suggestion, so it stays.")
    components = tuple(part(str(sku), str(quantity), share or "") for sku, quantity, share in best["parts"])
    why = f"{row.backlog.score} of 100: {'; '.join(best.get('reasons', []))}"
    return Row(sku=row.subject, title=title, target=in_words(components), why=why, waiting=waiting, choice=Choice(row.pk, components))


def preview(desk: UnmappedDesk, request: HttpRequest, rows: Sequence[Row], title: str) -> HttpResponse:
    """What would happen, row by row, and the button that does it."""
    choices = [row.choice for row in rows if row.choice]
    context = {
        "title": title,
        "rows": rows,
        "choices": choices_to_json(choices),
        "number": len(choices),
        "through": sum(not choice.components for choice in choices),
        "problems": sum(bool(row.problem) for row in rows),
        "left": sum(not row.choice and not row.problem for row in rows),
        "lets_go": lets_go(rows),
    }
    return desk.show(request, "integrations/unmapped_preview.html", **context)


def run(desk: UnmappedDesk, request: HttpRequest) -> HttpResponse:
    """One step of answering many: does what a second allows, tells what became of each row, and asks for the next step."""
    choices = choices_from_json(request.POST.get("choices", ""))
    totals = {name: _number(request, name) for name in ("total", "good", "released")}
    totals["total"] = totals["total"] or len(choices)
    results, until = [], monotonic() + STEP_SECONDS
    for choice in choices[:STEP_ROWS]:
        results.append(_one(request, choice))
        if monotonic() >= until:
            break
    totals["good"] += sum(not result.problem for result in results)
    totals["released"] += sum(result.released for result in results)
    left = choices[len(results) :]
    done = totals["total"] - len(left)
    template = "unmapped_step.html" if request.headers.get("HX-Request") else "unmapped_run.html"
    share = done / totals["total"] if totals["total"] else 1.0
    context = {"results": results, "left": choices_to_json(left) if left else "", "done": done, "share": share, **totals}
    return desk.show(request, f"integrations/{template}", title="Accepting", **context)


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() else 0


def _one(request: HttpRequest, choice: Choice) -> Result:
    row = SyncException.objects.select_related("flow").filter(pk=choice.exception_id, kind=UNMAPPED_SKU, flow__isnull=False).first()
    if row is None:
        return Result(f"Question {choice.exception_id}", choice.words, problem="There is no such question any more.")
    if row.state != SyncException.State.OPEN:
        return Result(row.subject, choice.words, problem=f"It is {row.get_state_display().lower()} already, so nothing was done.")
    if not may_answer(request.user, row):
        return Result(row.subject, choice.words, problem="It is not yours to answer.")
    try:
        answer = give(row, choice.components, request.user)
    except Refusal as reason:
        return Result(row.subject, choice.words, problem=str(reason))
    return Result(row.subject, choice.words, answer.pk, answer.released)
