"""The stage: the stand-ins behind one loopback server, with the names and keys that only the demo uses."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from integrations.management.demo.living import LivingShop
from integrations.standins.commercetools import CommercetoolsStandIn
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.ometria.lists import Segment, SegmentRule
from integrations.standins.server import StandInServer
from integrations.standins.shopify.shops import Shop, ShopSpec
from integrations.standins.tiktok_shop import SellerSpec, TikTokShopStandIn
from integrations.standins.tiktok_shop.shops import Shop as TikTokShop
from integrations.standins.tiktok_shop.specs import DEMO_SELLER, DEMO_SHOPS

SHOP_DOMAIN = "demo-shop.myshopify.com"
SHOP_CLIENT_ID = "demo-client-id"
SHOP_SECRET = "demo-shopify-secret"  # noqa: S105 - a demo value
ACCOUNT_NAME = "demo-account"
ACCOUNT_KEY = "demo-ometria-key"
AUTOMATION_KEY = "demo-automation-key"
CURRENCY = "GBP"
RATE = 8.0  # calls a second that the demo's Ometria account may make
POINTS, POINTS_A_SECOND = 20_000, 1_000.0  # the shop is on Shopify's largest plan
HOLD_SECONDS = 20.0  # how long a TikTok buyer may regret, an hour at the platform
TIKTOK_RATE = 10.0  # reads, and writes, a second for one app and shop
BRITISH, GERMAN = DEMO_SHOPS[:2]
SELLER = SellerSpec(DEMO_SELLER.open_id, DEMO_SELLER.name, BRITISH.region_code, (BRITISH, GERMAN))  # has not authorised anybody yet
SITE_KEY, SITE_PAGE = "site_demo_0123456789abcdef", "https://www.example.com"
MINUTE = 60.0
# what people at Ometria have put together: id, title, and whom its own rule lets in
SEGMENTS = (
    ("2101", "Bought within 60 days", SegmentRule(days=60, every=MINUTE)),
    ("2102", "Bought within 7 days", SegmentRule(days=7, every=MINUTE)),
    ("2103", "TikTok Shop buyers, 90 days", SegmentRule(days=90, channel="tiktok_shop", every=MINUTE)),
    ("2104", "Buyers who may be mailed, 60 days", SegmentRule(days=60, optin=True, every=MINUTE)),
    ("2105", "Everybody who ever bought", SegmentRule(days=3650, every=MINUTE)),
)
RETRY_SPEED = 3_000.0  # presses sixteen hours of TikTok's retries into twenty seconds


class Stage:
    """The outside world of the demo; a context manager that leaves no thread behind."""

    def __init__(self, *, port: int = 0, seed: int = 1) -> None:
        self.seed = seed
        spec = ShopSpec(domain=SHOP_DOMAIN, client_id=SHOP_CLIENT_ID, client_secret=SHOP_SECRET, currency=CURRENCY, name="Demo shop")
        self.shopify = LivingShop([spec], seed=seed, bucket=POINTS, restore_rate=POINTS_A_SECOND, retry_seconds=20.0)
        self.ometria = OmetriaStandIn({ACCOUNT_NAME: ACCOUNT_KEY}, push_rate=RATE, read_rate=RATE, delay=0.5)
        for key, title, rule in SEGMENTS:
            account = self.ometria.accounts[ACCOUNT_NAME]
            account.segments[key] = Segment(key, title, account.clock.now(), account.clock.now(), rule=rule)
        self.tiktok_shop = TikTokShopStandIn(
            [SELLER], hold_seconds=HOLD_SECONDS, retry_speed=RETRY_SPEED, read_rate=TIKTOK_RATE, write_rate=TIKTOK_RATE
        )
        self.commercetools = CommercetoolsStandIn(retry_speed=RETRY_SPEED)
        self.server = StandInServer([self.shopify, self.ometria, self.tiktok_shop, self.commercetools], port=port)

    @property
    def shop(self) -> Shop:
        """The demo shop."""
        return self.shopify.shop(SHOP_DOMAIN)

    @property
    def british(self) -> TikTokShop:
        """The seller's TikTok Shop in the United Kingdom."""
        return self.tiktok_shop.shop(BRITISH.id)

    @property
    def german(self) -> TikTokShop:
        """The seller's TikTok Shop in Germany."""
        return self.tiktok_shop.shop(GERMAN.id)

    @property
    def shop_url(self) -> str:
        """Where the demo shop's API is."""
        return f"{self.server.url('shopify')}/{SHOP_DOMAIN}"

    @property
    def account_url(self) -> str:
        """Where the demo account's API is."""
        return self.server.url("ometria")

    @property
    def tiktok_url(self) -> str:
        """Where the API, the token service and the consent page of all TikTok shops are."""
        return self.server.url("tiktok_shop")

    @property
    def commercetools_url(self) -> str:
        """Where the commercetools projects are: their API below /api, their token service below /auth."""
        return self.server.url("commercetools")

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.stop()
