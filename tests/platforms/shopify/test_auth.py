"""The four ways to a token, against published vectors and a stand-in that checks with its own code."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from integrations.platforms.base import Account
from integrations.platforms.errors import Misconfigured, Reconnect, TryLater, Unverified
from integrations.platforms.shopify.auth import ShopifyAuth, callback_hmac, check_callback, mode_of

AUTH = ShopifyAuth()
VECTORS = [
    (
        {
            "code": "0907a61c0c8d55e99db179b68161bc00",
            "shop": "some-shop.myshopify.com",
            "state": "0.6784241404160823",
            "timestamp": "1337178173",
        },
        "700e2dadb827fcc8609e9d5ce208b2e9cdaab9df07390d2cbca10d7c328fc4bf",
    ),
    (
        {
            "code": "abc123",
            "host": "YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvZGVtbw",
            "shop": "demo.myshopify.com",
            "state": "n0nce",
            "timestamp": "1763600000",
        },
        "3b8886f2f5ce5369ed6c1604915c1a6e9c29130ab93fcee3d38f402f03320d6e",
    ),
]


def account_of(shop: str, **settings: Any) -> Account:
    return Account(
        connection_id=1,
        platform="shopify",
        external_id=shop,
        base_url=f"https://{shop}",
        secrets={"client_secret": "hush"},
        settings=settings,
    )


@pytest.fixture
def app(make_account, address):
    """An account of the stand-in's app in a given mode."""

    def make(mode: str, **secrets: str) -> Account:
        return make_account(
            address, secrets={"client_secret": "demo-shopify-secret", **secrets}, credential_mode=mode, client_id="demo-client-id"
        )

    return make


@pytest.mark.parametrize(("query", "signature"), VECTORS)
def test_published_callbacks_have_the_published_signature(query, signature):
    assert callback_hmac("hush", {**query, "hmac": "x", "signature": "y"}) == signature


@pytest.mark.parametrize(("query", "signature"), VECTORS)
def test_a_callback_is_accepted_within_ninety_seconds(query, signature, monkeypatch):
    account = account_of(query["shop"])
    monkeypatch.setattr(time, "time", lambda: int(query["timestamp"]) + 90.0)
    check_callback(account, {**query, "hmac": signature}, state=query["state"])
    monkeypatch.setattr(time, "time", lambda: int(query["timestamp"]) + 91.0)
    with pytest.raises(Unverified, match="timestamp"):
        check_callback(account, {**query, "hmac": signature}, state=query["state"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "other"}, "state"),
        ({"shop": "demo.myshopify.com.evil.example"}, "shop"),
        ({"shop": "other-shop.myshopify.com"}, "shop"),
        ({"shop": "demo.myshopify.com\n"}, "shop"),
        ({"timestamp": "soon"}, "timestamp"),
        ({"timestamp": "9" * 400}, "timestamp"),
        ({"code": "changed"}, "hmac"),
        ({"hmac": ""}, "hmac"),
        ({"hmac": "ü"}, "hmac"),
    ],
)
def test_a_forged_callback_is_refused_at_the_first_thing_that_is_wrong(change, reason, monkeypatch):
    query, signature = VECTORS[1]
    monkeypatch.setattr(time, "time", lambda: 1763600000.0)
    with pytest.raises(Unverified, match=reason):
        check_callback(account_of("demo.myshopify.com"), {**query, "hmac": signature, **change}, state="n0nce")


def test_an_empty_state_never_matches():
    with pytest.raises(Unverified, match="state"):
        check_callback(account_of("demo.myshopify.com"), {"state": ""}, state="")


def test_the_address_to_approve_asks_for_our_scopes():
    account = account_of("demo.myshopify.com", credential_mode="expiring_token", client_id="demo-client-id")
    url = urlsplit(AUTH.authorize_url(account, state="n0nce", redirect_uri="https://console.example.com/oauth/shopify/"))
    query = dict(parse_qsl(url.query))
    assert (url.netloc, url.path) == ("demo.myshopify.com", "/admin/oauth/authorize")
    assert (query["client_id"], query["state"], query["redirect_uri"]) == (
        "demo-client-id",
        "n0nce",
        "https://console.example.com/oauth/shopify/",
    )
    assert "read_customer_merge" in query["scope"].split(",")


@pytest.mark.parametrize("mode", ["admin_token", "client_credentials"])
def test_modes_without_a_handshake_say_so(mode):
    with pytest.raises(Misconfigured, match="no approval"):
        AUTH.authorize_url(
            account_of("demo.myshopify.com", credential_mode=mode, client_id="x"), state="s", redirect_uri="https://x.example.com"
        )


def approve(account: Account) -> dict[str, str]:
    """The callback that the shop sends the merchant's browser to."""
    url = AUTH.authorize_url(account, state="n0nce", redirect_uri="https://console.example.com/back")
    answer = requests.get(url, allow_redirects=False, timeout=5)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def test_an_approved_installation_gives_a_permanent_token_once(app):
    account = app("authorization_code")
    query = approve(account)
    tokens = AUTH.exchange(account, query, state="n0nce", redirect_uri="https://console.example.com/back")
    assert list(tokens.values) == ["access_token"]
    assert tokens.values["access_token"][1] is None
    assert "read_orders" in tokens.scopes
    with pytest.raises(Reconnect):
        AUTH.exchange(account, query, state="n0nce", redirect_uri="https://console.example.com/back")


def test_an_expiring_token_is_renewed_with_its_refresh_token(app):
    account = app("expiring_token")
    first = AUTH.exchange(account, approve(account), state="n0nce", redirect_uri="https://console.example.com/back")
    assert set(first.values) == {"access_token", "refresh_token"}
    second = AUTH.refresh(app("expiring_token", refresh_token=first.values["refresh_token"][0]))
    assert second.values["access_token"][0] != first.values["access_token"][0]
    assert second.values["refresh_token"][0] != first.values["refresh_token"][0]
    assert abs(second.values["access_token"][1] - (datetime.now(UTC) + timedelta(hours=1))) < timedelta(minutes=1)
    assert abs(second.values["refresh_token"][1] - (datetime.now(UTC) + timedelta(days=90))) < timedelta(minutes=1)


def test_client_credentials_give_a_token_for_a_day(app):
    tokens = AUTH.refresh(app("client_credentials"))
    token, ends = tokens.values["access_token"]
    assert token.startswith("shpat_")
    assert abs(ends - (datetime.now(UTC) + timedelta(hours=24))) < timedelta(minutes=1)


def test_pasted_and_permanent_tokens_have_nothing_to_renew(app):
    assert AUTH.refresh(app("admin_token")) is None
    assert AUTH.refresh(app("authorization_code")) is None


def test_a_dead_refresh_token_asks_for_a_new_approval(app):
    with pytest.raises(Reconnect, match="approve the app again") as caught:
        AUTH.refresh(app("expiring_token", refresh_token="shprt_gone"))
    assert caught.value.code == "invalid_grant"


def test_a_wrong_client_secret_is_named(app):
    with pytest.raises(Reconnect, match="client id and secret"):
        AUTH.refresh(app("client_credentials", client_secret="wrong"))


@pytest.mark.parametrize(("settings", "words"), [({"credential_mode": "client_credentials"}, "client id")])
def test_what_is_missing_is_named(settings, words):
    with pytest.raises(Misconfigured, match=words):
        AUTH.refresh(account_of("demo.myshopify.com", **settings))


def test_without_a_refresh_token_the_app_must_be_approved_first(app):
    with pytest.raises(Reconnect, match="no refresh token yet"):
        AUTH.refresh(app("expiring_token"))


def test_a_token_address_that_is_down_is_tried_later(script, make_account):
    script.then({"error": "busy"}, status=503)
    with pytest.raises(TryLater):
        AUTH.refresh(make_account(script.url, credential_mode="client_credentials", client_id="x"))


def test_an_answer_without_a_token_asks_to_connect_again(script, make_account):
    script.then({"scope": "read_orders"})
    with pytest.raises(Reconnect, match="no access token"):
        AUTH.refresh(make_account(script.url, credential_mode="client_credentials", client_id="x"))


def test_the_mode_is_guessed_from_what_was_entered():
    assert mode_of(account_of("demo.myshopify.com")) == "admin_token"
    assert mode_of(account_of("demo.myshopify.com", client_id="x")) == "client_credentials"
