"""commercetools: events as hints, changes and history of customers, orders, carts and products, and consent written back."""

from __future__ import annotations

from integrations.platforms.base import Platform, Reader
from integrations.platforms.commercetools.auth import CommercetoolsAuth
from integrations.platforms.commercetools.client import READ, WRITE, CommercetoolsClient
from integrations.platforms.commercetools.options import API_ADDRESS, OVERLAP_SECONDS, READ_RATE, SECRETS, SETTINGS, WRITE_RATE
from integrations.platforms.commercetools.parse import parse
from integrations.platforms.commercetools.probe import probe
from integrations.platforms.commercetools.read import history_of, pull_of
from integrations.platforms.commercetools.resources import CUSTOMERS
from mapping.records import RecordType

READERS = (
    Reader(
        name="customers",
        label="Customers (backfill: by time of last change)",
        record_types=(RecordType.CUSTOMER,),
        pull=pull_of(CUSTOMERS),
        backfill=history_of(CUSTOMERS),
        overlap_seconds=OVERLAP_SECONDS,
    ),
)

PLATFORM = Platform(
    slug="commercetools",
    label="commercetools",
    secrets=SECRETS,
    settings=SETTINGS,
    connect=CommercetoolsClient,
    probe=probe,
    default_base_url=API_ADDRESS,
    auth=CommercetoolsAuth(),
    parse=parse,
    readers={reader.name: reader for reader in READERS},
    rates={READ: (READ_RATE, READ_RATE), WRITE: (WRITE_RATE, WRITE_RATE)},
)
