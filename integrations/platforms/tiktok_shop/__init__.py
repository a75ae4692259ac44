"""TikTok Shop: webhooks as hints, orders with their cancellations and returns, products and daily figures; nothing is written to it yet."""

from __future__ import annotations

from integrations.platforms.base import Platform, Reader
from integrations.platforms.tiktok_shop.analytics import pull_figures
from integrations.platforms.tiktok_shop.auth import TikTokShopAuth
from integrations.platforms.tiktok_shop.catalogue import pull_products
from integrations.platforms.tiktok_shop.client import READ, WRITE, TikTokShopClient
from integrations.platforms.tiktok_shop.expand import expand
from integrations.platforms.tiktok_shop.find import LOOKUP
from integrations.platforms.tiktok_shop.look import LOOK
from integrations.platforms.tiktok_shop.options import API_ADDRESS, READ_RATE, SECRETS, SETTINGS, WRITE_RATE
from integrations.platforms.tiktok_shop.parse import parse
from integrations.platforms.tiktok_shop.probe import probe
from integrations.platforms.tiktok_shop.read import CANCELLATIONS, ORDERS, RETURNS, history_of, pull_of
from integrations.platforms.tiktok_shop.webhooks import TikTokShopWebhooks
from mapping.records import RecordType

OVERLAP = 600  # seconds: the index lags behind and moves while it is read
ORDER_RECORDS = (RecordType.CUSTOMER, RecordType.ORDER, RecordType.EVENT)
DAY = 24 * 60  # minutes

READERS = (
    Reader(
        name="orders",
        label="Orders with their buyers (backfill: by time of purchase)",
        record_types=ORDER_RECORDS,
        pull=pull_of(ORDERS),
        backfill=history_of(ORDERS),
        overlap_seconds=OVERLAP,
    ),
    Reader(
        name="cancellations",
        label="Requests to cancel (backfill: by time of request)",
        record_types=ORDER_RECORDS,
        pull=pull_of(CANCELLATIONS),
        backfill=history_of(CANCELLATIONS),
        overlap_seconds=OVERLAP,
        every_minutes=15,
    ),
    Reader(
        name="returns",
        label="Returns and refunds (backfill: by time of request)",
        record_types=ORDER_RECORDS,
        pull=pull_of(RETURNS),
        backfill=history_of(RETURNS),
        overlap_seconds=OVERLAP,
        every_minutes=15,
    ),
    Reader(
        name="products",
        label="Products and SKUs (backfill: by time of last change)",
        record_types=(RecordType.PRODUCT, RecordType.VARIANT),
        pull=pull_products,
        overlap_seconds=OVERLAP,
        every_minutes=30,
    ),
    Reader(
        name="analytics",
        label="Figures of shop and products by day",
        record_types=(RecordType.FIGURES,),
        pull=pull_figures,
        overlap_seconds=3 * DAY * 60,  # figures of the last days are corrected
        every_minutes=DAY,
        unhurried=True,
    ),
)

PLATFORM = Platform(
    slug="tiktok_shop",
    label="TikTok Shop",
    secrets=SECRETS,
    settings=SETTINGS,
    connect=TikTokShopClient,
    probe=probe,
    default_base_url=API_ADDRESS,
    auth=TikTokShopAuth(),
    webhooks=TikTokShopWebhooks(),
    expand=expand,
    parse=parse,
    readers={reader.name: reader for reader in READERS},
    lookup=LOOKUP,
    look=LOOK,
    erasing="TikTok Shop erases buyers itself. In Seller Center remove the person from your own customer lists and messages.",
    renew_before_seconds=86_400,  # tokens last seven days
    rates={READ: (READ_RATE, READ_RATE), WRITE: (WRITE_RATE, WRITE_RATE)},
)
