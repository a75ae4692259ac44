"""The default mappings of events: what they make of records may be sent to Ometria, and is stored there as meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.platforms.base import Account, Item, OutcomeState, Unpaced
from integrations.platforms.ometria import PLATFORM as OMETRIA
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.ometria.compare import compare
from integrations.platforms.ometria.outgoing import outgoing
from integrations.standins.ometria import OmetriaStandIn
from integrations.standins.server import StandInServer
from mapping.compiler import plan_from_rules
from mapping.crosswalk import Lookups
from mapping.defaults import default_mapping, default_tables
from mapping.records import Checkout, CustomerRef, Event, Line, Record
from mapping.transform import transform

AT = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)
ADA = CustomerRef(key="7001", email="Ada@Example.com", phone="+442079460018")
BUYER = CustomerRef(key="tts:7495540735365777507:7021436810468230477")
LONG = "x" * 300


def event(name: str, who: CustomerRef = ADA, **properties: object) -> Event:
    return Event(key=f"{name}:1", occurred_at=AT, name=name, customer=who, properties=properties)


RECORDS: dict[str, tuple[str, Record]] = {
    "view": ("site", event("product_viewed", sku="SHIRT-M", product_name="Linen shirt", price="25.5", currency="GBP",
        product_ids=["P100"])),
    "cart": ("site", event("added_to_cart", sku="SHIRT-M", product_name="Linen shirt", quantity=2, product_ids=["P100"])),
    "begun": ("site", event("checkout_started", checkout_id="c-889", total="54", currency="GBP", product_ids=["P1"] * 30)),
    "bought": ("site", event("purchased", order_id="5001", ttclid=LONG, utm_source="tiktok")),
    "everything at its longest": ("site", event("added_to_cart", sku=LONG, product_name=LONG, url=f"https://{LONG}", checkout_id=LONG,
        order_id=LONG, utm_source=LONG, utm_campaign=LONG, product_ids=["8" * 13] * 40, variant_ids=["4" * 14] * 40, price="1000000000",
        total="1000000000", quantity=100_000, currency="GBP")),
    "nothing but a name": ("site", event("checkout_completed", CustomerRef(email="ada@example.com"))),
    "abandoned": ("site", Checkout(key="c-889", occurred_at=AT, customer=ADA, currency="GBP", total=Decimal(54),
        lines=tuple(Line(key=str(n), sku="SHIRT-M", product_key="8" * 13, quantity=2) for n in range(40)))),
    "recovered": ("site", Checkout(key="c-889", occurred_at=AT, completed_at=AT + timedelta(hours=1), customer=ADA)),
    "delivered": ("tiktok_shop", event("order_delivered", BUYER, order_id="576461413038785752", total="58.00", currency="GBP",
        store="tiktok_shop_gb", items=["TEE-RED-M"])),
    "cancel": ("tiktok_shop", event("cancellation_requested", BUYER, order_id="576461413038785752", reason=LONG, items=["TEE"] * 30)),
    "return": ("tiktok_shop", event("return_opened", BUYER, order_id="576461413038785752", return_type="refund")),
    "closed": ("tiktok_shop", event("return_closed", BUYER, order_id="576461413038785752", outcome="refunded")),
    "refund": ("tiktok_shop", event("order_refunded", BUYER, order_id="576461413038785752", amount="10.00", currency="GBP")),
}  # fmt: skip


@pytest.fixture
def client() -> Iterator[OmetriaClient]:
    stand_in = OmetriaStandIn({"demo": "demo-ometria-key"}, push_rate=None, read_rate=None, delay=0.0)
    with StandInServer([stand_in]) as server:
        where = {"connection_id": 1, "platform": "ometria", "external_id": "demo", "base_url": server.url("ometria")}
        yield OMETRIA.connect(Account(secrets={"api_key": "demo-ometria-key"}, settings={"must_reach_profile": []}, **where), Unpaced())


def payload(name: str) -> dict[str, Any]:
    source, record = RECORDS[name]
    default = default_mapping(source, "ometria", record.record_type)
    found = transform(record, plan_from_rules(default.rules, record_type=record.record_type), Lookups(values=default_tables()))
    assert found.issues == ()
    return found.payload


@pytest.mark.parametrize("name", list(RECORDS))
def test_a_mapped_event_passes_the_check_and_is_stored_as_meant(client, name):
    record = RECORDS[name][1]
    writer, made = OMETRIA.writers[record.record_type], payload(name)
    assert list(writer.check(made)) == []
    (outcome,) = writer.send(client, [Item(key="1", record=record, payload=made)])
    assert outcome.state is OutcomeState.ACCEPTED
    assert compare(outgoing("custom_event", made, client.options), writer.read_back(client, outcome.destination_key)) == []


def test_a_view_tells_sku_name_time_and_who():
    made = payload("view")
    assert made == {
        "@type": "custom_event", "id": made["id"], "event_type": "product_viewed", "timestamp": "2026-01-09T10:00:00Z",
        "identity_email": "ada@example.com", "identity_account_id": "7001", "identity_phone_number": "+442079460018",
        "properties": {
            "source": "site", "sku": "SHIRT-M", "product_name": "Linen shirt", "price": 25.5, "currency": "GBP", "product_id": ["P100"],
        },
    }  # fmt: skip
    assert len(made["id"]) == 32


def test_an_abandoned_checkout_and_its_recovery_are_two_events():
    left, back = payload("abandoned"), payload("recovered")
    assert [made["event_type"] for made in (left, back)] == ["abandoned_checkout", "checkout_recovered"]
    assert left["id"] != back["id"]


def test_every_event_of_an_order_life_has_a_name_at_ometria():
    names = [payload(name)["event_type"] for name in ("delivered", "cancel", "return", "closed", "refund")]
    assert names == ["tts_order_delivered", "tts_cancellation_requested", "tts_return_requested", "tts_return_closed", "tts_order_refunded"]
