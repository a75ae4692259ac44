"""commercetools: events as hints, changes and history of customers, orders, carts and products, and consent written back."""

from __future__ import annotations

from integrations.platforms.base import Platform, Reader
from integrations.platforms.commercetools.auth import CommercetoolsAuth
from integrations.platforms.commercetools.catalogue import (
    CATEGORY_STAGES,
    PRICE_STAGES,
    PRODUCT_STAGES,
    STOCK_STAGES,
    all_products,
    pull_through,
)
from integrations.platforms.commercetools.client import READ, WRITE, CommercetoolsClient
from integrations.platforms.commercetools.doors.options import DOOR_SECRETS, DOOR_SETTINGS
from integrations.platforms.commercetools.expand import expand
from integrations.platforms.commercetools.feed import MESSAGES
from integrations.platforms.commercetools.find import LOOKUP
from integrations.platforms.commercetools.look import LOOK
from integrations.platforms.commercetools.options import API_ADDRESS, OVERLAP_SECONDS, READ_RATE, SECRETS, SETTINGS, WRITE_RATE
from integrations.platforms.commercetools.parse import parse
from integrations.platforms.commercetools.privacy import privacy_ask
from integrations.platforms.commercetools.probe import probe
from integrations.platforms.commercetools.read import history_of, pull_of, pull_payments
from integrations.platforms.commercetools.resources import CARTS, CUSTOMERS, ORDERS
from integrations.platforms.commercetools.webhooks import CommercetoolsWebhooks
from integrations.platforms.commercetools.write import TARGETS, WRITERS
from mapping.records import RecordType

READERS = (
    Reader(
        name="customers",
        label="Customers (backfill: by time of last change)",
        record_types=(RecordType.CUSTOMER, RecordType.CONSENT),
        pull=pull_of(CUSTOMERS),
        backfill=history_of(CUSTOMERS),
        overlap_seconds=OVERLAP_SECONDS,
    ),
    Reader(
        name="orders",
        label="Orders with returns and refunds (backfill: by time of purchase)",
        record_types=(RecordType.ORDER, RecordType.CHECKOUT),
        pull=pull_of(ORDERS),
        backfill=history_of(ORDERS),
        overlap_seconds=OVERLAP_SECONDS,
    ),
    Reader(
        name="payments",
        label="Payments and refunds of orders (backfill: by time of last change)",
        record_types=(RecordType.ORDER, RecordType.CHECKOUT),
        pull=pull_payments,
        overlap_seconds=OVERLAP_SECONDS,
    ),
    Reader(
        name="carts",
        label="Carts with a shipping address (backfill: by time of last change)",
        record_types=(RecordType.CHECKOUT,),
        pull=pull_of(CARTS),
        backfill=history_of(CARTS),
        overlap_seconds=OVERLAP_SECONDS,
    ),
)

GOODS = (RecordType.PRODUCT, RecordType.VARIANT)
CATALOGUE = (
    Reader(
        name="products",
        label="Products and variants (backfill: by time of last change)",
        record_types=GOODS,
        pull=pull_through("products changed", *PRODUCT_STAGES),
        backfill=all_products,
        overlap_seconds=OVERLAP_SECONDS,
        every_minutes=15,
    ),
    Reader(
        name="prices",
        label="Products whose prices changed, began or ended",
        record_types=GOODS,
        pull=pull_through("products with other prices", *PRICE_STAGES),
        overlap_seconds=OVERLAP_SECONDS,
        every_minutes=15,
    ),
    Reader(
        name="stock",
        label="Products whose stock changed",
        record_types=GOODS,
        pull=pull_through("products with other stock", *STOCK_STAGES),
        overlap_seconds=OVERLAP_SECONDS,
        every_minutes=15,
        unhurried=True,
    ),
    Reader(
        name="categories",
        label="Products whose categories or kinds were renamed or moved",
        record_types=GOODS,
        pull=pull_through("products in other categories", *CATEGORY_STAGES),
        overlap_seconds=OVERLAP_SECONDS,
        every_minutes=60,
        unhurried=True,
    ),
)

PLATFORM = Platform(
    slug="commercetools",
    label="commercetools",
    secrets=(*SECRETS, *DOOR_SECRETS),
    settings=(*SETTINGS, *DOOR_SETTINGS),
    connect=CommercetoolsClient,
    probe=probe,
    default_base_url=API_ADDRESS,
    auth=CommercetoolsAuth(),
    webhooks=CommercetoolsWebhooks(),
    expand=expand,
    parse=parse,
    privacy=privacy_ask,
    erasing="In the Merchant Center delete the customer, and their orders where the books allow it, with personal data erased.",
    readers={reader.name: reader for reader in (*READERS, *CATALOGUE, MESSAGES)},
    lookup=LOOKUP,
    look=LOOK,
    writers=WRITERS,
    targets=TARGETS,
    rates={READ: (READ_RATE, READ_RATE), WRITE: (WRITE_RATE, WRITE_RATE)},
)
