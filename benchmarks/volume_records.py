"""One record of each type as the product stores it, so that rows are as wide as in life; statements put numbers and people into them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson

from benchmarks.shelves import things
from integrations.engine.accounts import account_for, platform_of
from integrations.models import Connection, Flow
from integrations.platforms.base import RawObject
from mapping import codec
from mapping.records import Address, Checkout, Consent, ConsentState, Customer, CustomerRef, Order, Product, Record, RecordType

AT = datetime(2026, 1, 1, tzinfo=UTC)
# How twenty deliveries share out over the flows of a shop: half are orders, a quarter contacts.
SHARES = {
    RecordType.ORDER: range(10), RecordType.CUSTOMER: range(10, 15), RecordType.VARIANT: range(15, 18), RecordType.PRODUCT: range(18, 19),
    RecordType.CHECKOUT: range(19, 20),
}  # fmt: skip
SLOTS = 20


def flow_slots() -> list[int]:
    """The flow of each of twenty deliveries in a row."""
    flows = dict(Flow.objects.values_list("record_type", "pk"))
    slots = dict(enumerate([flows[RecordType.ORDER]] * SLOTS))
    for record_type, places in SHARES.items():
        slots |= {place: flows[record_type] for place in places if record_type in flows}
    return list(slots.values())


def records(bodies: Path) -> str:
    """Record type → record, as JSON."""
    order = _order(bodies)
    shelf = next(things(1))
    line = order.lines[0]
    found: dict[RecordType, Record] = {
        RecordType.ORDER: order, RecordType.CUSTOMER: _customer(), RecordType.VARIANT: shelf.variant,
        RecordType.PRODUCT: Product(
            key="", occurred_at=AT, title="Organic Cotton Shirt", description="A shirt for every day. " * 20, handle="organic-cotton-shirt",
            product_type="Shirts", skus=(shelf.variant.sku,), prices=shelf.variant.prices,
        ),
        RecordType.CHECKOUT: Checkout(
            key="", occurred_at=AT, customer=order.customer, not_before=AT, currency="GBP", total=Decimal(54), lines=(line,)
        ),
    }  # fmt: skip
    return orjson.dumps({str(name): orjson.loads(codec.dumps(record)) for name, record in found.items()}).decode()


def _order(bodies: Path) -> Order:
    source = Connection.objects.get(platform="shopify")
    with bodies.open("rb") as file:
        raw = RawObject("webhook:orders/create", orjson.loads(file.readline()))
    parsed = platform_of(source).parse(account_for(source), raw)
    order = next(record for record in parsed if isinstance(record, Order))
    return order if order.customer.key else replace(order, customer=CustomerRef(key="1", email="person@example.com"))


def _customer() -> Customer:
    return Customer(
        key="", occurred_at=AT, email="person@example.com", phone="", first_name="Ada", last_name="Byron", country="GB", locale="en-GB",
        created_at=AT, tags=("newsletter", "vip"), addresses=(Address(first_name="Ada", line1="1 Example Street", country="GB"),),
        consents=(Consent(channel="email", state=ConsentState.GRANTED, stated_at=AT, source="checkout", explicit=True),),
    )  # fmt: skip
