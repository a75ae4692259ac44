"""The default mappings and this room fit together: what they make of records may be sent, and is stored as meant."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from integrations.platforms.base import Item, OutcomeState, Sent
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.compare import compare
from integrations.platforms.ometria.outgoing import outgoing
from mapping.compiler import plan_from_rules
from mapping.crosswalk import Lookups
from mapping.defaults import default_mapping, default_tables
from mapping.records import (
    Address,
    Checkout,
    Consent,
    ConsentState,
    Customer,
    CustomerRef,
    Line,
    Order,
    OrderStatus,
    Price,
    Product,
    Record,
    RecordType,
    Totals,
    Variant,
)
from mapping.transform import transform

AT = datetime(2026, 1, 8, 14, 3, 11, 987654, tzinfo=UTC)
ADA = CustomerRef(key="7001", email="ada@example.com", phone="+442079460018", first_name="Ada", last_name="Byron")
TYPES = ("customer", "order", "product", "variant", "checkout")
LOOKUPS = Lookups(values=default_tables())


def _line(unit: str, tax: str, **changes: object) -> Line:
    price, taxed = Decimal(unit), Decimal(tax)
    values = {"key": "1", "sku": "SHIRT-M", "product_key": "P100", "variant_key": "V100", "title": "Linen shirt", "quantity": 2,
              "unit_price": price, "subtotal": 2 * price, "tax": taxed, "total": 2 * price + taxed, "options": {"Size": "M"}}  # fmt: skip
    return Line(**{**values, **changes})


def _order(key: str, currency: str, unit: str, tax: str, **changes: object) -> Order:
    line = _line(unit, tax)
    totals = Totals(subtotal=line.subtotal, shipping=Decimal(4), tax=line.tax, total=line.total + 4, net=line.total + 4)
    values = {"key": key, "occurred_at": AT, "placed_at": AT, "number": f"#{key}", "status": OrderStatus.PAID, "currency": currency,
              "totals": totals, "customer": ADA, "lines": (line,), "store": "demo-shop.example.com", "channel": "online",
              "shipping_address": Address(city="Leeds", region="West Yorkshire", postcode="LS1 4AP", country="GB")}  # fmt: skip
    return Order(**{**values, **changes})


RECORDS: dict[str, Record] = {
    "customer": Customer(
        key="7001", occurred_at=AT, email=" Ada@Example.com ", phone="+442079460018", first_name="Ada", last_name="Byron" * 20,
        country="gb", locale="en-GB", created_at=AT, tags=("uk", "vip"),
        consents=(
            Consent(channel="email", state=ConsentState.GRANTED, stated_at=AT, explicit=True),
            Consent(channel="sms", state=ConsentState.WITHDRAWN, stated_at=AT, explicit=True),
        ),
    ),
    "customer who was never asked": Customer(key="7002", occurred_at=AT, email="grace@example.com"),
    "order": _order("5001", "GBP", "25.00", "9.99"),
    "order in yen": _order("5002", "JPY", "4800", "960"),
    "order in dinars": _order("5003", "KWD", "7.125", "0.357"),
    "order of a guest": _order("5004", "EUR", "19.99", "3.33", customer=CustomerRef(email="guest@example.com")),
    "cancelled order": _order("5005", "GBP", "25.00", "9.99", status=OrderStatus.CANCELLED, cancelled_at=AT),
    "partly refunded order": _order(
        "5006", "GBP", "25.00", "9.98", status=OrderStatus.PARTIALLY_REFUNDED,
        lines=(_line("25.00", "9.98", refunded_quantity=1, refunded_amount=Decimal("29.99")),),
    ),
    "product": Product(
        key="P100", occurred_at=AT, title="Linen shirt " * 20, url="https://shop.example.com/p/linen-shirt", vendor="Acme",
        image_url="https://cdn.example.com/p100.jpg", tags=("linen",), categories={"77": "Summer"},
        prices=(
            Price(market="", currency="GBP", regular=Decimal("25.00"), sale=Decimal("20.00")),
            Price(market="JP", currency="JPY", regular=Decimal(4800)),
        ),
    ),
    "variant": Variant(
        key="V100", occurred_at=AT, product_key="P100", sku="SHIRT-M", title="Red / M", product_title="Linen shirt",
        options={"Colour": "Dark Red"}, prices=(Price(market="", currency="GBP", regular=Decimal("25.00")),), in_stock=False,
    ),
    "checkout": Checkout(
        key="c-889", occurred_at=AT, customer=ADA, currency="GBP", url="https://shop.example.com/c/889", total=Decimal("54.00"),
        lines=tuple(_line("25.00", "0", key=str(number)) for number in range(60)),
    ),
    "recovered checkout": Checkout(key="c-890", occurred_at=AT, completed_at=AT, customer=ADA, currency="GBP"),
}  # fmt: skip


@pytest.fixture
def mapped() -> Callable[[Record], dict]:
    def go(record: Record) -> dict:
        default = default_mapping("shopify", "ometria", str(record.record_type))
        result = transform(record, plan_from_rules(default.rules, record_type=record.record_type), LOOKUPS)
        assert result.issues == ()
        return result.payload

    return go


@pytest.mark.parametrize("record_type", TYPES)
def test_default_rules_fill_only_fields_that_ometria_has(record_type):
    open_objects = tuple(f"{target.path}." for target in PLATFORM.targets[record_type] if target.type == "object")
    known = {target.path for target in PLATFORM.targets[record_type]}

    targets = {rule.target for rule in default_mapping("shopify", "ometria", record_type).rules}
    assert {target for target in targets - known if not target.startswith(open_objects)} == set()


@pytest.mark.parametrize("name", list(RECORDS))
def test_a_mapped_record_passes_the_check_and_is_stored_as_meant(client, stand_in, mapped, name):
    record = RECORDS[name]
    writer, payload = PLATFORM.writers[record.record_type], mapped(record)
    assert list(writer.check(payload)) == []

    (outcome,) = writer.send(client, [Item(key=record.key, record=record, payload=payload)])
    confirmed = writer.confirm(client, outcome.receipt, [Sent(record.key, outcome.destination_key, payload)], 1.0)

    assert [answer.state for answer in confirmed] == [OutcomeState.DELIVERED]
    assert compare(outgoing(writer.kind, payload, client.options), writer.read_back(client, outcome.destination_key)) == []
    assert dict(stand_in.account().unknown_keys) == {}


def test_every_record_type_with_a_default_is_covered_here():
    assert {str(record.record_type) for record in RECORDS.values()} == set(TYPES)
    assert {str(kind) for kind in RecordType if default_mapping("shopify", "ometria", str(kind))} == set(TYPES)
