"""Route B in the benchmark's database: connections, flows and mappings as a shop would have them, and an empty start for each run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import requests
from django.db import connection as database
from django.utils import timezone

from benchmarks.figures import Run
from benchmarks.outside import ACCOUNT, BODIES, DOMAIN, KEY, SECRET, TOKEN
from benchmarks.processes import free_port
from integrations.engine import accounts, pull
from integrations.flows import specs_between
from integrations.models import Checkpoint, Connection, Delivery, Flow
from integrations.schedules import sync_schedules
from mapping.defaults import load_all_defaults

EMPTY = (
    "integrations_hold", "integrations_attempt", "integrations_delivery", "integrations_receipt", "integrations_exceptioncomment",
    "integrations_syncexception", "integrations_inboxevent", "integrations_checkpoint", "integrations_ratebudget",
    "mapping_contacthandle", "mapping_contact", "mapping_contactdirectory", "mapping_consentstatement",
    "django_q_ormq", "django_q_task", "django_q_schedule",
)  # fmt: skip
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LATER = timedelta(hours=1)


class TookTooLong(Exception):
    """What was waited for did not happen; the message says how far it came."""


@dataclass(slots=True)
class Route:
    """Both connections and the address of the outside world."""

    source: Connection
    destination: Connection
    outside: str

    @property
    def orders(self) -> Flow:
        """The flow of orders."""
        return Flow.objects.get(source=self.source, record_type="order")

    def look(self, platform: str, what: str) -> object:
        """What a stand-in says on its control address."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{self.outside}/{platform}/_control/{what}", timeout=60).json()

    def act(self, platform: str, what: str, body: object) -> dict[str, object]:
        """Let a stand-in do something by its control address."""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{self.outside}/{platform}/_control/{what}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def forget(self) -> None:
        """Empty the Ometria stand-in."""
        self.act("ometria", "reset", {})


def start_outside(run: Run, *, orders: int, lines: int, bodies: int) -> int:
    """Start the stand-ins in their own process; the webhooks are in the run's folder when it returns."""
    return start_world(run, "benchmarks.outside", str(orders), str(lines), str(run.folder), str(bodies))


def start_world(run: Run, module: str, *arguments: str) -> int:
    """Start one outside world by its module, with its port before the other arguments; its webhooks are written when it answers."""
    port, listed = free_port(), run.folder / BODIES
    listed.unlink(missing_ok=True)
    run.processes.start("outside", ["-m", module, str(port), *arguments])
    run.processes.wait("outside", lambda: listed.exists() and _answers(port))
    return port


def connect(port: int) -> Route:
    """Write connections, flows and default mappings, all with the product's own defaults but without quotas."""
    outside = f"http://127.0.0.1:{port}"
    forget_connections()
    source = Connection.objects.create(
        platform="shopify", name="Bench shop", external_id=DOMAIN, base_url=f"{outside}/shopify/{DOMAIN}", api_version="2026-10",
        settings={"credential_mode": "admin_token"},
    )  # fmt: skip
    accounts.set_credential(source, "access_token", TOKEN)
    accounts.set_credential(source, "client_secret", SECRET)
    return connect_account(source, outside)


def forget_connections() -> None:
    """No connection and no flow of an earlier figure."""
    Flow.objects.all().delete()
    Connection.objects.update(credentials_from=None)
    Connection.objects.all().delete()


def connect_account(source: Connection, outside: str) -> Route:
    """The marketing account, and every flow from this source to it."""
    destination = Connection.objects.create(
        platform="ometria", name="Bench account", external_id=ACCOUNT, base_url=f"{outside}/ometria",
        settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP"},
    )  # fmt: skip
    accounts.set_credential(destination, "api_key", KEY)
    specs = specs_between(source.platform, "ometria")
    load_all_defaults([Flow.objects.create(source=source, destination=destination, record_type=spec.record_type) for spec in specs])
    return Route(source, destination, outside)


def empty(route: Route) -> None:
    """Nothing received, nothing sent, nothing queued; the standing polls of the source have just run, as in any hour but the first."""
    empty_tables()
    route.forget()
    pull.ensure_polls(route.source)
    now = timezone.now()
    Checkpoint.objects.filter(connection=route.source).update(window_from=now, due_at=now + LATER)


def empty_tables() -> None:
    """The same for our own side alone."""
    with database.cursor() as cursor:
        present = set(database.introspection.table_names(cursor))
        cursor.execute(f"TRUNCATE {', '.join(name for name in EMPTY if name in present)} RESTART IDENTITY CASCADE")  # noqa: S608 - our own names
    Connection.objects.update(woken_at=None, pump_until=None, faults=0, resume_at=None)
    Flow.objects.update(woken_at=None, pump_until=None)
    sync_schedules()


def bring_catalogue(route: Route, seconds: float = 120.0) -> None:
    """Backfill the products, so that the SKU gate knows what orders speak of; needs a running worker."""
    pull.start_backfill(route.source, ["products"], since=LONG_AGO)
    until(lambda: not _unfinished() and Delivery.objects.exists(), seconds, "bringing the catalogue")


def until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Look twenty times a second, later after each hundredth of the time so far, because counting costs; raises TookTooLong."""
    began = time.monotonic()
    while not done():
        waited = time.monotonic() - began
        if waited > seconds:
            raise TookTooLong(f"{what} took longer than {seconds:.0f} s: {states()}")
        time.sleep(min(max(0.05, waited / 100), 1.0))


def states() -> dict[str, int]:
    """Deliveries by state."""
    with database.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM integrations_delivery GROUP BY state")
        return dict(cursor.fetchall())


def _unfinished() -> bool:
    pulling = Checkpoint.objects.filter(purpose=Checkpoint.Purpose.BACKFILL).exclude(state=Checkpoint.State.DONE)
    return pulling.exists() or Delivery.objects.exclude(state=Delivery.State.DELIVERED).exists()


def _answers(port: int) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{port}/ometria/_control/counts", timeout=5).status_code == 200
    except requests.RequestException:
        return False
