"""The console at volume: overview, delivery list and exception list with their filters, signed in as a manager at the live server."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.outside import BODIES
from benchmarks.route import connect, start_outside
from benchmarks.volume import fill
from integrations.models import Flow

DELIVERIES, EXCEPTIONS, FEW = 1_000_000, 100_000, 1000
REQUESTS = 20  # of each address in each run
OVERVIEW = ("/admin/", "/overview/live/")
LISTS = {
    "deliveries": (
        "/admin/integrations/delivery/",
        ("", "?state=blocked", "?state=delivered", "?state=ready", "?flow={flow}", "?flow={flow}&state=blocked", "?cause=poll",
         "?age=over_day", "?age=hour&state=skipped", "?state=sending", "?cause=replay", "?cause=replay&state=delivered",
         "?cause=replay&flow={flow}", "?q=bench-777", "?p=10"),
    ),
    "exceptions": (
        "/admin/integrations/syncexception/",
        ("", "?state=resolved", "?state=all", "?kind=unmapped_sku", "?origin=storefront", "?team=ecommerce", "?flow={flow}",
         "?who=nobody", "?who=me", "?state=resolved&who=me", "?kind=needs_auth", "?origin=permission", "?age=over_day", "?q=SUBJECT-778",
         "?p=10"),
    ),
}  # fmt: skip


class WrongAnswer(Exception):
    """A page did not answer 200."""


def measure(run: Run) -> list[dict[str, float]]:
    """Count the queries with few rows, fill up, count again, then ask the live server."""
    route = connect(start_outside(run, orders=10, lines=2, bodies=1))
    run.processes.stop("outside")
    client = _signed_in()
    addresses = _addresses(route.orders)
    fill(FEW, FEW, run.folder / BODIES)
    few = {address: _queries(client, address) for address in _all(addresses)}
    fill(run.size(DELIVERIES, 20_000), run.size(EXCEPTIONS, 2000), run.folder / BODIES)
    many = {address: _queries(client, address) for address in _all(addresses)}
    grown = {address: (few[address], many[address]) for address in many if many[address] > few[address]}
    for address, (before, after) in grown.items():
        print(f"  {address}: {before} queries with few rows, {after} with many")
    port = run.processes.start_web()
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    with _line(port) as line:
        for address in _all(addresses):
            _get(line, address, cookie)
        rows = [_once(line, addresses, cookie) for _ in range(run.runs)]
    run.processes.stop("web")
    return [{**row, "queries": float(max(many.values())), "grown": float(len(grown))} for row in rows]


def _once(line: http.client.HTTPConnection, addresses: dict[str, list[str]], cookie: str) -> dict[str, float]:
    """The slowest address of each page decides."""
    row = {}
    for page, variants in addresses.items():
        slowest = {address: percentile([_get(line, address, cookie) for _ in range(REQUESTS)], 0.95) * 1000 for address in variants}
        worst = max(slowest, key=slowest.__getitem__)
        print(f"  {page}: slowest is {worst} at {slowest[worst]:.0f} ms")
        row[page] = slowest[worst]
    return row


def _addresses(flow: Flow) -> dict[str, list[str]]:
    lists = {page: [base + variant.format(flow=flow.pk) for variant in variants] for page, (base, variants) in LISTS.items()}
    return {"overview": list(OVERVIEW), **lists}


def _all(addresses: dict[str, list[str]]) -> Iterator[str]:
    for variants in addresses.values():
        yield from variants


def _signed_in() -> Client:
    call_command("sync_roles", verbosity=0)
    user = User.objects.create_user("bench-manager", is_staff=True)
    user.groups.add(Group.objects.get(name="manager"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session.set_expiry(timedelta(days=1))
    session["account_authentication_methods"] = [{"method": "password", "at": timezone.now().timestamp(), "username": user.username}]
    session.save()
    return client


def _queries(client: Client, address: str) -> int:
    client.get(address)  # content types and the like are remembered by the process
    with CaptureQueriesContext(database) as captured:
        answer = client.get(address)
    if answer.status_code != 200:
        raise WrongAnswer(f"{address} answered {answer.status_code}")
    return len(captured)


@contextmanager
def _line(port: int) -> Iterator[http.client.HTTPConnection]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield line
    finally:
        line.close()


def _get(line: http.client.HTTPConnection, address: str, cookie: str) -> float:
    began = time.perf_counter()
    line.request("GET", address, headers={"Cookie": cookie})
    answer = line.getresponse()
    answer.read()
    if answer.status != 200:
        raise WrongAnswer(f"{address} answered {answer.status}")
    return time.perf_counter() - began


FIGURE = Figure(
    "pages",
    "console at 1,000,000 deliveries and 100,000 exceptions",
    (
        Goal(name="overview", unit="ms, p95, overview", target=200),
        Goal(name="deliveries", unit="ms, p95, delivery list, slowest filter", target=200),
        Goal(name="exceptions", unit="ms, p95, exception list, slowest filter", target=200),
        Goal(name="queries", unit="queries of the page with most"),
        Goal(name="grown", unit="pages with more queries than at 1,000 rows", target=0),
    ),
    measure,
)
