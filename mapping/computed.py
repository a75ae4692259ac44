"""Values and lists that no single attribute of a record holds: how the field registry works them out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from mapping.field_shapes import Elements, Getter
from mapping.records import (
    Address,
    Checkout,
    Consent,
    ConsentChange,
    ConsentState,
    Customer,
    Line,
    Order,
    OrderStatus,
    Price,
    Product,
    Totals,
    Variant,
)


def itself(entry: Any) -> Any:
    return entry


def joined(name: str, separator: str = ",") -> Getter:
    read = attrgetter(name)
    return lambda record: separator.join(read(record))


def removed(record: Any) -> bool | None:
    return True if record.removed else None


def live(record: Product | Variant) -> bool:
    return record.active and not record.removed


def consent(channel: str) -> Getter:
    def get(person: Customer | ConsentChange) -> Consent | None:
        return next((consent for consent in person.consents if consent.channel == channel), None)

    return get


def stated_when(state: ConsentState) -> Getter:
    def get(consent: Consent) -> datetime | None:
        return consent.stated_at if consent.state is state else None

    return get


def forced(consent: Consent) -> bool | None:
    return True if consent.forced else None


def default_address(customer: Customer) -> Address | None:
    return customer.addresses[0] if customer.addresses else None


def full_name(person: Any) -> str:
    return f"{person.first_name} {person.last_name}".strip()


def shop_totals(order: Order) -> Order | None:
    return order if order.local_totals is not None else None


def returned_quantity(scopes: tuple[Order, Line]) -> int:
    order, line = scopes[0], scopes[1]
    return line.refunded_quantity + (0 if order.status is OrderStatus.CANCELLED else line.cancelled_quantity)


def returned_amount(scopes: tuple[Order, Line]) -> Decimal:
    order, line = scopes[0], scopes[1]
    return line.refunded_amount + (Decimal(0) if order.status is OrderStatus.CANCELLED else line.cancelled_amount)


def cancelled_units(order: Order) -> int:
    return sum(line.cancelled_quantity for line in order.lines)


def shipping_and_other(totals: Totals) -> Decimal:
    return totals.shipping + totals.other


def first_of(name: str, attribute: str) -> Getter:
    read, pick = attrgetter(name), attrgetter(attribute)
    return lambda record: next((found for found in map(pick, read(record)) if found), None)


def last_of(name: str, attribute: str) -> Getter:
    read, pick = attrgetter(name), attrgetter(attribute)
    return lambda record: max((found for found in map(pick, read(record)) if found), default=None)


def base_price(record: Product | Variant) -> Price | None:
    """The shop's own price: the one without a market, else the first."""
    return next((price for price in record.prices if not price.market), record.prices[0] if record.prices else None)


def full_title(variant: Variant) -> str:
    if not variant.title or variant.title == variant.product_title:
        return variant.product_title or variant.title
    return f"{variant.product_title} {variant.title}".strip()


def phase(checkout: Checkout) -> str:
    return "recovered" if checkout.completed_at else "abandoned"


def phase_at(checkout: Checkout) -> datetime:
    return checkout.completed_at or checkout.occurred_at


def phase_key(checkout: Checkout) -> str:
    return f"{checkout.key}:{phase(checkout)}"


# --- lists -------------------------------------------------------------------------------------------------------------


def pairs(name: str) -> Elements:
    read = attrgetter(name)
    return lambda record: tuple(read(record).items())


def market_prices(record: Product | Variant) -> Sequence[tuple[str, Price, Product | Variant]]:
    """Every price with the store of its listing (the shop's own, else "<shop>/<market>") and what it is the price of."""
    shop = str(record.attributes.get("store") or "")
    return [("/".join(part for part in (shop, price.market.lower()) if part), price, record) for price in record.prices]


def market_title(entry: tuple[str, Price, Product | Variant]) -> str:
    """The title in the language of the market, else the usual one."""
    _, price, record = entry
    return price.title or (full_title(record) if isinstance(record, Variant) else record.title)


def market_url(entry: tuple[str, Price, Product | Variant]) -> str:
    """The page of the market, else the usual one."""
    _, price, record = entry
    return price.url or record.url


def facets(product: Product) -> Sequence[tuple[str, str, str]]:
    """Categories, brand, kind, tags and the source's own facets of a product as one list of (type, id, label)."""
    found = [("category", key, label or key) for key, label in product.categories.items()]
    found += [(kind, name, name) for kind, name in (("brand", product.vendor), ("product_type", product.product_type)) if name]
    return found + [("tag", tag, tag) for tag in product.tags] + list(own_facets(product))


def own_facets(record: Product | Variant) -> Sequence[tuple[str, str, str]]:
    """What the source itself sorts by, as (type, id, label)."""
    return [(facet.kind, facet.key, facet.label) for facet in record.facets]
