"""The seller's work on the catalogue: new products, changed variants. Each act tells the webhook addresses."""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.standins.tiktok_shop.money import minor
from integrations.standins.tiktok_shop.orders import Component
from integrations.standins.tiktok_shop.products import PRODUCT_STATUSES, Product, Variant
from integrations.standins.tiktok_shop.shelf import Missing
from integrations.standins.tiktok_shop.shops import Shop

PRODUCT_STATUS_CHANGE, PRODUCT_INFORMATION_CHANGE, PRODUCT_CREATION = 5, 15, 16


def create_product(
    shop: Shop,
    *,
    title: str,
    variants: Iterable[Mapping[str, Any]],
    description: str = "",
    images: Iterable[str] = (),
    category: str = "Home",
    brand: str = "",
    status: str = "ACTIVATE",
) -> Product:
    """A listing; variants are ``{"seller_sku", "price", "options": [[name, value]], "gtin", "quantity", "components"}``.

    ``components`` make a bundle: ``[{"seller_sku" | "sku_id", "count"}]`` of variants that exist. Raises ValueError, Missing.
    """
    with shop.lock:
        _known(status)
        now = shop.now()
        rows = [_variant(shop, wish) for wish in variants]
        product = Product(
            shop.ids.new("product"), title, now, now, rows, description, category=category, brand=brand, images=tuple(images), status=status
        )
        shop.products.add(product)
        for variant in rows:
            shop.variants[variant.id] = (product, variant)
            if variant.seller_sku:
                shop.variants.setdefault(variant.seller_sku, (product, variant))
        shop.note("product_created", product.id, {"skus": len(rows)})
        # a JSON integer here, a string elsewhere, as documented
        shop.emit(PRODUCT_CREATION, {"product_id": int(product.id), "product_types": [], "update_time": now})
        return product


def update_variant(
    shop: Shop,
    *,
    sku_id: str,
    price: str | None = None,
    quantity: int | None = None,
    seller_sku: str | None = None,
    gtin: str | None = None,
) -> Product:
    """Change what is given of one variant; raises Missing, ValueError."""
    with shop.lock:
        product, variant = _found(shop, sku_id)
        if price is not None:
            variant.price = minor(price, shop.region.exponent)
        if seller_sku is not None:
            shop.variants.pop(variant.seller_sku, None)
            variant.seller_sku = seller_sku
            shop.variants[seller_sku or variant.id] = (product, variant)
        variant.quantity = variant.quantity if quantity is None else quantity
        variant.gtin = variant.gtin if gtin is None else gtin
        _changed(shop, product, "skus")
        return product


def update_product(shop: Shop, *, product_id: str, title: str | None = None, status: str | None = None) -> Product:
    """Another title or status; raises Missing, ValueError."""
    with shop.lock:
        product = shop.products.get(product_id)
        if title is not None:
            product.title = title
            _changed(shop, product, "title")
        if status is not None:
            product.status = _known(status)
            shop.products.touch(product, shop.now())
            data = {"product_id": int(product.id), "status": "PRODUCT_STATUS_CHANGED", "update_time": product.update_time}
            shop.emit(PRODUCT_STATUS_CHANGE, data)
        return product


def _changed(shop: Shop, product: Product, field: str) -> None:
    shop.products.touch(product, shop.now())
    shop.note("product_changed", product.id, {"field": field})
    data = {"product_id": product.id, "change_source": "SELLER_CENTER", "changed_fields": [field], "update_time": product.update_time}
    shop.emit(PRODUCT_INFORMATION_CHANGE, data)


def _variant(shop: Shop, wish: Mapping[str, Any]) -> Variant:
    return Variant(
        shop.ids.new("sku"),
        str(wish.get("seller_sku") or ""),
        minor(wish["price"], shop.region.exponent),
        tuple((str(name), str(value)) for name, value in wish.get("options", ())),
        gtin=str(wish.get("gtin") or ""),
        quantity=int(wish.get("quantity", 20)),
        components=tuple(_component(shop, part) for part in wish.get("components", ())),
    )


def _component(shop: Shop, part: Mapping[str, Any]) -> Component:
    product, variant = _found(shop, str(part.get("sku_id") or part.get("seller_sku")))
    if variant.components:
        raise ValueError("A bundle holds no bundles.")
    count = int(part.get("count", 1))
    return Component(variant.id, variant.seller_sku, product.id, product.title, variant.name, count, variant.price)


def _found(shop: Shop, key: str) -> tuple[Product, Variant]:
    found = shop.variants.get(key)
    if found is None:
        raise Missing(f"There is no SKU {key}.")
    return found


def _known(status: str) -> str:
    if status not in PRODUCT_STATUSES[1:]:
        raise ValueError(f"There is no product status {status}.")
    return status
