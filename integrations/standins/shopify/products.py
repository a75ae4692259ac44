"""What happens to the catalogue: products and collections made, priced, stocked, deleted."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from integrations.standins.shopify.catalogue import Collection, Image, Product, ProductVariant
from integrations.standins.shopify.customers import Rejected, put_metafield
from integrations.standins.shopify.ids import gid
from integrations.standins.shopify.money import rounded
from integrations.standins.shopify.shops import Shop

PRODUCT_FIELDS = frozenset({"title", "html", "vendor", "type", "status", "tags", "category", "published_at", "translations", "gift_card"})
VARIANT_FIELDS = frozenset({"sku", "barcode", "title", "policy", "tracked", "taxable", "requires_shipping", "grams"})
LOCATION_ID = 655_441_491


def create_collection(shop: Shop, *, handle: str, title: str) -> Collection:
    """A collection that products can be put in."""
    with shop.lock:
        collection = Collection(shop.new_id("Collection"), handle, title, shop.now())
        shop.touch(collection)
        shop.collections.put(collection.id, collection)
        return collection


def create_product(
    shop: Shop,
    *,
    handle: str,
    title: str,
    variants: Iterable[Mapping[str, Any]],
    html: str = "",
    vendor: str = "",
    type: str = "",  # noqa: A002 - the API's word
    images: Iterable[str] = (),
    collection_ids: Iterable[int] = (),
    metafields: Iterable[Mapping[str, str]] = (),
    **plain: Any,
) -> Product:
    """A new product; a variant is {sku, barcode, price, compare_at, inventory, options: [(name, value)], …}."""
    with shop.lock:
        now = shop.now()
        plain = {"published_at": now, **plain}
        product = Product(shop.new_id("Product"), handle, title, html, vendor, type, now, now, **plain)
        product.images = [Image(shop.new_id("MediaImage"), url) for url in images]
        product.collection_ids = list(collection_ids)
        for wish in metafields:
            put_metafield(shop, product.metafields, **wish)
        for position, wish in enumerate(variants, start=1):
            variant = _variant(shop, product, position, wish)
            shop.variants.put(variant.id, variant)
            product.variant_ids.append(variant.id)
            product.option_names = product.option_names or tuple(name for name, _ in variant.options)
        shop.touch(product)
        shop.products.put(product.id, product)
        shop.emit("products/create", product.id)
        return product


def update_product(shop: Shop, product_id: int, *, image: str | None = None, **changes: Any) -> Product:
    """Change a product's own fields, or put a new first picture; raises Missing, Rejected."""
    with shop.lock:
        product = shop.products.own(product_id)
        unknown = changes.keys() - PRODUCT_FIELDS
        if unknown:
            raise Rejected(f"A product has no {sorted(unknown)}.")
        for name, value in changes.items():
            setattr(product, name, value)
        if image is not None:
            product.images[:1] = [Image(shop.new_id("MediaImage"), image)]
        _changed(shop, product)
        return product


def update_variant(shop: Shop, variant_id: int, **changes: Any) -> ProductVariant:
    """Change ``price``, ``compare_at`` (None removes it), ``inventory`` or a plain field; raises Missing, Rejected."""
    with shop.lock:
        variant = shop.variants.own(variant_id)
        inventory = changes.pop("inventory", None)
        for name in ("price", "compare_at"):
            if name in changes:
                value = changes.pop(name)
                setattr(variant, name, None if value is None else rounded(str(value), shop.spec.currency))
        unknown = changes.keys() - VARIANT_FIELDS
        if unknown:
            raise Rejected(f"A variant has no {sorted(unknown)}.")
        for name, value in changes.items():
            setattr(variant, name, value)
        if inventory is not None:
            variant.inventory = inventory
            _stock_changed(shop, variant)
        shop.touch(variant)
        _changed(shop, shop.products.own(variant.product_id))
        return variant


def delete_product(shop: Shop, product_id: int) -> None:
    """Delete a product and its variants; lines of old orders keep their texts. Raises Missing."""
    with shop.lock:
        for variant_id in shop.products.own(product_id).variant_ids:
            shop.variants.remove(variant_id)
        shop.products.remove(product_id)
        shop.emit("products/delete", product_id, {"id": product_id})


def move_stock(shop: Shop, variant_id: int | None, delta: int) -> None:
    """Stock taken (negative) or put back by an order; unknown and untracked variants are left alone."""
    if variant_id is None or not delta or shop.variants.get(variant_id) is None:
        return
    variant = shop.variants.own(variant_id)
    if not variant.tracked:
        return
    variant.inventory += delta
    shop.touch(variant)
    _stock_changed(shop, variant)
    _changed(shop, shop.products.own(variant.product_id))


def _variant(shop: Shop, product: Product, position: int, wish: Mapping[str, Any]) -> ProductVariant:
    options = tuple((name, value) for name, value in wish.get("options", ()))
    plain = {name: wish[name] for name in VARIANT_FIELDS - {"sku", "barcode", "title"} if name in wish}
    compare_at = wish.get("compare_at")
    variant = ProductVariant(
        id=shop.new_id("ProductVariant"),
        product_id=product.id,
        inventory_item_id=shop.new_id("InventoryItem"),
        title=wish.get("title") or " / ".join(value for _, value in options) or "Default Title",
        sku=wish.get("sku"),
        barcode=wish.get("barcode"),
        position=position,
        price=rounded(Decimal(str(wish["price"])), shop.spec.currency),
        compare_at=None if compare_at is None else rounded(Decimal(str(compare_at)), shop.spec.currency),
        inventory=wish.get("inventory", 0),
        created_at=shop.now(),
        updated_at=shop.now(),
        options=options,
        **plain,
    )
    shop.touch(variant)
    return variant


def _changed(shop: Shop, product: Product) -> None:
    shop.touch(product)
    shop.emit("products/update", product.id)


def _stock_changed(shop: Shop, variant: ProductVariant) -> None:
    item = variant.inventory_item_id
    shop.emit("inventory_levels/update", item, {
        "inventory_item_id": item,
        "location_id": LOCATION_ID,
        "available": variant.inventory,
        "updated_at": shop.now().isoformat()[:19] + "Z",
        "admin_graphql_api_id": f"{gid('InventoryLevel', LOCATION_ID)}?inventory_item_id={item}",
    })  # fmt: skip
