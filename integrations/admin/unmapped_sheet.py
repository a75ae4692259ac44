"""Unmapped products as a spreadsheet: out with an empty target column, back in with a dry run that says what each row would do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from integrations.admin.desk import Refusal
from integrations.admin.unmapped_bulk import Row, value_words
from integrations.admin.unmapped_parts import THROUGH, Choice, check, in_words, part
from integrations.engine.catalogue import known_skus
from integrations.engine.waiting import WaitingSku, waiting_lines
from integrations.models import SyncException, UnmappedSku

HEADER = (
    "id", "source", "destination", "source_sku", "title", "options", "price", "units", "orders", "value waiting", "first seen", "last seen",
    "suggestion", "score", "why", "target_sku", "quantity", "share", "action",
)  # fmt: skip
MUST = ("id", "source_sku", "target_sku")
MOST_ROWS = 5_000
MOST_BYTES = 5 * 1024 * 1024
LET_THROUGH = {"ignore", "let through", "pass", THROUGH}
TAKE_SUGGESTION = {"accept", "suggestion"}
HELP = (
    ("target_sku", "The SKU of the catalogue that it is. Several rows with the same id make a bundle."),
    ("quantity", "How many of the target make one; empty means 1."),
    ("share", "Weight of its part of the price in a bundle; empty on all rows: shared out by quantity."),
    ("action", "accept takes the best suggestion (the next page shows it), ignore lets the SKU through as it is; else leave it empty."),
)


def sheet_rows(rows: Sequence[UnmappedSku]) -> Iterator[list[object]]:
    """One row per unknown SKU with what waits for it and its best suggestion; what people fill in is empty. The desk completed them."""
    for row in rows:
        best = row.backlog.suggestion if hasattr(row, "backlog") else {}
        suggestion = in_words(tuple(entry) for entry in best["parts"]) if best else ""
        score, why = (row.backlog.score, "; ".join(best.get("reasons", []))) if best else ("", "")
        facts = _facts(row.waiting) if row.waiting else ["", "", "", 0, 0, ""]
        yield [
            row.pk, row.flow.source.name, row.flow.destination.name, row.subject, *facts, row.first_seen, row.last_seen, suggestion, score,
            why, "", "", "", "",
        ]  # fmt: skip


def _facts(waiting: WaitingSku) -> list[object]:
    return [waiting.title, options_words(waiting), price_words(waiting), waiting.units, waiting.orders, value_words(waiting.value)]


def options_words(waiting: WaitingSku) -> str:
    """The options' values in one line; the variant's title when the source names no options."""
    return " / ".join(str(value) for value in waiting.options.values()) or waiting.variant_title


def price_words(waiting: WaitingSku) -> str:
    """The price of one unit, or its range, per currency."""
    ranges = []
    for currency, (low, high) in sorted(waiting.prices.items()):
        ranges.append(value_words({currency: low}) if low == high else f"{value_words({currency: low})}–{value_words({currency: high})}")
    return ", ".join(ranges)


def dry_run(lines: Sequence[dict[str, str]], rows: QuerySet[SyncException]) -> list[Row]:
    """What each SKU of the sheet would become; `rows` are the questions one may answer. Raises Refusal for a sheet of another kind."""
    missing = [name for name in MUST if lines and name not in lines[0]]
    if missing or not lines:
        raise Refusal(f"The sheet has no column “{missing[0]}”." if missing else "The sheet has no rows.")
    by_id: dict[str, list[dict[str, str]]] = defaultdict(list)
    for line in lines:
        by_id[line.get("id", "")].append(line)
    wanted = [int(pk) for pk in by_id if pk.isdecimal() and len(pk) < 19]
    found = {str(row.pk): row for row in rows.filter(pk__in=wanted).select_related("flow__source", "flow__destination", "backlog")}
    waiting = waiting_lines([row.pk for row in found.values()]) if found else {}
    verdicts = [_verdict(found.get(pk), group, waiting) for pk, group in by_id.items()]
    return _remarked(verdicts, found)


def _verdict(row: SyncException | None, lines: Sequence[dict[str, str]], waiting: dict[int, WaitingSku]) -> Row:
    sku = lines[0].get("source_sku", "")
    if row is None:
        return Row(sku=sku or "–", problem=f"No question has the id “{lines[0].get('id', '')}”, or it is not yours to answer.")
    held = waiting.get(row.pk)
    facts: dict[str, Any] = {"sku": row.subject, "waiting": held, "title": held.title if held else ""}
    if any(line.get("source_sku", "") not in ("", row.subject) for line in lines):
        return Row(**facts, problem=f"The id belongs to {row.subject}, not to {sku}. Rows may have slipped against each other.")
    if row.state != SyncException.State.OPEN:
        return Row(**facts, remark=f"It is {row.get_state_display().lower()} already.")
    try:
        choice = _choice(row, lines)
    except Refusal as reason:
        return Row(**facts, problem=str(reason))
    if choice is None:
        return Row(**facts, remark="Nothing is filled in, so it stays.")
    return Row(**facts, choice=choice, target=choice.words)


def _choice(row: SyncException, lines: Sequence[dict[str, str]]) -> Choice | None:
    action = next((line["action"].strip().lower() for line in lines if line.get("action", "").strip()), "")
    filled = [line for line in lines if line.get("target_sku")]
    if action in LET_THROUGH:
        if filled:
            raise Refusal("It has a target SKU and is to be let through as it is; only one of the two is possible.")
        return Choice(row.pk)
    if action in TAKE_SUGGESTION and not filled:
        best = row.backlog.suggestion if hasattr(row, "backlog") else {}
        if not best:
            raise Refusal("There is no suggestion to accept.")
        return Choice(row.pk, check(part(str(sku), str(number), share or "") for sku, number, share in best["parts"]))
    if action not in (*TAKE_SUGGESTION, "", "map"):
        raise Refusal(f"The action “{action}” is not known. Use accept or ignore, or leave it empty.")
    parts = [part(line["target_sku"], line.get("quantity") or "1", line.get("share", "")) for line in filled]
    return Choice(row.pk, check(parts)) if parts else None


def _remarked(verdicts: Iterable[Row], found: dict[str, SyncException]) -> list[Row]:
    """The rows, with a remark where the catalogue does not know a target SKU: one look-up per flow."""
    rows = list(verdicts)
    targets: dict[int, set[str]] = defaultdict(set)
    flows = {row.flow_id: row.flow for row in found.values()}
    flow_of = {row.pk: row.flow_id for row in found.values()}
    for row in rows:
        if row.choice:
            targets[flow_of[row.choice.exception_id]] |= {sku for sku, _, _ in row.choice.components}
    known = {flow: set(known_skus(flows[flow], skus).places) if skus else set() for flow, skus in targets.items()}
    return [_with_remark(row, known[flow_of[row.choice.exception_id]]) if row.choice else row for row in rows]


def _with_remark(row: Row, known: set[str]) -> Row:
    strange = sorted({sku for sku, _, _ in row.choice.components} - known)
    if not strange:
        return row
    remark = f"The catalogue does not know {', '.join(strange)}; it is sent all the same."
    return Row(sku=row.sku, title=row.title, target=row.target, waiting=row.waiting, choice=row.choice, remark=remark)
