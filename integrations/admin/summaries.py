"""One line per record for lists: what it is, its worth, and whom it concerns with personal data masked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from integrations.engine.masking import mask_email, mask_name, mask_phone
from integrations.words import money

Record = Mapping[str, Any]
SUMS = (
    ("subtotal", "Lines"), ("discount", "− discount"), ("shipping", "+ shipping"), ("tax", "+ tax"), ("other", "+ tips, duties, rounding"),
    ("total", "Total"), ("refunded", "− refunded"), ("cancelled", "− cancelled"), ("net", "Net"),
)  # fmt: skip
ALWAYS = ("total", "net")
CHANNELS = {"email": "e-mail", "sms": "text messages"}
STATES = {"granted": "granted", "withdrawn": "withdrawn", "suppressed": "must not be written to", "unknown": "never asked"}


def headline(record_type: str, record: Record, *, personal: bool = False) -> str:
    """The record in one line; names, addresses and numbers are masked unless `personal`."""
    build = HEADLINES.get(record_type)
    parts = build(record, personal) if build else [str(record.get("name", ""))]
    text = " · ".join(part for part in parts if part)
    return f"{text} (deleted at the source)" if record.get("removed") else text


def person(who: Record, personal: bool) -> str:
    """A person by name and address, or by phone."""
    name = " ".join(value for value in (str(who.get("first_name", "")), str(who.get("last_name", ""))) if value)
    email, phone = str(who.get("email", "")), str(who.get("phone", ""))
    if not personal:
        name = " ".join(mask_name(part) for part in name.split()[:2])
        email, phone = (mask_email(email) if email else ""), mask_phone(phone)
    return ", ".join(value for value in (name, email or phone) if value) or "guest"


def order_value(record: Record) -> str:
    """What an order is worth after refunds and cancellations."""
    totals = record.get("totals") or {}
    return money(totals.get("net", totals.get("total", "0")), str(record.get("currency", "")))


def sheet(record: Record) -> dict[str, Any]:
    """An order's lines and sums as people read them, in the order's currency; empty for what has no lines."""
    currency, totals = str(record.get("currency", "")), record.get("totals") or {}
    return (
        {
            "lines": [_line(line, currency) for line in record.get("lines") or ()],
            "sums": [
                (label, money(totals[name], currency)) for name, label in SUMS if name in ALWAYS or Decimal(str(totals.get(name) or 0))
            ],
        }
        if totals and record.get("lines")
        else {}
    )


def _line(line: Record, currency: str) -> dict[str, Any]:
    given_back = int(line.get("refunded_quantity") or 0) + int(line.get("cancelled_quantity") or 0)
    return {
        "title": " · ".join(str(part) for part in (line.get("title"), line.get("variant_title")) if part),
        "sku": line.get("sku", ""),
        "quantity": line.get("quantity", 1),
        "given_back": given_back,
        "total": money(line.get("total", "0"), currency),
    }


def _order(record: Record, personal: bool) -> list[str]:
    status = str(record.get("status", "")).replace("_", " ")
    return [
        f"Order {record.get('number') or record.get('key')}",
        order_value(record),
        status,
        person(record.get("customer") or {}, personal),
    ]


def _customer(record: Record, personal: bool) -> list[str]:
    return [person(record, personal), str(record.get("country", ""))]


def _product(record: Record, personal: bool) -> list[str]:
    return [str(record.get("title", "")), "" if record.get("active", True) else "not on sale"]


def _variant(record: Record, personal: bool) -> list[str]:
    return [str(record.get("product_title", "")), str(record.get("title", "")), f"SKU {record['sku']}" if record.get("sku") else ""]


def _checkout(record: Record, personal: bool) -> list[str]:
    state = "recovered" if record.get("completed_at") else "not completed"
    return [
        "Checkout",
        money(record.get("total", "0"), str(record.get("currency", ""))),
        state,
        person(record.get("customer") or {}, personal),
    ]


def _event(record: Record, personal: bool) -> list[str]:
    return [str(record.get("name", "")), person(record.get("customer") or {}, personal)]


def _consent(record: Record, personal: bool) -> list[str]:
    consents = record.get("consents") or []
    said = [f"{CHANNELS.get(one.get('channel'), one.get('channel'))}: {STATES.get(one.get('state'), 'unknown')}" for one in consents]
    return ["Consent", ", ".join(said), person(record, personal)]


HEADLINES: dict[str, Callable[[Record, bool], list[str]]] = {
    "order": _order, "customer": _customer, "product": _product, "variant": _variant, "checkout": _checkout, "event": _event,
    "consent": _consent,
}  # fmt: skip
