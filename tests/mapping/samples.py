"""Records for the tests of the mapping app; every argument can be replaced."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mapping.compiler import Plan, plan_from_rules
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
    Totals,
    Variant,
)
from mapping.rules import Rule
from mapping.transforms import Call

AT = datetime(2026, 1, 8, 14, 3, 11, 987654, tzinfo=UTC)


def money(text: str) -> Decimal:
    return Decimal(text)


def rule(target: str, source: str = "", *transforms: str | tuple[str, Any], **rest: Any) -> Rule:
    calls = tuple(Call(*entry) if isinstance(entry, tuple) else Call(entry) for entry in transforms)
    return Rule(target=target, source=source, transforms=calls, **rest)


def plan(record_type: str, *rules: Rule) -> Plan:
    return plan_from_rules(rules, record_type=record_type)


def line(key: str = "1", **changes: Any) -> Line:
    values: dict[str, Any] = {
        "key": key, "sku": "SHIRT-M", "product_key": "P100", "variant_key": "V100", "title": "Linen shirt", "quantity": 2,
        "unit_price": money("25.00"), "subtotal": money("50.00"), "discount": money("5.00"), "tax": money("9.00"), "total": money("54.00"),
        "options": {"Size": "M"},
    }  # fmt: skip
    return Line(**{**values, **changes})


def order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "key": "1001", "occurred_at": AT, "number": "#1001", "status": OrderStatus.PAID, "placed_at": AT, "currency": "GBP",
        "totals": Totals(
            subtotal=money("50.00"), discount=money("5.00"), shipping=money("4.00"), tax=money("9.00"),
            total=money("58.00"), net=money("58.00"),
        ),
        "customer": CustomerRef(key="7001", email="ada@example.com", first_name="Ada", last_name="Byron"),
        "lines": (line(),), "shipping_address": Address(city="Leeds", region="West Yorkshire", postcode="LS1 4AP", country="gb"),
        "store": "demo-shop.myshopify.com", "channel": "online",
    }  # fmt: skip
    return Order(**{**values, **changes})


def customer(**changes: Any) -> Customer:
    values: dict[str, Any] = {
        "key": "7001", "occurred_at": AT, "email": " Ada@Example.com ", "phone": "020 7946 0018", "first_name": "Ada", "last_name": "Byron",
        "country": "GB", "locale": "en-GB", "created_at": AT, "tags": ("uk", "vip"),
        "consents": (Consent(channel="email", state=ConsentState.GRANTED, stated_at=AT, explicit=True),),
    }  # fmt: skip
    return Customer(**{**values, **changes})


def product(**changes: Any) -> Product:
    values: dict[str, Any] = {
        "key": "P100", "occurred_at": AT, "title": "Linen shirt", "url": "https://shop.example.com/p/linen-shirt", "vendor": "Acme",
        "image_url": "https://cdn.example.com/p100.jpg", "product_type": "Shirts", "tags": ("linen",), "categories": {"77": "Summer"},
        "prices": (
            Price(market="", currency="GBP", regular=money("25.00"), sale=money("20.00")),
            Price(market="JP", currency="JPY", regular=money("4800")),
        ),
        "attributes": {"store": "demo-shop.myshopify.com"},
    }  # fmt: skip
    return Product(**{**values, **changes})


def variant(**changes: Any) -> Variant:
    values: dict[str, Any] = {
        "key": "V100", "occurred_at": AT, "product_key": "P100", "sku": "SHIRT-M", "title": "Red / M", "product_title": "Linen shirt",
        "options": {"Colour": "Dark Red", "Size": "M"}, "prices": (Price(market="", currency="GBP", regular=money("25.00")),),
        "in_stock": False, "url": "https://shop.example.com/p/linen-shirt?variant=V100",
    }  # fmt: skip
    return Variant(**{**values, **changes})


def checkout(**changes: Any) -> Checkout:
    values: dict[str, Any] = {
        "key": "c-889", "occurred_at": AT, "customer": CustomerRef(key="7001", email="ada@example.com"), "currency": "GBP",
        "url": "https://shop.example.com/c/889", "total": money("54.00"), "lines": (line("1"), line("2", product_key="P200", quantity=1)),
    }  # fmt: skip
    return Checkout(**{**values, **changes})
