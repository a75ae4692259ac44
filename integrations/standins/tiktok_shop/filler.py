"""A great many orders at once, for volume: placed in the past, telling nobody, some of them further on than others."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from integrations.standins.tiktok_shop.cancelling import request_cancellation
from integrations.standins.tiktok_shop.catalogue import stock
from integrations.standins.tiktok_shop.order_life import advance_order
from integrations.standins.tiktok_shop.orders import AWAITING_SHIPMENT, DELIVERED, Buyer
from integrations.standins.tiktok_shop.people import Crowd
from integrations.standins.tiktok_shop.placing import add_buyer, place_order
from integrations.standins.tiktok_shop.returning import complete_return, open_return
from integrations.standins.tiktok_shop.shops import Shop

DAY = 86_400.0


def fill(
    shop: Shop,
    count: int,
    *,
    days: float = 30.0,
    lines: int = 2,
    seller_skus: Sequence[str] = (),
    buyers: int | None = None,
    masked: float = 0.3,
    delivered: float = 0.0,
    refunded: float = 0.0,
    cancelled: float = 0.0,
    seed: int = 1,
    **crowd: Any,
) -> list[str]:
    """Place so many orders over the past days and return their ids, oldest first.

    Shares of the orders: ``masked`` are shipped by the platform, ``delivered``, ``refunded`` (wholly, after delivery), ``cancelled``.
    ``seller_skus`` limits the goods, ``buyers`` is how many people order (a third of the orders, unsaid), and the rest is for Crowd.
    Raises ValueError.
    """
    if count < 1:
        raise ValueError("Fill with at least one order.")
    random = Random(seed)
    with shop.lock:
        now = shop.clock.now()
        with shop.past(now - (days + 1) * DAY):
            stock(shop)
            skus = list(seller_skus) or [key for key in shop.variants if not key.isdecimal()]
            people = _people(shop, random, buyers or max(1, count // 3), crowd)
        return [
            _one(shop, random, now - days * DAY * (1 - number / count), people[number % len(people)], skus=skus, lines=lines, masked=masked,
                 fate=_fate(random, delivered=delivered, refunded=refunded, cancelled=cancelled))
            for number in range(count)
        ]  # fmt: skip


def _people(shop: Shop, random: Random, count: int, crowd: Mapping[str, Any]) -> list[Buyer]:
    source = Crowd(random, shop.region.code, **crowd)
    return [add_buyer(shop, **source.next()) for _ in range(count)]


def _fate(random: Random, **shares: float) -> str:
    drawn = random.random()
    for fate, share in shares.items():
        if drawn < share:
            return fate
        drawn -= share
    return ""


def _one(shop: Shop, random: Random, moment: float, buyer: Buyer, *, skus: list[str], lines: int, masked: float, fate: str) -> str:
    with shop.past(moment):
        goods = [{"seller_sku": random.choice(skus), "quantity": 1 + (random.random() < 0.2)} for _ in range(lines)]
        shipping = "TIKTOK" if random.random() < masked else "SELLER"
        order = place_order(shop, buyer=buyer, lines=goods, status=AWAITING_SHIPMENT, shipping_type=shipping)
        if fate == "cancelled":
            request_cancellation(shop, order_id=order.id, role="SELLER")
        elif fate:
            advance_order(shop, order_id=order.id, to=DELIVERED)
            if fate == "refunded":
                complete_return(shop, return_id=open_return(shop, order_id=order.id).id)
    return order.id
