"""The console at volume: every page of it, every list under each of its filters, signed in as an administrator at the live server."""

from __future__ import annotations

import gzip
import http.client
import re
import secrets
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.addresses import POST, all_addresses
from benchmarks.figures import Figure, Goal, Run, percentile
from benchmarks.outside import BODIES
from benchmarks.route import connect, start_outside
from benchmarks.volume import fill

DELIVERIES, EXCEPTIONS, FEW = 1_000_000, 110_000, 1000  # of the exceptions some 100,000 are open
GLANCES = 3  # requests of each address, to find the slowest
SLOWEST, REQUESTS = 4, 20  # of so many addresses of each group, so many requests
FORM, TOKEN = "application/x-www-form-urlencoded", "b" * 32
ASSET = re.compile(rb'(?:href|src)="(/static/[^"]+\.(?:css|js))"')


class WrongAnswer(Exception):
    """A page did not answer 200."""


def measure(run: Run) -> list[dict[str, float]]:
    """Count the queries with few rows, fill up, count again, then ask the live server."""
    connect(start_outside(run, orders=10, lines=2, bodies=1))
    run.processes.stop("outside")
    client, user = _signed_in()
    fill(FEW, FEW, run.folder / BODIES, me=user.pk)
    few = _queries(client, all_addresses(user))
    fill(run.size(DELIVERIES, 20_000), run.size(EXCEPTIONS, 2000), run.folder / BODIES, me=user.pk)
    groups = all_addresses(user)
    many = _queries(client, groups)
    grown = {address: (few[address], number) for address, number in many.items() if number > few.get(address, number)}
    for address, (before, after) in grown.items():
        print(f"  {address}: {before} queries with few rows, {after} with many")
    port = run.processes.start_web()
    with _visit(port, f"sessionid={client.cookies['sessionid'].value}") as visit:
        rows = [_once(visit, groups) for _ in range(run.runs)]
        weights = _weights(visit, groups)
    run.processes.stop("web")
    return [{**row, **weights, "queries": float(max(many.values())), "grown": float(len(grown))} for row in rows]


@dataclass(slots=True)
class Visit:
    """A signed-in browser's connection to the server."""

    line: http.client.HTTPConnection
    cookie: str

    def get(self, address: str) -> tuple[float, bytes]:
        """Seconds until the whole answer was here, and the answer; raises WrongAnswer for any other than 200."""
        method, place, form = _taken_apart(address)
        headers = {"Cookie": f"{self.cookie}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN, "Content-Type": FORM}
        began = time.perf_counter()
        self.line.request(method, place, form, headers)
        answer = self.line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise WrongAnswer(f"{address} answered {answer.status}")
        return time.perf_counter() - began, body


def _once(visit: Visit, groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """The slowest address of each group decides."""
    row = {}
    for group, addresses in groups.items():
        glances = {address: statistics.median(visit.get(address)[0] for _ in range(GLANCES)) for address in addresses}
        worst = sorted(glances, key=glances.__getitem__, reverse=True)[:SLOWEST]
        slowest = {address: percentile([visit.get(address)[0] for _ in range(REQUESTS)], 0.95) * 1000 for address in worst}
        for address in sorted(slowest, key=slowest.__getitem__, reverse=True):
            print(f"  {group}: {slowest[address]:.0f} ms {address}")
        row[group] = max(slowest.values())
    return row


def _weights(visit: Visit, groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """KB of the largest page's HTML, and of the heaviest first visit: that HTML with its style sheets and scripts, all compressed."""
    sizes: dict[str, int] = {}
    html, first = {}, {}
    for address in {address for addresses in groups.values() for address in addresses}:
        body = visit.get(address)[1]
        assets = {asset.decode() for asset in ASSET.findall(body)}
        for asset in assets - sizes.keys():
            sizes[asset] = len(gzip.compress(visit.get(asset)[1]))
        html[address], first[address] = len(body), len(gzip.compress(body)) + sum(sizes[asset] for asset in assets)
    for name, found in (("HTML", html), ("first visit", first)):
        address = max(found, key=found.__getitem__)
        print(f"  heaviest {name}: {found[address] / 1000:.0f} KB {address}")
    return {"html": max(html.values()) / 1000, "first": max(first.values()) / 1000}


def _taken_apart(address: str) -> tuple[str, str, str | None]:
    """Method, address and form of what is asked."""
    if not address.startswith(POST):
        return "GET", address, None
    place, _, form = address.removeprefix(POST).partition("?")
    return "POST", place, form


def _signed_in() -> tuple[Client, User]:
    call_command("sync_roles", verbosity=0)
    user = User.objects.create_user("bench-administrator", password=secrets.token_urlsafe(), is_staff=True)
    user.groups.add(Group.objects.get(name="administrator"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session.set_expiry(timedelta(days=1))
    session["account_authentication_methods"] = [{"method": "password", "at": timezone.now().timestamp(), "username": user.username}]
    session.save()
    return client, user


def _queries(client: Client, groups: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Queries of each address; the second look counts, because content types and the like are remembered by the process."""
    found = {}
    for address in (address for addresses in groups.values() for address in addresses):
        method, place, form = _taken_apart(address)
        client.generic(method, place, form or "", FORM)
        with CaptureQueriesContext(database) as captured:
            answer = client.generic(method, place, form or "", FORM)
        if answer.status_code != 200:
            raise WrongAnswer(f"{address} answered {answer.status_code}")
        found[address] = len(captured)
    return found


@contextmanager
def _visit(port: int, cookie: str) -> Iterator[Visit]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield Visit(line, cookie)
    finally:
        line.close()


FIGURE = Figure(
    "pages",
    "console at 1,000,000 deliveries, 5,000,000 attempts and 100,000 open exceptions",
    (
        Goal(name="overview", unit="ms, p95, overview", target=200),
        Goal(name="deliveries", unit="ms, p95, delivery list, slowest filter", target=200),
        Goal(name="exceptions", unit="ms, p95, exception list, slowest filter", target=200),
        Goal(name="unmapped", unit="ms, p95, unmapped products, slowest filter or order", target=200),
        Goal(name="contacts", unit="ms, p95, failed contact syncs, slowest filter", target=200),
        Goal(name="inbox", unit="ms, p95, inbox, slowest filter", target=200),
        Goal(name="checks", unit="ms, p95, segments, comparisons, drifts and duplicates, lists and pages", target=200),
        Goal(name="lists", unit="ms, p95, all other lists, slowest filter", target=200),
        Goal(name="find", unit="ms, p95, search: hits, the box, stories", target=200),
        Goal(name="routes", unit="ms, p95, pages of routes, what was tried", target=200),
        Goal(name="pages", unit="ms, p95, all other pages", target=200),
        Goal(name="queries", unit="queries of the page with most"),
        Goal(name="grown", unit="pages with more queries than at 1,000 rows", target=0),
        Goal(name="html", unit="KB of HTML, heaviest page, uncompressed", target=400),
        Goal(name="first", unit="KB of a first visit: HTML, style sheets and scripts, compressed", target=400),
    ),
    measure,
)
