"""Product search and product details; creating and editing by the API is not part of this stand-in."""

from collections.abc import Callable, Mapping
from typing import Any

from integrations.standins.tiktok_shop.asked import Asked, no_paging_in_body, one_of, page_size, texts, whole
from integrations.standins.tiktok_shop.errors import PRODUCT_MISSING, TOO_MANY_SELLER_SKUS, TOO_MANY_SKU_IDS, Refusal
from integrations.standins.tiktok_shop.money import text
from integrations.standins.tiktok_shop.paging import Window, listed, page_of
from integrations.standins.tiktok_shop.products import PRODUCT_STATUSES, Product, Variant
from integrations.standins.tiktok_shop.shops import WAREHOUSE_ID, Shop

MOST_SKUS, MOST_RESULTS = 10, 10_000
AUDITS = ("NONE", "AUDITING", "FAILED", "PRE_APPROVED", "APPROVED")
GTIN_TYPES = {8: "EAN", 12: "UPC", 13: "EAN", 14: "GTIN"}


def search(asked: Asked) -> dict[str, Any]:
    """``POST /product/202502/products/search``; its upper time limits are inclusive (``le``)."""
    body, shop = asked.body, asked.one_shop
    no_paging_in_body(body)
    size = page_size(asked, 1, 100)
    window = Window(_limits(body, "create_time"), _limits(body, "update_time"))
    page = page_of(shop.products, asked, size=size, window=window, keep=_filter(body), most=MOST_RESULTS)
    return listed(asked, "products", [_row(shop, product) for product in page.rows], page)


def details(asked: Asked) -> dict[str, Any]:
    """``GET /product/202309/products/{id}``."""
    shop = asked.one_shop
    product = shop.products.rows.get(asked.wild[0])
    if product is None:
        raise Refusal(PRODUCT_MISSING, "The product does not exist in this shop")
    return {
        **_row(shop, product),
        "description": product.description,
        "product_status": product.status,
        "brand": {"id": "7082427311584347905", "name": product.brand} if product.brand else None,
        "category_chains": [{"id": "601226", "parent_id": "0", "local_name": product.category, "is_leaf": True}],
        "main_images": [{"uri": image, "urls": [image]} for image in product.images],
        "package_weight": {"value": "0.250", "unit": "KILOGRAM"},
        "skus": [_sku(shop, product, variant) for variant in product.variants],
    }


def _limits(body: Mapping[str, Any], name: str) -> tuple[int | None, int | None]:
    le = whole(body, f"{name}_le")
    return whole(body, f"{name}_ge"), None if le is None else le + 1


def _filter(body: Mapping[str, Any]) -> Callable[[Product], bool]:
    status = one_of(body.get("status"), PRODUCT_STATUSES, "body.status") or "ALL"
    audit = one_of(body.get("audit_status"), AUDITS, "body.audit_status")
    seller_skus, sku_ids = texts(body, "seller_skus", 1000), texts(body, "sku_ids", 1000)
    if seller_skus and len(seller_skus) > MOST_SKUS:
        raise Refusal(TOO_MANY_SELLER_SKUS, "At most 10 seller_skus")
    if sku_ids and len(sku_ids) > MOST_SKUS:
        raise Refusal(TOO_MANY_SKU_IDS, "At most 10 sku_ids")

    def keep(product: Product) -> bool:
        listed_as = product.status == status or (status == "ALL" and product.status != "DELETED")
        by_seller_sku = seller_skus is None or any(variant.seller_sku in seller_skus for variant in product.variants)
        by_id = sku_ids is None or any(variant.id in sku_ids for variant in product.variants)
        return listed_as and audit in (None, product.audit_status) and by_seller_sku and by_id

    return keep


def _row(shop: Shop, product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "title": product.title,
        "status": product.status,
        "audit": {"status": product.audit_status},
        "has_draft": False,
        "sales_regions": [shop.region.code],
        "create_time": product.create_time,
        "update_time": product.update_time,
        "skus": [_short_sku(shop, variant) for variant in product.variants],
    }


def _short_sku(shop: Shop, variant: Variant) -> dict[str, Any]:
    """A SKU as the search shows it; the price is not under ``amount`` as it is when a product is created."""
    price = text(variant.price, shop.region.exponent)
    return {
        "id": variant.id,
        "seller_sku": variant.seller_sku,
        "price": {"tax_exclusive_price": price, "sale_price": price, "currency": shop.region.currency},
        "inventory": [{"warehouse_id": WAREHOUSE_ID, "quantity": variant.quantity}],
    }


def _sku(shop: Shop, product: Product, variant: Variant) -> dict[str, Any]:
    found: dict[str, Any] = {
        **_short_sku(shop, variant),
        "external_sku_id": "",
        "status_info": {"status": variant.status},
        "sales_attributes": [
            {"id": str(100_000 + place), "name": name, "value_id": f"1729592{place}{len(value)}", "value_name": value}
            for place, (name, value) in enumerate(variant.options)
        ],
    }
    if variant.gtin:
        found["identifier_code"] = {"code": variant.gtin, "type": GTIN_TYPES.get(len(variant.gtin), "GTIN")}
    if variant.components:
        found["combined_skus"] = [
            {"product_id": part.product_id, "sku_id": part.sku_id, "sku_count": part.count} for part in variant.components
        ]
    return found
