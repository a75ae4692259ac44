"""Durable, verified acknowledgements: what the door for webhooks takes, and whether anything it took is missing."""

from __future__ import annotations

from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.load import begin, end, load
from benchmarks.route import Route, connect, empty, start_outside
from integrations.models import InboxEvent

CALLS = 20_000
CONNECTIONS = 64


def measure(run: Run) -> list[dict[str, float]]:
    """Web process, database and generator on one machine; workers are not started, the whole path is the next figure."""
    count = run.size(CALLS, 1000)
    route = connect(start_outside(run, orders=count, lines=1, bodies=count))
    port = run.processes.start_web()
    end(begin(load(run.folder, port, count=min(count, 500), run="warm", connections=CONNECTIONS)))
    rows = [_once(run, route, port, count, turn) for turn in range(run.runs)]
    run.processes.stop("web")
    run.processes.stop("outside")
    return rows


def _once(run: Run, route: Route, port: int, count: int, turn: int) -> dict[str, float]:
    empty(route)
    listed = run.folder / "acknowledged"
    sent = end(begin(load(run.folder, port, count=count, run=f"ack{turn}", connections=CONNECTIONS, acknowledged=str(listed))))
    acknowledged = {f"orders/create:{event}" for event in listed.read_text().split()}
    stored = set(InboxEvent.objects.values_list("dedup_key", flat=True))
    return {
        "per_second": sent.acknowledged / sent.elapsed,
        "p99": percentile(sent.latencies, 0.99) * 1000,
        "p50": percentile(sent.latencies, 0.5) * 1000,
        "lost": float(len(acknowledged - stored)),
        "failed": float(sent.refused + sent.broken),
    }


FIGURE = Figure(
    "acknowledge",
    f"webhooks acknowledged, verified and durable ({CONNECTIONS} connections)",
    (
        Goal(name="per_second", unit="a second", target=2000, at_least=True),
        Goal(name="p99", unit="ms, p99", target=80),
        Goal(name="p50", unit="ms, p50"),
        Goal(name="lost", unit="acknowledged and lost", target=0),
        Goal(name="failed", unit="answered otherwise", target=0),
    ),
    measure,
)
