"""Projections as commercetools writes them, invented, for the tests of the catalogue."""

from __future__ import annotations

from typing import Any

from integrations.platforms.base import Account, RawObject
from integrations.platforms.commercetools.parse.product import READ

PRODUCT_ID = "9e1b0000-0000-4000-8000-00000000b001"
CHANGED, ASKED = "2026-10-01T00:00:00.000Z", "2026-11-01T12:00:00.000Z"
MARKETS = ["GB:GBP:en-GB:uk", "DE:EUR:de"]
CATEGORIES = {
    "c1": {"id": "c1", "key": "women", "name": {"en-GB": "Women", "de": "Damen"}, "orderHint": "0.1", "ancestors": []},
    "c2": {"id": "c2", "key": "tops", "name": {"en-GB": "Tops", "de": "Oberteile"}, "orderHint": "0.2",
           "ancestors": [{"typeId": "category", "id": "c1"}]},
}  # fmt: skip
PRODUCT_TYPE = {
    "id": "t1", "name": "Shirts",
    "attributes": [
        {"name": "color", "label": {"en-GB": "Colour", "de": "Farbe"}, "attributeConstraint": "CombinationUnique"},
        {"name": "ean", "label": {"en-GB": "EAN"}, "attributeConstraint": "Unique"},
    ],
}  # fmt: skip


def account(**settings: Any) -> Account:
    """A connection with two markets unless other settings are given."""
    held = {"markets": MARKETS, "product_url": "https://shop.example.com/{language}/p/{slug}", "brand_attribute": "brand", **settings}
    return Account(connection_id=1, platform="commercetools", external_id="acme-demo", base_url="http://127.0.0.1:1", settings=held)


def cents(amount: int, currency: str = "GBP", **more: Any) -> dict[str, Any]:
    """An embedded price of so many smallest units."""
    value = {"type": "centPrecision", "currencyCode": currency, "centAmount": amount, "fractionDigits": 2}
    return {"id": f"{currency}-{amount}", "value": value, **more}


def variant(number: int, sku: str | None, *prices: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A variant with these embedded prices."""
    named = {"sku": sku} if sku else {}
    return {"id": number, **named, "prices": list(prices), "images": [], "attributes": [], "assets": [], **more}


def projection(*variants: dict[str, Any], beside: dict[str, Any] | None = None, **changes: Any) -> RawObject:
    """A published product in two languages with these variants, and what its reader found beside it."""
    first, *others = variants or (variant(1, "TEE-1", cents(1999)),)
    data = {
        "id": PRODUCT_ID, "version": 21, "createdAt": CHANGED, "lastModifiedAt": CHANGED, "key": "tee-basic",
        "productType": {"typeId": "product-type", "id": "t1"}, "name": {"en-GB": "Basic tee", "de": "T-Shirt"},
        "slug": {"en-GB": "basic-tee", "de": "t-shirt"}, "categories": [{"typeId": "category", "id": "c2"}], "attributes": [],
        "published": True, "hasStagedChanges": False, "priceMode": "Embedded", "masterVariant": first, "variants": others,
    }  # fmt: skip
    found = {"askedAt": ASKED, "prices": {}, "channels": {}, "categories": CATEGORIES, "productType": PRODUCT_TYPE, "language": "en-GB"}
    return RawObject("product", {**data, **changes, READ: {**found, **(beside or {})}})
