"""From stored events to records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.platforms.base import Account, RawObject
from integrations.platforms.site import PLATFORM
from mapping.records import Checkout, CustomerRef, Event, EventRole, Line

AT = datetime(2026, 1, 9, 10, 0, 0, 250_000, tzinfo=UTC)
VISITOR = "5f0c2f8e-3d41-4a55-9b7e-8f1d6f0f7a21"


def parsed(kind: str, data: dict[str, Any], settings: dict[str, Any] | None = None, **values: Any) -> list[Any]:
    account = Account(connection_id=1, platform="site", external_id="k", base_url="https://www.example.com", settings=settings or {})
    raw = {"event_id": "e-00000001", "type": kind, "at": AT.isoformat(), "anonymous_id": VISITOR, "data": data, **values}
    return list(PLATFORM.parse(account, RawObject(f"webhook:{kind}", raw)))


def test_a_view_is_an_event_of_its_visitor_with_product_campaign_and_page():
    data = {"sku": "SHIRT-M", "product_id": "P100", "name": "Linen shirt", "price": "25", "currency": "GBP"}
    data |= {"properties": {"size": "M", "sku": "x"}}
    assert parsed("product_viewed", data, campaign={"ttclid": "E.C.P.1"}, page="https://www.example.com/p/1") == [
        Event(
            key="e-00000001", occurred_at=AT, name="product_viewed", visitor=VISITOR,
            properties={
                "size": "M", "ttclid": "E.C.P.1", "sku": "SHIRT-M", "product_name": "Linen shirt", "price": "25", "currency": "GBP",
                "product_ids": ["P100"], "skus": ["SHIRT-M"], "page": "https://www.example.com/p/1",
            },
        )
    ]  # fmt: skip


def test_an_identified_visitor_says_only_who_it_is():
    (found,) = parsed("identified", {}, email="Ada@Example.com", customer_id="7001")
    assert (found.role, found.visitor, found.customer) == (EventRole.IDENTITY, VISITOR, CustomerRef(key="7001", email="ada@example.com"))


BASKET = {
    "checkout_id": "c-889", "total": "54", "currency": "GBP", "url": "https://www.example.com/c/889",
    "lines": [{"sku": "SHIRT-M", "product_id": "P100", "name": "Linen shirt", "quantity": 2, "price": "25"}, {"sku": "SOAP"}],
}  # fmt: skip


def test_a_checkout_that_begins_is_an_event_and_a_checkout_that_waits_the_set_time():
    event, checkout = parsed("checkout_started", BASKET, {"abandon_minutes": 45})
    assert (event.name, event.properties["skus"], event.properties["quantities"]) == ("checkout_started", ["SHIRT-M", "SOAP"], [2, 1])
    assert checkout == Checkout(
        key="c-889", occurred_at=AT, visitor=VISITOR, not_before=AT + timedelta(minutes=45), url="https://www.example.com/c/889",
        currency="GBP", total=Decimal(54),
        lines=(
            Line(key="1", sku="SHIRT-M", product_key="P100", title="Linen shirt", quantity=2, unit_price=Decimal(25), subtotal=Decimal(50),
                 total=Decimal(50)),
            Line(key="2", sku="SOAP"),
        ),
    )  # fmt: skip


def test_a_purchase_ends_the_checkout_it_names():
    event, checkout = parsed("purchased", {"order_id": "5001", "checkout_id": "c-889"}, email="ada@example.com")
    assert (event.role, event.properties) == (EventRole.PURCHASE, {"order_id": "5001", "checkout_id": "c-889"})
    assert (checkout.key, checkout.completed_at, checkout.not_before, checkout.customer.email) == ("c-889", AT, None, "ada@example.com")


def test_a_purchase_that_names_no_checkout_is_an_event_alone():
    assert [record.record_type for record in parsed("purchased", {"order_id": "5001"})] == ["event"]
