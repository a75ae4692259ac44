"""Single objects by their keys, and how many there are: what a comparison of both ends asks of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.platforms.base import RawObject, Window
from integrations.platforms.commercetools.client import CommercetoolsClient, Where
from integrations.platforms.commercetools.read import count_of, server_time, stamp
from integrations.platforms.commercetools.resources import ORDERS
from integrations.platforms.commercetools.subjects import WHOLE
from integrations.platforms.commercetools.topics import CART, CUSTOMER, ORDER, PRODUCT
from integrations.platforms.survey import SourceLook
from mapping.records import RecordType

SUBJECTS: Mapping[str, str] = {"orders": ORDER, "customers": CUSTOMER, "carts": CART, "products": PRODUCT, "payments": ORDER}


def fetch(client: CommercetoolsClient, reader: str, keys: Sequence[str]) -> Sequence[RawObject]:
    """Whole objects by their ids, as they are now; what is deleted or out of reach is left out."""
    found = WHOLE[SUBJECTS[reader]](client, dict.fromkeys(keys, 0))
    return tuple(raw for _, objects in found for raw in objects)


def count(client: CommercetoolsClient, reader: str, window: Window) -> int | None:
    """Orders placed in the window by commercetools' own count; None for other things, and where it counts no further."""
    if reader != ORDERS.name:
        return None
    until = window.until or server_time(client, ORDERS)
    return count_of(client, ORDERS, Where(ORDERS.history, {"since": stamp(window.since), "until": stamp(until)}))


LOOK = SourceLook(fetch=fetch, count=count, readers={RecordType.ORDER: "orders", RecordType.CUSTOMER: "customers"})
