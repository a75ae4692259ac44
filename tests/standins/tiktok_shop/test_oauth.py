"""Consent, codes, rotating pairs of tokens, expiry, warnings, and the end of an authorisation."""

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.standins.tiktok_shop.conftest import DETAIL, KEY, SECRET, Caller

REDIRECT = "http://127.0.0.1:9/callback"
APP = {"app_key": KEY, "app_secret": SECRET}


def grant(caller: Caller, verb: str, **query: str) -> Any:
    return caller.session.get(f"{caller.root}/api/v2/token/{verb}", params={**APP, **query}).json()


def exchange(caller: Caller, code: str) -> Any:
    return grant(caller, "get", auth_code=code, grant_type="authorized_code")


def refresh(caller: Caller, token: str) -> Any:
    return grant(caller, "refresh", refresh_token=token, grant_type="refresh_token")


def pair(caller: Caller) -> Any:
    return exchange(caller, caller.control("POST", "/consent", {})["code"])["data"]


def works(caller: Caller, token: str) -> int:
    return caller.code("GET", DETAIL, ids="1", token=token)


@pytest.fixture
def redirecting(caller: Caller) -> Caller:
    caller.control("POST", "/settings", {"redirect_uri": REDIRECT})
    return caller


@pytest.mark.parametrize("link", ["/open/authorize?service_id=demo-tts-service-id", f"/oauth/authorize?app_key={KEY}"])
def test_the_page_asks_and_sends_back_a_code_and_the_state(redirecting: Caller, link: str) -> None:
    link += "&state=n0nce"
    page = redirecting.session.get(redirecting.root + link)
    state = re.search(r'name="state" value="([^"]*)"', page.text)
    assert state is not None
    form = {"state": state[1], "agree": "yes", "seller": "7010736057180325637"}
    answer = redirecting.session.post(redirecting.root + link, data=form, allow_redirects=False)
    parts = urlsplit(answer.headers["Location"])
    values = {name: found[0] for name, found in parse_qs(parts.query).items()}

    assert (page.status_code, answer.status_code) == (200, 302)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT
    assert values | {"code": ""} == {"app_key": KEY, "code": "", "locale": "en", "shop_region": "GB", "state": "n0nce"}
    assert exchange(redirecting, values["code"])["code"] == 0


def test_a_seller_may_decline(redirecting: Caller) -> None:
    address = f"{redirecting.root}/open/authorize?service_id=demo-tts-service-id&state=n"
    answer = redirecting.session.post(address, data={"agree": "no"}, allow_redirects=False)

    assert answer.headers["Location"] == f"{REDIRECT}?error=access_denied&state=n"


def test_an_unknown_service_gets_no_page(redirecting: Caller) -> None:
    assert redirecting.session.get(f"{redirecting.root}/open/authorize?service_id=other&state=n").status_code == 400


def test_consent_may_redirect_at_once(redirecting: Caller) -> None:
    redirecting.control("POST", "/settings", {"auto_consent": True})
    address = f"{redirecting.root}/open/authorize?service_id=demo-tts-service-id&state=n"

    assert redirecting.session.get(address, allow_redirects=False).headers["Location"].startswith(f"{REDIRECT}?app_key={KEY}&code=")


def test_an_exchange_answers_absolute_times_and_scopes(caller: Caller) -> None:
    found = pair(caller)

    assert abs(found["access_token_expire_in"] - time.time() - 7 * 86_400) < 5
    assert abs(found["refresh_token_expire_in"] - time.time() - 365 * 86_400) < 5
    shown = {name: found[name] for name in ("open_id", "seller_name", "seller_base_region", "user_type")}
    assert shown == {"open_id": "7010736057180325637", "seller_name": "Example Seller", "seller_base_region": "GB", "user_type": 0}
    assert {"seller.order.info", "seller.return_refund.basic"} <= set(found["granted_scopes"])
    assert works(caller, found["access_token"]) == 0


def test_a_code_is_good_once(caller: Caller) -> None:
    code = caller.control("POST", "/consent", {})["code"]

    assert [exchange(caller, code)["code"] for _ in range(2)] == [0, 36004004]


def test_a_code_is_good_for_half_an_hour(caller: Caller) -> None:
    code = caller.control("POST", "/consent", {})["code"]
    caller.control("POST", "/clock", {"advance": 1801})

    assert exchange(caller, code)["code"] == 36004004


def test_a_refresh_rotates_both_tokens_and_kills_the_old_refresh_token(caller: Caller) -> None:
    first = pair(caller)
    second = refresh(caller, first["refresh_token"])["data"]

    assert not {first["access_token"], first["refresh_token"]} & {second["access_token"], second["refresh_token"]}
    assert works(caller, second["access_token"]) == 0
    assert refresh(caller, first["refresh_token"])["code"] == 36004004
    assert refresh(caller, second["refresh_token"])["code"] == 0
    assert second["refresh_token_expire_in"] == first["refresh_token_expire_in"]


def test_an_access_token_expires_after_a_week(caller: Caller) -> None:
    found = pair(caller)
    caller.control("POST", "/clock", {"advance": 7 * 86_400 + 1})

    assert works(caller, found["access_token"]) == 105002
    assert works(caller, refresh(caller, found["refresh_token"])["data"]["access_token"]) == 0


def test_tokens_expire_on_order(caller: Caller) -> None:
    caller.control("POST", "/expire_token", {})
    assert works(caller, "TTP_demo-access-token") == 105002
    assert refresh(caller, "TTR_demo-refresh-token")["code"] == 0
    caller.control("POST", "/expire_token", {"refresh": True})
    assert refresh(caller, "TTR_demo-refresh-token")["code"] == 36004004


def test_a_wrong_secret_gets_nothing(caller: Caller) -> None:
    code = caller.control("POST", "/consent", {})["code"]
    found = grant(caller, "get", auth_code=code, grant_type="authorized_code", app_secret="wrong")

    assert (found["code"], found["message"]) == (36009004, "Invalid app_secret")


def test_a_deauthorised_seller_is_told_once_and_then_locked_out(caller: Caller, inbox: Any, subscribe: Any) -> None:
    subscribe("SELLER_DEAUTHORIZATION", "ORDER_STATUS_CHANGE")
    caller.control("POST", "/deauthorise", {})
    assert caller.stand_in.wait_sent()

    assert [(body["type"], body["shop_id"]) for body in inbox.bodies()] == [(6, caller.stand_in.shop().spec.id)]
    assert works(caller, "TTP_demo-access-token") == 36009004
    assert refresh(caller, "TTR_demo-refresh-token")["code"] == 36004004
    renewed = pair(caller)
    assert caller.get("/event/202309/webhooks", token=renewed["access_token"]) == {"total_count": 0}


def test_the_end_of_an_authorisation_is_announced_daily(caller: Caller, inbox: Any, subscribe: Any) -> None:
    subscribe("UPCOMING_AUTHORIZATION_EXPIRATION")
    for _ in range(2):
        caller.control("POST", "/clock", {"advance": (365 - 30) * 86_400 + 1 if not inbox.received else 86_401})
        assert caller.stand_in.wait_sent()

    assert inbox.types() == [7, 7]
    data = inbox.bodies()[0]["data"]
    assert set(data) == {"message", "expiration_time"}
    assert abs(data["expiration_time"] - time.time() - 365 * 86_400) < 10


def test_a_secret_can_be_rotated_while_webhooks_go_on_with_the_old_one(caller: Caller, place: Any) -> None:
    order = place()
    old = caller.stand_in.signed_webhooks([order.id])[0]
    caller.control("POST", "/rotate_secret", {"secret": "new-secret", "sign_with_old": True})

    assert caller.code("GET", DETAIL, ids=order.id) == 106001
    assert caller.code("GET", DETAIL, ids=order.id, secret="new-secret") == 0
    assert caller.stand_in.shop().hooks.app.app_secret == SECRET
    assert old[0]["Authorization"]
