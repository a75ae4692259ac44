"""The whole path: order webhooks in, orders at the destination out, each exactly once."""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.figures import Figure, Goal, Run
from benchmarks.load import begin, end, load
from benchmarks.route import Route, bring_catalogue, connect, empty, start_outside, until
from integrations.models import Delivery

ORDERS = 6000


def measure(run: Run) -> list[dict[str, float]]:
    """Generator, web, worker, stand-ins and database on one machine."""
    count = run.size(ORDERS, 200)
    route = connect(start_outside(run, orders=count, lines=1, bodies=count))
    port = run.processes.start_web()
    run.processes.start_worker()
    rows = [_once(run, route, port, count, turn) for turn in range(run.runs)]
    for name in ("worker", "web", "outside"):
        run.processes.stop(name)
    return rows


def _once(run: Run, route: Route, port: int, count: int, turn: int) -> dict[str, float]:
    empty(route)
    bring_catalogue(route)
    flow = route.orders
    generator = begin(load(run.folder, port, count=count, run=f"path{turn}"))
    until(lambda: Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED).count() >= count, 300, "the whole path")
    done = time.time()
    sent = end(generator)
    effects = Counter(effect["key"] for effect in route.look("ometria", "ledger?kind=order"))
    return {
        "per_second": count / (done - sent.began),
        "posted": sent.acknowledged / sent.elapsed,
        "missing": float(count - len(effects)),
        "double": float(sum(effects.values()) - len(effects)),
    }


FIGURE = Figure(
    "whole_path",
    "order webhook → delivered at a stand-in",
    (
        Goal(name="per_second", unit="a second", target=600, at_least=True),
        Goal(name="posted", unit="a second taken in meanwhile"),
        Goal(name="missing", unit="missing at the stand-in", target=0),
        Goal(name="double", unit="there more than once", target=0),
    ),
    measure,
)
