"""Product, variant, collection and stock."""

from decimal import Decimal
from typing import Any

from integrations.standins.shopify.catalogue import Collection, Product, ProductVariant
from integrations.standins.shopify.fields.customers import metafield, metafields
from integrations.standins.shopify.ids import gid, number_of
from integrations.standins.shopify.money import rounded
from integrations.standins.shopify.paging import page_of
from integrations.standins.shopify.products import LOCATION_ID
from integrations.standins.shopify.resolvers import FIELDS, Call, attribute, constant

# currencies of markets that a shop may have a rate for
MARKET_CURRENCY = {"GB": "GBP", "DE": "EUR", "FR": "EUR", "IE": "EUR", "JP": "JPY", "KW": "KWD", "US": "USD"}


def _variants(product: Product, call: Call) -> list[ProductVariant]:
    return [variant for number in product.variant_ids if (variant := call.shop.variants.get(number)) is not None]


def _options(product: Product, arguments: Any, call: Call) -> list[dict[str, Any]]:
    variants = _variants(product, call)
    return [
        {
            "id": gid("ProductOption", product.id + index),
            "name": name,
            "position": index + 1,
            "values": list(dict.fromkeys(variant.options[index][1] for variant in variants)),
        }
        for index, name in enumerate(product.option_names)
    ]


def _media(product: Product, chosen: int | None = None) -> list[dict[str, Any]]:
    return [
        {
            "__typename": "MediaImage",
            "id": gid("MediaImage", image.id),
            "alt": image.alt,
            "mediaContentType": "IMAGE",
            "image": {"url": image.url, "altText": image.alt, "width": 800, "height": 800},
        }
        for image in product.images
        if chosen is None or image.id == chosen
    ]


def _translations(product: Product, arguments: Any, call: Call) -> list[dict[str, Any]]:
    locale = arguments["locale"]
    texts = product.translations.get(locale, {})
    return [{"key": key, "value": value, "locale": locale, "outdated": False} for key, value in texts.items()]


def _collections(product: Product, arguments: Any, call: Call) -> Any:
    found = [collection for number in product.collection_ids if (collection := call.shop.collections.get(number)) is not None]
    return page_of(found, arguments, call)


def _online_url(product: Product, arguments: Any, call: Call) -> str | None:
    published = product.published_at is not None and product.status == "ACTIVE"
    return f"https://{call.shop.spec.domain}/products/{product.handle}" if published else None


FIELDS["Product"] = {
    "id": lambda product, arguments, call: gid("Product", product.id),
    "legacyResourceId": attribute("id"),
    "handle": attribute("handle"),
    "title": attribute("title"),
    "descriptionHtml": attribute("html"),
    "vendor": attribute("vendor"),
    "productType": attribute("type"),
    "tags": attribute("tags"),
    "status": attribute("status"),
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "publishedAt": attribute("published_at"),
    "onlineStoreUrl": _online_url,
    "isGiftCard": attribute("gift_card"),
    "category": lambda product, arguments, call: (
        product.category and {"id": product.category[0], "fullName": product.category[1], "name": product.category[1].split(" > ")[-1]}
    ),
    "options": _options,
    "seo": constant({"title": None, "description": None}),
    "collections": _collections,
    "media": lambda product, arguments, call: page_of(_media(product), arguments, call),
    "featuredMedia": lambda product, arguments, call: next(iter(_media(product)), None),
    "mediaCount": lambda product, arguments, call: {"count": len(product.images), "precision": "EXACT"},
    "translations": _translations,
    "totalInventory": lambda product, arguments, call: sum(variant.inventory for variant in _variants(product, call)),
    "tracksInventory": lambda product, arguments, call: any(variant.tracked for variant in _variants(product, call)),
    "variantsCount": lambda product, arguments, call: {"count": len(product.variant_ids), "precision": "EXACT"},
    "variants": lambda product, arguments, call: page_of(_variants(product, call), arguments, call),
    "metafields": metafields,
    "metafield": metafield,
}


def _contextual(variant: ProductVariant, arguments: Any, call: Call) -> dict[str, Any]:
    country = arguments["context"].get("country")
    spec = call.shop.spec
    currency = MARKET_CURRENCY.get(country, spec.currency)
    if currency != spec.currency and currency not in spec.rates:
        currency = spec.currency
    rate = Decimal(str(spec.rates.get(currency, 1)))

    def money(amount: Decimal | None) -> tuple[str, str] | None:
        return None if amount is None else (str(rounded(amount * rate, currency)), currency)

    return {"price": money(variant.price), "compareAtPrice": money(variant.compare_at)}


def _variant_media(variant: ProductVariant, arguments: Any, call: Call) -> Any:
    product = call.shop.products.get(variant.product_id)
    rows = _media(product, variant.image) if product is not None and variant.image is not None else []
    return page_of(rows, arguments, call)


def _sold(variant: ProductVariant, arguments: Any, call: Call) -> bool:
    return variant.inventory > 0 or variant.policy == "CONTINUE" or not variant.tracked


FIELDS["ProductVariant"] = {
    "id": lambda variant, arguments, call: gid("ProductVariant", variant.id),
    "legacyResourceId": attribute("id"),
    "title": attribute("title"),
    "displayName": lambda variant, arguments, call: f"{call.shop.products.get(variant.product_id).title} - {variant.title}",
    "sku": attribute("sku"),
    "barcode": attribute("barcode"),
    "position": attribute("position"),
    "price": attribute("price"),
    "compareAtPrice": attribute("compare_at"),
    "taxable": attribute("taxable"),
    "inventoryPolicy": attribute("policy"),
    "inventoryQuantity": attribute("inventory"),
    "availableForSale": _sold,
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "selectedOptions": lambda variant, arguments, call: [{"name": name, "value": value} for name, value in variant.options],
    "contextualPricing": _contextual,
    "product": lambda variant, arguments, call: call.shop.products.get(variant.product_id),
    "inventoryItem": lambda variant, arguments, call: variant,
    "media": _variant_media,
}


def _level(variant: ProductVariant) -> dict[str, Any]:
    return {
        "id": f"{gid('InventoryLevel', LOCATION_ID)}?inventory_item_id={variant.inventory_item_id}",
        "isActive": True,
        "updatedAt": variant.updated_at,
        "location": {"id": gid("Location", LOCATION_ID), "name": "Main"},
        "variant": variant,
    }


def _quantities(level: dict[str, Any], arguments: Any, call: Call) -> list[dict[str, Any]]:
    variant = level["variant"]
    amounts = {"available": variant.inventory, "on_hand": variant.inventory}
    return [{"name": name, "quantity": amounts.get(name, 0), "updatedAt": variant.updated_at} for name in arguments["names"]]


FIELDS["InventoryItem"] = {
    "id": lambda variant, arguments, call: gid("InventoryItem", variant.inventory_item_id),
    "legacyResourceId": attribute("inventory_item_id"),
    "sku": attribute("sku"),
    "tracked": attribute("tracked"),
    "requiresShipping": attribute("requires_shipping"),
    "createdAt": attribute("created_at"),
    "updatedAt": attribute("updated_at"),
    "measurement": lambda variant, arguments, call: {"weight": {"unit": "KILOGRAMS", "value": variant.grams / 1000}},
    "variant": lambda variant, arguments, call: variant,
    "inventoryLevels": lambda variant, arguments, call: page_of([_level(variant)], arguments, call),
}
FIELDS["InventoryLevel"] = {
    **{name: (lambda key: lambda level, arguments, call: level[key])(name) for name in ("id", "isActive", "updatedAt", "location")},
    "quantities": _quantities,
}


def _members(collection: Collection, call: Call) -> list[Product]:
    return [product for product in call.shop.products if collection.id in product.collection_ids]


def _has_product(collection: Collection, arguments: Any, call: Call) -> bool:
    product = call.shop.products.get(number_of(arguments["id"], "Product") or 0)
    return product is not None and collection.id in product.collection_ids


FIELDS["Collection"] = {
    "id": lambda collection, arguments, call: gid("Collection", collection.id),
    "legacyResourceId": attribute("id"),
    "handle": attribute("handle"),
    "title": attribute("title"),
    "updatedAt": attribute("updated_at"),
    "descriptionHtml": constant(""),
    "hasProduct": _has_product,
    "productsCount": lambda collection, arguments, call: {"count": len(_members(collection, call)), "precision": "EXACT"},
    "products": lambda collection, arguments, call: page_of(_members(collection, call), arguments, call),
}
