"""A long history: a backfill of 100,000 orders with their lines, and what the worker's memory does meanwhile."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Goal, Run
from benchmarks.path import arrived
from benchmarks.processes import memory
from benchmarks.route import LONG_AGO, Route, bring_catalogue, connect, empty, start_outside, until
from integrations.engine import pull
from integrations.models import Checkpoint, Delivery

ORDERS = 100_000
SECONDS = 1200.0


@dataclass(slots=True)
class Memory:
    """The worker's memory, sampled every second by a thread."""

    pid: int
    samples: list[tuple[float, float, float]] = field(default_factory=list)  # seconds, MB of the largest process, MB of all
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Memory:
        threading.Thread(target=self._sample, args=(time.monotonic(),), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def _sample(self, began: float) -> None:
        while not self._stopped.wait(1.0):
            self.samples.append((time.monotonic() - began, *memory(self.pid)))

    def slope(self) -> float:
        """MB a minute by which all processes together grow in the second half of the time."""
        late = self.samples[len(self.samples) // 2 :]
        if len(late) < 3:
            return 0.0
        return statistics.linear_regression([row[0] for row in late], [row[2] for row in late]).slope * 60


def measure(run: Run) -> list[dict[str, float]]:
    """Bulk operation at the stand-in, spool, pages, outbox, pushes, confirmation; workers and all on one machine."""
    count = run.size(ORDERS, 500)
    route = connect(start_outside(run, orders=count, lines=2, bodies=1))
    worker = run.processes.start_worker()
    rows = [_once(worker.pid, route, count) for _ in range(run.runs)]
    run.processes.stop("worker", "outside")
    return rows


def _once(worker: int, route: Route, count: int) -> dict[str, float]:
    empty(route)
    bring_catalogue(route)
    flow = route.orders
    with Memory(worker) as used:
        began = time.monotonic()
        pull.start_backfill(route.source, ["orders"], since=LONG_AGO)
        done = Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED)
        pulled = Checkpoint.objects.filter(reader="orders", state=Checkpoint.State.DONE)
        until(lambda: pulled.exists() and done.count() >= count, SECONDS, "the backfill")
        seconds = time.monotonic() - began
    return {
        "seconds": seconds,
        "per_second": count / seconds,
        "largest": max((row[1] for row in used.samples), default=0.0),
        "together": max((row[2] for row in used.samples), default=0.0),
        "slope": used.slope(),
        **arrived(route, "order", count),
    }


FIGURE = Figure(
    "history",
    "backfill of 100,000 orders with lines",
    (
        Goal(name="seconds", unit="seconds", target=300),
        Goal(name="per_second", unit="orders a second"),
        Goal(name="largest", unit="MB, largest worker process", target=300),
        Goal(name="together", unit="MB, all worker processes"),
        Goal(name="slope", unit="MB a minute, all worker processes", target=10),
        Goal(name="missing", unit="missing at the stand-in", target=0),
        Goal(name="double", unit="there more than once", target=0),
    ),
    measure,
)
