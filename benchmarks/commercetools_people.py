"""A first reading of 100,000 customers by change, with memory that does not grow."""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone
from django_q.tasks import async_task

from benchmarks.commercetools_path import connect
from benchmarks.figures import Figure, Goal, Run
from benchmarks.history import Memory
from benchmarks.path import arrived
from benchmarks.route import Route, empty, start_world, until
from integrations.engine import pull
from integrations.models import Checkpoint, Delivery, Flow

PEOPLE, SECONDS = 100_000, 900.0
SPAN = timedelta(days=40)  # more than the people of the stand-in are old


def measure(run: Run) -> list[dict[str, float]]:
    """Pages by time of change, outbox, look-ups, pushes, confirmation."""
    count = run.size(PEOPLE, 500)
    route = connect(start_world(run, "benchmarks.outside_commercetools", str(count), "0", str(run.folder)))
    Flow.objects.exclude(record_type="customer").update(enabled=False)
    worker = run.processes.start_worker()
    rows = [_once(worker.pid, route, count) for _ in range(run.runs)]
    run.processes.stop("worker", "outside")
    return rows


def _once(worker: int, route: Route, count: int) -> dict[str, float]:
    empty(route)
    pull.ensure_polls(route.source)
    now = timezone.now()
    Checkpoint.objects.exclude(reader="customers").delete()
    Checkpoint.objects.filter(reader="customers").update(window_from=now - SPAN, due_at=now)
    async_task("integrations.tasks.pull", Checkpoint.objects.get(reader="customers").pk)  # as the sweep of the minute does
    flow = Flow.objects.get(source=route.source, record_type="customer")
    with Memory(worker) as used:
        began = time.monotonic()
        until(lambda: Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED).count() >= count, SECONDS, "the people")
        seconds = time.monotonic() - began
    return {
        "seconds": seconds,
        "per_second": count / seconds,
        "largest": max((row[1] for row in used.samples), default=0.0),
        "slope": used.slope(),
        **arrived(route, "contact", count),
    }


FIGURE = Figure(
    "commercetools_people",
    "delta of 100,000 commercetools customers",
    (
        Goal(name="seconds", unit="seconds", target=300),
        Goal(name="per_second", unit="people a second"),
        Goal(name="largest", unit="MB, largest worker process", target=300),
        Goal(name="slope", unit="MB a minute, all worker processes", target=10),
        Goal(name="missing", unit="missing at the stand-in", target=0),
        Goal(name="double", unit="there more than once", target=0),
    ),
    measure,
)
