"""From commercetools' objects to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import Account, RawObject
from integrations.platforms.commercetools.parse.cart import parse_cart, parse_cart_deleted
from integrations.platforms.commercetools.parse.customer import parse_customer, parse_customer_deleted
from integrations.platforms.commercetools.parse.order import parse_order
from integrations.platforms.commercetools.parse.product import parse_product, parse_product_deleted
from integrations.platforms.parsing import Parser, parse_by
from mapping.records import Record


def parse(account: Account, raw: RawObject) -> Sequence[Record]:
    """The records inside one object; Unparsable when its shape is not the documented one."""
    return parse_by(PARSERS, account, raw)


PARSERS: Mapping[str, Parser] = {
    "customer": parse_customer,
    "order": parse_order,
    "cart": parse_cart,
    "product": parse_product,
    "deleted:customer": parse_customer_deleted,
    "deleted:cart": parse_cart_deleted,
    "deleted:product": parse_product_deleted,
}
