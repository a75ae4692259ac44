"""From TikTok Shop's objects to records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import Account, JsonObject, RawObject
from integrations.platforms.parsing import Parser, parse_by
from integrations.platforms.tiktok_shop.parse.buyer import parse_buyer
from integrations.platforms.tiktok_shop.parse.events import order_events
from integrations.platforms.tiktok_shop.parse.figures import parse_figures
from integrations.platforms.tiktok_shop.parse.order import parse_order
from integrations.platforms.tiktok_shop.parse.product import parse_product
from integrations.platforms.values import child
from mapping.records import Record


def parse(account: Account, raw: RawObject) -> Sequence[Record]:
    """The records inside one object; Unparsable when its shape is not the documented one."""
    return parse_by(PARSERS, account, raw)


def parse_composite(account: Account, raw: JsonObject) -> Sequence[Record]:
    """The buyer, the order with all that befell it, and the events of its life."""
    order = parse_order(account, raw)
    return (*parse_buyer(account, child(raw, "order"), order), order, *order_events(raw, order))


PARSERS: Mapping[str, Parser] = {"order": parse_composite, "product": parse_product, "figures": parse_figures}
