"""From a notification of commercetools that only names an order, to the order at the destination."""

from __future__ import annotations

from benchmarks.figures import Figure, Run
from benchmarks.generator import Load
from benchmarks.outside import BODIES
from benchmarks.path import finish, goals, timed
from benchmarks.route import Route, connect_account, empty, forget_connections, start_world
from integrations.engine import accounts
from integrations.models import Connection, Flow
from integrations.standins.commercetools.specs import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, DEMO_PROJECT

ORDERS, PEOPLE = 6000, 2000
DOOR_KEY = "bench-door-key-that-nobody-else-uses"


def measure(run: Run) -> list[dict[str, float]]:
    """Generator, web, worker, stand-ins and database on one machine."""
    count = run.size(ORDERS, 200)
    route = connect(start_world(run, "benchmarks.outside_commercetools", str(run.size(PEOPLE, 50)), str(count), str(run.folder)))
    port = run.processes.start_web()
    run.processes.start_worker()
    rows = [_once(run, route, port, count, turn) for turn in range(run.runs)]
    finish(run)
    return rows


def connect(port: int) -> Route:
    """Write connections, flows and default mappings, all with the product's own defaults but without quotas."""
    outside = f"http://127.0.0.1:{port}"
    forget_connections()
    source = Connection.objects.create(
        platform="commercetools", name="Bench project", external_id=DEMO_PROJECT, base_url=f"{outside}/commercetools/api",
        settings={
            "client_id": DEMO_CLIENT_ID, "auth_url": f"{outside}/commercetools/auth", "markets": ["GB:GBP:en-GB"], "read_rate": 0,
            "write_rate": 0, "email_consent_field": "emailOptIn", "email_consent_time_field": "emailOptInAt",
        },
    )  # fmt: skip
    accounts.set_credential(source, "client_secret", DEMO_CLIENT_SECRET)
    accounts.set_credential(source, "door_key", DOOR_KEY)
    route = connect_account(source, outside)
    Flow.objects.filter(source=source, record_type__in=["order"]).update(settings={"sku_gate": "off"})
    return route


def _once(run: Run, route: Route, port: int, count: int, turn: int) -> dict[str, float]:
    empty(route)
    load = Load(
        port=port, bodies=str(run.folder / BODIES), count=count, secret=DOOR_KEY, domain=DEMO_PROJECT, run=f"ct{turn}",
        platform="commercetools",
    )  # fmt: skip
    return timed(route, load, "the path from commercetools")


FIGURE = Figure(
    "commercetools_path",
    "commercetools order change → delivered at a stand-in",
    goals(400),
    measure,
)
