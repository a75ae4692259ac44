"""From a visitor's events to records: each event, and the checkout it begins or ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.platforms.base import Account, JsonObject, RawObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.site.options import Options
from integrations.platforms.site.schema import TYPES
from integrations.platforms.site.webhooks import REFUSED_CONSENT
from mapping.records import ZERO, Checkout, CustomerRef, Event, EventRole, Line, Record

PREFIX = "webhook:"
ROLES = {"identified": EventRole.IDENTITY, "purchased": EventRole.PURCHASE}
ENDS = frozenset({"checkout_completed", "purchased"})
BEGINS = "checkout_started"
# what an event carries of its data, under the name it has in the record
CARRIED = {
    "sku": "sku", "name": "product_name", "price": "price", "currency": "currency", "quantity": "quantity", "category": "category",
    "url": "url", "checkout_id": "checkout_id", "order_id": "order_id", "total": "total",
}  # fmt: skip
LISTED = {"product_id": "product_ids", "variant_id": "variant_ids", "sku": "skus"}


def parse(account: Account, raw: RawObject) -> Sequence[Record]:
    """The event, and the checkout it begins or ends; none for a count of dropped events, Unparsable for what `cut` did not write."""
    kind = raw.shape.removeprefix(PREFIX)
    if kind == REFUSED_CONSENT and raw.shape.startswith(PREFIX):
        return ()
    if kind not in TYPES or not raw.shape.startswith(PREFIX):
        raise Unparsable(f"unknown shape {raw.shape}")
    try:
        return _records(account, kind, raw.data)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as fault:
        raise Unparsable(f"{raw.shape}: {type(fault).__name__}: {fault}") from fault


def _records(account: Account, kind: str, raw: JsonObject) -> Sequence[Record]:
    data, at = raw["data"], datetime.fromisoformat(raw["at"])
    customer = CustomerRef(key=raw.get("customer_id", ""), email=raw.get("email", "").lower(), phone=raw.get("phone", ""))
    visitor = raw.get("anonymous_id", "")
    event = Event(
        key=raw["event_id"], occurred_at=at, name=kind, customer=customer, visitor=visitor, role=ROLES.get(kind, EventRole.PLAIN),
        properties=_properties(raw, data),
    )  # fmt: skip
    if not data.get("checkout_id") or (kind != BEGINS and kind not in ENDS):
        return (event,)
    ended = kind in ENDS
    checkout = Checkout(
        key=data["checkout_id"], occurred_at=at, customer=customer, visitor=visitor, completed_at=at if ended else None,
        not_before=None if ended else at + timedelta(minutes=Options.of(account).abandon_minutes),
        url=data.get("url", ""), currency=data.get("currency", ""), total=Decimal(data.get("total", "0")),
        lines=tuple(_line(line, number) for number, line in enumerate(data.get("lines", ()), start=1)),
    )  # fmt: skip
    return (event, checkout)


def _properties(raw: JsonObject, data: JsonObject) -> dict[str, object]:
    """The data flat: products as lists of ids, whether there is one or a basket of them; the merchant's own values cannot replace ours."""
    pieces = data.get("lines") or [data]
    found: dict[str, object] = {**data.get("properties", {}), **raw.get("campaign", {})}
    found |= {ours: data[theirs] for theirs, ours in CARRIED.items() if theirs in data}
    found |= {ours: values for theirs, ours in LISTED.items() if (values := [piece[theirs] for piece in pieces if theirs in piece])}
    if data.get("lines"):
        found["quantities"] = [piece.get("quantity", 1) for piece in pieces]
    return found | ({"page": raw["page"]} if raw.get("page") else {})


def _line(raw: dict[str, Any], number: int) -> Line:
    price, quantity = Decimal(raw["price"]) if "price" in raw else ZERO, raw.get("quantity", 1)
    return Line(
        key=str(number), sku=raw.get("sku", ""), product_key=raw.get("product_id", ""), variant_key=raw.get("variant_id", ""),
        title=raw.get("name", ""), quantity=quantity, unit_price=price, subtotal=price * quantity, total=price * quantity,
    )  # fmt: skip
