"""Four ways to a token, expiry, rotation of refresh tokens, and the end of an installation."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.standins.shopify.oauth import callback_hmac
from tests.standins.shopify.conftest import SHOP, Caller

APP = {"client_id": "demo-client-id", "client_secret": "demo-shopify-secret"}
REDIRECT = "https://console.example/oauth"


def grant(caller: Caller, **form: str) -> tuple[int, Any]:
    answer = caller.session.post(f"{caller.base}/admin/oauth/access_token", data={**APP, **form})
    return answer.status_code, answer.json()


def code(caller: Caller) -> str:
    query = {"client_id": APP["client_id"], "scope": "read_orders", "redirect_uri": REDIRECT, "state": "n0nce"}
    answer = caller.session.get(f"{caller.base}/admin/oauth/authorize", params=query, allow_redirects=False)
    assert answer.status_code == 302
    return answer.headers["Location"]


def works(caller: Caller, token: str) -> bool:
    return caller.post("{ shop { name } }", token=token).status_code == 200


@pytest.mark.parametrize(
    ("query", "digest"),
    [
        (
            "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173",
            "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
        ),
        (
            "code=abc123&host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvZGVtbw&shop=demo.myshopify.com&state=n0nce&timestamp=1763600000",
            "3b8886f2f5ce5369ed6c1604915c1a6e9c29130ab93fcee3d38f402f03320d6e",
        ),
    ],
)
def test_the_published_callbacks_have_their_digest(query: str, digest: str) -> None:
    values = dict(part.split("=") for part in query.split("&"))

    assert callback_hmac({**values, "hmac": "x", "signature": "y"}, "hush") == digest


def test_client_credentials_give_a_token_for_a_day(caller: Caller) -> None:
    status, answer = grant(caller, grant_type="client_credentials")

    assert (status, answer["expires_in"], "refresh_token" in answer) == (200, 86_399, False)
    assert "read_orders" in answer["scope"].split(",")
    assert works(caller, answer["access_token"])
    caller.control("POST", "/clock", {"advance": 86_400})
    assert not works(caller, answer["access_token"])


def test_json_is_taken_too(caller: Caller) -> None:
    answer = caller.session.post(f"{caller.base}/admin/oauth/access_token", json={**APP, "grant_type": "client_credentials"})

    assert answer.status_code == 200


def test_a_wrong_secret_gets_nothing(caller: Caller) -> None:
    assert grant(caller, grant_type="client_credentials", client_secret="guess")[0] == 401


def test_after_consent_the_owner_comes_back_with_a_signed_code(caller: Caller) -> None:
    parts = urlsplit(code(caller))
    values = {name: found[0] for name, found in parse_qs(parts.query).items()}

    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT
    assert set(values) == {"code", "hmac", "host", "shop", "state", "timestamp"}
    assert (values["shop"], values["state"]) == (SHOP, "n0nce")
    assert callback_hmac(values, APP["client_secret"]) == values["hmac"]


def test_a_code_is_good_once(caller: Caller) -> None:
    found = parse_qs(urlsplit(code(caller)).query)["code"][0]

    first, second = grant(caller, code=found, expiring="0"), grant(caller, code=found, expiring="0")

    assert (first[0], set(first[1])) == (200, {"access_token", "scope"})
    assert second[0] == 400
    caller.control("POST", "/clock", {"advance": 400 * 86_400})
    assert works(caller, first[1]["access_token"])


def test_a_foreign_app_is_not_sent_back(caller: Caller) -> None:
    query = {"client_id": "other", "redirect_uri": REDIRECT, "state": "n"}

    assert caller.session.get(f"{caller.base}/admin/oauth/authorize", params=query, allow_redirects=False).status_code == 400


def pair(caller: Caller) -> Any:
    found = parse_qs(urlsplit(code(caller)).query)["code"][0]
    return grant(caller, code=found, expiring="1")[1]


def test_an_expiring_token_lives_an_hour_and_comes_with_a_refresh_token(caller: Caller) -> None:
    answer = pair(caller)

    assert (answer["expires_in"], answer["refresh_token_expires_in"]) == (3600, 90 * 86_400)
    caller.control("POST", "/clock", {"advance": 3601})
    assert not works(caller, answer["access_token"])
    status, renewed = grant(caller, grant_type="refresh_token", refresh_token=answer["refresh_token"])
    assert status == 200
    assert works(caller, renewed["access_token"])
    assert renewed["refresh_token"] != answer["refresh_token"]


def test_the_old_refresh_token_works_until_the_new_one_is_used(caller: Caller) -> None:
    first = pair(caller)["refresh_token"]
    second = grant(caller, grant_type="refresh_token", refresh_token=first)[1]["refresh_token"]

    assert grant(caller, grant_type="refresh_token", refresh_token=first)[0] == 200
    assert grant(caller, grant_type="refresh_token", refresh_token=second)[0] == 200
    assert grant(caller, grant_type="refresh_token", refresh_token=first) == (
        400,
        {"error": "invalid_grant", "error_description": "The grant is invalid or has expired."},
    )


def test_a_refresh_token_dies_after_ninety_days(caller: Caller) -> None:
    token = pair(caller)["refresh_token"]
    caller.control("POST", "/clock", {"advance": 90 * 86_400 + 1})

    assert grant(caller, grant_type="refresh_token", refresh_token=token)[1]["error"] == "invalid_grant"


def test_after_a_rotation_both_secrets_get_tokens(caller: Caller) -> None:
    caller.control("POST", "/rotate_secret", {"secret": "new-secret"})

    assert grant(caller, grant_type="client_credentials")[0] == 200
    assert grant(caller, grant_type="client_credentials", client_secret="new-secret")[0] == 200


def test_an_uninstalled_app_is_told_once_and_then_locked_out(caller: Caller, inbox: Any, subscribe: Any) -> None:
    subscribe("APP_UNINSTALLED", "ORDERS_CREATE")
    caller.control("POST", "/uninstall", {})
    assert caller.stand_in.wait_sent()

    assert inbox.topics() == ["app/uninstalled"]
    assert json.loads(inbox.received[0][1])["myshopify_domain"] == SHOP
    assert not works(caller, "shpat_demo")
    assert grant(caller, grant_type="client_credentials")[0] == 400
    assert caller.control("GET", "/state")[SHOP]["counts"]["subscriptions"] == 0
    code(caller)
    assert grant(caller, grant_type="client_credentials")[0] == 200


def test_tokens_look_like_the_platforms(caller: Caller) -> None:
    answer = pair(caller)

    assert re.fullmatch(r"shpat_[0-9a-f]{32}", answer["access_token"])
