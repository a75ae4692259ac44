"""Both signatures against vectors from elsewhere, and against what the stand-in computes of what was really sent."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from integrations.platforms.errors import Misconfigured, TryLater
from integrations.platforms.tiktok_shop import client as room
from integrations.platforms.tiktok_shop.sign import request_signature, webhook_signature

SECRET = "9f1c2ab7d04e4f5f8a6b3c1d2e0f7a95"
COMMON = {"app_key": "6abcdef123456", "timestamp": "1767225600"}
CIPHER = {"shop_cipher": "GCP_x1AbCdEfGh/ij+kl=="}
VECTORS = {
    "the platform's own example": (
        "e59af819cc",
        "/authorization/202309/shops",
        {"app_key": "29a39d", "timestamp": "1623812664"},
        b"",
        "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
    ),
    "a search with a body and a page token": (
        SECRET,
        "/order/202309/orders/search",
        {**COMMON, **CIPHER, "page_size": "50", "sort_field": "update_time", "sort_order": "ASC", "page_token": "aDU2dHIrZg=="},
        b'{"update_time_ge":1767222000,"update_time_lt":1767225600,"order_status":"AWAITING_SHIPMENT"}',
        "4f5c41e6fbf5cd9779e59a3960296073952f93613e88a9629abe1def6d432119",
    ),
    "a read with parameters that are not signed": (
        SECRET,
        "/order/202507/orders",
        {**COMMON, **CIPHER, "ids": "576461413038785752,576461413038785753", "access_token": "must-not-be-signed", "sign": "stale"},
        b"",
        "281dc05c795c39a35abc1c1f16fc5e7f9a3869af3ab10b9ed677f14f96e0d7ae",
    ),
    "an upload whose body is left out": (
        SECRET,
        "/product/202309/images/upload",
        COMMON,
        b"",
        "9234acf40762e43768dc8e3582b05dfdc3d11318e7142f39c8686c50a0ba82a5",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_request_is_signed_as_the_vector_says(name):
    secret, path, query, body, expected = VECTORS[name]
    assert request_signature(secret, path, query, body) == expected


def test_a_webhook_is_signed_as_the_platforms_example_says():
    body = (
        b'{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,"data":'
        b'{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}'
    )
    assert webhook_signature("123", "abcdef", body) == "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05"


def test_bodies_outside_ascii_and_odd_tokens_pass_the_platforms_check(client, place):
    place(buyer_message="Grüße – 東京 & + = /")
    assert client.order_page({"update_time_ge": 1, "order_status": "AWAITING_SHIPMENT"})["total_count"] == 1


def test_a_wrong_secret_names_the_remedy(make_account, address, pacer):
    client = room.TikTokShopClient(make_account(address, secrets={"app_secret": "demo-wrong"}), pacer)
    with pytest.raises(Misconfigured, match="check app key and app secret"):
        client.shops()


def test_every_try_is_stamped_anew(client):
    with patch.object(room.time, "time", return_value=1.0), pytest.raises(TryLater, match="clock"):
        client.shops()
    assert client.shops()
