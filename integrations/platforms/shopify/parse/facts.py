"""What an order says, read from any of Shopify's shapes, before its amounts are brought to our conventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from integrations.platforms.values import amount
from mapping.money import quantise
from mapping.records import Address, CustomerRef, Fulfilment

ZERO = Decimal(0)


class Pair(NamedTuple):
    """One amount in the shop's currency and in the buyer's."""

    shop: Decimal
    local: Decimal


NOTHING = Pair(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Purse:
    """Reads amounts in both currencies; `ratio` (local per shop) stands in where Shopify gives only the shop's."""

    currency: str
    local_currency: str
    ratio: Decimal = Decimal(1)

    def rest(self, raw: Mapping[str, Any], name: str) -> Pair | None:
        """The amount under `name_set`, else under `name`; None when neither is there."""
        bag = raw.get(f"{name}_set")
        if isinstance(bag, dict):
            return self._both(bag, "shop_money", "presentment_money", name)
        plain = raw.get(name)
        return None if plain is None else self.shop_only(amount(plain, self.currency, name))

    def graphql(self, raw: Mapping[str, Any], name: str) -> Pair | None:
        """The amount of the money bag under a name, None when it is not there."""
        bag = raw.get(name)
        return self._both(bag, "shopMoney", "presentmentMoney", name) if isinstance(bag, dict) else None

    def shop_only(self, value: Decimal) -> Pair:
        """Both sides of an amount of which only the shop's is known."""
        return Pair(value, value if self.currency == self.local_currency else quantise(value * self.ratio, self.local_currency))

    def local_only(self, value: Decimal) -> Pair:
        """Both sides of an amount of which only the buyer's is known."""
        return Pair(quantise(value / self.ratio, self.currency) if self.ratio else ZERO, value)

    def _both(self, bag: Mapping[str, Any], shop: str, local: str, name: str) -> Pair:
        value = amount(bag[shop]["amount"], self.currency, name)
        if self.currency == self.local_currency:
            return Pair(value, value)
        other = bag.get(local)
        return self.shop_only(value) if not isinstance(other, dict) else Pair(value, amount(other["amount"], self.local_currency, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """One line; `unit` is before discounts, with or without tax as the shop's prices are; `rate` is the sum of its tax rates."""

    key: str
    sku: str
    product_key: str
    variant_key: str
    title: str
    variant_title: str
    quantity: int
    current: int
    unit: Pair
    discount: Pair
    tax: Pair
    rate: Decimal
    bundle_sku: str


@dataclass(frozen=True, slots=True)
class RefundLineFacts:
    """Units taken back, with the amount Shopify counts for them; tax lies inside it when the shop's prices include tax."""

    line_key: str
    quantity: int
    subtotal: Pair
    tax: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """One refund; `paid` is the sum of its refund transactions that succeeded or are on their way."""

    key: str
    at: datetime
    note: str
    lines: tuple[RefundLineFacts, ...]
    paid: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """Everything an `Order` needs; states in Shopify's upper case."""

    key: str
    number: str
    updated_at: datetime
    placed_at: datetime
    cancelled_at: datetime | None
    cancel_reason: str
    financial: str
    fulfilment: str
    test: bool
    currency: str
    local_currency: str
    taxes_included: bool
    total: Pair
    current_total: Pair
    tax: Pair
    shipping: Pair
    shipping_tax: Pair
    lines: tuple[LineFacts, ...]
    refunds: tuple[RefundFacts, ...]
    fulfilments: tuple[Fulfilment, ...]
    customer: CustomerRef
    shipping_address: Address | None
    billing_address: Address | None
    coupons: tuple[str, ...]
    payment: str
    shipping_method: str
    source: str
    checkout_key: str
    ip_address: str
    tags: tuple[str, ...]
    attributes: dict[str, object]


def by_id(facts: LineFacts | RefundFacts) -> tuple[int, str]:
    """Sort key of lines and refunds: numeric ids in the order they were given, since a bulk file scatters them."""
    return len(facts.key), facts.key


def plus(*pairs: Pair) -> Pair:
    """The sum on both sides."""
    return Pair(sum((pair.shop for pair in pairs), ZERO), sum((pair.local for pair in pairs), ZERO))
