"""Suggestions for unknown SKUs against 50,000 variants: from the held orders to ranked candidates, as the page asks for them."""

from __future__ import annotations

import os
import time

from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.processes import memory
from benchmarks.route import connect, start_outside
from benchmarks.shelves import AT, things, unknown
from integrations.engine.exceptions import Question, raise_questions
from integrations.engine.outbox import Cause, upsert
from integrations.engine.shelf import catalogue_of, forget_catalogues
from integrations.engine.suggest import suggestions_for
from integrations.flows import spec_for
from integrations.models import Delivery, Flow, SyncException
from mapping.records import Line, Order, Totals

VARIANTS, UNKNOWN, ORDERS_EACH = 50_000, 70, 5
LAST = 7  # kinds of riddle; the last one has no answer


def measure(run: Run) -> list[dict[str, float]]:
    """The time of each suggestion, of building the index, and how often the right thing came first."""
    route = connect(start_outside(run, orders=10, lines=1, bodies=1))
    run.processes.stop("outside")
    variants = Flow.objects.select_related("source", "destination").get(source=route.source, record_type="variant")
    stock = list(things(run.size(VARIANTS, 2000)))
    spec = spec_for(variants.source.platform, variants.destination.platform, variants.record_type)
    upsert(variants, spec, [thing.variant for thing in stock], cause=Cause.BACKFILL)
    flow = Flow.objects.select_related("source", "destination").get(pk=route.orders.pk)
    answers = {}
    for number in range(run.size(UNKNOWN, 14)):
        thing, other = stock[number * 389 % len(stock)], stock[number * 1013 % len(stock)]
        line = unknown(number, thing, other)
        answers[_ask(flow, line, number)] = thing.variant.sku if number % LAST != LAST - 1 else ""
    return [_once(flow, answers) for _ in range(run.runs)]


def _ask(flow: Flow, line: Line, number: int) -> int:
    """Hold some orders for an unknown line; the question's id."""
    spec = spec_for(flow.source.platform, flow.destination.platform, flow.record_type)
    totals = Totals(total=line.total, net=line.total)
    keys = [f"b{number}-{order}" for order in range(ORDERS_EACH)]
    orders = [Order(key=key, occurred_at=AT, placed_at=AT, currency="GBP", totals=totals, lines=(line,)) for key in keys]
    upsert(flow, spec, orders, cause=Cause.BACKFILL)
    held = Delivery.objects.filter(flow=flow, record_key__in=keys)
    held.update(state=Delivery.State.BLOCKED)
    question = Question("unmapped_sku", line.sku, f"Unknown SKU {line.sku}")
    raise_questions(flow, [(pk, [question]) for pk in held.values_list("pk", flat=True)])
    return SyncException.objects.get(flow=flow, subject=line.sku).pk


def _once(flow: Flow, answers: dict[int, str]) -> dict[str, float]:
    forget_catalogues()
    before = memory(os.getpid())[0]
    began = time.perf_counter()
    with catalogue_of(flow) as catalogue:
        size = len(catalogue)
    built, spent, right = time.perf_counter() - began, [], 0
    for exception in SyncException.objects.select_related("flow").filter(pk__in=answers):
        began = time.perf_counter()
        found = suggestions_for(exception)
        spent.append((time.perf_counter() - began) * 1000)
        first = {sku for sku, _, _ in found[0].components} if found else {""}
        right += answers[exception.pk] in first
    return {
        "slowest": max(spent),
        "p50": percentile(spent, 0.5),
        "build": built,
        "variants": float(size),
        "memory": memory(os.getpid())[0] - before,
        "right": 100 * right / len(answers),
    }


FIGURE = Figure(
    "suggestions",
    "suggestion for one SKU against 50,000 variants",
    (
        Goal(name="slowest", unit="ms, the slowest of 70", target=300),
        Goal(name="p50", unit="ms, half of them"),
        Goal(name="build", unit="seconds to read and index the catalogue, once in a process"),
        Goal(name="variants", unit="variants in it"),
        Goal(name="memory", unit="MB that it takes"),
        Goal(name="right", unit="% where the right thing, or rightly nothing, came first"),
    ),
    measure,
)
