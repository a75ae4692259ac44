"""From commercetools' objects to records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from integrations.platforms.base import Account, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.commercetools.parse.cart import parse_cart, parse_cart_deleted
from integrations.platforms.commercetools.parse.customer import parse_customer, parse_customer_deleted
from integrations.platforms.commercetools.parse.order import parse_order
from integrations.platforms.commercetools.parse.product import parse_product, parse_product_deleted
from integrations.platforms.errors import Unparsable
from mapping.records import Record

Parser = Callable[[Account, JsonObject], Sequence[Record]]


def parse(account: Account, raw: RawObject) -> Sequence[Record]:
    """The records inside one object; Unparsable when its shape is not the documented one."""
    if raw_reason(raw.data):
        raise Unparsable(f"{raw.shape}: {raw_reason(raw.data)}")
    parser = PARSERS.get(raw.shape)
    if parser is None:
        raise Unparsable(f"unknown shape {raw.shape}")
    try:
        return parser(account, raw.data)
    except Unparsable as fault:
        raise Unparsable(f"{raw.shape}: {fault}") from fault
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as fault:  # another type than documented
        raise Unparsable(f"{raw.shape}: {type(fault).__name__}: {fault}") from fault


PARSERS: Mapping[str, Parser] = {
    "customer": parse_customer,
    "order": parse_order,
    "cart": parse_cart,
    "product": parse_product,
    "deleted:customer": parse_customer_deleted,
    "deleted:cart": parse_cart_deleted,
    "deleted:product": parse_product_deleted,
}
