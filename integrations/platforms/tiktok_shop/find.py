"""Asking TikTok Shop for one thing by its id; it has no search by person or SKU. An order's number is its id."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.platforms.base import Lookup, RawObject, SoughtBy
from integrations.platforms.errors import Refused
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.expand import WHOLE
from integrations.platforms.tiktok_shop.topics import ORDER, PRODUCT

SHORTEST, LONGEST = 6, 32  # digits of an id
SUBJECTS = {SoughtBy.ORDER_NUMBER: ORDER, SoughtBy.ORDER_ID: ORDER, SoughtBy.PRODUCT_ID: PRODUCT}


def find(client: TikTokShopClient, by: SoughtBy, value: str) -> Sequence[RawObject]:
    """The whole thing, nothing when TikTok Shop has none of that id in this shop."""
    if not (value.isascii() and value.isdecimal() and SHORTEST <= len(value) <= LONGEST):
        return []
    try:
        return [raw for _, raw in WHOLE[SUBJECTS[by]](client, [value]) if raw is not None]
    except Refused:  # an id of another kind or shop is refused rather than not found
        return []


LOOKUP = Lookup(by=frozenset(SUBJECTS), find=find, reach="TikTok Shop can be asked by the id of an order or a product only.")
