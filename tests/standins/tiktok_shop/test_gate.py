"""What gets through the gate and what does not: signature, time, token, scope, cipher, path, quota."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from integrations.standins.tiktok_shop import AppSpec, SellerSpec, ShopSpec, TikTokShopStandIn
from integrations.standins.tiktok_shop.signing import request_signature, webhook_signature
from integrations.standins.wire import Request
from tests.standins.tiktok_shop.conftest import DETAIL, GB, SEARCH, Caller

OWN_SECRET = "9f1c2ab7d04e4f5f8a6b3c1d2e0f7a95"
OWN = {"app_key": "6abcdef123456", "timestamp": "1767225600"}
CIPHER = "GCP_x1AbCdEfGh/ij+kl=="
BODY_A = b'{"update_time_ge":1767222000,"update_time_lt":1767225600,"order_status":"AWAITING_SHIPMENT"}'
QUERY_A = {**OWN, "shop_cipher": CIPHER, "page_size": "50", "sort_field": "update_time", "sort_order": "ASC", "page_token": "aDU2dHIrZg=="}
QUERY_B = {**OWN, "shop_cipher": CIPHER, "ids": "576461413038785752,576461413038785753", "access_token": "must-not", "sign": "stale"}
SIGN_A = "4f5c41e6fbf5cd9779e59a3960296073952f93613e88a9629abe1def6d432119"
VECTORS = {
    "P": (
        ("e59af819cc", "/authorization/202309/shops", {"app_key": "29a39d", "timestamp": "1623812664"}, b"", ""),
        "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
    ),
    "A": ((OWN_SECRET, "/order/202309/orders/search", QUERY_A, BODY_A, "application/json"), SIGN_A),
    "B": (
        (OWN_SECRET, "/order/202507/orders", QUERY_B, b"", ""),
        "281dc05c795c39a35abc1c1f16fc5e7f9a3869af3ab10b9ed677f14f96e0d7ae",
    ),
    "C": (
        (OWN_SECRET, "/product/202309/images/upload", OWN, b"any", "multipart/form-data; boundary=x"),
        "9234acf40762e43768dc8e3582b05dfdc3d11318e7142f39c8686c50a0ba82a5",
    ),
}


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_the_notes_vectors_are_signed_as_they_say(name: str) -> None:
    (secret, path, query, body, content_type), expected = VECTORS[name]

    assert request_signature(secret, path, query, body=body, content_type=content_type) == expected


def test_the_published_webhook_vector_is_signed_as_it_says() -> None:
    body = (
        b'{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507","timestamp":1718305585,"data":'
        b'{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}'
    )

    assert webhook_signature("abcdef", "123", body) == "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05"


@pytest.mark.parametrize(("late", "code"), [(0, 0), (300, 0), (302, 36009004), (-30, 0), (-31, 36009004)])
def test_vector_a_passes_the_gate_within_its_time(late: int, code: int) -> None:
    shop = ShopSpec("7495540735365777507", "Shop", "GB", CIPHER)
    seller = SellerSpec("7010736057180325637", "Seller", "GB", (shop,), "TTP_x", "TTR_x")
    app = AppSpec(app_key=OWN["app_key"], app_secret=OWN_SECRET)
    stand_in = TikTokShopStandIn([seller], app, caller_clock=lambda: 1767225600 + late)
    query = {name: value for name, value in QUERY_A.items() if name != "page_token"}
    signed = {**query, "sign": request_signature(OWN_SECRET, SEARCH, query, body=BODY_A)}
    headers = {"x-tts-access-token": "TTP_x", "content-type": "application/json"}
    answer = stand_in.handle(Request("POST", SEARCH, signed, headers, BODY_A))
    stand_in.close()

    assert f'"code":{code},'.encode() in answer.body


def test_a_call_with_everything_right_is_answered_in_the_envelope(caller: Caller) -> None:
    answer = caller.call("POST", SEARCH, {}, page_size=10)

    assert answer.status_code == 200
    assert {**answer.json(), "request_id": ""} == {
        "code": 0,
        "message": "Success",
        "request_id": "",
        "data": {"total_count": 0, "next_page_token": ""},
    }


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"secret": "wrong"}, 106001, "Invalid sign"),
        ({"sign": "0" * 64}, 106001, "Invalid sign"),
        ({"drop": ("sign",)}, 36009004, "Missing credentials, the param query.sign (signature) is missing"),
        ({"app_key": "other"}, 36009004, "Invalid app_key"),
        ({"timestamp": "1"}, 36009004, "Invalid timestamp, earlier than 5 minutes before the current time"),
        ({"timestamp": "99999999999"}, 36009004, "Invalid timestamp, more than 30 seconds after the current time"),
        ({"timestamp": "-5"}, 36009004, "Invalid timestamp, lesser than 0"),
        ({"token": None}, 36009004, "x-tts-access-token header is invalid"),
        ({"token": "TTP_unknown"}, 36009004, "x-tts-access-token header is invalid"),
        ({"cipher": None}, 106013, "The shop_cipher is missing"),
        ({"cipher": "GCP_foreignGB/yz+ab=="}, 101000, "The access token or shop_cipher is invalid, or they do not belong together"),
        ({"headers": {"content-type": "text/plain"}}, 36009022, "Invalid content type, must be application/json"),
        ({"body": b"{"}, 36009023, "The request body is not JSON"),
        ({"body": b"[]"}, 36009023, "The request body must be an object"),
        ({"drop": ("page_size",), "page_size": ""}, 106001, "Invalid sign"),
    ],
)
def test_a_wrong_call_is_refused_with_its_code(caller: Caller, options: Any, code: int, words: str) -> None:
    body = options.pop("body", {})
    found = caller.call("POST", SEARCH, body, **{"page_size": 10, **options}).json()

    assert (found["code"], found["message"], found["data"]) == (code, words, None)


def test_a_changed_body_breaks_the_signature(caller: Caller) -> None:
    signed = caller.call("POST", SEARCH, b'{"order_status":"UNPAID"}', page_size=10).request
    signed.body = b'{"order_status": "UNPAID"}'
    signed.headers["Content-Length"] = str(len(signed.body))

    assert caller.session.send(signed).json()["code"] == 106001


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing/202309/here", 36009009),
        ("GET", "/order", 36009009),
        ("DELETE", SEARCH, 36009010),
        ("POST", "/order/202001/orders/search", 36009014),
        ("GET", "/analytics/202405/shop/performance", 36009014),
    ],
)
def test_paths_methods_and_versions_are_known_one_by_one(caller: Caller, method: str, path: str, code: int) -> None:
    assert caller.code(method, path) == code


def test_authorised_shops_take_no_cipher_and_list_every_region(caller: Caller) -> None:
    path = "/authorization/202309/shops"
    shops = caller.get(path, cipher=None)["shops"]

    assert [shop["region"] for shop in shops] == ["GB", "DE", "JP", "US"]
    assert shops[0] == {
        "id": GB.id, "name": "Demo UK", "region": "GB", "seller_type": "LOCAL", "cipher": GB.cipher, "code": "GBLCDEMO01",
    }  # fmt: skip
    assert len({shop["cipher"] for shop in shops}) == 4
    assert "not required" in caller.call("GET", path).json()["message"]


def test_a_token_opens_only_what_it_was_granted(caller: Caller) -> None:
    stand_in = caller.stand_in
    seller = stand_in.shop().seller
    token = stand_in.tokens.issue(seller, frozenset({"seller.order.info"}), cause="test")["access_token"]

    assert caller.code("POST", SEARCH, {}, page_size=10, token=token) == 0
    assert caller.code("POST", "/return_refund/202602/returns/search", {}, page_size=10, token=token) == 105005


def test_the_same_refusal_comes_with_varying_statuses(caller: Caller) -> None:
    statuses = {caller.call("GET", DETAIL, ids="1", token="TTP_unknown").status_code for _ in range(4)}

    assert statuses == {200, 400}


@pytest.mark.parametrize(("form", "number"), [("seconds", True), ("date", False)])
def test_too_many_calls_of_one_shop_are_throttled_and_other_shops_are_not(caller: Caller, form: str, number: bool) -> None:
    caller.control("POST", "/settings", {"read_rate": 1, "retry_after": form})
    answers = [caller.call("GET", DETAIL, ids="1") for _ in range(4)]
    last = answers[-1]

    assert (last.status_code, last.json()["code"]) == (429, 36009002)
    advice = last.headers["Retry-After"]
    assert advice.isdigit() if number else parsedate_to_datetime(advice)
    other = caller.stand_in.shop("DE").spec.cipher
    assert caller.code("GET", DETAIL, ids="1", cipher=other) == 0
    assert caller.code("DELETE", "/event/202309/webhooks", {"event_type": "NEW_MESSAGE"}) == 0


def test_an_ordered_failure_hits_and_is_over(caller: Caller) -> None:
    caller.control("POST", "/failures", {"code": 36009003, "message": "Internal error", "status": 200, "path": "orders", "times": 1})

    assert [caller.code("GET", DETAIL, ids="1") for _ in range(2)] == [36009003, 0]


def test_the_time_of_callers_can_be_moved_against_the_platform(caller: Caller) -> None:
    caller.control("POST", "/clock", {"skew": 400})
    assert "earlier than 5 minutes" in caller.call("GET", DETAIL, ids="1").json()["message"]
    caller.control("POST", "/clock", {"skew": 0, "advance": 86_400})
    assert caller.code("GET", DETAIL, ids="1") == 0
