"""Visitors of the merchant's own site: their browsers tell the collector what they do, with consent, over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
import requests
from django.core.management.base import CommandError

from integrations.management.demo.stage import SITE_KEY, SITE_PAGE, Stage

CALL_SECONDS = 10
MOST_AT_ONCE = 6
GIVES_NAME, GOES_TO_CHECKOUT, BUYS = 0.6, 0.55, 0.5  # shares of those who came so far
Event = dict[str, Any]


@dataclass(slots=True)
class Visitor:
    """One browser: random id, and whether it gave a name."""

    id: str
    named: bool = False


@dataclass(slots=True)
class Visitors:
    """Everybody on the site. `buy` lets a customer of the shop order a basket of variant ids and returns the order's id."""

    stage: Stage
    console: str  # address that the script sends to
    random: Random
    buy: Callable[[int, Sequence[int]], str]
    sent: list[Event] = field(default_factory=list)
    _open: list[Iterator[str]] = field(default_factory=list)

    def tick(self) -> str:
        """Let one visitor do one thing; a line about it."""
        while True:
            if not self._open or (len(self._open) < MOST_AT_ONCE and self.random.random() < 0.3):
                self._open.append(self._life())
            life = self.random.choice(self._open)
            said = next(life, "")
            if said:
                return said
            self._open.remove(life)

    def arrive(self) -> Visitor:
        """Somebody opens the site for the first time and agrees to be counted."""
        return Visitor(f"visitor-{uuid.uuid4().hex[:8]}")

    def do(self, visitor: Visitor, kind: str, *, email: str = "", **data: Any) -> Event:
        """Send one event as the script would; raises CommandError when the collector does not take it."""
        event = {
            "event_id": str(uuid.uuid4()), "type": kind, "at": datetime.now(UTC).isoformat(),
            "consent": True, "anonymous_id": visitor.id, "data": data, **({"email": email} if email else {}),
        }  # fmt: skip
        body = orjson.dumps({"key": SITE_KEY, "sent_at": datetime.now(UTC).isoformat(), "events": [event]})
        with requests.Session() as browser:
            browser.trust_env = False
            headers = {"Origin": SITE_PAGE, "Content-Type": "text/plain;charset=UTF-8"}
            answer = browser.post(f"{self.console}/hooks/site/", data=body, headers=headers, timeout=CALL_SECONDS)
        if answer.status_code != 200:
            raise CommandError(f"The collector answered {answer.status_code} to an event of a visitor.")
        visitor.named = visitor.named or bool(email)
        self.sent.append(event)
        return event

    def look(self, visitor: Visitor, variant: int, kind: str = "product_viewed") -> Event:
        """View a variant, or put it into the cart."""
        return self.do(visitor, kind, **self._product(variant))

    def begin(self, visitor: Visitor, variants: Sequence[int]) -> str:
        """Start a checkout of one unit each; its id."""
        key, found = f"site-{visitor.id}", [self.stage.shop.variants.live[variant] for variant in variants]
        lines = [
            {"sku": row.sku, "product_id": str(row.product_id), "variant_id": str(row.id), "quantity": 1, "price": str(row.price)}
            for row in found
        ]
        total = str(sum(row.price for row in found))
        self.do(visitor, "checkout_started", checkout_id=key, total=total, currency="GBP", url=f"{SITE_PAGE}/checkout/{key}", lines=lines)
        return key

    def _product(self, variant: int) -> dict[str, Any]:
        row = self.stage.shop.variants.live[variant]
        product = self.stage.shop.products.live[row.product_id]
        named = {"sku": row.sku, "name": product.title, "product_id": str(row.product_id), "variant_id": str(row.id)}
        return {**named, "price": str(row.price), "currency": "GBP", "url": f"{SITE_PAGE}/products/{product.handle}"}

    def _life(self) -> Iterator[str]:
        """What one visitor does, step by step; many never say who they are."""
        visitor, goods = self.arrive(), [key for key, row in self.stage.shop.variants.live.items() if row.sku]
        customers = [row for row in self.stage.shop.customers.live.values() if row.email]
        wanted = self.random.choice(goods)
        self.look(visitor, wanted)
        yield f"{visitor.id} looks at {self._name(wanted)}"
        if self.random.random() < 0.3:
            return
        self.look(visitor, wanted, "added_to_cart")
        yield f"{visitor.id} puts {self._name(wanted)} into the cart"
        who = self.random.choice(customers) if customers and self.random.random() < GIVES_NAME else None
        if who is not None:
            self.do(visitor, "identified", email=who.email)
            yield f"{visitor.id} signs in: what they did before gets their name"
        if self.random.random() > GOES_TO_CHECKOUT:
            return
        checkout = self.begin(visitor, [wanted])
        yield f"{visitor.id} starts a checkout"
        if who is not None and self.random.random() < BUYS:
            self.do(visitor, "purchased", order_id=self.buy(who.id, [wanted]), checkout_id=checkout)
            yield f"{visitor.id} buys: the checkout is over"

    def _name(self, variant: int) -> str:
        return self.stage.shop.products.live[self.stage.shop.variants.live[variant].product_id].title
