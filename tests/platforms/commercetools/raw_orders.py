"""Orders as commercetools shows them, made of a few amounts in smallest units, priced and taxed by its published rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from integrations.platforms.base import Account, RawObject
from integrations.platforms.commercetools.parse import parse
from mapping.records import Customer, Order, Record, RecordType

DIGITS: Mapping[str, int] = {"GBP": 2, "EUR": 2, "JPY": 0, "KWD": 3}
ACCOUNT = Account(connection_id=1, platform="commercetools", external_id="acme-demo", base_url="http://127.0.0.1:9")
CREATED, CHANGED = "2026-11-01T09:00:02.000Z", "2026-11-02T15:30:00.250Z"


def account(**settings: Any) -> Account:
    """The account with these settings."""
    return Account(connection_id=1, platform="commercetools", external_id="acme-demo", base_url="http://127.0.0.1:9", settings=settings)


def cents(amount: int, currency: str = "GBP") -> dict[str, Any]:
    """An amount in smallest units."""
    return {"type": "centPrecision", "currencyCode": currency, "centAmount": amount, "fractionDigits": DIGITS[currency]}


def precise(amount: int, digits: int, currency: str = "GBP") -> dict[str, Any]:
    """An amount of high precision."""
    rounded = int((Decimal(amount) / 10 ** (digits - DIGITS[currency])).to_integral_value(ROUND_HALF_EVEN))
    return {**cents(rounded, currency), "type": "highPrecision", "preciseAmount": amount, "fractionDigits": digits}


def taxed(total: int, rate: str, *, included: bool, currency: str = "GBP") -> dict[str, Any]:
    """The taxed price of a total by its rate."""
    share = 1 + Decimal(rate)
    exact = Decimal(total) / share if included else Decimal(total) * share
    other = int(exact.to_integral_value(ROUND_HALF_EVEN))
    net, gross = (other, total) if included else (total, other)
    return {"totalNet": cents(net, currency), "totalGross": cents(gross, currency), "totalTax": cents(gross - net, currency)}


def with_tax(total: int, rate: str | None, *, included: bool, currency: str) -> dict[str, Any]:
    """Total, rate and taxed price of an item, without the latter two where there is no rate."""
    if rate is None:
        return {}
    return {
        "taxRate": {"amount": float(rate), "includedInPrice": included, "country": "GB", "name": "VAT"},
        "taxedPrice": taxed(total, rate, included=included, currency=currency),
    }


def line(
    number: int, price: int | Mapping[str, Any] = 2000, quantity: int = 1, *, off: int = 0, rate: str | None = "0.2",
    included: bool = True, currency: str = "GBP", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """A line of so many units, with `off` taken from its total."""
    value = cents(price, currency) if isinstance(price, int) else dict(price)
    units = Decimal(value.get("preciseAmount", value["centAmount"])) / 10 ** (value["fractionDigits"] - DIGITS[currency])
    total = int((units * quantity).to_integral_value(ROUND_HALF_EVEN)) - off
    return {
        "id": f"line-{number}", "productId": f"product-{number}", "name": {"en-GB": f"Thing {number}", "de": f"Ding {number}"},
        "variant": {"id": 1, "sku": f"SKU-{number}", "attributes": []}, "price": {"id": f"price-{number}", "value": value},
        "quantity": quantity, "totalPrice": cents(total, currency), "lineItemMode": "Standard", "state": [],
        **with_tax(total, rate, included=included, currency=currency), **more,
    }  # fmt: skip


def custom_line(number: int, amount: int, *, rate: str | None = "0.2", included: bool = True, currency: str = "GBP") -> dict[str, Any]:
    """A fee, or a voucher below zero."""
    return {
        "id": f"custom-{number}", "name": {"en-GB": f"Extra {number}"}, "slug": f"extra-{number}", "money": cents(amount, currency),
        "quantity": 1, "totalPrice": cents(amount, currency), **with_tax(amount, rate, included=included, currency=currency),
    }  # fmt: skip


def shipping(amount: int, *, rate: str | None = "0.2", included: bool = True, currency: str = "GBP", **more: Any) -> dict[str, Any]:
    """The shipping of an order."""
    return {
        "shippingMethodName": "Standard", "price": cents(amount, currency), "shippingRate": {"price": cents(amount, currency)},
        **with_tax(amount, rate, included=included, currency=currency), **more,
    }  # fmt: skip


def order(
    *lines: Mapping[str, Any], customs: Sequence[Mapping[str, Any]] = (), ships: Sequence[Mapping[str, Any]] = (),
    off: tuple[int, int] = (0, 0), currency: str = "GBP", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """An order; `off` is what was taken off the whole (net, gross). Keyword arguments are its fields."""
    rows = list(lines) or [line(1, currency=currency)]
    parts = [*rows, *customs, *ships]
    taxed_parts = [part["taxedPrice"] for part in parts if "taxedPrice" in part]
    priced = sum((part.get("totalPrice") or part["price"])["centAmount"] for part in parts)
    on_top = any(not part["taxRate"]["includedInPrice"] for part in parts if "taxRate" in part)
    found = {
        "id": "order-1", "version": 7, "createdAt": CREATED, "lastModifiedAt": CHANGED, "orderNumber": "W-2001", "orderState": "Confirmed",
        "customerEmail": "ada@example.com", "lineItems": rows, "customLineItems": list(customs), "country": "GB", "locale": "en-GB",
        "totalPrice": cents(priced - (off[0] if on_top else off[1]), currency), "returnInfo": [], "discountCodes": [],
        **({"shippingInfo": ships[0]} if len(ships) == 1 else {}),
        **({"shippingMode": "Multiple", "shipping": [{"shippingKey": f"s{n}", "shippingInfo": ship} for n, ship in enumerate(ships)]}
           if len(ships) > 1 else {}),
    }  # fmt: skip
    if taxed_parts and len(taxed_parts) == len(parts):
        net, gross = (sum(part[name]["centAmount"] for part in taxed_parts) for name in ("totalNet", "totalGross"))
        found["taxedPrice"] = {"totalNet": cents(net - off[0], currency), "totalGross": cents(gross - off[1], currency)}
    if any(off):
        amount = cents(off[0] if on_top else off[1], currency)
        stated = {"discountedNetAmount": cents(off[0], currency), "discountedGrossAmount": cents(off[1], currency)}
        found["discountOnTotalPrice"] = {"discountedAmount": amount, "includedDiscounts": [], **(stated if "taxedPrice" in found else {})}
    return {**found, **more}


def payment(*transactions: Mapping[str, Any], number: int = 1, version: int = 1, changed: str = CREATED) -> dict[str, Any]:
    """A payment of an order, brought along."""
    obj = {"id": f"payment-{number}", "version": version, "createdAt": CREATED, "lastModifiedAt": changed,
           "paymentMethodInfo": {"method": "card"}, "transactions": list(transactions)}  # fmt: skip
    return {"typeId": "payment", "id": f"payment-{number}", "obj": obj}


def transaction(
    number: int, amount: int, *, kind: str = "Refund", state: str = "Success", currency: str = "GBP", at: str = "2026-11-03T10:00:00.000Z"
) -> dict[str, Any]:
    """Money that moved, or was meant to."""
    return {"id": f"transaction-{number}", "type": kind, "state": state, "amount": cents(amount, currency), "timestamp": at}


def paid_with(*payments: Mapping[str, Any]) -> dict[str, Any]:
    """The field of an order that holds its payments."""
    return {"paymentInfo": {"payments": list(payments)}}


def returned(number: int, line_id: str, quantity: int = 1, *, money: str = "Refunded", goods: str = "Returned") -> dict[str, Any]:
    """A return of units of one line."""
    kind = "customLineItemId" if line_id.startswith("custom") else "lineItemId"
    item = {"id": f"return-{number}", kind: line_id, "quantity": quantity, "shipmentState": goods, "paymentState": money,
            "createdAt": "2026-11-03T08:00:00.000Z", "lastModifiedAt": "2026-11-03T09:00:00.000Z"}  # fmt: skip
    return {"items": [item], "returnDate": "2026-11-03T09:00:00.000Z"}


def records_of(raw: Mapping[str, Any], shape: str = "order", **settings: Any) -> list[Record]:
    """What parsing makes of an object."""
    return list(parse(account(**settings), RawObject(shape, dict(raw))))


def order_of(raw: Mapping[str, Any], **settings: Any) -> Order:
    """The order of an object."""
    return next(record for record in records_of(raw, **settings) if record.record_type is RecordType.ORDER)


def customer_of(raw: Mapping[str, Any], **settings: Any) -> Customer:
    """The customer of an object."""
    (found,) = records_of(raw, "customer", **settings)
    return found
