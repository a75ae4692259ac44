"""The product record and one record per variant, with what each market sees of them.

A product's key is its id and a variant's its SKU, as order lines name them; a variant without SKU is nothing that a line could name.
A product or a variant without a price in any market is for sale nowhere: it counts as taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.commercetools.markets import Market, markets_of, page_address
from integrations.platforms.commercetools.options import setting, words
from integrations.platforms.commercetools.parse import attributes as traits
from integrations.platforms.commercetools.parse.category import categories_of, path_of
from integrations.platforms.commercetools.parse.money import currency_of, money
from integrations.platforms.commercetools.parse.prices import Scope, all_prices, latest_change, select
from integrations.platforms.commercetools.parse.values import key_of, localised, moment, needed_moment
from integrations.platforms.values import child, rows, text
from mapping.records import Price, Product, Record, Variant

READ = "_read"  # where the reader writes what it found beside the projection; see `Beside`
STANDALONE = "Standalone"
BETWEEN = " / "
BARCODES = ("gtin", "ean", "barcode", "upc")  # names under which projects keep the number below the bars

Options = Callable[[Sequence[str]], dict[str, str]]  # languages → what tells a variant apart, in the first that has it


@dataclass(frozen=True, slots=True)
class Beside:
    """What the reader found beside a projection.

    `asked_at`: when the prices were looked at; `changed_at`: the newest change elsewhere that concerns it (a standalone price, a category);
    `prices`: market name → variant id → the price that commercetools chose; `channels`: key → id; `categories`: id → category;
    `product_type`: name and attributes.
    """

    asked_at: datetime
    changed_at: datetime | None
    prices: Mapping[str, Mapping[str, JsonObject]]
    channels: Mapping[str, str]
    categories: Mapping[str, JsonObject]
    product_type: JsonObject


@dataclass(frozen=True, slots=True)
class View:
    """One product as the connection's markets and languages see it."""

    raw: JsonObject
    markets: Sequence[Market]
    usual: tuple[str, ...]  # languages of texts that are the same for all markets, best first
    beside: Beside

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages of the markets, each once."""
        return tuple(dict.fromkeys(market.locale for market in self.markets))

    @property
    def sku(self) -> str:
        """The SKU of the variant that stands for the product."""
        return sku_of(child(self.raw, "masterVariant"))

    def text(self, name: str, *first: str) -> str:
        """A localised text of the product."""
        return localised(self.raw.get(name), (*first, *self.usual))

    def page(self, market: Market, sku: str) -> str:
        """The product's page in a market."""
        key = text(self.raw, "key")
        return page_address(market, slug=self.text("slug", market.locale), key=key, id=text(self.raw, "id"), sku=sku)


def parse_product(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The product of a projection, followed by its variants."""
    view = _view(account, raw)
    nodes = [child(raw, "masterVariant"), *rows(raw, "variants")]
    found = [_traits(view, node) for node in nodes]
    known = traits.definitions(view.beside.product_type)
    names, unique = traits.option_names(known, found), traits.unique_names(known)
    brand, only = str(setting(account, "brand_attribute") or ""), words(account, "facet_attributes")
    changed = _changed(view, nodes)
    variants = [
        replace(
            _variant(view, node, own, lambda locales, own=own: traits.options_of(own, names, known, locales)),
            occurred_at=changed,
            facets=traits.facets_of(own.values(), view.usual, only=only, without=unique),
        )
        for node, own in zip(nodes, found, strict=True)
        if sku_of(node)
    ]
    together = traits.joined(found)
    prices = _lowest(view, variants)
    images = _images(nodes)
    product = Product(
        key=key_of(raw),
        occurred_at=changed,
        title=view.text("name"),
        description=view.text("description"),
        handle=view.text("slug"),
        url=_first_page(view, view.sku),
        image_url=images[0] if images else "",
        images=images,
        vendor=_brand(together.get(brand), view),
        product_type=text(view.beside.product_type, "name"),
        categories=categories_of(rows(raw, "categories"), view.beside.categories, view.usual),
        facets=traits.facets_of(together.values(), view.usual, only=only, without={brand, *unique}),
        prices=prices,
        skus=tuple(variant.sku for variant in variants),
        in_stock=any(_in_stock(node) for node in nodes),
        active=bool(prices) and raw.get("published") is not False,
        removed=not prices,
        attributes=_attributes(view, nodes, together),
    )
    return (product, *variants)


def parse_product_deleted(account: Account, raw: JsonObject) -> Sequence[Record]:
    """A product that is no more, or is not published any more."""
    del account
    return (Product(key=key_of(raw), occurred_at=needed_moment(raw, "at"), removed=True, active=False),)


def _view(account: Account, raw: JsonObject) -> View:
    markets = markets_of(account.settings)
    beside = child(raw, READ)
    wished = (str(setting(account, "default_locale") or ""), text(beside, "language"), *(market.locale for market in markets[:1]))
    return View(
        raw, markets, tuple(locale for locale in wished if locale),
        Beside(
            asked_at=moment(beside, "askedAt") or datetime.now(UTC),
            changed_at=moment(beside, "changedAt"),
            prices=child(beside, "prices"),
            channels=child(beside, "channels"),
            categories=child(beside, "categories"),
            product_type=child(beside, "productType"),
        ),
    )  # fmt: skip


def _variant(view: View, node: JsonObject, own: Mapping[str, traits.Attribute], options: Options) -> Variant:
    sku, usual = sku_of(node), options(view.usual)
    prices = tuple(_prices(view, node, options))
    images = _images([node]) or _images([child(view.raw, "masterVariant")])
    return Variant(
        key=sku,
        occurred_at=view.beside.asked_at,
        product_key=key_of(view.raw),
        sku=sku,
        title=BETWEEN.join(usual.values()),
        product_title=view.text("name"),
        barcode=next((str(own[name].terms[0].plain) for name in BARCODES if name in own), ""),
        options=usual,
        prices=prices,
        in_stock=_in_stock(node),
        active=bool(prices) and view.raw.get("published") is not False,
        removed=not prices,
        url=_first_page(view, sku),
        image_url=images[0] if images else "",
        attributes={**_named("variant_key", text(node, "key")), **traits.values_of(own.values(), view.usual, view.locales)},
    )


def sku_of(node: JsonObject) -> str:
    """The SKU of a variant, empty for one that has none."""
    return text(node, "sku").strip()


def _first_page(view: View, sku: str) -> str:
    return next((page for market in view.markets if (page := view.page(market, sku))), "")


def _named(name: str, value: str) -> dict[str, object]:
    return {name: value} if value else {}


def _traits(view: View, node: JsonObject) -> dict[str, traits.Attribute]:
    """The product's attributes under the variant's own."""
    return traits.attributes_of((*rows(view.raw, "attributes"), *rows(node, "attributes")), _names(view))


def _names(view: View) -> traits.Names:
    """References to categories are called by their path; what others point at is not read."""
    known = view.beside.categories

    def name(kind: str, identifier: str) -> str:
        return path_of(identifier, known, view.usual) if kind == "category" and identifier in known else ""

    return name


def _brand(attribute: traits.Attribute | None, view: View) -> str:
    return attribute.terms[0].label(view.usual) if attribute is not None and len(attribute.terms) == 1 else ""


def _attributes(view: View, nodes: Sequence[JsonObject], together: Mapping[str, traits.Attribute]) -> dict[str, object]:
    paths = {
        f"categories.{locale}": list(categories_of(rows(view.raw, "categories"), view.beside.categories, (locale, *view.usual)).values())
        for locale in view.locales
    }
    without = sum(not sku_of(node) for node in nodes)
    plain: dict[str, object] = {
        "product_key": text(view.raw, "key"),
        "variants_without_sku": without or None,
        **(paths if rows(view.raw, "categories") else {}),
    }
    values = traits.values_of(together.values(), view.usual, view.locales)
    return {**{name: value for name, value in plain.items() if value not in (None, "")}, **values}


def _prices(view: View, node: JsonObject, options: Options) -> Iterator[Price]:
    """What each market pays, in the order of the map; a market without a price does not have the variant."""
    for market in view.markets:
        found = _price_in(view, market, node)
        if found is None:
            continue
        regular, reduced = money(child(found, "value")), child(found, "discounted", "value")
        sale = money(reduced) if reduced else regular
        locales = (market.locale, *view.usual)
        yield Price(
            market=market.name,
            currency=currency_of(child(found, "value")),
            regular=regular,
            sale=sale if sale < regular else None,
            title=f"{view.text('name', market.locale)} {BETWEEN.join(options(locales).values())}".strip(),
            url=view.page(market, sku_of(node)),
        )


def _price_in(view: View, market: Market, node: JsonObject) -> JsonObject | None:
    """The price commercetools chose where prices stand beside the product, else the choice among the embedded ones."""
    if text(view.raw, "priceMode") == STANDALONE:
        return child(view.beside.prices, market.name).get(str(node.get("id")))
    channel = view.beside.channels.get(market.channel_key, "") if market.channel_key else ""
    return select(rows(node, "prices"), Scope(market.currency, market.country, channel), view.beside.asked_at)


def _lowest(view: View, variants: Sequence[Variant]) -> tuple[Price, ...]:
    """Per market, the price of the variant that costs least now, under the title and page of the product."""
    best: dict[str, Price] = {}
    for price in (price for variant in variants for price in variant.prices):
        held = best.get(price.market)
        if held is None or _payable(price) < _payable(held):
            best[price.market] = price
    return tuple(
        replace(best[market.name], title=view.text("name", market.locale), url=view.page(market, view.sku))
        for market in view.markets
        if market.name in best
    )


def _payable(price: Price) -> Decimal:
    return price.regular if price.sale is None else price.sale


def _changed(view: View, nodes: Sequence[JsonObject]) -> datetime:
    """The newest of: its own last change, a change beside it, and a price that began or ended by itself since."""
    by_itself = latest_change(all_prices(nodes), view.beside.asked_at)
    return max(filter(None, (needed_moment(view.raw, "lastModifiedAt"), view.beside.changed_at, by_itself)))


def _images(nodes: Sequence[JsonObject]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url for node in nodes for image in rows(node, "images") if (url := text(image, "url"))))


def _in_stock(node: JsonObject) -> bool:
    """Whether it can be had; goods whose stock commercetools does not count always can ("availability" is a copy that lags by seconds)."""
    whole = child(node, "availability")
    copies = [whole, *(entry for entry in child(whole, "channels").values() if isinstance(entry, dict))]
    stated = [
        bool(copy.get("isOnStock", copy.get("availableQuantity", 0) > 0))
        for copy in copies
        if {"isOnStock", "availableQuantity"} & set(copy)
    ]
    return any(stated) if stated else True
