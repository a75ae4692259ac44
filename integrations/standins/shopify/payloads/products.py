"""Bodies of the product and checkout topics, and of the old REST product call."""

from typing import Any

from integrations.standins.shopify.catalogue import Product, ProductVariant
from integrations.standins.shopify.ids import gid, local
from integrations.standins.shopify.orders import AbandonedCheckout
from integrations.standins.shopify.payloads.customers import order_customer
from integrations.standins.shopify.shops import Shop

# a payload carries that many variants in full and only the ids of the rest
FULL_VARIANTS = 100


def full_product(shop: Shop, product: Product) -> dict[str, Any]:
    """Body of products/create and products/update."""
    offset = shop.spec.utc_offset
    variants = [variant for variant_id in product.variant_ids if (variant := shop.variants.get(variant_id)) is not None]
    return {
        "id": product.id,
        "admin_graphql_api_id": gid("Product", product.id),
        "title": product.title,
        "body_html": product.html,
        "handle": product.handle,
        "vendor": product.vendor,
        "product_type": product.type,
        "status": product.status.lower(),
        "tags": ", ".join(product.tags),
        "created_at": local(product.created_at, offset),
        "published_at": local(product.published_at, offset),
        "updated_at": local(product.updated_at, offset),
        "category": product.category and {"admin_graphql_api_id": product.category[0], "full_name": product.category[1]},
        "options": _options(product, variants),
        "images": _images(product, variants),
        "media": [{"id": image.id, "media_content_type": "IMAGE", "alt": image.alt} for image in product.images],
        "variants": [_variant(variant, offset) for variant in variants[:FULL_VARIANTS]],
        "variant_gids": [
            {"admin_graphql_api_id": gid("ProductVariant", variant.id), "updated_at": local(variant.updated_at, offset)}
            for variant in variants
        ],
    }


def _options(product: Product, variants: list[ProductVariant]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "position": position,
            "values": list(dict.fromkeys(variant.options[position - 1][1] for variant in variants)),
        }
        for position, name in enumerate(product.option_names, start=1)
    ]


def _images(product: Product, variants: list[ProductVariant]) -> list[dict[str, Any]]:
    return [
        {
            "id": image.id,
            "src": image.url,
            "alt": image.alt,
            "position": position,
            "variant_ids": [variant.id for variant in variants if variant.image == image.id],
        }
        for position, image in enumerate(product.images, start=1)
    ]


def _variant(variant: ProductVariant, offset: int) -> dict[str, Any]:
    values = [value for _, value in variant.options]
    return {
        "id": variant.id,
        "admin_graphql_api_id": gid("ProductVariant", variant.id),
        "product_id": variant.product_id,
        "sku": variant.sku,
        "barcode": variant.barcode,
        "title": variant.title,
        "price": str(variant.price),
        "compare_at_price": None if variant.compare_at is None else str(variant.compare_at),
        "inventory_item_id": variant.inventory_item_id,
        "inventory_policy": variant.policy.lower(),
        "inventory_quantity": variant.inventory,
        "position": variant.position,
        **{f"option{number}": values[number - 1] if number <= len(values) else None for number in (1, 2, 3)},
        "image_id": variant.image,
        "taxable": variant.taxable,
        "updated_at": local(variant.updated_at, offset),
    }


def full_checkout(shop: Shop, checkout: AbandonedCheckout) -> dict[str, Any]:
    """Body of checkouts/create and checkouts/update; since 2026-04 without a numeric id."""
    offset, pii = shop.spec.utc_offset, shop.spec.pii
    customer = shop.customers.get(checkout.customer_id) if checkout.customer_id is not None else None
    total = checkout.subtotal if shop.spec.taxes_included else checkout.subtotal + checkout.tax
    return {
        "token": checkout.token,
        "cart_token": checkout.cart_token,
        "email": checkout.email if pii else None,
        "phone": checkout.phone if pii else None,
        "buyer_accepts_marketing": checkout.accepts_marketing,
        "buyer_accepts_sms_marketing": checkout.accepts_sms,
        "sms_marketing_phone": checkout.phone if checkout.accepts_sms and pii else None,
        "created_at": local(checkout.created_at, offset),
        "updated_at": local(checkout.updated_at, offset),
        "completed_at": local(checkout.completed_at, offset),
        "currency": checkout.currency,
        "presentment_currency": checkout.currency,
        "abandoned_checkout_url": checkout.url,
        "landing_site": None,
        "referring_site": None,
        "source_name": "web",
        "customer_locale": checkout.locale,
        "line_items": [
            {
                "key": f"{line.id:032x}",
                "product_id": line.product_id,
                "variant_id": line.variant_id,
                "sku": line.sku,
                "title": line.title,
                "variant_title": line.variant_title,
                "quantity": line.quantity,
                "price": str(line.unit_price),
                "line_price": str(line.unit_price * line.quantity),
            }
            for line in checkout.lines
        ],
        "total_price": str(total),
        "subtotal_price": str(checkout.subtotal),
        "total_tax": str(checkout.tax),
        "total_discounts": str(checkout.discount),
        "discount_codes": [{"code": code} for code in checkout.discount_codes],
        "customer": order_customer(shop, customer) if customer is not None else None,
        "billing_address": None,
        "shipping_address": None,
        "note_attributes": [],
    }
