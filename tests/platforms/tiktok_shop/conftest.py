"""A running TikTok Shop stand-in, and clients of its shops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.platforms.base import Account, RawObject, Window
from integrations.platforms.tiktok_shop import PLATFORM
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.standins.server import StandInServer
from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.specs import DEMO_ACCESS_TOKEN, DEMO_APP_KEY, DEMO_APP_SECRET, DEMO_REFRESH_TOKEN, DEMO_SHOPS

LONG_AGO = 1_600_000_000
SHOPS = {shop.region_code: shop for shop in DEMO_SHOPS}


class RecordingPacer:
    """Notes what the room asks of the shared rate budget."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.rates: list[tuple[str, float | None]] = []
        self.pauses: list[tuple[str, float]] = []

    def take(self, group: str, cost: float = 1) -> None:
        self.taken.append(group)

    def report(self, group: str, *, rate: float | None = None, burst: float | None = None, available: float | None = None) -> None:
        self.rates.append((group, rate))

    def pause(self, group: str, seconds: float) -> None:
        self.pauses.append((group, seconds))


@pytest.fixture
def pacer() -> RecordingPacer:
    return RecordingPacer()


@pytest.fixture
def stand_in() -> Iterator[TikTokShopStandIn]:
    made = TikTokShopStandIn(read_rate=None, write_rate=None)
    yield made
    made.close()


@pytest.fixture
def address(stand_in: TikTokShopStandIn) -> Iterator[str]:
    with StandInServer([stand_in]) as server:
        yield server.url("tiktok_shop")


@pytest.fixture
def make_account() -> Callable[..., Account]:
    """The account of the shop of a region; keyword arguments are settings."""

    def make(base_url: str = "", region: str = "GB", *, secrets: dict[str, str] | None = None, **settings: Any) -> Account:
        shop = SHOPS[region]
        held = {"app_secret": DEMO_APP_SECRET, "access_token": DEMO_ACCESS_TOKEN, "refresh_token": DEMO_REFRESH_TOKEN, **(secrets or {})}
        own = {"app_key": DEMO_APP_KEY, "service_id": "demo-tts-service-id", "shop_cipher": shop.cipher, "region": region, **settings}
        return Account(connection_id=7, platform="tiktok_shop", external_id=shop.id, base_url=base_url, secrets=held, settings=own)

    return make


@pytest.fixture
def connect(make_account: Callable[..., Account], address: str, pacer: RecordingPacer) -> Callable[..., TikTokShopClient]:
    return lambda region="GB", **settings: TikTokShopClient(make_account(address, region, **settings), pacer)


@pytest.fixture
def client(connect: Callable[..., TikTokShopClient]) -> TikTokShopClient:
    return connect()


@pytest.fixture
def goods(stand_in: TikTokShopStandIn) -> None:
    """A tee, soap, a dish, and a set of two soaps and a dish, in every shop."""
    for region in ("GB", "DE", "JP", "US"):
        factor = 1 if stand_in.shop(region).region.exponent else 100

        def make(title: str, sku: str, price: int, region: str = region, factor: int = factor, **more: Any) -> None:
            variant = {"seller_sku": sku, "price": str(price * factor), "options": [("Size", "M")], **more}
            stand_in.act("create_product", region, title=title, variants=[variant], at=LONG_AGO)

        make("Tee", "TEE-M", 20, gtin="2000000000015")
        make("Soap", "SOAP", 6)
        make("Dish", "DISH", 10)
        make("Gift set", "SET", 19, components=[{"seller_sku": "SOAP", "count": 2}, {"seller_sku": "DISH", "count": 1}])


@pytest.fixture
def place(stand_in: TikTokShopStandIn, goods: None) -> Callable[..., Any]:
    """Place an order of two tees, ready to ship, unless told otherwise."""

    def make(region: str = "GB", *, units: int = 2, **fields: Any) -> Any:
        wish = {"lines": [{"seller_sku": "TEE-M", "quantity": units}], "status": "AWAITING_SHIPMENT", **fields}
        return stand_in.act("place_order", region, **wish)

    return make


def last_days(days: float = 60) -> Window:
    now = datetime.now(UTC)
    return Window(since=now - timedelta(days=days), until=now + timedelta(minutes=1))


def pull_all(client: TikTokShopClient, reader: str, window: Window, *, backfill: bool = False) -> list[RawObject]:
    chosen = PLATFORM.readers[reader]
    pull = chosen.backfill if backfill else chosen.pull
    objects, cursor = [], None
    for _ in range(500):
        page = pull(client, window, cursor)
        objects += page.objects
        if page.cursor is None:
            return objects
        cursor = page.cursor
    raise AssertionError("the pull does not end")
