"""Records without their person: what stays for the books when somebody is erased, and how such a record is recognised. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from mapping.records import Record, RecordType

SHADOW = "erased-"  # what stands in the place of a person begins with this
WORDS = "The person was erased on request: nothing of it is kept, and nothing is sent."
IMPERSONAL = frozenset({RecordType.PRODUCT, RecordType.VARIANT, RecordType.FIGURES})

MONEY = ("totals", "local_totals", "currency", "local_currency")
LINE = (
    "key", "sku", "product_key", "variant_key", "title", "variant_title", "quantity", "unit_price", "subtotal", "discount", "tax", "total",
    "refunded_quantity", "refunded_amount", "cancelled_quantity", "cancelled_amount", "bundle_sku", "components",
)  # fmt: skip
# What is kept of each type; everything else of a person's record goes. Of what is not listed only key and time are kept.
KEPT: dict[str, tuple[str, ...]] = {
    RecordType.ORDER: (
        "key", "occurred_at", "removed", "number", "status", "placed_at", "cancelled_at", *MONEY, "payment_method", "shipping_method",
        "channel", "store", "test",
    ),
    RecordType.CUSTOMER: ("key", "occurred_at", "removed", "partial"),
    RecordType.CHECKOUT: ("key", "occurred_at", "removed", "completed_at", "currency", "total"),
    RecordType.EVENT: ("key", "occurred_at", "removed", "name", "role"),
}  # fmt: skip
PLAIN = ("key", "occurred_at", "removed")
OWN_KEY = frozenset({RecordType.ORDER})  # whose key stays: it is the books' own number of a sale
LISTS: dict[str, tuple[str, ...]] = {  # parts of an order that stay, and what of each
    "lines": LINE,
    "refunds": ("key", "refunded_at", "amount", "lines"),
    "fulfilments": ("key", "status", "shipped_at", "delivered_at"),
}


def anonymous(record_type: str, data: Mapping[str, Any], *, key: str, shadow: str) -> dict[str, Any]:
    """The JSON of a record without its person: `key` is its own new key, `shadow` stands for whom it belonged to."""
    kept = {name: data[name] for name in KEPT.get(record_type, PLAIN) if name in data}
    kept["key"] = str(data.get("key", "")) if record_type in OWN_KEY else key
    if record_type == RecordType.CUSTOMER:
        kept["consents"] = [_part(consent, ("channel", "state", "stated_at", "explicit")) for consent in _rows(data, "consents")]
    elif record_type in KEPT:
        kept["customer"] = {"key": shadow}
    if record_type == RecordType.ORDER:
        kept |= {name: [_part(row, fields) for row in _rows(data, name)] for name, fields in LISTS.items()}
        for refund in kept["refunds"]:
            refund["lines"] = [_part(line, ("line_key", "quantity", "amount")) for line in _rows(refund, "lines")]
    return kept


def is_anonymous(record: Record) -> bool:
    """Whether this record's person was erased."""
    return record.key.startswith(SHADOW) or getattr(getattr(record, "customer", None), "key", "").startswith(SHADOW)


def strings_of(data: Any, want: Callable[[str], bool] = bool) -> set[str]:
    """Every text in a piece of JSON that is wanted."""
    if isinstance(data, str):
        return {data} if want(data) else set()
    parts: Collection[Any] = data.values() if isinstance(data, Mapping) else data if isinstance(data, list | tuple) else ()
    return set().union(*(strings_of(part, want) for part in parts))


def _rows(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = data.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _part(row: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    return {name: row[name] for name in fields if name in row}
