"""Money: a bag is a tuple of shop and presentment amount with their currencies, a single amount a pair."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from integrations.standins.shopify.resolvers import FIELDS, Resolver


class MoneyV2(NamedTuple):
    """An amount where the type must be told from others; elsewhere a plain pair does."""

    amount: str
    currency: str


FIELDS["MoneyBag"] = {
    "shopMoney": lambda bag, arguments, call: bag[:2],
    "presentmentMoney": lambda bag, arguments, call: bag[2:],
}
FIELDS["MoneyV2"] = {
    "amount": lambda money, arguments, call: money[0],
    "currencyCode": lambda money, arguments, call: money[1],
}


def bag(read: Callable[[Any], Decimal]) -> Resolver:
    """An amount of an order or checkout in both currencies."""
    return lambda source, arguments, call: source.bag(read(source))
