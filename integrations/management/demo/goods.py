"""What the TikTok shops sell: goods of the demo shop, two of them under SKUs of their own, and one bundle that only TikTok lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integrations.management.demo.stage import Stage
from integrations.standins.shopify.catalogue import Product, ProductVariant
from integrations.standins.tiktok_shop.catalogue import local_price
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.shops import Shop

LISTED = 24  # products
PREFIX, OWN_NUMBER, BUNDLE = "TTS-", "TT-0042", "SET-01"
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Goods:
    """SKUs of the British shop: what the demo shop knows, what it calls otherwise, the bundle and its parts with their counts."""

    known: tuple[str, ...]
    renamed: dict[str, str]  # TikTok's SKU → the shop's
    bundle: str
    parts: tuple[tuple[str, int], ...]


def stock(stage: Stage) -> Goods:
    """List the demo shop's goods in both TikTok shops, a day ago; the shop must have its catalogue."""
    chosen = [product for product in stage.shop.products.live.values() if _variants(stage, product)][:LISTED]
    renamed = _renamed(stage, chosen[:2])
    ours = {sku: foreign for foreign, sku in renamed.items()}
    parts = tuple((_variants(stage, product)[0].sku, count) for product, count in zip(chosen[2:4], (2, 1), strict=True))
    for shop, names in ((stage.british, ours), (stage.german, {})):
        with shop.past(shop.clock.now() - DAY):
            for product in chosen:
                stage.tiktok_shop.act("create_product", shop.spec.id, **_listing(stage, shop, product, names))
            stage.tiktok_shop.act("create_product", shop.spec.id, **_bundle(shop, parts))
    skus = [variant.sku for product in chosen for variant in _variants(stage, product)]
    return Goods(tuple(sku for sku in skus if sku not in ours), renamed, BUNDLE, parts)


def _variants(stage: Stage, product: Product) -> list[ProductVariant]:
    found = (stage.shop.variants.live.get(key) for key in product.variant_ids)
    return [variant for variant in found if variant is not None and variant.sku]


def _renamed(stage: Stage, products: list[Product]) -> dict[str, str]:
    """The first variant of each product under a name that the shop does not know: with a prefix, and a number of the seller's own."""
    first, second = (_variants(stage, product)[0].sku for product in products)
    return {PREFIX + first: first, OWN_NUMBER: second}


def _listing(stage: Stage, shop: Shop, product: Product, names: dict[str, str]) -> dict[str, Any]:
    variants = [
        {
            "seller_sku": names.get(variant.sku, variant.sku),
            "price": local_price(str(variant.price), shop.region),
            "options": variant.options,
            "gtin": variant.barcode or "",
        }
        for variant in _variants(stage, product)
    ]
    return {"title": product.title, "brand": product.vendor, "category": product.type, "variants": variants}


def _bundle(shop: Shop, parts: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    """A combined listing a tenth below the sum of its parts."""
    whole = sum(shop.variants[sku][1].price * count for sku, count in parts)
    components = [{"seller_sku": sku, "count": count} for sku, count in parts]
    return {
        "title": "Tea time set",
        "variants": [{"seller_sku": BUNDLE, "price": text(whole * 9 // 10, shop.region.exponent), "components": components}],
    }
