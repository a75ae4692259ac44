"""A seeded generator of shop lives: a catalogue, customers, and orders that go the ways orders go, in the past or from now on."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from integrations.standins.shopify import checkouts, customers, order_life, products, returns, words
from integrations.standins.shopify.customers import Rejected
from integrations.standins.shopify.shops import Shop
from integrations.standins.shopify.standin import ShopifyStandIn
from integrations.standins.shopify.tables import Missing

Step = Callable[[], str]
CATALOGUE = 60
COLLECTIONS = (("new-in", "New in"), ("bestsellers", "Bestsellers"), ("last-chance", "Last chance"))
# how often an order goes which way, of a hundred
ORDER_WAYS = (
    ("paid", 46), ("split", 8), ("authorized", 12), ("edited", 7), ("partly_returned", 9), ("returned", 5), ("goodwill", 3),
    ("cancelled_unpaid", 5), ("cancelled_paid", 5),
)  # fmt: skip
# what else begins in a shop, of a hundred
BEGINNINGS = (
    ("_place_order", 52), ("_new_customer", 14), ("_checkout", 12), ("_consent", 8), ("_profile", 6), ("_price", 5), ("_merge", 1),
    ("_sms", 2),
)  # fmt: skip
HOUR, DAY = 3600.0, 86_400.0


class Lives:
    """Lives of one shop; the same seed lives the same lives."""

    def __init__(self, stand_in: ShopifyStandIn, domain: str | None = None, seed: int = 1) -> None:
        self.shop: Shop = stand_in.shop(domain)
        self.random = Random(seed)  # noqa: S311 - reproducible, not secret
        self.customer_ids: list[int] = []
        self._planned: list[tuple[datetime, int, Step]] = []
        self._order = count()
        self._people = count()

    def catalogue(self, size: int = CATALOGUE) -> None:
        """Make the products, unless the shop has some."""
        if len(self.shop.products):
            return
        groups = [products.create_collection(self.shop, handle=handle, title=title).id for handle, title in COLLECTIONS]
        for index in range(size):
            made = words.product(self.random, index)
            products.create_product(self.shop, **made, collection_ids=[groups[index % len(groups)]])

    def history(self, *, customers: int = 60, orders: int = 150, days: float = 60) -> dict[str, int]:
        """Fill the past days with customers and orders, telling nobody; lives that reach into the future go on in ``tick``."""
        now = self.shop.now()
        begin = now - timedelta(days=days)
        with self.shop.past(begin):
            self.catalogue()
        for index in range(customers):
            share = 0.0 if index < 3 else self.random.random() ** 2
            self._plan(begin + (now - begin) * share, self._new_customer)
        for _ in range(orders):
            self._plan(begin + (now - begin) * (0.02 + 0.97 * self.random.random()), self._place_order)
        for _ in range(orders // 8):
            self._plan(begin + (now - begin) * (0.02 + 0.97 * self.random.random()), self.random.choice((self._checkout, self._consent)))
        while self._planned and self._planned[0][0] < now:
            moment, _, step = heapq.heappop(self._planned)
            with self.shop.past(moment):
                self._do(step)
        return {"customers": len(self.shop.customers), "orders": len(self.shop.orders), "products": len(self.shop.products)}

    def tick(self) -> str:
        """Let one plausible thing happen now and say what in a line."""
        self.catalogue()
        while True:
            if self._planned and self.random.random() < 0.6:
                step = heapq.heappop(self._planned)[2]
            else:
                step = getattr(self, self._weighted(BEGINNINGS))
            said = self._do(step)
            if said:
                return said

    def _do(self, step: Step) -> str:
        """Take a step; one that has become impossible (sold out, merged, cancelled) is passed over with an empty line."""
        try:
            return step()
        except (Rejected, Missing):
            return ""

    def _plan(self, moment: datetime, step: Step) -> None:
        heapq.heappush(self._planned, (moment, next(self._order), step))

    def _later(self, low: float, high: float, step: Step) -> None:
        """Plan a step so many seconds from now."""
        self._plan(self.shop.now() + timedelta(seconds=self.random.uniform(low, high)), step)

    def _weighted(self, table: tuple[tuple[str, int], ...]) -> str:
        return self.random.choices([name for name, _ in table], [weight for _, weight in table])[0]

    def _someone(self) -> int:
        if not self.customer_ids:
            self._new_customer()
        return self.random.choice(self.customer_ids)

    def _new_customer(self) -> str:
        number = next(self._people)
        made = customers.create_customer(
            self.shop,
            **words.person(self.random, number),
            phone=words.phone(number) if self.random.random() < 0.6 else None,
            address=words.address(self.random),
            locale=self.random.choice(("en", "en", "de")),
            accepts_email=self.random.random() < 0.5,
            accepts_sms=self.random.random() < 0.2,
            tags=self.random.choice(([], [], ["vip"], ["newsletter"])),
        )
        self.customer_ids.append(made.id)
        return f"customer {made.id} signed up"

    def _basket(self) -> list[dict[str, Any]]:
        variants = list(self.shop.variants.live)
        chosen = self.random.sample(variants, self.random.choice((1, 1, 2, 2, 3)))
        return [{"variant_id": variant, "quantity": self.random.choice((1, 1, 1, 2, 3))} for variant in chosen]

    def _discounts(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        draw = self.random.random()
        if draw < 0.2:
            return [{"kind": "code", "title": "TEN", "value": 10, "percentage": True}]
        if draw < 0.27:
            return [{"kind": "manual", "title": "Shop soiled", "value": 3, "line": self.random.randrange(len(lines))}]
        return [{"kind": "automatic", "title": "Welcome", "value": 5}] if draw < 0.33 else []

    def _place_order(self) -> str:
        way, lines = self._weighted(ORDER_WAYS), self._basket()
        waits = way in ("authorized", "edited", "cancelled_unpaid")
        currency = self.random.choice([*self.shop.spec.rates]) if self.shop.spec.rates and self.random.random() < 0.15 else None
        order = order_life.create_order(
            self.shop,
            lines=lines,
            customer_id=self._someone(),
            discounts=self._discounts(lines),
            shipping=self.random.choice((0, 4, 8)),
            paid=not waits,
            authorized=waits and self.random.random() < 0.7,
            presentment_currency=currency,
            landing_site=self.random.choice(("/", "/?utm_source=newsletter&utm_medium=email", "/?ttclid=E.C.P.demo")),
            user_agent=words.USER_AGENT,
            cart_token=f"{self.random.getrandbits(128):032x}",
            checkout_token=f"{self.random.getrandbits(128):032x}",
        )
        self._go_on(way, order.id)
        return f"order {order.name} placed over {order.total} {order.currency}"

    def _go_on(self, way: str, order_id: int) -> None:
        """Plan the next step of an order."""
        if way == "edited":
            self._later(HOUR, 6 * HOUR, lambda: self._edit(order_id))
        elif way == "authorized":
            self._later(HOUR, DAY, lambda: self._pay(order_id))
        elif way in ("cancelled_unpaid", "cancelled_paid"):
            self._later(HOUR, DAY, lambda: self._cancel(order_id))
        else:
            self._later(6 * HOUR, 2 * DAY, lambda: self._ship(order_id, way))

    def _pay(self, order_id: int) -> str:
        order = order_life.mark_paid(self.shop, order_id)
        self._later(6 * HOUR, 2 * DAY, lambda: self._ship(order_id, "paid"))
        return f"order {order.name} paid"

    def _edit(self, order_id: int) -> str:
        line = self.random.choice(self.shop.orders.own(order_id).lines)
        wanted = line.current + 1 if line.current == 1 or self.random.random() < 0.5 else line.current - 1
        order = order_life.edit_order(self.shop, order_id, quantities={line.id: wanted})
        self._later(HOUR, DAY, lambda: self._pay(order_id))
        return f"order {order.name} edited to {order.current_total} {order.currency}"

    def _cancel(self, order_id: int) -> str:
        order = returns.cancel_order(self.shop, order_id, reason=self.random.choice(("CUSTOMER", "INVENTORY", "OTHER")))
        return f"order {order.name} cancelled, {order.refunded} {order.currency} refunded"

    def _ship(self, order_id: int, way: str) -> str:
        order = self.shop.orders.own(order_id)
        part = None
        if way == "split" and len(order.lines) > 1 and not order.fulfillments:
            part = {order.lines[0].id: order.lines[0].unfulfilled}
            self._later(6 * HOUR, 2 * DAY, lambda: self._ship(order_id, "paid"))
        number, carrier = f"AB{self.random.randrange(10**9):09d}GB", self.random.choice(("Royal Mail", "Evri", "DHL"))
        parcel = order_life.fulfil(self.shop, order_id, lines=part, tracking=number, company=carrier)
        self._later(DAY, 4 * DAY, lambda: self._deliver(order_id, parcel.id, way))
        return f"parcel {parcel.name} shipped"

    def _deliver(self, order_id: int, parcel_id: int, way: str) -> str:
        parcel = order_life.deliver(self.shop, parcel_id)
        if way in ("partly_returned", "returned", "goodwill"):
            self._later(2 * DAY, 12 * DAY, lambda: self._take_back(order_id, way))
        return f"parcel {parcel.name} delivered"

    def _take_back(self, order_id: int, way: str) -> str:
        order = self.shop.orders.own(order_id)
        if way == "returned":
            made = returns.refund_all(self.shop, order_id, note="returned")
        elif way == "goodwill":
            made = returns.refund(self.shop, order_id, amount=min(order.paid, 5), note="apology for the delay")
        else:
            made = returns.refund(self.shop, order_id, lines={order.lines[0].id: 1}, note="too small")
        return f"order {order.name} refunded {made.paid_back} {order.currency}"

    def _checkout(self) -> str:
        checkout = checkouts.start_checkout(self.shop, lines=self._basket(), customer_id=self._someone())
        if self.random.random() < 0.4:
            self._later(HOUR, DAY, lambda: self._recover(checkout.id))
        return f"checkout {checkout.id} begun over {checkout.subtotal} {checkout.currency}"

    def _recover(self, checkout_id: int) -> str:
        order = checkouts.complete_checkout(self.shop, checkout_id, shipping=4)
        self._go_on("paid", order.id)
        return f"checkout {checkout_id} recovered as order {order.name}"

    def _consent(self) -> str:
        customer = self.shop.customers.own(self._someone())
        state = "UNSUBSCRIBED" if customer.email_consent.state == "SUBSCRIBED" else "SUBSCRIBED"
        customers.set_email_consent(self.shop, customer.id, state)
        return f"customer {customer.id} e-mail {state.lower()}"

    def _sms(self) -> str:
        customer = self.shop.customers.own(self._someone())
        state = "UNSUBSCRIBED" if customer.sms_consent.state == "SUBSCRIBED" else "SUBSCRIBED"
        customers.set_sms_consent(self.shop, customer.id, state)
        return f"customer {customer.id} text messages {state.lower()}"

    def _profile(self) -> str:
        customer_id = self._someone()
        if self.random.random() < 0.5:
            customers.add_tags(self.shop, customer_id, [self.random.choice(("vip", "gardener", "cook"))])
            return f"customer {customer_id} tagged"
        customers.update_customer(self.shop, customer_id, address=words.address(self.random))
        return f"customer {customer_id} moved house"

    def _price(self) -> str:
        variant = self.shop.variants.own(self.random.choice(list(self.shop.variants.live)))
        price = variant.price + self.random.choice((-2, -1, 1, 2))
        products.update_variant(self.shop, variant.id, price=max(price, 1), compare_at=variant.price if price < variant.price else None)
        return f"price of {variant.sku} changed to {variant.price}"

    def _merge(self) -> str:
        if len(self.customer_ids) < 10:
            return ""
        kept, gone = self.random.sample(self.customer_ids, 2)
        customers.merge_customers(self.shop, kept, gone)
        self.customer_ids.remove(gone)
        return f"customer {gone} merged into {kept}"
