"""Products and their SKUs as records; read-only, for the catalogue and for suggestions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.tiktok_shop.parse.values import key_at, money, needed_moment
from integrations.platforms.values import child, rows, text
from mapping.records import Price, Product, Record, Variant

LIVE = "ACTIVATE"
DEAD_SKU = "DEACTIVATED"
DELETED = "DELETED"


def parse_product(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The product and one variant per SKU; raises Unparsable without id or time of change."""
    del account
    key, at, title = key_at(raw, "id"), needed_moment(raw, "update_time", "create_time"), text(raw, "title")
    status = text(raw, "product_status", "status")
    images = tuple(url for row in rows(raw, "main_images") if (url := _image(row)))
    skus = rows(raw, "skus")
    variants = tuple(_variant(sku, key, at, title=title, live=status == LIVE) for sku in skus)
    product = Product(
        key=key,
        occurred_at=at,
        removed=status == DELETED,
        title=title,
        description=text(raw, "description"),
        image_url=images[0] if images else "",
        images=images,
        vendor=text(child(raw, "brand"), "name"),
        categories={text(row, "id"): text(row, "local_name") for row in rows(raw, "category_chains") if text(row, "id")},
        prices=_lowest(variants),
        skus=tuple(variant.sku for variant in variants if variant.sku),
        in_stock=any(variant.in_stock for variant in variants),
        active=status == LIVE,
        attributes=dict(_facts(raw, status)),
    )
    return product, *variants


def _variant(sku: JsonObject, product_key: str, at: datetime, *, title: str, live: bool) -> Variant:
    options = {text(row, "name"): text(row, "value_name") for row in rows(sku, "sales_attributes") if text(row, "name")}
    amounts, price = child(sku, "price"), ()
    currency = text(amounts, "currency").upper()
    for name in ("sale_price", "tax_exclusive_price", "amount"):
        regular = money(amounts, name, currency) if currency else None
        if regular is not None:
            price = (Price(market="", currency=currency, regular=regular),)
            break
    return Variant(
        key=key_at(sku, "id"),
        occurred_at=at,
        product_key=product_key,
        sku=text(sku, "seller_sku").strip(),
        title=" / ".join(options.values()),
        product_title=title,
        barcode=text(child(sku, "identifier_code"), "code"),
        options=options,
        prices=price,
        in_stock=_quantity(sku) > 0,
        active=live and text(child(sku, "status_info"), "status") != DEAD_SKU,
        image_url=next((_image(child(row, "sku_img")) for row in rows(sku, "sales_attributes") if child(row, "sku_img")), ""),
        attributes={"combined_skus": parts} if (parts := _combined(sku)) else {},
    )


def _quantity(sku: JsonObject) -> int:
    found = (row.get("quantity") for row in rows(sku, "inventory"))
    return sum(value for value in found if isinstance(value, int))


def _combined(sku: JsonObject) -> list[dict[str, object]]:
    return [
        {"product_id": text(row, "product_id"), "sku_id": text(row, "sku_id"), "quantity": row.get("sku_count") or 1}
        for row in rows(sku, "combined_skus")
    ]


def _image(row: JsonObject) -> str:
    urls = row.get("urls")
    return str(urls[0]) if isinstance(urls, list) and urls else text(row, "url")


def _lowest(variants: Sequence[Variant]) -> tuple[Price, ...]:
    prices = [price for variant in variants for price in variant.prices]
    return (min(prices, key=lambda price: price.regular),) if prices else ()


def _facts(raw: JsonObject, status: str) -> Iterator[tuple[str, object]]:
    """Listing and audit are two things: a live product may have an edit that was rejected."""
    audit = text(child(raw, "audit"), "status")
    yield from ((name, value) for name, value in (("status", status), ("audit_status", audit)) if value)
