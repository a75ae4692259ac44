"""Durable acknowledgements of visitors' events: in the batches that the collector's script sends, and one event a call."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.generator import Load
from benchmarks.load import begin, end
from benchmarks.route import empty_tables, forget_connections
from integrations.models import Connection, InboxEvent

EVENTS = 40_000
BATCH = 25  # the most that the script puts in one call
CONNECTIONS = 64
KEY, PAGE = "site_bench_0123456789abcdef", "https://www.example.com"
VISITORS = 500


def measure(run: Run) -> list[dict[str, float]]:
    """Web process, database and generator on one machine, nobody's share limited; workers are not started."""
    forget_connections()
    settings = {"calls_per_second": 0, "calls_per_visitor": 0}
    Connection.objects.create(platform="site", name="Bench site", external_id=KEY, base_url=PAGE, settings=settings)
    port = run.processes.start_web()
    count = run.size(EVENTS, 1000)
    rows = []
    for turn in range(run.runs):
        batched = _once(run, port, events=count, batch=BATCH, turn=turn)
        single = _once(run, port, events=run.size(EVENTS // 4, 500), batch=1, turn=turn)
        rows.append({**batched, **{f"single_{name}": value for name, value in single.items()}})
    run.processes.stop("web")
    return rows


def _once(run: Run, port: int, *, events: int, batch: int, turn: int) -> dict[str, float]:
    empty_tables()
    bodies, listed = run.folder / f"events-{batch}.jsonl", run.folder / "acknowledged"
    calls = write_calls(bodies, events=events, batch=batch)
    load = Load(
        port=port, bodies=str(bodies), count=len(calls), secret="", domain=PAGE, run=f"c{turn}", connections=CONNECTIONS,
        platform="site", acknowledged=str(listed),
    )  # fmt: skip
    sent = end(begin(load))
    taken = [int(name.rpartition("-")[2]) for name in listed.read_text().split()]
    acknowledged = {f"event:{key}" for number in taken for key in calls[number]}
    stored = set(InboxEvent.objects.values_list("dedup_key", flat=True))
    return {
        "per_second": len(acknowledged) / sent.elapsed,
        "p99": percentile(sent.latencies, 0.99) * 1000,
        "lost": float(len(acknowledged - stored)),
        "failed": float(sent.refused + sent.broken),
    }


def write_calls(path: Path, *, events: int, batch: int) -> list[list[str]]:
    """Write calls as browsers make them, one a line; the ids of the events in each."""
    now = datetime.now(UTC)
    ids = [[f"bench-event-{number:08d}" for number in range(start, min(start + batch, events))] for start in range(0, events, batch)]
    with path.open("w") as file:
        for number, keys in enumerate(ids):
            made = [_event(key, visitor=number % VISITORS, at=now - timedelta(seconds=len(keys) - place)) for place, key in enumerate(keys)]
            file.write(json.dumps({"key": KEY, "sent_at": now.isoformat(), "events": made}) + "\n")
    return ids


def _event(key: str, *, visitor: int, at: datetime) -> dict[str, object]:
    """A product that somebody looked at."""
    page = f"{PAGE}/products/{visitor}"
    product = {"sku": f"SKU-{visitor:04d}", "name": f"Thing {visitor}", "price": "20.00", "currency": "GBP", "url": page}
    return {
        "event_id": key, "type": "product_viewed", "at": at.isoformat(), "consent": True, "anonymous_id": f"visitor-{visitor:08d}",
        "page": page, "campaign": {"utm_source": "newsletter"}, "data": product,
    }  # fmt: skip


FIGURE = Figure(
    "collector",
    f"visitors' events acknowledged, checked and durable ({CONNECTIONS} connections)",
    (
        Goal(name="per_second", unit=f"events a second, {BATCH} a call", target=2000, at_least=True),
        Goal(name="p99", unit="ms a call, p99"),
        Goal(name="lost", unit="acknowledged and lost", target=0),
        Goal(name="failed", unit="calls answered otherwise", target=0),
        Goal(name="single_per_second", unit="events a second, one a call", target=2000, at_least=True),
        Goal(name="single_p99", unit="ms a call, p99"),
        Goal(name="single_lost", unit="acknowledged and lost", target=0),
        Goal(name="single_failed", unit="calls answered otherwise", target=0),
    ),
    measure,
)
