"""The product record and one record per variant: texts, pictures, prices per market, and whether it can be bought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.shopify.documents import checked_markets
from integrations.platforms.shopify.parse.customer import metafields_of
from integrations.platforms.shopify.parse.order import store_of
from integrations.platforms.shopify.parse.values import items, key_of, moment, optional_key, tags_of
from integrations.platforms.shopify.webhooks import TIME_KEY
from integrations.platforms.values import amount, child, count, need, text
from mapping.records import Price, Product, Record, Variant

NO_OPTIONS = "Default Title"  # title and only option value of the variant of a product that has no options (Admin API, ProductVariant)
CURRENCY_KEY = "shopCurrency"  # bare prices are in the shop's currency, which a product does not name: the reader writes it in


def parse_product(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The product of `products_full` or `bulk_products`, followed by its variants."""
    countries = checked_markets(account.settings.get("market_countries"))
    title = _translated(raw, "title")
    product_key, updated = key_of(need(raw, "id")), moment(raw, "updatedAt")
    images = _images(raw)
    nodes = sorted(items(raw, "variants"), key=lambda node: count(node, "position"))  # a bulk file gives them in any order
    variants = [_variant(raw, node, countries, title=title, image=images[0] if images else "") for node in nodes]
    product = Product(
        key=product_key,
        occurred_at=_newest(updated, variants),
        title=title,
        description=_translated(raw, "body_html", "descriptionHtml"),
        handle=_translated(raw, "handle"),
        url=text(raw, "onlineStoreUrl"),
        image_url=images[0] if images else "",
        images=images,
        vendor=text(raw, "vendor"),
        product_type=_translated(raw, "product_type", "productType"),
        tags=tags_of(raw.get("tags")),
        categories={optional_key(node.get("id")): text(node, "title") for node in items(raw, "collections")},
        prices=_lowest(variants),
        skus=tuple(variant.sku for variant in variants if variant.sku),
        in_stock=any(variant.in_stock for variant in variants),
        active=_active(raw),
        attributes={"store": store_of(account), **_attributes(raw)},
    )
    return (product, *variants)


def parse_product_deleted(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A product that is no more; the time is that of the delivery."""
    del account
    return (Product(key=key_of(need(raw, "id")), occurred_at=moment(raw, TIME_KEY), removed=True),)


def _variant(product: JsonObject, raw: JsonObject, countries: Sequence[str], *, title: str, image: str) -> Variant:
    key, page = key_of(need(raw, "id"), "variants.id"), text(product, "onlineStoreUrl")
    own_image = next((url for node in items(raw, "media") if (url := text(child(node, "image"), "url"))), "")
    return Variant(
        key=key,
        occurred_at=max(moment(product, "updatedAt"), moment(raw, "updatedAt")),
        product_key=key_of(need(product, "id")),
        sku=text(raw, "sku"),
        title="" if text(raw, "title") == NO_OPTIONS else text(raw, "title"),
        product_title=title,
        barcode=text(raw, "barcode"),
        options={text(o, "name"): text(o, "value") for o in items(raw, "selectedOptions") if o.get("value") != NO_OPTIONS},
        prices=tuple(_prices(raw, countries, str(need(product, CURRENCY_KEY)))),
        in_stock=bool(raw.get("availableForSale")),
        active=_active(product),
        url=f"{page}?variant={key}" if page else "",
        image_url=own_image or image,
    )


def _prices(raw: JsonObject, countries: Sequence[str], currency: str) -> Iterator[Price]:
    """The shop's base price, then one price per market that was asked for."""
    yield _price("", currency, need(raw, "price"), raw.get("compareAtPrice"))
    for index, country in enumerate(countries):
        market = child(raw, f"m{index}")
        if price := child(market, "price"):
            yield _price(country, str(need(price, "currencyCode")), need(price, "amount"), child(market, "compareAtPrice").get("amount"))


def _price(market: str, currency: str, price: object, compare_at: object) -> Price:
    """A compare-at price above the price makes the price a sale price."""
    now = amount(price, currency, "price")
    before = now if compare_at is None else amount(compare_at, currency, "compareAtPrice")
    return (
        Price(market=market, currency=currency, regular=before, sale=now)
        if before > now
        else Price(market=market, currency=currency, regular=now)
    )


def _lowest(variants: Sequence[Variant]) -> tuple[Price, ...]:
    """Per market, the price of the variant that costs least now."""
    best: dict[str, Price] = {}
    for price in (price for variant in variants for price in variant.prices):
        held = best.get(price.market)
        if held is None or _payable(price) < _payable(held):
            best[price.market] = price
    return tuple(best.values())


def _payable(price: Price) -> Decimal:
    return price.regular if price.sale is None else price.sale


def _newest(updated: datetime, variants: Sequence[Variant]) -> datetime:
    return max([updated, *(variant.occurred_at for variant in variants)])


def _images(raw: JsonObject) -> tuple[str, ...]:
    """Picture addresses, the featured one first and the others by age, whatever order they came in."""
    featured = child(raw, "featuredMedia").get("id")
    nodes = sorted(items(raw, "media"), key=lambda node: (node.get("id") != featured, len(text(node, "id")), text(node, "id")))
    return tuple(url for node in nodes if (url := text(child(node, "image"), "url")))


def _translated(raw: JsonObject, key: str, name: str = "") -> str:
    """The text in the connection's locale, else in the shop's own."""
    for entry in items(raw, "translations"):
        if entry.get("key") == key and entry.get("value"):
            return str(entry["value"])
    return text(raw, name or key)


def _active(raw: JsonObject) -> bool:
    """On sale in the online store: status ACTIVE and published; UNLISTED pages are reached by link only."""
    return text(raw, "status") == "ACTIVE" and bool(raw.get("publishedAt"))


def _attributes(raw: JsonObject) -> dict[str, object]:
    plain = {"status": text(raw, "status").lower(), "category": text(child(raw, "category"), "fullName")}
    return {**{name: value for name, value in plain.items() if value}, **metafields_of(raw)}
