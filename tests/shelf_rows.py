"""A catalogue and orders that wait for SKUs it does not know, for tests of the pages where people answer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from integrations.engine.shelf import forget_catalogues
from integrations.models import Delivery, Flow, Hold, SyncException
from mapping import codec
from mapping.records import Price, Variant
from tests.factories import BEGAN, LineFactory, OrderFactory
from tests.rows import make_delivery, make_exception, make_flow

# SKU, product, variant, price
SHELF = (
    ("MUG-BLUE", "Mug", "Blue", "9.00"), ("MUG-RED", "Mug", "Red", "9.00"), ("SOAP", "Olive soap", "", "5.00"),
    ("DISH", "Soap dish", "", "15.00"), ("TOWEL-L", "Linen towel", "Large", "32.50"),
)  # fmt: skip


def stock_shelf(entries: Sequence[tuple[str, str, str, str]] = SHELF) -> Flow:
    """A product source with these variants; returns its flow."""
    flow = make_flow("variant")
    for number, (sku, product, title, price) in enumerate(entries):
        record = Variant(
            key=f"V{number}", occurred_at=BEGAN, product_key=f"P-{product}", sku=sku, title=title, product_title=product,
            options={"Colour": title} if title else {}, prices=(Price(market="", currency="GBP", regular=Decimal(price)),),
        )  # fmt: skip
        make_delivery(flow, record.key, record=as_json(record), state=Delivery.State.DELIVERED)
    forget_catalogues()
    return flow


def as_json(record: Any) -> dict[str, Any]:
    """A record as the outbox holds it."""
    return orjson.loads(codec.dumps(record))


def wait_for(
    flow: Flow,
    sku: str,
    orders: int = 1,
    *,
    title: str = "",
    option: str = "",
    price: str = "10.00",
    quantity: int = 1,
    also: Sequence[SyncException] = (),
) -> SyncException:
    """An open question about the SKU with so many orders that wait for it; `also` are questions that they wait for besides."""
    question = make_exception(flow, subject=sku)
    amount = Decimal(price) * quantity
    for number in range(orders):
        line = LineFactory(
            sku=sku, title=title or sku, options={"Colour": option} if option else {}, quantity=quantity, unit_price=Decimal(price),
            subtotal=amount, total=amount,
        )  # fmt: skip
        order = OrderFactory(key=f"{sku}-{number}", lines=(line,))
        record = as_json(order) | {"totals": as_json(order)["totals"] | {"total": str(amount), "net": str(amount)}}
        delivery = make_delivery(flow, order.key, record=record, state=Delivery.State.BLOCKED)
        Hold.objects.bulk_create(Hold(exception=asked, delivery=delivery) for asked in (question, *also))
    return question
