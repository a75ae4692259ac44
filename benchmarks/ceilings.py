"""What this machine can do at most, measured in the same run: the figures are to be read beside it."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from benchmarks import database
from benchmarks.acknowledge import CONNECTIONS
from benchmarks.figures import Figure, Goal, Run
from benchmarks.load import begin, end, load
from benchmarks.outside import BODIES
from benchmarks.route import start_outside

CALLS = 20_000
SECONDS = 1.0


def measure(run: Run) -> list[dict[str, float]]:
    """The same server with an application that does nothing, the same database with nothing but inserts, parsing alone."""
    count = run.size(CALLS, 1000)
    start_outside(run, orders=count, lines=1, bodies=count)
    run.processes.stop("outside")
    port = run.processes.start_web("benchmarks.bare:application", "bare")
    rows = [_once(run, port, count) for _ in range(run.runs)]
    run.processes.stop("bare")
    return rows


def _once(run: Run, port: int, count: int) -> dict[str, float]:
    sent = end(begin(load(run.folder, port, count=count, run="bare", connections=CONNECTIONS)))
    with (run.folder / BODIES).open("rb") as file:
        body = file.readline()
    return {
        "answers": sent.acknowledged / sent.elapsed,
        "commits": database.single_commits(run.processes.database_url, body.decode()),
        "rows": database.rows_inserted(run.processes.database_url, body.decode()),
        "parsed": _repeated(lambda: orjson.loads(body)),
    }


def _repeated(act: Callable[[], object]) -> float:
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        act()
        done += 1
    return done / (time.perf_counter() - began)


FIGURE = Figure(
    "ceiling",
    "this machine's own ceiling",
    (
        Goal(name="answers", unit=f"bare answers a second, same server, {CONNECTIONS} connections"),
        Goal(name="commits", unit="webhook bodies inserted a second, one a commit, one connection"),
        Goal(name="rows", unit=f"webhook bodies inserted a second, {database.ROWS} a commit, one connection"),
        Goal(name="parsed", unit="webhook bodies parsed a second, one core"),
    ),
    measure,
)
