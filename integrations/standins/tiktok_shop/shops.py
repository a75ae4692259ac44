"""One shop behind the stand-in: what it was set up with, and everything it holds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from integrations.standins.clock import Clock
from integrations.standins.ledger import Ledger
from integrations.standins.tiktok_shop.aftersales import Cancellation, Return
from integrations.standins.tiktok_shop.ids import Ids
from integrations.standins.tiktok_shop.orders import Buyer, Order
from integrations.standins.tiktok_shop.products import Product, Variant
from integrations.standins.tiktok_shop.settings import Settings
from integrations.standins.tiktok_shop.shelf import Shelf
from integrations.standins.tiktok_shop.specs import SellerSpec, ShopSpec
from integrations.standins.tiktok_shop.timers import Timers
from integrations.standins.tiktok_shop.webhooks import Hooks

WAREHOUSE_ID = "6955005333819123123"


class Shop:
    """State of one shop; acts change it under ``lock``, which all shops of a stand-in share."""

    def __init__(
        self, spec: ShopSpec, seller: SellerSpec, *, clock: Clock, ledger: Ledger, ids: Ids, timers: Timers, lock: threading.RLock
    ) -> None:
        self.spec, self.seller, self.region = spec, seller, spec.region
        self.clock, self.ledger, self.ids, self.timers, self.lock = clock, ledger, ids, timers, lock
        self.settings = Settings()
        self.hooks: Hooks | None = None
        self._past: int | None = None
        self.reset()

    def reset(self) -> None:
        """Forget orders, requests, products and buyers; addresses of webhooks stay."""
        self.orders: Shelf[Order] = Shelf("order")
        self.cancellations: Shelf[Cancellation] = Shelf("cancellation")
        self.returns: Shelf[Return] = Shelf("return")
        self.products: Shelf[Product] = Shelf("product")
        self.buyers: dict[str, Buyer] = {}
        # SKU id, and seller SKU → product and variant
        self.variants: dict[str, tuple[Product, Variant]] = {}
        self.cancellations_of: dict[str, list[str]] = {}
        self.returns_of: dict[str, list[str]] = {}

    def now(self) -> int:
        """The shop's present in Unix seconds."""
        return int(self.clock.now()) if self._past is None else self._past

    @contextmanager
    def past(self, moment: float) -> Iterator[None]:
        """Live through something that happened at that moment, without telling anyone."""
        with self.lock:
            before, self._past = self._past, int(moment)
            try:
                yield
            finally:
                self._past = before

    def touch(self, order: Order) -> None:
        """Note that an order changed."""
        order.shown = None
        self.orders.touch(order, self.now())

    def emit(self, number: int, data: dict[str, Any]) -> None:
        """Tell the webhook address of an event type."""
        if self.hooks is not None and self._past is None:
            self.hooks.emit(number, data)

    def note(self, kind: str, key: str, payload: dict[str, Any]) -> None:
        """Put an effect into the ledger."""
        self.ledger.append(kind, key, {"shop_id": self.spec.id, **payload})
