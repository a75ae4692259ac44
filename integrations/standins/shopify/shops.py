"""One shop behind the stand-in: what it was set up with, and everything it holds."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from integrations.standins.clock import Clock
from integrations.standins.ledger import Ledger
from integrations.standins.shopify.catalogue import Collection, Product, ProductVariant
from integrations.standins.shopify.orders import AbandonedCheckout, Order
from integrations.standins.shopify.people import Customer
from integrations.standins.shopify.tables import Table

if TYPE_CHECKING:
    from integrations.standins.shopify.bulk import BulkOperation, BulkSettings
    from integrations.standins.shopify.webhooks import Hooks

# what an app for marketing and order data asks for; names from the Admin API's list of access scopes
DEFAULT_SCOPES = (
    "read_products", "read_inventory", "read_locations", "read_orders", "read_all_orders", "write_orders", "read_customers",
    "write_customers", "read_fulfillments", "read_customer_merge", "read_translations", "read_locales", "read_markets",
)  # fmt: skip

# ids are 64-bit and beyond what a double can hold (2^53), as at the real platform
FIRST_IDS = {
    "Customer": 706_405_506_930_370_000,
    "Order": 820_982_911_946_154_000,
    "LineItem": 866_550_311_766_439_000,
    "Product": 788_032_119_674_292_000,
    "ProductVariant": 808_950_810_000_100_000,
    "InventoryItem": 271_878_346_596_884_000,
    "AbandonedCheckout": 901_414_060_000_000_000,
    "Refund": 910_100_000_000_000_000,
    "Fulfillment": 911_200_000_000_000_000,
    "OrderTransaction": 912_300_000_000_000_000,
}
OTHER_FIRST_ID = 930_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class ShopSpec:
    """How a shop is set up; amounts are in ``currency``, ``rates`` turn them into a buyer's currency."""

    domain: str
    client_id: str = "demo-client-id"
    client_secret: str = "demo-shopify-secret"  # noqa: S105 - a demo value
    access_token: str = "shpat_demo"  # noqa: S105 - a demo value
    currency: str = "GBP"
    scopes: tuple[str, ...] | list[str] = DEFAULT_SCOPES
    name: str = "Demo shop"
    timezone: str = "America/New_York"
    # hours; webhook payloads carry the shop's local time
    utc_offset: int = -5
    taxes_included: bool = True
    tax_title: str = "VAT"
    tax_rate: Decimal = Decimal("0.2")
    rates: dict[str, Decimal] = field(default_factory=dict)
    locales: tuple[str, ...] = ("en", "de")
    countries: dict[str, str] = field(default_factory=lambda: {"GB": "United Kingdom", "DE": "Germany"})
    # level 2 protected customer data granted (names, addresses, e-mail, phone)
    pii: bool = True
    partner_development: bool = False
    # privacy topics come to the address in the app's own configuration, not to a subscription
    app_uri: str = ""


class Shop:
    """State of one shop; the life functions of the other modules change it under ``lock``."""

    def __init__(self, spec: ShopSpec, *, clock: Clock, ledger: Ledger, seed: int = 1) -> None:
        self.spec = spec
        self.clock = clock
        self.ledger = ledger
        self.lock = threading.RLock()
        self.random = random.Random(f"{seed}:{spec.domain}")  # noqa: S311 - a reproducible stand-in, not a secret
        self.scopes: set[str] = set(spec.scopes)
        self.installed = True
        # search results lag behind writes by this many seconds
        self.search_lag = 0.0
        # both are attached by the stand-in
        self.hooks: Hooks | None = None
        self.bulk: BulkSettings | None = None
        self.searchables: dict[str, Any] = {}
        self._backdate: datetime | None = None
        self._clear()

    def _clear(self) -> None:
        self.customers: Table[Customer] = Table("customer")
        self.orders: Table[Order] = Table("order")
        self.products: Table[Product] = Table("product")
        self.variants: Table[ProductVariant] = Table("variant")
        self.collections: Table[Collection] = Table("collection")
        self.checkouts: Table[AbandonedCheckout] = Table("checkout")
        self.bulk_operations: dict[int, BulkOperation] = {}
        self.customer_orders: dict[int, list[int]] = {}
        # e-mail in lower case or phone → customer id
        self.handles: dict[str, int] = {}
        # (Refund or Fulfillment, id) → order id
        self.owners: dict[tuple[str, int], int] = {}
        # key of a staged file → its bytes, None until it came
        self.uploads: dict[str, bytes | None] = {}
        self._ids: dict[str, Iterator[int]] = {}
        self.next_number = 1001

    def reset(self) -> None:
        """Forget customers, orders, products, checkouts and jobs; credentials and subscriptions stay."""
        with self.lock:
            self._clear()

    def new_id(self, kind: str) -> int:
        """A fresh numeric id for a GraphQL type."""
        ids = self._ids.get(kind)
        if ids is None:
            ids = self._ids[kind] = count(FIRST_IDS.get(kind, OTHER_FIRST_ID) + 1)
        return next(ids)

    def reserve_ids(self, kind: str, number: int) -> int:
        """The first of that many ids in a row, none of which will be given again."""
        first = self.new_id(kind)
        self._ids[kind] = count(first + number)
        return first

    def now(self) -> datetime:
        """The shop's present, to the second, in UTC."""
        return (self._backdate or self.clock.utc()).replace(microsecond=0)

    def touch(self, row: Any) -> None:
        """Note a change of a row: its ``updated_at`` now, and since when the search index may know it."""
        seconds = self.clock.now()
        if row.indexed_at is None or seconds - row.indexed_at >= self.search_lag:
            row.indexed_as = row.updated_at if row.indexed_at is not None else None
        row.updated_at = self.now()
        row.indexed_at = 0.0 if self._backdate is not None else seconds

    def emit(self, topic: str, key: int, body: dict[str, Any] | None = None) -> None:
        """Tell subscribers of a topic; without a body the topic's usual payload of that object is sent."""
        if self.hooks is not None and self._backdate is None:
            self.hooks.emit(topic, key, body)

    def bulk_finished(self, key: int) -> None:
        """Called by the job thread when a bulk operation ends."""
        with self.lock:
            self.emit("bulk_operations/finish", key)

    @contextmanager
    def past(self, moment: datetime) -> Iterator[None]:
        """Live through something that happened at that moment, without telling anyone."""
        with self.lock:
            before, self._backdate = self._backdate, moment
            try:
                yield
            finally:
                self._backdate = before
