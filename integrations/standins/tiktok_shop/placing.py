"""Placing orders: lines of one unit each, prices that satisfy the platform's identities, bundles with exact shares."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from integrations.standins.tiktok_shop.money import minor, split
from integrations.standins.tiktok_shop.order_life import hold, say_status
from integrations.standins.tiktok_shop.orders import (
    AWAITING_SHIPMENT,
    BY_SELLER,
    ON_HOLD,
    ORDER_TYPES,
    UNPAID,
    Buyer,
    Line,
    Order,
    Recipient,
    Shipping,
    Sku,
    SubItem,
)  # fmt: skip
from integrations.standins.tiktok_shop.shelf import Missing
from integrations.standins.tiktok_shop.shops import WAREHOUSE_ID, Shop

RECIPIENT_FIELDS = frozenset(item.name for item in fields(Recipient))
FLAGS = frozenset(
    {"buyer_message", "payment_method_name", "is_gift_order", "replaced_order_id", "exchange_source_order_id", "is_sample_order"}
)


def add_buyer(shop: Shop, **person: Any) -> Buyer:
    """A buyer of the shop: ``first_name, last_name, phone`` (E.164), address fields, ``nickname, email, user_id`` if wanted."""
    with shop.lock:
        known = {name: person.pop(name) for name in list(person) if name in RECIPIENT_FIELDS}
        recipient = Recipient(**{"first_name": "Ada", "last_name": "Example", **known})
        user_id = str(person.pop("user_id", "") or shop.ids.new("buyer"))
        nickname = person.pop("nickname", "") or f"demo_{recipient.first_name.lower()}_{user_id[-4:]}"
        buyer = Buyer(user_id, nickname, recipient, **person)
        shop.buyers[user_id] = buyer
        return buyer


def place_order(
    shop: Shop,
    *,
    lines: Iterable[Mapping[str, Any]],
    buyer: Buyer | Mapping[str, Any] | str | None = None,
    recipient: Mapping[str, Any] | None = None,
    status: str = ON_HOLD,
    order_type: str = "NORMAL",
    fulfillment_type: str = BY_SELLER,
    shipping_type: str = "SELLER",
    shipping: Mapping[str, Any] | None = None,
    free: bool = False,
    **flags: Any,
) -> Order:
    """A new order, UNPAID, ON_HOLD or AWAITING_SHIPMENT; see ``_units`` for lines and ``_shipping`` for shipping.

    ``buyer`` is a user id, a person or nothing for a new one; ``free`` makes everything cost nothing, as for samples. Raises ValueError,
    Missing.
    """
    if status not in (UNPAID, ON_HOLD, AWAITING_SHIPMENT) or order_type not in ORDER_TYPES or not flags.keys() <= FLAGS:
        raise ValueError(f"No order begins like that: {status} {order_type} {sorted(flags.keys() - FLAGS)}")
    with shop.lock:
        who = buyer if isinstance(buyer, Buyer) else _buyer(shop, buyer)
        now, free = shop.now(), free or bool(flags.get("is_sample_order"))
        units = [unit for line in lines for unit in _units(shop, line, status=status, free=free)]
        if not units:
            raise ValueError("An order has lines.")
        target = Recipient(**{**_as_map(who.recipient), **recipient}) if recipient else who.recipient
        order = Order(
            shop.ids.new("order"),
            who,
            target,
            status,
            now,
            now,
            units,
            Shipping() if free else _shipping(shop, shipping or {}),
            order_type=order_type,
            fulfillment_type=fulfillment_type,
            shipping_type="TIKTOK" if fulfillment_type != BY_SELLER else shipping_type,
            warehouse_id=WAREHOUSE_ID,
            paid_time=0 if status == UNPAID else now,
            released=status == AWAITING_SHIPMENT,
            **flags,
        )
        shop.orders.add(order)
        _begin(shop, order)
        return order


def _begin(shop: Shop, order: Order) -> None:
    payload = {"status": order.status, "total": order.total, "currency": shop.region.currency, "user_id": order.buyer.user_id}
    shop.note("order_placed", order.id, {**payload, "lines": len(order.lines)})
    say_status(shop, order)
    if order.status == ON_HOLD:
        hold(shop, order)


def _buyer(shop: Shop, wanted: Mapping[str, Any] | str | None) -> Buyer:
    if isinstance(wanted, str):
        if wanted not in shop.buyers:
            raise Missing(f"There is no buyer {wanted}.")
        return shop.buyers[wanted]
    if wanted and wanted.get("user_id") in shop.buyers and len(wanted) == 1:
        return shop.buyers[wanted["user_id"]]
    return add_buyer(shop, **(wanted or {}))


def _as_map(recipient: Recipient) -> dict[str, Any]:
    return {name: getattr(recipient, name) for name in RECIPIENT_FIELDS}


def _units(shop: Shop, wish: Mapping[str, Any], *, status: str, free: bool) -> list[Line]:
    """Lines of one unit for ``{"seller_sku" | "sku_id", "quantity"}``.

    It may have ``price, seller_discount, platform_discount`` (of one unit, in major units), ``is_gift`` and ``room_id``.
    """
    found = shop.variants.get(str(wish.get("sku_id") or wish.get("seller_sku")))
    if found is None:
        raise Missing(f"There is no SKU {wish.get('sku_id') or wish.get('seller_sku')}.")
    region, sku = shop.region, found[0].sold_as(found[1])
    original = minor(wish["price"], region.exponent) if "price" in wish else sku.price
    is_gift = bool(wish.get("is_gift"))
    platform = minor(wish.get("platform_discount", 0), region.exponent)
    seller = original if free or is_gift else minor(wish.get("seller_discount", 0), region.exponent)
    platform = 0 if free or is_gift else platform
    if seller + platform > original or min(seller, platform) < 0:
        raise ValueError("A discount is no more than the price.")
    tax = ((original - seller - platform) * region.tax + 500) // 1000
    room = str(wish.get("room_id", ""))
    return [
        Line(
            shop.ids.new("line"),
            sku,
            original,
            seller,
            platform,
            status,
            tax=tax,
            is_gift=is_gift,
            room_id=room,
            sub_items=_sub_items(shop, sku, original, seller, platform) if sku.components else (),
        )
        for _ in range(int(wish.get("quantity", 1)))
    ]


def _sub_items(shop: Shop, sku: Sku, *amounts: int) -> tuple[SubItem, ...]:
    """One entry for each unit of each component; original, seller and platform amounts shared by list price, exactly."""
    units = [component for component in sku.components for _ in range(component.count)]
    weights = [component.price for component in units]
    shares = zip(units, *(split(amount, weights) for amount in amounts), strict=True)
    return tuple(SubItem(shop.ids.new("sub_item"), component, *parts) for component, *parts in shares)


def _shipping(shop: Shop, wish: Mapping[str, Any]) -> Shipping:
    """``{"fee", "seller_discount", "platform_discount", "delivery_fee"}`` in major units; unsaid, the platform pays it all."""
    region = shop.region
    usual = round(399 * region.rate / 10 ** (2 - region.exponent))
    original = minor(wish["fee"], region.exponent) if "fee" in wish else usual
    seller = minor(wish.get("seller_discount", 0), region.exponent)
    platform = minor(wish["platform_discount"], region.exponent) if "platform_discount" in wish else 0 if "fee" in wish else usual
    if seller + platform > original:
        raise ValueError("A discount is no more than the fee.")
    extra = minor(wish["delivery_fee"], region.exponent) if "delivery_fee" in wish else region.delivery_fee
    return Shipping(original, seller, platform, ((original - seller - platform) * region.tax + 500) // 1000, extra)
