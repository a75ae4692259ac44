"""What Shopify's privacy messages ask for."""

from __future__ import annotations

import orjson
import pytest

from integrations.platforms.base import IncomingEvent
from integrations.platforms.privacy import PrivacyAsk, Wish
from integrations.platforms.shopify.privacy import privacy_ask

WHO = {"id": 191167, "email": "ada@example.com", "phone": "+442079460123"}
NAMES = {"emails": ("ada@example.com",), "phones": ("+442079460123",), "customers": ("191167",)}


def told(topic: str, body: object) -> PrivacyAsk | None:
    return privacy_ask(IncomingEvent(topic=topic, dedup_key="k", body=orjson.dumps(body)))


@pytest.mark.parametrize(
    ("topic", "body", "asked"),
    [
        ("customers/data_request", {"customer": WHO, "orders_requested": [299938, 280263], "data_request": {"id": 9999}},
         PrivacyAsk(wish=Wish.EXPORT, **NAMES, orders=("299938", "280263"), reference="9999")),
        ("customers/redact", {"customer": WHO, "orders_to_redact": [299938]}, PrivacyAsk(wish=Wish.ERASURE, **NAMES, orders=("299938",))),
        ("customers/redact", {"customer": {"id": 1, "email": None, "phone": None}}, PrivacyAsk(wish=Wish.ERASURE, customers=("1",))),
        ("shop/redact", {"shop_id": 954889, "shop_domain": "example.myshopify.com"}, PrivacyAsk(wish=Wish.SHOP)),
        ("customers/update", {"customer": WHO}, None),
        ("customers/redact", {"raw": "?", "reason": "not JSON"}, None),
        ("customers/redact", ["nothing"], None),
    ],
)  # fmt: skip
def test_a_message_names_the_wish_and_the_person(topic: str, body: object, asked: PrivacyAsk | None) -> None:
    assert told(topic, body) == asked
