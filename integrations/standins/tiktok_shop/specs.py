"""How the outside world is set up: the app, the sellers who may authorise it, and their shops. All keys are demo keys."""

from dataclasses import dataclass

from integrations.standins.tiktok_shop.regions import REGIONS, Region

DEMO_APP_KEY = "demo-tts-app-key"
DEMO_APP_SECRET = "demo-tts-app-secret"
DEMO_SERVICE_ID = "demo-tts-service-id"
DEMO_ACCESS_TOKEN = "TTP_demo-access-token"
DEMO_REFRESH_TOKEN = "TTR_demo-refresh-token"
# names as live token answers spell them
SCOPES = (
    "seller.authorization.info", "seller.shop.info", "seller.order.info", "seller.product.basic", "seller.return_refund.basic",
    "seller.fulfillment.basic", "seller.logistics", "data.shop_analytics.public.read",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AppSpec:
    """An app of the Partner Center; redirect and default webhook address are fixed there, not sent with requests."""

    app_key: str = DEMO_APP_KEY
    app_secret: str = DEMO_APP_SECRET
    service_id: str = DEMO_SERVICE_ID
    scopes: tuple[str, ...] = SCOPES
    redirect_uri: str = ""
    # where event types go that a shop has no address of its own for; empty = nowhere
    webhook_uri: str = ""


@dataclass(frozen=True, slots=True)
class ShopSpec:
    """One shop of a seller; ``cipher`` is what callers name it by, ``id`` what webhooks say."""

    id: str
    name: str
    region_code: str
    cipher: str
    code: str = ""
    seller_type: str = "LOCAL"

    @property
    def region(self) -> Region:
        """What its market is like; raises KeyError for a market the stand-in does not know."""
        return REGIONS[self.region_code]


@dataclass(frozen=True, slots=True)
class SellerSpec:
    """Who authorises: one token covers all shops. An empty ``access_token`` means that consent has yet to be given."""

    open_id: str
    name: str
    base_region: str
    shops: tuple[ShopSpec, ...]
    access_token: str = ""
    refresh_token: str = ""
    # anything but 0 is no seller
    user_type: int = 0


DEMO_SHOPS = (
    ShopSpec("7495540735365777507", "Demo UK", "GB", "GCP_demoGB/ij+kl==", "GBLCDEMO01"),
    ShopSpec("7495540735365777523", "Demo Deutschland", "DE", "GCP_demoDE/mn+op==", "DELCDEMO02"),
    ShopSpec("7495540735365777541", "Demo Japan", "JP", "GCP_demoJP/qr+st==", "JPLCDEMO03"),
    ShopSpec("7495540735365777559", "Demo US", "US", "GCP_demoUS/uv+wx==", "USLCDEMO04"),
)
OTHER_SHOPS = (ShopSpec("7495540735365777601", "Foreign UK", "GB", "GCP_foreignGB/yz+ab==", "GBLCDEMO05"),)
DEMO_SELLER = SellerSpec("7010736057180325637", "Example Seller", "GB", DEMO_SHOPS, DEMO_ACCESS_TOKEN, DEMO_REFRESH_TOKEN)
# a second seller, who has not authorised the app: his ciphers do not belong to the first one's token
OTHER_SELLER = SellerSpec("7010736057180325653", "Other Example Seller", "GB", OTHER_SHOPS)
DEMO_SELLERS = (DEMO_SELLER, OTHER_SELLER)
