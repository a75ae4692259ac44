"""The whole path: order webhooks in, orders at the destination out, each exactly once."""

from __future__ import annotations

from benchmarks.figures import Figure, Run
from benchmarks.load import load
from benchmarks.path import finish, goals, timed
from benchmarks.route import Route, bring_catalogue, connect, empty, start_outside

ORDERS = 6000


def measure(run: Run) -> list[dict[str, float]]:
    """Generator, web, worker, stand-ins and database on one machine."""
    count = run.size(ORDERS, 200)
    route = connect(start_outside(run, orders=count, lines=1, bodies=count))
    port = run.processes.start_web()
    run.processes.start_worker()
    rows = [_once(run, route, port, count, turn) for turn in range(run.runs)]
    finish(run)
    return rows


def _once(run: Run, route: Route, port: int, count: int, turn: int) -> dict[str, float]:
    empty(route)
    bring_catalogue(route)
    return timed(route, load(run.folder, port, count=count, run=f"path{turn}"), "the whole path")


FIGURE = Figure(
    "whole_path",
    "order webhook → delivered at a stand-in",
    goals(600),
    measure,
)
