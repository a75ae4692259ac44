"""The catalogue of a shop: the goods of the Shopify stand-in, with SKUs written as sellers write them on a second platform."""

from random import Random
from typing import Any

from integrations.standins.shopify import words
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.product_acts import create_product
from integrations.standins.tiktok_shop.regions import Region
from integrations.standins.tiktok_shop.shops import Shop

SIZE = 60
BUNDLES = (("Tea time set", ((5, 0, 2), (6, 0, 1))), ("Evening set", ((7, 0, 3), (9, 1, 1))), ("Weekend set", ((4, 0, 1), (8, 0, 2))))


def stock(shop: Shop, *, seed: int = 1, size: int = SIZE) -> None:
    """Make the products, unless the shop has some; with the seed of the Shopify stand-in the same goods at the same prices."""
    if len(shop.products):
        return
    random = Random(seed)
    made = [create_product(shop, **_listing(words.product(random, index), index, shop.region)) for index in range(size)]
    for number, (title, parts) in enumerate(BUNDLES):
        rows = [(made[place % size].variants[which], count) for place, which, count in parts]
        price = sum(variant.price * count for variant, count in rows) * 9 // 10
        bundle = {
            "seller_sku": f"SET-{number + 1:02d}",
            "price": text(price, shop.region.exponent),
            "components": [{"sku_id": variant.id, "count": count} for variant, count in rows],
        }
        create_product(shop, title=title, variants=[bundle])


def local_price(pounds: str, region: Region) -> str:
    """A price of the Shopify stand-in's catalogue in a market's currency."""
    minor = round(float(pounds) * region.rate * 10**region.exponent)
    return text(minor, region.exponent)


def foreign_sku(sku: str, index: int, place: int) -> str:
    """The SKU as this seller wrote it: mostly the same, else other case and dashes, a prefix, a number of his own, or nothing."""
    match index % 20:
        case 3 | 13:
            return sku.lower().replace("-", "")
        case 6:
            return f"TTS-{sku}"
        case 9:
            return ""
        case 19:
            return f"TT{index:04d}-{place + 1}"
    return sku


def _listing(goods: dict[str, Any], index: int, region: Region) -> dict[str, Any]:
    variants = [
        {
            "seller_sku": foreign_sku(variant["sku"], index, place),
            "price": local_price(variant["price"], region),
            "options": variant["options"],
            "gtin": "" if index % 20 == 6 else variant["barcode"],
            "quantity": variant["inventory"],
        }
        for place, variant in enumerate(goods["variants"])
    ]
    return {
        "title": goods["title"],
        "description": goods["html"],
        "images": goods["images"],
        "brand": goods["vendor"],
        "category": goods["type"],
        "variants": variants,
    }
