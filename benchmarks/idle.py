"""Idle latency: one order comes to a quiet house; how long until the destination hears of it?"""

from __future__ import annotations

import http.client
import random
import time
from itertools import islice

from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.generator import signed
from benchmarks.load import load
from benchmarks.outside import BODIES
from benchmarks.route import Route, bring_catalogue, connect, empty, start_outside, until
from integrations.models import Delivery, Flow

ORDERS = 30
PAUSE = (0.3, 1.3)  # seconds of quiet before the next order, at random so that it keeps no step with any poll


def measure(run: Run) -> list[dict[str, float]]:
    """Single orders, each sent when the one before is delivered and every pump has gone to sleep."""
    count = run.size(ORDERS, 3)
    route = connect(start_outside(run, orders=count, lines=1, bodies=count))
    port = run.processes.start_web()
    run.processes.start_worker()
    rows = [_once(run, route, port, count, turn) for turn in range(run.runs)]
    run.processes.stop("worker", "web", "outside")
    return rows


def _once(run: Run, route: Route, port: int, count: int, turn: int) -> dict[str, float]:
    empty(route)
    bring_catalogue(route)
    with (run.folder / BODIES).open("rb") as file:
        bodies = [line.rstrip(b"\n") for line in islice(file, count)]
    seconds = [_single(run, route, port, body, f"idle{turn}-{number}") for number, body in enumerate(bodies)]
    return {"p50": percentile(seconds, 0.5) * 1000, "p95": percentile(seconds, 0.95) * 1000, "most": max(seconds) * 1000}


def _single(run: Run, route: Route, port: int, body: bytes, event: str) -> float:
    """Seconds from the first byte of the webhook to the push at the stand-in."""
    flow = route.orders
    until(lambda: not Flow.objects.filter(pump_until__isnull=False).exists(), 30, "going quiet")
    time.sleep(random.uniform(*PAUSE))
    before = Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED).count()
    began = time.time()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.connect()
    connection.sock.sendall(signed(load(run.folder, port, count=1, run=event), body, event))
    connection.sock.recv(4096)
    connection.close()
    until(lambda: Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED).count() > before, 60, "delivering one order")
    return route.look("ometria", "ledger?kind=order")[-1]["at"] - began


FIGURE = Figure(
    "idle",
    "idle latency, webhook → push at the destination",
    (
        Goal(name="p50", unit="ms, p50", target=300),
        Goal(name="p95", unit="ms, p95"),
        Goal(name="most", unit="ms, longest"),
    ),
    measure,
)
