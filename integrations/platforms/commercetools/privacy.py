"""Deletions with data erasure: commercetools' only word about privacy.

Whoever deletes a customer, an order or a cart there with `dataErasure=true` means the person's data everywhere; the notification
(`ResourceDeleted`, subscriptions page) says so with `dataErasure: true`.
"""

from __future__ import annotations

import orjson

from integrations.platforms.base import IncomingEvent
from integrations.platforms.privacy import PrivacyAsk, Wish


def privacy_ask(event: IncomingEvent) -> PrivacyAsk | None:
    """The erasure that a deletion of a customer or an order asks for, None for every other event."""
    subject, _, what = event.topic.partition("/")
    if subject not in ("customer", "order") or b"dataErasure" not in event.body or not event.object_key:
        return None
    try:
        body = orjson.loads(event.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or body.get("dataErasure") is not True:
        return None
    named = {"customers" if subject == "customer" else "orders": (event.object_key,)}
    return PrivacyAsk(wish=Wish.ERASURE, reference=str(body.get("id") or ""), **named)
