"""Stand-ins, connections and flows for tests that cross the database or real HTTP."""

from __future__ import annotations

import gc
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from weakref import WeakSet

import pytest
import requests
from django.test import override_settings

from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from integrations.standins.shopify import ShopifyStandIn, ShopSpec
from tests.flush import prompt_flush
from tests.quiet import run_until_quiet
from tests.route_a import route_a
from tests.template import template_database

__all__ = ["prompt_flush", "route_a"]  # fixtures

DOMAIN = "demo-shop.myshopify.com"
SPEC = ShopSpec(domain=DOMAIN)


@dataclass(slots=True)
class RouteB:
    """Shopify → Ometria, wired to stand-ins over real HTTP; `run` works like the workers do, in this process."""

    shopify: ShopifyStandIn
    ometria: OmetriaStandIn
    server: StandInServer
    source: Any
    destination: Any
    hooks: str = ""
    http: requests.Session = field(default_factory=requests.Session)

    def flow(self, record_type: str) -> Any:
        from integrations.models import Flow

        flows = Flow.objects.select_related("source", "destination")
        return flows.get(source=self.source, destination=self.destination, record_type=record_type)

    def act(self, do: str, **arguments: Any) -> Any:
        return self.shopify.act(do, DOMAIN, **arguments)

    def post(self, headers: Any, body: bytes) -> int:
        """Bring one webhook to the door ourselves, in the order a test wants; returns the status."""
        self.http.trust_env = False
        return self.http.post(f"{self.hooks}/hooks/shopify/", data=body, headers=dict(headers), timeout=10).status_code

    def hold_webhooks(self) -> None:
        """From now on webhooks are rendered and kept in the stand-in's log, not sent."""
        self.shopify.shop(DOMAIN).hooks.switches.set(paused=True)

    def held(self, key: int, prefix: str = "orders/") -> list[Any]:
        """The webhooks about one object that were kept, oldest first."""
        return [sending for sending in self.shopify.shop(DOMAIN).hooks.log if sending.key == key and sending.topic.startswith(prefix)]

    def product(self, sku: str = "SHOE-42", price: str = "20.00", **values: Any) -> int:
        """The id of the one variant of a new product."""
        variant = {"sku": sku, "price": price, "options": [("Size", "42")], "inventory": 100_000}
        made = self.act("create_product", title=f"Shoe {sku}", handle=f"shoe-{sku.lower()}", variants=[variant], **values)
        return made.variant_ids[0]

    def pump(self, seconds: float = 5.0) -> None:
        """Process and deliver what is due now, without waiting for receipts or retries."""
        from integrations.engine import pumps

        pumps.pump_connection(self.source.pk, seconds)

    def run(self, seconds: float = 20.0) -> None:
        """Process, deliver and confirm until nothing is due any more; settling times and retries are waited for when short."""
        run_until_quiet(lambda: self.shopify.wait_sent(10), seconds)

    def subscribe(self) -> list[str]:
        """Subscribe all webhooks to the live server."""
        from integrations.engine.watch import check_subscriptions

        return check_subscriptions(self.source)

    def state(self, what: str) -> Any:
        """What the Ometria stand-in holds: orders, contacts, products, events, profiles."""
        return self.ometria.look(f"/{what}")


def pytest_configure(config: pytest.Config) -> None:
    """While the test processes look for their tests, the process that started them has the database made that they will copy."""
    from django.conf import settings

    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        Thread(target=template_database, args=[settings.DATABASE_URL]).start()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """A database of its own for every run, so that two runs on one machine do not meet; it need not outlive a power cut."""
    from django.conf import settings
    from django.db import connection

    template = template_database(settings.DATABASE_URL)
    connection.settings_dict["TEST"] |= {"NAME": f"test_switchyard_{os.getpid()}", "TEMPLATE": template, "MIGRATE": False}
    connection.settings_dict["OPTIONS"] = {**connection.settings_dict.get("OPTIONS", {}), "options": "-c synchronous_commit=off"}


@pytest.fixture(scope="session", autouse=True)
def prompt_live_server() -> None:
    """Headers and body of an answer are two writes; without this each answer waits 40 ms for the caller's acknowledgement."""
    from django.core.servers.basehttp import WSGIRequestHandler

    WSGIRequestHandler.disable_nagle_algorithm = True


def pytest_collection_finish() -> None:
    """What is loaded stays until the end of the run, so no collection needs to walk through it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def light_settings() -> Iterator[None]:
    """What costs more than the tests around it: slow hashes of passwords, looking for all static files at once, and fetching them again."""
    plain = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[plain], WHITENOISE_AUTOREFRESH=True, WHITENOISE_MAX_AGE=3600):
        yield


@pytest.fixture(autouse=True)
def rules_are_read_again() -> None:
    """Rules that an earlier test wrote count for no record of this one: a process trusts its copy of them for seconds."""
    from integrations.engine import masks, ownership

    masks.forget()
    ownership.forget()


@pytest.fixture(autouse=True)
def prompt_confirmations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A push is looked for after a tenth of the usual second; the stand-ins of tests store it at once."""
    from integrations.engine import batches
    from integrations.platforms.ometria import shown

    monkeypatch.setattr(batches, "FIRST_CHECK", batches.FIRST_CHECK / 10)
    monkeypatch.setattr(shown, "FRESH", shown.FRESH / 10)


@pytest.fixture(autouse=True)
def exports_have_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that an earlier test began and did not read to its end keeps nobody waiting."""
    from integrations.admin import turns

    monkeypatch.setattr(turns, "_under_way", WeakSet())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Ends what threads of the live server left connected, and lets nobody come back, so that the database can be dropped."""
    from django.db import connection

    yield
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {connection.ops.quote_name(name)} ALLOW_CONNECTIONS false")
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


@pytest.fixture
def stand_ins(request: pytest.FixtureRequest) -> Iterator[tuple[ShopifyStandIn, OmetriaStandIn, StandInServer]]:
    """Both platforms without quotas, on a free port; an indirect parameter is another shop's set-up."""
    shopify = ShopifyStandIn([getattr(request, "param", SPEC)], bucket=None, retry_seconds=0.05, bulk_seconds=0.05)
    ometria = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([shopify, ometria]) as server:
        yield shopify, ometria, server
        shopify.close()
        ometria.close()


def connect_route_b(stand_ins: tuple[ShopifyStandIn, OmetriaStandIn, StandInServer], hooks: str = "") -> RouteB:
    """Connections, flows and default mappings in the test's database."""
    shopify, ometria, server = stand_ins
    source, destination = lay_out_route_b(server.url("shopify"), server.url("ometria"), hooks)
    return RouteB(shopify, ometria, server, source, destination, hooks)


def lay_out_route_b(shopify: str, ometria: str, hooks: str = "") -> tuple[Any, Any]:
    """Rows of route B for stand-ins at these addresses; returns the source's and the destination's connection."""
    from integrations.engine.accounts import set_credential
    from integrations.flows import specs_between
    from integrations.models import Connection, Flow
    from mapping.defaults import load_all_defaults

    source = Connection.objects.create(
        platform="shopify", name="Demo shop", external_id=DOMAIN, base_url=f"{shopify}/{DOMAIN}", api_version="2026-10",
        settings={"credential_mode": "admin_token", "webhook_base_url": hooks, "enrichment_seconds": 0},
    )  # fmt: skip
    set_credential(source, "access_token", SPEC.access_token)
    set_credential(source, "client_secret", SPEC.client_secret)
    destination = Connection.objects.create(
        platform="ometria", name="Demo account", external_id="demo", base_url=ometria,
        settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP", "confirm_grace_seconds": 2},
    )  # fmt: skip
    set_credential(destination, "api_key", "demo-ometria-key")
    made = {"source": source, "destination": destination, "settings": {"settle_seconds": 0}}
    load_all_defaults([Flow.objects.create(record_type=spec.record_type, **made) for spec in specs_between("shopify", "ometria")])
    return source, destination


@pytest.fixture(scope="session")
def web(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the product's own server, as in production, on the test's database."""
    from tests.journeys.workers import Processes, database_url

    with django_db_blocker.unblock():
        url = database_url()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("web") / "web.log"
    with Processes(url, log) as processes:
        server = processes.start(
            "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--no-ws", "--log-level", "warning",
            "config.asgi:application", DATABASE_POOL_SIZE="4", HOOK_ACCOUNT_SECONDS="0",
        )  # fmt: skip
        end = time.monotonic() + 60
        while not _listens(port):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def route_b(transactional_db: None, stand_ins: Any, web: str) -> Iterator[RouteB]:
    """Shopify → Ometria with webhooks arriving at the product's own server."""
    from integrations.engine import accounts

    accounts._clients.clear()
    route = connect_route_b(stand_ins, web)
    yield route
    route.http.close()
    accounts._clients.clear()
