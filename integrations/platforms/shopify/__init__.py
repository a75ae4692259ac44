"""Shopify: webhooks, pulls, bulk history and parsing of the Admin API; written to it is only what people said about being written to."""

from __future__ import annotations

from integrations.platforms.base import Platform, Reader, Setting
from integrations.platforms.shopify.auth import CLIENT_CREDENTIALS, CREDENTIAL_MODES, ShopifyAuth
from integrations.platforms.shopify.bulk import BULK_CUSTOMERS, BULK_ORDERS, BULK_PRODUCTS, backfill_of, cancel
from integrations.platforms.shopify.client import GRAPHQL, REST, ShopifyClient
from integrations.platforms.shopify.expand import expand
from integrations.platforms.shopify.find import LOOKUP
from integrations.platforms.shopify.look import LOOK
from integrations.platforms.shopify.parse import parse
from integrations.platforms.shopify.privacy import privacy_ask
from integrations.platforms.shopify.probe import probe
from integrations.platforms.shopify.read import CHECKOUTS, CUSTOMERS, ORDERS, PAGE_SIZE, PRODUCTS, pull_of
from integrations.platforms.shopify.webhooks import ShopifyWebhooks
from integrations.platforms.shopify.write import TARGETS, WRITERS, write_problems
from mapping.records import RecordType

# "API versions are supported for at least 12 months", Admin API versioning: the earliest end of each.
VERSION_ENDS = {"2026-10": "2027-10-01", "2026-07": "2027-07-01"}

SECRETS = (
    Setting(name="access_token", label="Access token", kind="secret", help="Pasted for a custom app; otherwise filled by signing in."),
    Setting(name="refresh_token", label="Refresh token", kind="secret", help="Filled by signing in with expiring tokens."),
    Setting(name="client_secret", label="Client secret", kind="secret", help="The app's secret: signs webhooks and renews tokens."),
    Setting(
        name="client_secret_previous",
        label="Previous client secret",
        kind="secret",
        help="Accepted beside the new one while a rotation is under way; remove it afterwards.",
    ),
)
SETTINGS = (
    Setting(
        name="credential_mode",
        label="Way of signing in",
        kind="choice",
        required=True,
        default=CLIENT_CREDENTIALS,
        choices=CREDENTIAL_MODES,
    ),
    Setting(name="client_id", label="Client id", help="Of the app, for every way of signing in but the pasted token."),
    Setting(name="store_handle", label="Store name in records", help="Empty: the myshopify domain."),
    Setting(name="market_countries", label="Price markets", kind="list", default=[], help="Up to five country codes, for example GB, DE."),
    Setting(name="locale", label="Language of product texts", help="For example de; empty: the shop's own language."),
    Setting(
        name="metafields", label="Metafields to bring", kind="list", default=[], help="namespace.key; up to 25, of customers and products."
    ),
    Setting(name="abandon_minutes", label="Minutes until a checkout counts as abandoned", kind="number", default=30),
    Setting(
        name="enrichment_seconds",
        label="Seconds between rounds of enrichment",
        kind="number",
        default=300,
        help="Tags and spending change with every order; they are read together this often, never before a live order.",
    ),
    Setting(name="page_size", label="Objects per page of a pull", kind="number", default=PAGE_SIZE),
)
READERS = (
    Reader(
        name="customers",
        label="Customers (backfill: by time of last change)",
        record_types=(RecordType.CUSTOMER, RecordType.CONSENT),
        pull=pull_of(CUSTOMERS),
        backfill=backfill_of(BULK_CUSTOMERS),
        cancel=cancel,
        every_minutes=15,
    ),
    Reader(
        name="orders",
        label="Orders (backfill: by time of purchase)",
        record_types=(RecordType.ORDER,),
        pull=pull_of(ORDERS),
        backfill=backfill_of(BULK_ORDERS),
        cancel=cancel,
    ),
    Reader(
        name="products",
        label="Products and variants (backfill: by time of last change)",
        record_types=(RecordType.PRODUCT, RecordType.VARIANT),
        pull=pull_of(PRODUCTS),
        backfill=backfill_of(BULK_PRODUCTS),
        cancel=cancel,
        every_minutes=15,
    ),
    Reader(name="checkouts", label="Abandoned checkouts", record_types=(RecordType.CHECKOUT,), pull=pull_of(CHECKOUTS), every_minutes=10),
)

PLATFORM = Platform(
    slug="shopify",
    label="Shopify",
    secrets=SECRETS,
    settings=SETTINGS,
    connect=ShopifyClient,
    probe=probe,
    default_base_url="https://your-shop.myshopify.com",
    api_versions=tuple(VERSION_ENDS),
    version_ends=VERSION_ENDS,
    auth=ShopifyAuth(),
    webhooks=ShopifyWebhooks(),
    expand=expand,
    parse=parse,
    readers={reader.name: reader for reader in READERS},
    lookup=LOOKUP,
    look=LOOK,
    privacy=privacy_ask,
    erasing="In Shopify's admin open the customer and choose More actions, then Erase personal data. Shopify does it 10 days later at the "
    "earliest, and not before 180 days after the last order.",
    writers=WRITERS,
    targets=TARGETS,
    write_problems=write_problems,
    rates={GRAPHQL: (100.0, 2000.0), REST: (2.0, 40.0)},  # the smallest plan, until Shopify's own figures correct them
)
