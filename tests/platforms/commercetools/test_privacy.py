"""Deletions with data erasure are requests; other deletions are not."""

from __future__ import annotations

import orjson
import pytest

from integrations.platforms.base import IncomingEvent
from integrations.platforms.commercetools.privacy import privacy_ask
from integrations.platforms.privacy import PrivacyAsk, Wish


@pytest.mark.parametrize(
    ("topic", "erasure", "asked"),
    [
        ("customer/ResourceDeleted", True, PrivacyAsk(wish=Wish.ERASURE, customers=("c-1",), reference="n-1")),
        ("order/ResourceDeleted", True, PrivacyAsk(wish=Wish.ERASURE, orders=("c-1",), reference="n-1")),
        ("cart/ResourceDeleted", True, None),
        ("customer/ResourceDeleted", False, None),
        ("customer/ResourceDeleted", None, None),
    ],
)
def test_only_a_deletion_with_data_erasure_asks_for_one(topic: str, erasure: bool | None, asked: PrivacyAsk | None) -> None:
    body = {"notificationType": "ResourceDeleted", "id": "n-1"} | ({} if erasure is None else {"dataErasure": erasure})

    assert privacy_ask(IncomingEvent(topic=topic, dedup_key="k", body=orjson.dumps(body), hint=True, object_key="c-1")) == asked
