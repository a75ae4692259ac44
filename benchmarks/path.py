"""What the figures of a whole path share: from the first call of the generator to the last order seen at the destination."""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.figures import Goal, Run
from benchmarks.generator import Load
from benchmarks.load import begin, end
from benchmarks.route import Route, until
from integrations.models import Delivery


def goals(target: float) -> tuple[Goal, ...]:
    """So many orders a second, all of them, each once."""
    return (
        Goal(name="per_second", unit="a second", target=target, at_least=True),
        Goal(name="posted", unit="a second taken in meanwhile"),
        Goal(name="missing", unit="missing at the stand-in", target=0),
        Goal(name="double", unit="there more than once", target=0),
    )


def timed(route: Route, load: Load, what: str) -> dict[str, float]:
    """Send the load and wait until every order of it is delivered; raises TookTooLong."""
    flow, generator = route.orders, begin(load)
    until(lambda: Delivery.objects.filter(flow=flow, state=Delivery.State.DELIVERED).count() >= load.count, 300, what)
    done = time.time()
    sent = end(generator)
    return {
        "per_second": load.count / (done - sent.began),
        "posted": sent.acknowledged / sent.elapsed,
        **arrived(route, "order", load.count),
    }


def arrived(route: Route, kind: str, count: int) -> dict[str, float]:
    """How many of them are missing in the destination's ledger, and how many are there more than once."""
    effects = Counter(effect["key"] for effect in route.look("ometria", f"ledger?kind={kind}"))
    return {"missing": float(count - len(effects)), "double": float(sum(effects.values()) - len(effects))}


def finish(run: Run) -> None:
    """Stop what a path needs."""
    run.processes.stop("worker", "web", "outside")
