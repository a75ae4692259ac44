"""From Shopify's objects, in whichever shape they arrive, to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import Account, JsonObject, RawObject
from integrations.platforms.bodies import raw_reason
from integrations.platforms.parsing import Parser, parse_by
from integrations.platforms.shopify.parse.checkout import parse_abandoned, parse_checkout, parse_checkout_deleted, recovered_by
from integrations.platforms.shopify.parse.customer import parse_customer, parse_customer_deleted, parse_customer_merged
from integrations.platforms.shopify.parse.order import parse_order
from integrations.platforms.shopify.parse.order_graphql import graphql_facts
from integrations.platforms.shopify.parse.order_rest import rest_facts
from integrations.platforms.shopify.parse.product import parse_product, parse_product_deleted
from integrations.platforms.shopify.topics import TOPICS
from mapping.records import Record


def parse(account: Account, raw: RawObject) -> Sequence[Record]:
    """The records inside one object; none for topics that carry no record, Unparsable when the shape is not the documented one."""
    if raw.shape.startswith("webhook:") and raw.shape not in PARSERS and not raw_reason(raw.data):
        return ()
    return parse_by(PARSERS, account, raw)


def _webhook_order(account: Account, raw: JsonObject) -> Sequence[Record]:
    return (parse_order(account, rest_facts(raw)),)


def _webhook_bought(account: Account, raw: JsonObject) -> Sequence[Record]:
    order = parse_order(account, rest_facts(raw))
    return (order, *recovered_by(order))


def _graphql_order(account: Account, raw: JsonObject) -> Sequence[Record]:
    return (parse_order(account, graphql_facts(raw)),)


PARSERS: Mapping[str, Parser] = {
    **{f"webhook:{name}": _webhook_order for name, topic in TOPICS.items() if name.startswith("orders/") and topic.full},
    "webhook:orders/create": _webhook_bought,
    "webhook:orders/paid": _webhook_bought,
    "webhook:customers/delete": parse_customer_deleted,
    "webhook:customers/merge": parse_customer_merged,
    "webhook:products/delete": parse_product_deleted,
    "webhook:checkouts/create": parse_checkout,
    "webhook:checkouts/update": parse_checkout,
    "webhook:checkouts/delete": parse_checkout_deleted,
    "graphql:order": _graphql_order,
    "bulk:order": _graphql_order,
    "graphql:customer": parse_customer,
    "bulk:customer": parse_customer,
    "graphql:product": parse_product,
    "bulk:product": parse_product,
    "graphql:checkout": parse_abandoned,
}
