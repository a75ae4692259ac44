"""Shopify's three privacy topics, which every app must obey within 30 days ("Privacy law compliance" in the app documentation).

They are set in the app's own configuration and never among the subscriptions: `customers/data_request` names a customer and the orders
asked for, `customers/redact` a customer and the orders to take them out of, `shop/redact` a shop, 48 hours after the app was removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from integrations.platforms.base import IncomingEvent
from integrations.platforms.privacy import PrivacyAsk, Wish

PRIVACY_TOPICS = {"customers/data_request": Wish.EXPORT, "customers/redact": Wish.ERASURE, "shop/redact": Wish.SHOP}


def privacy_ask(event: IncomingEvent) -> PrivacyAsk | None:
    """What a message asks for, None when it is about something else or cannot be read."""
    wish = PRIVACY_TOPICS.get(event.topic)
    if wish is None:
        return None
    try:
        body = orjson.loads(event.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or "raw" in body:
        return None
    customer = body.get("customer") if isinstance(body.get("customer"), dict) else {}
    request = body.get("data_request") if isinstance(body.get("data_request"), dict) else {}
    return PrivacyAsk(
        wish=wish, emails=_texts(customer, "email"), phones=_texts(customer, "phone"), customers=_texts(customer, "id"),
        orders=tuple(str(order) for order in (*_rows(body, "orders_requested"), *_rows(body, "orders_to_redact")) if order),
        reference=str(request.get("id") or ""),
    )  # fmt: skip


def _texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return (str(data[name]),) if data.get(name) else ()


def _rows(data: Mapping[str, Any], name: str) -> Iterable[Any]:
    rows = data.get(name)
    return rows if isinstance(rows, list) else ()
