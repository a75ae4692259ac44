"""A seeded generator of order lives: buyers who come back, and orders that go the ways orders go, in the past or from now on."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import Any

from integrations.standins.tiktok_shop import cancelling, order_life, returning
from integrations.standins.tiktok_shop.catalogue import stock
from integrations.standins.tiktok_shop.orders import AWAITING_SHIPMENT, BY_TIKTOK, ON_HOLD, UNPAID, Buyer, Order
from integrations.standins.tiktok_shop.people import Crowd, person
from integrations.standins.tiktok_shop.placing import add_buyer, place_order
from integrations.standins.tiktok_shop.shelf import Missing
from integrations.standins.tiktok_shop.shops import Shop

HOUR, DAY = 3_600.0, 86_400.0
# how often an order goes which way, of a hundred
WAYS = (
    ("completes", 38), ("regretted", 8), ("cancelled_on_request", 6), ("request_refused", 3), ("line_cancelled", 6),
    ("cancelled_by_seller", 3), ("partly_returned", 9), ("returned", 7), ("partly_refunded", 5), ("offered_less", 3), ("replaced", 3),
    ("sample", 3), ("split_shipment", 4), ("never_paid", 2),
)  # fmt: skip
# a line about what happened, and how many seconds pass before the next thing does
Step = tuple[str, float]


class Lives:
    """Lives of one shop; the same seed lives the same lives. ``crowd`` is for Crowd: ``people``, ``known_share`` and so on."""

    def __init__(self, shop: Shop, *, seed: int = 1, **crowd: Any) -> None:
        self.shop, self.random, self.seed = shop, Random(seed), seed
        self._crowd = Crowd(self.random, shop.region.code, **crowd)
        self._known: list[Buyer] = []
        self._planned: list[tuple[float, int, Iterator[Step]]] = []
        self._order = count()

    def history(self, *, orders: int = 80, days: float = 30.0) -> dict[str, int]:
        """Fill the past days, telling nobody; lives that reach into the future go on in ``tick``."""
        shop = self.shop
        with shop.lock:
            now = shop.clock.now()
            begin = now - days * DAY
            with shop.past(begin - DAY):
                stock(shop, seed=self.seed)
            for _ in range(orders):
                self._plan(begin + (now - begin) * self.random.random(), self._life())
            while self._planned and self._planned[0][0] < now:
                moment, _, life = heapq.heappop(self._planned)
                with shop.past(moment):
                    self._go_on(life, moment)
        return {"orders": len(shop.orders), "cancellations": len(shop.cancellations), "returns": len(shop.returns)}

    def tick(self) -> str:
        """Let one plausible thing happen now and say what in a line."""
        shop = self.shop
        with shop.lock:
            stock(shop, seed=self.seed)
            while True:
                old = bool(self._planned) and self.random.random() < 0.65
                life = heapq.heappop(self._planned)[2] if old else self._life()
                said = self._go_on(life, shop.clock.now())
                if said:
                    return said

    def _go_on(self, life: Iterator[Step], moment: float) -> str:
        """Take the next step of a life; one that has become impossible ends it without a word."""
        try:
            said, seconds = next(life)
        except (StopIteration, ValueError, Missing):
            return ""
        self._plan(moment + seconds, life)
        return said

    def _plan(self, moment: float, life: Iterator[Step]) -> None:
        heapq.heappush(self._planned, (moment, next(self._order), life))

    def _life(self) -> Iterator[Step]:
        way = self.random.choices([name for name, _ in WAYS], [weight for _, weight in WAYS])[0]
        return getattr(self, f"_{way}")()

    def _between(self, low: float, high: float) -> float:
        return self.random.uniform(low, high)

    # ---- who orders what

    def _someone(self) -> Buyer:
        if self._known and self.random.random() < 0.35:
            return self.random.choice(self._known)
        buyer = add_buyer(self.shop, **self._crowd.next())
        self._known.append(buyer)
        return buyer

    def _goods(self, least: int = 1) -> list[dict[str, Any]]:
        keys = [key for key in self.shop.variants if not key.isdecimal()]
        room = str(self.shop.ids.new("category")) if self.random.random() < 0.25 else ""
        wish = [self._wish(self.random.choice(keys), room) for _ in range(self.random.randint(least, 3))]
        if self.random.random() < 0.1:
            wish.append({"seller_sku": self.random.choice(keys), "is_gift": True})
        return wish

    def _wish(self, key: str, room: str) -> dict[str, Any]:
        price = self.shop.variants[key][1].price
        unit = 10**self.shop.region.exponent
        whole = price // unit
        seller = self.random.choice((0, 0, 0, whole // 10)) if whole > 5 else 0
        platform = self.random.choice((0, 0, whole // 20)) if whole > 5 else 0
        wish = {"seller_sku": key, "quantity": self.random.choice((1, 1, 1, 2, 3)), "room_id": room}
        return {**wish, "seller_discount": str(seller), "platform_discount": str(platform)}

    def _place(self, status: str = ON_HOLD, *, lines: Sequence[Mapping[str, Any]] | None = None, **fields: Any) -> Order:
        if self.random.random() < 0.15:
            gift = person(self.random, self.shop.region.code, self.random.randrange(1000))
            fields |= {"recipient": gift, "is_gift_order": True}
        kind = self.random.random()
        if kind < 0.2:
            fields |= {"shipping_type": "TIKTOK"}
        elif kind < 0.35:
            fields |= {"fulfillment_type": BY_TIKTOK}
        return place_order(self.shop, buyer=self._someone(), lines=lines or self._goods(), status=status, **fields)

    # ---- ways of an order: each step says what happened and how long it takes until the next

    def _arrives(self, order: Order) -> Iterator[Step]:
        """From the hold to the door."""
        key = order.id
        yield f"order {key} placed and on hold", self.shop.settings.hold_seconds + 1
        yield from self._released(order)
        order_life.ship(self.shop, order_id=key)
        yield f"order {key} shipped", self._between(1 * DAY, 3 * DAY)
        order_life.deliver(self.shop, order_id=key)
        yield f"order {key} delivered", self._between(1 * DAY, 5 * DAY)

    def _released(self, order: Order) -> Iterator[Step]:
        if order.status == ON_HOLD:
            order_life.release_hold(self.shop, order_id=order.id)
        yield f"order {order.id} is to be shipped", self._between(2 * HOUR, 1 * DAY)

    def _completes(self) -> Iterator[Step]:
        order = self._place()
        yield from self._arrives(order)
        order_life.complete(self.shop, order_id=order.id)
        yield f"order {order.id} complete", DAY

    def _never_paid(self) -> Iterator[Step]:
        order = self._place(UNPAID)
        yield f"order {order.id} placed and not paid", self._between(1 * HOUR, 2 * DAY)
        cancelling.request_cancellation(self.shop, order_id=order.id, role="SYSTEM", reason="ecom_order_reason_not_paid_in_time")
        yield f"order {order.id} cancelled for want of payment", DAY

    def _regretted(self) -> Iterator[Step]:
        order = self._place()
        yield f"order {order.id} placed and on hold", self._between(60, self.shop.settings.hold_seconds * 0.9 + 60)
        cancelling.request_cancellation(self.shop, order_id=order.id)
        yield f"order {order.id} cancelled by its buyer within the hold", DAY

    def _cancelled_on_request(self) -> Iterator[Step]:
        yield from self._answered(approve=True, words="approved")

    def _request_refused(self) -> Iterator[Step]:
        yield from self._answered(approve=False, words="refused")

    def _answered(self, *, approve: bool, words: str) -> Iterator[Step]:
        order = self._place()
        yield f"order {order.id} placed and on hold", self.shop.settings.hold_seconds + 1
        yield from self._released(order)
        made = cancelling.request_cancellation(self.shop, order_id=order.id)
        yield f"cancellation of order {order.id} requested", self._between(1 * HOUR, 12 * HOUR)
        cancelling.answer_cancellation(self.shop, cancel_id=made.id, approve=approve)
        yield f"cancellation of order {order.id} {words}", DAY

    def _cancelled_by_seller(self) -> Iterator[Step]:
        order = self._place(AWAITING_SHIPMENT)
        yield f"order {order.id} placed", self._between(1 * HOUR, 1 * DAY)
        reason = "seller_cancel_reason_out_of_stock"
        cancelling.request_cancellation(self.shop, order_id=order.id, role="SELLER", reason=reason)
        yield f"order {order.id} cancelled by the seller", DAY

    def _line_cancelled(self) -> Iterator[Step]:
        if not self.shop.region.cancels_lines:
            yield from self._completes()
            return
        order = self._place(lines=self._goods(2))
        yield f"order {order.id} placed and on hold", self.shop.settings.hold_seconds + 1
        yield from self._released(order)
        cancelling.request_cancellation(self.shop, order_id=order.id, line_ids=[order.lines[0].id], role="SELLER")
        yield f"a line of order {order.id} cancelled", self._between(1 * HOUR, 1 * DAY)
        order_life.advance_order(self.shop, order_id=order.id, to="DELIVERED")
        yield f"the rest of order {order.id} delivered", DAY

    def _split_shipment(self) -> Iterator[Step]:
        order = self._place(AWAITING_SHIPMENT, lines=self._goods(2))
        yield f"order {order.id} placed", self._between(1 * HOUR, 1 * DAY)
        order_life.ship(self.shop, order_id=order.id, line_ids=[order.lines[0].id])
        yield f"part of order {order.id} shipped", self._between(1 * DAY, 2 * DAY)
        order_life.ship(self.shop, order_id=order.id)
        yield f"the rest of order {order.id} shipped", DAY
        order_life.deliver(self.shop, order_id=order.id)
        yield f"order {order.id} delivered", DAY

    def _returned(self) -> Iterator[Step]:
        yield from self._asks("returned", return_type="RETURN_AND_REFUND", with_shipping=True)

    def _partly_returned(self) -> Iterator[Step]:
        yield from self._asks("partly returned", lines=1, return_type=self.random.choice(("REFUND", "RETURN_AND_REFUND")))

    def _replaced(self) -> Iterator[Step]:
        yield from self._asks("replaced", lines=1, return_type="REPLACEMENT")

    def _partly_refunded(self) -> Iterator[Step]:
        yield from self._asks("refunded in part", amount="1")

    def _asks(self, words: str, *, lines: int | None = None, **wish: Any) -> Iterator[Step]:
        order = self._place()
        yield from self._arrives(order)
        keys = None if lines is None else [line.id for line in order.lines if line.refundable > 0][:lines]
        made = returning.open_return(self.shop, order_id=order.id, line_ids=keys, **wish)
        yield f"return {made.id} of order {order.id} opened", self._between(2 * HOUR, 4 * DAY)
        returning.complete_return(self.shop, return_id=made.id)
        yield f"order {order.id} {words}", DAY

    def _offered_less(self) -> Iterator[Step]:
        order = self._place()
        yield from self._arrives(order)
        made = returning.open_return(self.shop, order_id=order.id)
        yield f"return {made.id} of order {order.id} opened", self._between(2 * HOUR, 1 * DAY)
        returning.offer_partial(self.shop, return_id=made.id, amount="1")
        yield f"the seller offers part of the money for order {order.id}", self._between(2 * HOUR, 1 * DAY)
        returning.answer_offer(self.shop, return_id=made.id)
        returning.complete_return(self.shop, return_id=made.id)
        yield f"the buyer of order {order.id} took the offer", DAY

    def _sample(self) -> Iterator[Step]:
        order = self._place(AWAITING_SHIPMENT, is_sample_order=True)
        yield f"sample {order.id} ordered by a creator", self._between(1 * HOUR, 1 * DAY)
        order_life.advance_order(self.shop, order_id=order.id, to="DELIVERED")
        yield f"sample {order.id} delivered", DAY
