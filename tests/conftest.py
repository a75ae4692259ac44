"""Stand-ins, connections and flows for tests that cross the database or real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from integrations.standins.shopify import ShopifyStandIn, ShopSpec

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

    def flow(self, record_type: str) -> Any:
        from integrations.models import Flow

        return Flow.objects.select_related("source", "destination").get(source=self.source, destination=self.destination, record_type=record_type)

    def act(self, do: str, **arguments: Any) -> Any:
        return self.shopify.act(do, DOMAIN, **arguments)

    def run(self, seconds: float = 20.0) -> None:
        """Process, deliver and confirm until nothing is due any more; settling times and retries are waited for when short."""
        from integrations.engine import pumps
        from integrations.models import Delivery, Flow, InboxEvent, Receipt

        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.shopify.wait_sent(10)
            pumps.pump_connection(self.source.pk, 20)
            for flow in Flow.objects.filter(enabled=True):
                pumps.pump_flow(flow.pk, 20)
            busy = (
                InboxEvent.objects.filter(state="new").exists()
                or Delivery.objects.filter(state__in=["ready", "sending", "accepted"]).exists()
                or Receipt.objects.filter(state="open").exists()
            )
            if not busy:
                return
            time.sleep(0.05)
        left = list(Delivery.objects.exclude(state__in=["delivered", "skipped", "blocked"]).values_list("flow__record_type", "state", "last_message"))
        raise AssertionError(f"not quiet after {seconds} s: {left[:10]} {InboxEvent.objects.filter(state='new').values_list('topic', 'error')[:5]}")

    def subscribe(self) -> list[str]:
        """Subscribe all webhooks to the live server."""
        from integrations.engine.watch import check_subscriptions

        return check_subscriptions(self.source)

    def state(self, what: str) -> Any:
        """What the Ometria stand-in holds: orders, contacts, products, events, profiles."""
        return self.ometria.look(f"/{what}")


@pytest.fixture
def stand_ins() -> Iterator[tuple[ShopifyStandIn, OmetriaStandIn, StandInServer]]:
    """Both platforms without quotas, on a free port."""
    shopify = ShopifyStandIn([SPEC], bucket=None, retry_seconds=0.05, bulk_seconds=0.05)
    ometria = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([shopify, ometria]) as server:
        yield shopify, ometria, server
        shopify.close()
        ometria.close()


def connect_route_b(stand_ins: tuple[ShopifyStandIn, OmetriaStandIn, StandInServer], hooks: str = "") -> RouteB:
    """Connections, flows and default mappings in the test's database."""
    from integrations.engine.accounts import set_credential
    from integrations.flows import specs_between
    from integrations.models import Connection, Flow
    from mapping.defaults import load_defaults

    shopify, ometria, server = stand_ins
    source = Connection.objects.create(
        platform="shopify", name="Demo shop", external_id=DOMAIN, base_url=f"{server.url('shopify')}/{DOMAIN}", api_version="2026-10",
        settings={"credential_mode": "admin_token", "webhook_base_url": hooks},
    )  # fmt: skip
    set_credential(source, "access_token", SPEC.access_token)
    set_credential(source, "client_secret", SPEC.client_secret)
    destination = Connection.objects.create(
        platform="ometria", name="Demo account", external_id="demo", base_url=server.url("ometria"),
        settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP", "confirm_grace_seconds": 2},
    )  # fmt: skip
    set_credential(destination, "api_key", "demo-ometria-key")
    for spec in specs_between("shopify", "ometria"):
        flow = Flow.objects.create(source=source, destination=destination, record_type=spec.record_type, settings={"settle_seconds": 0})
        load_defaults(flow)
    return RouteB(shopify, ometria, server, source, destination, hooks)


@pytest.fixture
def route_b(transactional_db: None, stand_ins: Any, live_server: Any) -> Iterator[RouteB]:
    """Shopify → Ometria with webhooks arriving at a live server."""
    from integrations import views
    from integrations.engine import accounts

    views._accounts.clear()
    accounts._clients.clear()
    route = connect_route_b(stand_ins, live_server.url)
    yield route
    accounts._clients.clear()
    views._accounts.clear()
