"""5,000 orders that wait for one SKU: from the answer to the last order at the destination."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.figures import Figure, Goal, Run
from benchmarks.route import Route, connect, empty, start_outside, until
from integrations.engine.outbox import Cause, upsert
from integrations.engine.suggest import answer_sku, preview_answer
from integrations.flows import spec_for
from integrations.models import Delivery, Flow, SyncException
from mapping.models import SkuCrosswalk
from mapping.records import CustomerRef, Line, Order, OrderStatus, Totals

ORDERS = 5000
SKU, TARGETS = "TT-GIFTSET", [("SOAP", 2, None), ("DISH", 1, None)]
PRICE = Decimal("25.00")


def measure(run: Run) -> list[dict[str, float]]:
    """Worker, stand-in and database on one machine; the answer is a bundle of two."""
    count = run.size(ORDERS, 200)
    route = connect(start_outside(run, orders=10, lines=1, bodies=1))
    Flow.objects.filter(pk=route.orders.pk).update(settings={"sku_gate": "catalogue", "settle_seconds": 0})
    rows = [_once(run, route, count) for _ in range(run.runs)]
    run.processes.stop("outside")
    return rows


def _once(run: Run, route: Route, count: int) -> dict[str, float]:
    empty(route)
    SkuCrosswalk.objects.all().delete()
    run.processes.start_worker()
    flow = Flow.objects.select_related("source", "destination").get(pk=route.orders.pk)
    upsert(flow, spec_for(flow.source.platform, flow.destination.platform, "order"), [_order(n) for n in range(count)], cause=Cause.WEBHOOK)
    held = Delivery.objects.filter(flow=flow, state=Delivery.State.BLOCKED)
    until(lambda: held.count() >= count, 300, "holding the orders")
    exception = SyncException.objects.select_related("flow").get(subject=SKU, state="open")
    looked = time.monotonic()
    preview = preview_answer(exception)
    began = time.monotonic()
    answer = answer_sku(exception, TARGETS, None)
    answered = time.monotonic()
    done = Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED)
    until(lambda: done.count() >= count, 300, "the release")
    seconds = time.monotonic() - began
    run.processes.stop("worker")
    effects = Counter(effect["key"] for effect in route.look("ometria", "ledger?kind=order"))
    return {
        "seconds": seconds,
        "answer": answered - began,
        "preview": (began - looked) * 1000,
        "unreleased": float(count - answer.released) + float(count - preview.orders),
        "missing": float(count - len(effects)),
        "double": float(sum(effects.values()) - len(effects)),
    }


def _order(number: int) -> Order:
    line = Line(key="1", sku=SKU, product_key="T1", title="Gift set", unit_price=PRICE, subtotal=PRICE, total=PRICE)
    totals = Totals(subtotal=PRICE, total=PRICE, net=PRICE)
    person = CustomerRef(key=f"p{number}", email=f"person{number}@example.com", first_name="Ada")
    placed = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2 * (ORDERS - number))  # a week of orders
    return Order(
        key=f"w{number:05d}", number=f"#{number}", occurred_at=placed, placed_at=placed, status=OrderStatus.PAID, currency="GBP",
        totals=totals, customer=person, lines=(line,),
    )  # fmt: skip


FIGURE = Figure(
    "release",
    "5,000 orders waiting on one SKU released",
    (
        Goal(name="seconds", unit="seconds until the last is delivered", target=30),
        Goal(name="answer", unit="seconds of them in the answer itself"),
        Goal(name="preview", unit="ms for the preview of what will go"),
        Goal(name="unreleased", unit="not counted or not released", target=0),
        Goal(name="missing", unit="missing at the stand-in", target=0),
        Goal(name="double", unit="there more than once", target=0),
    ),
    measure,
)
