"""What an event must look like, one line per type: docs/collector.md shows the same table to those who send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations.platforms.base import JsonObject
from integrations.platforms.site.checks import (
    Shape,
    Wrong,
    address,
    amount,
    count,
    currency,
    email,
    extras,
    identifier,
    moment,
    phone,
    rows,
    text,
    token,
)

ON_THE_WAY = timedelta(seconds=30)  # what a call may take: a difference of clocks below it is not told from that
FUTURE = timedelta(minutes=5)  # by which a clock may be ahead before its time is not believed
MAX_LINES = 100

PIECE = {"sku": identifier(100), "product_id": identifier(100), "variant_id": identifier(100), "name": text(300)}
PRODUCT = Shape(
    {**PIECE, "price": amount, "currency": currency, "quantity": count, "category": text(200), "url": address, "properties": extras},
    required=("name",),
    one_of=(("sku", "product_id"),),
)
LINE = Shape({**PIECE, "price": amount, "quantity": count}, one_of=(("sku", "product_id", "variant_id"),))
BASKET = {
    "checkout_id": identifier(100), "order_id": identifier(100), "lines": rows(LINE, MAX_LINES), "total": amount, "currency": currency,
    "url": address, "properties": extras,
}  # fmt: skip
TYPES: Mapping[str, Shape] = {
    "product_viewed": PRODUCT,
    "added_to_cart": PRODUCT,
    "checkout_started": Shape(BASKET, required=("checkout_id", "total", "currency")),
    "checkout_completed": Shape(BASKET, required=("checkout_id",)),
    "purchased": Shape(BASKET, required=("order_id",)),
    "identified": Shape({"properties": extras}),
}
CAMPAIGN = Shape(
    {name: text(500) for name in ("ttclid", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")},
)
WHO = ("email", "phone", "customer_id")
ENVELOPE = Shape(
    {
        "event_id": token, "type": text(40), "at": moment, "consent": bool, "anonymous_id": token, "email": email, "phone": phone,
        "customer_id": identifier(100), "page": address, "campaign": lambda value: CAMPAIGN.read(value, "entry"),
        "data": lambda value: value,
    },
    required=("event_id", "type", "at"),
    one_of=(("anonymous_id", *WHO),),
)  # fmt: skip


def read_event(given: JsonObject, *, skew: timedelta, now: datetime) -> JsonObject:
    """An event as it is stored, its time by our clock; raises Wrong with what does not fit its type.

    `skew` is how far the sender's clock is behind ours.
    """
    found = ENVELOPE.read(given, "the event")
    kind = found["type"]
    shape = TYPES.get(kind)
    if shape is None:
        raise Wrong("the event has a type that is not known here")
    if kind == "identified" and not any(found.get(name) for name in WHO):
        raise Wrong(f"identified needs {' or '.join(WHO)}")
    found["data"] = shape.read(given.get("data") or {}, f"{kind}: data")
    at = found["at"] + skew
    if at > now + FUTURE:
        raise Wrong(f"{kind}: at lies in the future")
    found["at"] = min(at, now).isoformat()
    found.pop("consent", None)
    return {name: value for name, value in found.items() if value or name == "data"}


def read_skew(sent_at: Any, now: datetime) -> timedelta:
    """How far the sender's clock is behind ours, from the time it says that it sent; nothing when it does not say or may be on the way."""
    try:
        skew = now - moment(sent_at)
    except Wrong:
        return timedelta(0)
    return skew if abs(skew) > ON_THE_WAY else timedelta(0)
