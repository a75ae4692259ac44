"""Accounts and pacers for the Shopify room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.platforms.base import Account
from integrations.platforms.shopify.client import ShopifyClient
from integrations.standins.server import StandInServer
from integrations.standins.shopify import ShopifyStandIn, ShopSpec
from tests.platforms.shopify.scripted import Script

SHOP = "demo-shop.myshopify.com"


class RecordingPacer:
    """Notes what the room asks of the shared rate budget."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float]] = []
        self.reports: list[tuple[str, float | None, float | None, float | None]] = []
        self.pauses: list[tuple[str, float]] = []

    def take(self, group: str, cost: float = 1) -> None:
        self.taken.append((group, cost))

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        self.reports.append((group, rate, burst, available))

    def pause(self, group: str, seconds: float) -> None:
        self.pauses.append((group, seconds))


@pytest.fixture
def pacer() -> RecordingPacer:
    return RecordingPacer()


@pytest.fixture
def make_account() -> Callable[..., Account]:
    def make(base_url: str = "http://127.0.0.1:9", *, secrets: dict[str, str] | None = None, **settings: Any) -> Account:
        return Account(
            connection_id=7,
            platform="shopify",
            external_id=SHOP,
            base_url=base_url,
            api_version=settings.pop("api_version", "2026-10"),
            secrets={"access_token": "shpat_demo", "client_secret": "hush", **(secrets or {})},
            settings=settings,
        )

    return make


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    return make_account()


@pytest.fixture
def stand_in() -> Iterator[ShopifyStandIn]:
    stand_in = ShopifyStandIn([ShopSpec(SHOP, rates={"EUR": Decimal("1.15")})], bulk_seconds=0.02)
    yield stand_in
    stand_in.close()


@pytest.fixture
def address(stand_in: ShopifyStandIn) -> Iterator[str]:
    """Base address of the demo shop on a running stand-in."""
    with StandInServer([stand_in]) as server:
        yield f"{server.url('shopify')}/{SHOP}"


@pytest.fixture
def connect(make_account: Callable[..., Account], address: str, pacer: RecordingPacer) -> Callable[..., ShopifyClient]:
    def make(**settings: Any) -> ShopifyClient:
        return ShopifyClient(make_account(address, **settings), pacer)

    return make


@pytest.fixture
def client(connect: Callable[..., ShopifyClient]) -> ShopifyClient:
    return connect()


@pytest.fixture
def earlier(stand_in: ShopifyStandIn) -> Callable[..., AbstractContextManager[None]]:
    """What happens inside happened some minutes ago, long enough for the search index to know."""
    return lambda minutes=10: stand_in.shop().past(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes))


@pytest.fixture
def goods(stand_in: ShopifyStandIn, earlier: Any) -> Any:
    """A product with two variants."""
    with earlier():
        return stand_in.act(
            "create_product",
            handle="shoe",
            title="Shoe",
            html="<p>Fine</p>",
            vendor="Acme",
            images=["https://cdn.example.com/a.jpg"],
            variants=[
                {"sku": "SHOE-41", "price": "20.00", "compare_at": "25.00", "inventory": 50, "options": [("Size", "41")]},
                {"sku": "SHOE-42", "price": "30.00", "inventory": 50, "options": [("Size", "42")]},
            ],
        )


@pytest.fixture
def person(stand_in: ShopifyStandIn, earlier: Any) -> Any:
    with earlier():
        return stand_in.act(
            "create_customer",
            email="zoe@example.com",
            phone="+447700900123",
            first_name="Zoë",
            last_name="Biller",
            accepts_email=True,
            tags=["vip"],
            address={"address1": "1 High St", "city": "Leeds", "zip": "LS1 1AA", "country_code": "GB", "country": "United Kingdom"},
            metafields=[{"namespace": "custom", "key": "birthday", "type": "date", "value": "1990-05-01"}],
        )


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    yield script
    script.close()


@pytest.fixture
def scripted(make_account: Callable[..., Account], script: Script, pacer: RecordingPacer) -> ShopifyClient:
    """A client of the scripted server."""
    return ShopifyClient(make_account(script.url), pacer)
