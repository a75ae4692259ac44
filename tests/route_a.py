"""TikTok Shop → Ometria for tests that cross real HTTP: stand-ins, connections, flows, and what happens in a shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import requests

from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from integrations.standins.tiktok_shop import TikTokShopStandIn
from integrations.standins.tiktok_shop.specs import DEMO_APP_KEY, DEMO_APP_SECRET, DEMO_SELLER, DEMO_SERVICE_ID, DEMO_SHOPS
from integrations.standins.tiktok_shop.webhooks import Sending
from tests.quiet import pull_through, run_until_quiet

UK = DEMO_SHOPS[0]
ADA = {"first_name": "Ada", "last_name": "Byron", "phone": "+442079460018"}


@dataclass(slots=True)
class RouteA:
    """TikTok Shop → Ometria, wired to stand-ins; `run` works like the workers do, in this process."""

    tiktok: TikTokShopStandIn
    ometria: OmetriaStandIn
    server: StandInServer
    source: Any
    destination: Any
    hooks: str = ""
    http: requests.Session = field(default_factory=requests.Session)

    def act(self, do: str, shop: str = "GB", **arguments: Any) -> Any:
        return self.tiktok.act(do, shop, **arguments)

    def flow(self, record_type: str) -> Any:
        from integrations.models import Flow

        return Flow.objects.select_related("source", "destination").get(source=self.source, record_type=record_type)

    def goods(self, *skus: str, price: str = "20.00", shop: str = "GB", known: bool = True, **variant: Any) -> list[str]:
        """Products of one variant each, which the master catalogue knows unless told otherwise; returns the platform's ids of the SKUs."""
        rows = [{"seller_sku": sku, "price": price, **variant} for sku in skus]
        made = [self.act("create_product", shop, title=f"Thing {row['seller_sku']}", variants=[row]) for row in rows]
        if known:
            stock_catalogue(self.destination, skus)
        return [product.variants[0].id for product in made]

    def order(self, *skus: str, shop: str = "GB", status: str = "AWAITING_SHIPMENT", **values: Any) -> Any:
        """An order of one unit of each SKU, by Ada unless told otherwise."""
        values.setdefault("lines", [{"seller_sku": sku} for sku in skus])
        return self.act("place_order", shop, status=status, **{"buyer": ADA, **values})

    def subscribe(self, source: Any = None) -> list[str]:
        """Subscribe all webhooks to the product's own server."""
        from integrations.engine.watch import check_subscriptions

        return check_subscriptions(source or self.source)

    def hold_webhooks(self) -> None:
        """From now on webhooks are rendered and kept in the stand-in's log, not sent."""
        self.tiktok.shop("GB").hooks.switches.set(paused=True)

    def held(self) -> list[Sending]:
        """Webhooks that were kept, oldest first."""
        return [sending for sending in self.tiktok.shop("GB").hooks.log if sending.status == "held"]

    def post(self, headers: Mapping[str, str], body: bytes) -> int:
        """Bring one webhook to the door ourselves, in the order a test wants; returns the status."""
        return self.http.post(f"{self.hooks}/hooks/tiktok_shop/", data=body, headers=dict(headers), timeout=10).status_code

    def tell(self, *orders: Any) -> None:
        """One webhook about each order as it is now, which the door takes."""
        for headers, body in self.tiktok.signed_webhooks([order.id for order in orders]):
            assert self.post(headers, body) == 200

    def poll(self, reader: str = "orders", seconds: float = 30.0) -> None:
        """One run of a standing poll, as if its time had come."""
        from integrations.engine import pull
        from integrations.models import Checkpoint

        pull.ensure_polls(self.source)
        checkpoint = Checkpoint.objects.get(connection=self.source, reader=reader, purpose="poll")
        Checkpoint.objects.filter(pk=checkpoint.pk).update(due_at=checkpoint.created_at)
        pull_through(checkpoint.pk, seconds)

    def run(self, seconds: float = 20.0) -> None:
        """Process, deliver and confirm until nothing is due any more."""
        run_until_quiet(lambda: self.tiktok.wait_sent(10, retries=False), seconds)

    def state(self, what: str) -> Any:
        """What the Ometria stand-in holds: orders, contacts, products, events, profiles."""
        return self.ometria.look(f"/{what}")

    def stored(self, order: Any) -> Any:
        """The order as Ometria holds it, None while it does not."""
        return self.state("orders").get(f"tts-{order.id}")

    def told(self) -> str:
        """Everything that was ever stored at Ometria, as text."""
        return "\n".join(str(effect.payload) for effect in self.ometria.ledger.effects())

    def refreshes(self) -> int:
        """How often the stand-in renewed tokens."""
        return sum(effect.payload["cause"] == "refresh" for effect in self.tiktok.ledger.effects("token_issued"))


def stock_catalogue(destination: Any, skus: Sequence[str]) -> None:
    """Variants of a shop that sends its products to the same destination: the master catalogue of its SKU gate."""
    import orjson

    from integrations.models import Connection, Flow
    from mapping import codec
    from mapping.records import Variant
    from tests.factories import BEGAN
    from tests.rows import make_delivery

    shop, _ = Connection.objects.get_or_create(
        platform="shopify", external_id="catalogue.myshopify.com", defaults={"name": "Catalogue shop", "base_url": "http://127.0.0.1:9"}
    )
    flow, _ = Flow.objects.get_or_create(source=shop, destination=destination, record_type="variant", defaults={"enabled": False})
    for sku in skus:
        record = Variant(key=f"V-{sku}", occurred_at=BEGAN, product_key=f"P-{sku}", sku=sku, title=sku)
        make_delivery(flow, record.key, record=orjson.loads(codec.dumps(record)), state="delivered")


def lay_out_route_a(tiktok: str, ometria: str, hooks: str = "") -> tuple[Any, Any]:
    """Rows of route A for stand-ins at these addresses: the shop of the United Kingdom with the seller's tokens, and the account."""
    from django.utils import timezone

    from integrations.engine.accounts import set_credential
    from integrations.models import Connection

    source = Connection.objects.create(
        platform="tiktok_shop", name=UK.name, external_id=UK.id, base_url=tiktok,
        settings={
            "app_key": DEMO_APP_KEY, "service_id": DEMO_SERVICE_ID, "shop_cipher": UK.cipher, "region": "GB",
            "read_rate": 0, "write_rate": 0, "webhook_base_url": hooks,
        },
    )  # fmt: skip
    set_credential(source, "app_secret", DEMO_APP_SECRET)
    set_credential(source, "access_token", DEMO_SELLER.access_token, expires_at=timezone.now() + timedelta(days=7))
    set_credential(source, "refresh_token", DEMO_SELLER.refresh_token, expires_at=timezone.now() + timedelta(days=300))
    destination = Connection.objects.create(
        platform="ometria", name="Demo account", external_id="demo", base_url=ometria,
        settings={"push_rate": 0, "read_rate": 0, "reporting_currency": "GBP", "confirm_grace_seconds": 2},
    )  # fmt: skip
    set_credential(destination, "api_key", "demo-ometria-key")
    lay_out_flows(source, destination)
    return source, destination


def lay_out_flows(source: Any, destination: Any) -> None:
    """Every flow of the route between the two, with its default mapping."""
    from integrations.flows import specs_between
    from integrations.models import Flow
    from mapping.defaults import load_all_defaults

    specs = specs_between("tiktok_shop", "ometria")
    load_all_defaults([Flow.objects.create(source=source, destination=destination, record_type=spec.record_type) for spec in specs])


@pytest.fixture
def route_a(transactional_db: None, web: str) -> Iterator[RouteA]:
    """TikTok Shop → Ometria with webhooks arriving at the product's own server."""
    from integrations.engine import accounts

    accounts._clients.clear()
    tiktok = TikTokShopStandIn(read_rate=None, write_rate=None, retry_speed=2400.0)
    ometria = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([tiktok, ometria]) as server:
        source, destination = lay_out_route_a(server.url("tiktok_shop"), server.url("ometria"), web)
        route = RouteA(tiktok, ometria, server, source, destination, web)
        route.http.trust_env = False
        yield route
        route.http.close()
        tiktok.close()
        ometria.close()
    accounts._clients.clear()
