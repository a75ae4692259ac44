"""Orders as TikTok Shop shows them, made of a few amounts; every unit is an entry of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from integrations.platforms.base import Account, RawObject
from integrations.platforms.tiktok_shop.parse import parse
from mapping.records import Order, Record, RecordType

D, ZERO = Decimal, Decimal(0)
ACCOUNT = Account(
    connection_id=1, platform="tiktok_shop", external_id="7495540735365777507", base_url="", settings={"region": "GB"}
)  # fmt: skip
NOW = 1_767_224_000


def unit(number: int, price: str = "20.00", seller: str = "0", platform: str = "0", *, tax: str = "", **more: Any) -> dict[str, Any]:
    """One unit for sale at list price minus both discounts."""
    found = {
        "id": f"90{number:02}", "sku_id": "1", "seller_sku": "TEE", "product_id": "77", "product_name": "Tee", "sku_name": "Red, M",
        "original_price": price, "seller_discount": seller, "platform_discount": platform,
        "sale_price": str(D(price) - D(seller) - D(platform)), "display_status": "AWAITING_SHIPMENT", **more,
    }  # fmt: skip
    return found | ({"item_tax": [{"tax_type": "SALES_TAX", "tax_amount": tax}]} if tax else {})


def payment(
    units: list[dict[str, Any]], *, currency: str = "GBP", shipping: str = "0", fee: str = "0", shipping_tax: str = "0"
) -> dict[str, str]:
    """What the platform's identities make of the units."""
    sub_total = sum((D(row["sale_price"]) for row in units), ZERO)
    goods_tax = sum((D(tax["tax_amount"]) for row in units for tax in row.get("item_tax", ())), ZERO)
    total = sub_total + D(shipping) + goods_tax + D(shipping_tax) + D(fee)
    found = {"currency": currency, "sub_total": sub_total, "shipping_fee": shipping, "tax": goods_tax + D(shipping_tax),
             "product_tax": goods_tax, "shipping_fee_tax": shipping_tax, "retail_delivery_fee": fee, "total_amount": total}  # fmt: skip
    return {name: str(value) for name, value in found.items()}


def composite(
    *units: dict[str, Any], cancellations: tuple = (), returns: tuple = (), pay: dict[str, Any] | None = None, **order: Any
) -> RawObject:
    """An order with all that befell it; keyword arguments are fields of the order."""
    rows = list(units) or [unit(1), unit(2)]
    body = {
        "id": "576461413038785752", "status": "AWAITING_SHIPMENT", "user_id": "702", "buyer_email": "v4b@scs.tiktokw.eu",
        "create_time": NOW - 4_000, "update_time": NOW, "payment": pay or payment(rows), "line_items": rows, **order,
    }  # fmt: skip
    return RawObject("order", {"order": body, "cancellations": list(cancellations), "returns": list(returns)})


def back(lines: dict[str, str], *, kind: str = "return", total: str | None = None) -> dict[str, Any]:
    """Amounts by unit id, as requests name them."""
    amount = str(sum((D(value) for value in lines.values()), ZERO)) if total is None else total
    rows = [{"order_line_item_id": key, "seller_sku": "TEE", "refund_amount": {"refund_total": value}} for key, value in lines.items()]
    return {"refund_amount": {"currency": "GBP", "refund_total": amount}, f"{kind}_line_items": rows}


def cancellation(number: int, lines: dict[str, str], *, status: str = "COMPLETE", total: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "cancel_id": f"40{number}", "order_id": "576461413038785752", "cancel_type": "BUYER_CANCEL",
        "cancel_status": f"CANCELLATION_REQUEST_{status}", "cancel_reason": "no_longer_needed", "create_time": NOW - 500,
        "update_time": NOW + number, **back(lines, kind="cancel", total=total), **more,
    }  # fmt: skip


def given_back(
    number: int, lines: dict[str, str], *, status: str = "RETURN_OR_REFUND_REQUEST_COMPLETE", total: str | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "return_id": f"50{number}", "order_id": "576461413038785752", "return_type": "REFUND", "return_status": status,
        "return_reason": "item_damaged", "create_time": NOW + 10, "update_time": NOW + 20 + number, **back(lines, total=total), **more,
    }  # fmt: skip


def records_of(raw: RawObject, account: Account = ACCOUNT) -> list[Record]:
    return list(parse(account, raw))


def order_of(raw: RawObject, account: Account = ACCOUNT) -> Order:
    return next(record for record in records_of(raw, account) if record.record_type is RecordType.ORDER)
