"""The webhook types this room knows, by their numbers: what each is called, what it is about, and whether it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.platforms.base import JsonObject

ORDER, PRODUCT = "order", "product"
DEAUTHORISED, EXPIRING = "SELLER_DEAUTHORIZATION", "UPCOMING_AUTHORIZATION_EXPIRATION"
PRODUCT_SECONDS = 300.0  # products change in bursts: their messages wait for each other


@dataclass(frozen=True, slots=True)
class Topic:
    """One webhook type; `ids` reads the ids of its `subject` out of its data. Only the ids are to be trusted."""

    name: str
    subject: str = ""
    ids: Callable[[JsonObject], Iterator[Any]] = lambda data: iter(())
    subscribed: bool = False
    wait_seconds: float = 0.0


def _one(field: str) -> Callable[[JsonObject], Iterator[Any]]:
    return lambda data: iter((data.get(field),))


def _in_list(outer: str, inner: str) -> Callable[[JsonObject], Iterator[Any]]:
    """Ids in the objects of a list; the inner value may be a list itself."""

    def ids(data: JsonObject) -> Iterator[Any]:
        rows = data.get(outer)
        for row in rows if isinstance(rows, list) else ():
            found = row.get(inner) if isinstance(row, dict) else None
            yield from found if isinstance(found, list) else (found,)

    return ids


def _order(name: str, ids: Callable[[JsonObject], Iterator[Any]] | None = None, *, subscribed: bool = False) -> Topic:
    return Topic(name, ORDER, ids or _one("order_id"), subscribed)


def _product(name: str, *, subscribed: bool = False) -> Topic:
    return Topic(name, PRODUCT, _one("product_id"), subscribed, PRODUCT_SECONDS)


# Partner docs, "TTS webhooks overview". Types without an upper-case name are sent but cannot be asked for.
TOPICS: Mapping[int, Topic] = {
    1: _order("ORDER_STATUS_CHANGE", subscribed=True),
    2: _order("REVERSE_STATUS_UPDATE"),
    3: _order("RECIPIENT_ADDRESS_UPDATE", subscribed=True),
    4: _order("PACKAGE_UPDATE", _in_list("package_list", "order_id_list"), subscribed=True),
    5: _product("PRODUCT_STATUS_CHANGE", subscribed=True),
    6: Topic(DEAUTHORISED, subscribed=True),
    7: Topic(EXPIRING, subscribed=True),
    11: _order("CANCELLATION_STATUS_CHANGE", subscribed=True),
    12: _order("RETURN_STATUS_CHANGE", subscribed=True),
    13: Topic("NEW_CONVERSATION"),
    14: Topic("NEW_MESSAGE"),
    15: _product("PRODUCT_INFORMATION_CHANGE", subscribed=True),
    16: _product("PRODUCT_CREATION", subscribed=True),
    18: _product("PRODUCT_CATEGORY_CHANGE"),
    27: Topic("inventory status"),
    33: Topic("NEW_MESSAGE_LISTENER"),
    36: Topic("INVOICE_STATUS_CHANGE"),
    37: _product("PRODUCT_AUDIT_STATUS_CHANGE"),
    42: Topic("combined listing change"),
    50: _product("SKU status"),
    64: _order("aftersales request"),
    65: _order("RMA status"),
    67: _order("refund success", _in_list("line_items", "main_order_id")),
    71: Topic("inventory changed"),
}
BY_NAME: Mapping[str, Topic] = {topic.name: topic for topic in TOPICS.values()}
SUBSCRIBED = tuple(topic.name for topic in TOPICS.values() if topic.subscribed)


def topic_of(body: Mapping[str, Any]) -> Topic:
    """The topic of a message; one of an unknown type has a name made of its number and is about nothing."""
    number = body.get("type")
    if isinstance(number, bool) or not isinstance(number, int):
        return Topic("unknown")
    return TOPICS.get(number) or Topic(f"type {number}"[:100])


def ids_in(topic: Topic, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of what a message is about, each once: decimal digits as text, since some types send numbers."""
    data = body.get("data")
    found = (str(value) for value in topic.ids(data if isinstance(data, dict) else {}) if not isinstance(value, bool))
    return tuple(dict.fromkeys(value for value in found if value.isascii() and value.isdecimal() and len(value) <= 32))
