"""The seller's consent: link, exchange, renewal, the shops it opens; secrets in no message and no trace."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from integrations.platforms.base import Unpaced
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, Refused, TryLater, Unverified
from integrations.platforms.grants import SharedAccount
from integrations.platforms.tiktok_shop import PLATFORM
from integrations.platforms.tiktok_shop.auth import _tokens
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.standins.tiktok_shop.failures import Failure
from integrations.standins.tiktok_shop.specs import DEMO_SELLER, SCOPES

AUTH = PLATFORM.auth
SOON, LATER = 1_900_000_000, 1_990_000_000
ANSWER = {
    "access_token": "TTP_demo_a",
    "access_token_expire_in": SOON,
    "refresh_token": "TTP_demo_b",
    "refresh_token_expire_in": LATER,
    "user_type": 0,
    "granted_scopes": ["seller.order.info"],
}


def exchange(account, code, state="s1", said="s1"):
    return AUTH.exchange(account, {"code": code, "state": said}, state=state, redirect_uri="https://console.example.com/cb")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("services.tiktokshop.com", "/open/authorize", {"service_id": "demo-tts-service-id", "state": "a b&c"})),
        ({"market": "us"}, ("services.us.tiktokshop.com", "/open/authorize", {"service_id": "demo-tts-service-id", "state": "a b&c"})),
        ({"link_style": "app_key"}, ("auth.tiktok-shops.com", "/oauth/authorize", {"app_key": "demo-tts-app-key", "state": "a b&c"})),
        (
            {"consent_address": "http://127.0.0.1:9/x/"},
            ("127.0.0.1:9", "/x/open/authorize", {"service_id": "demo-tts-service-id", "state": "a b&c"}),
        ),
    ],
)  # fmt: skip
def test_the_consent_link_fits_market_and_style(make_account, settings, expected):
    url = urlsplit(AUTH.authorize_url(make_account(**settings), state="a b&c", redirect_uri="https://unused.example.com"))
    assert (url.netloc, url.path, dict(parse_qsl(url.query))) == expected


def test_a_link_without_service_id_is_refused_with_the_remedy(make_account):
    with pytest.raises(Misconfigured, match="service id"):
        AUTH.authorize_url(make_account(service_id=""), state="s", redirect_uri="")


def test_a_code_becomes_both_tokens_with_their_absolute_ends(stand_in, make_account, address):
    account = make_account(address)

    tokens = exchange(account, stand_in.consent(DEMO_SELLER)["code"])

    assert set(tokens.values) == {"access_token", "refresh_token"}
    assert set(tokens.scopes) == set(SCOPES)
    now = datetime.now(UTC)
    assert timedelta(days=6, hours=23) < tokens.values["access_token"][1] - now <= timedelta(days=7)
    assert tokens.values["refresh_token"][1] - now > timedelta(days=300)


def test_a_code_works_once(stand_in, make_account, address):
    account, code = make_account(address), stand_in.consent(DEMO_SELLER)["code"]
    exchange(account, code)
    with pytest.raises(Reconnect, match="authorise the app again"):
        exchange(account, code)


@pytest.mark.parametrize(("state", "said", "code"), [("s1", "s2", "c"), ("", "", "c"), ("s1", "", "c"), ("s1", "s1", "")])
def test_a_callback_of_another_state_or_without_a_code_is_refused_unasked(make_account, state, said, code):
    with pytest.raises(Unverified):
        exchange(make_account("http://127.0.0.1:9"), code, state, said)


def test_a_renewal_gives_a_new_pair_and_the_old_refresh_token_dies(make_account, address):
    account = make_account(address)
    tokens = AUTH.refresh(account)
    assert tokens.values["refresh_token"][0] != account.secrets["refresh_token"]
    with pytest.raises(Reconnect):
        AUTH.refresh(account)
    renewed = make_account(address, secrets={kind: value for kind, (value, _) in tokens.values.items()})
    assert len(TikTokShopClient(renewed, Unpaced()).shops()) == 4


def test_a_renewal_without_a_refresh_token_asks_for_consent(make_account):
    with pytest.raises(Reconnect, match="no refresh token"):
        AUTH.refresh(make_account(secrets={"refresh_token": ""}))


def test_a_renewal_refused_for_any_reason_asks_for_consent(stand_in, make_account, address):
    stand_in.failures.add(Failure(98001004, "Invalid parameter"))
    with pytest.raises(Reconnect, match="authorise the app again"):
        AUTH.refresh(make_account(address))


def test_an_outage_of_the_token_service_is_tried_later(stand_in, make_account, address):
    stand_in.failures.add(Failure(36009003, "Internal error", status=500))
    with pytest.raises(TryLater):
        AUTH.refresh(make_account(address))


@pytest.mark.parametrize("failure", [None, Failure(36009003, "Internal error", status=500), Failure(36004004, "refresh_token is invalid")])
def test_no_fault_of_the_token_service_tells_a_secret_anywhere(stand_in, make_account, address, failure):
    if failure is not None:
        stand_in.failures.add(failure)
    account = make_account(address if failure else "http://127.0.0.1:9")
    with pytest.raises(PlatformError) as raised:
        AUTH.refresh(account)

    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.__context__)
    assert not [secret for secret in account.secrets.values() if secret in told]


@pytest.mark.parametrize(
    "changes",
    [
        {"user_type": 1},
        {"access_token_expire_in": 604_800},
        {"refresh_token_expire_in": None},
        {"access_token": ""},
        {"refresh_token": None},
        {"access_token_expire_in": True},
    ],
    ids=str,
)
def test_an_answer_that_is_no_sellers_or_has_no_absolute_end_is_refused(changes):
    with pytest.raises(Refused):
        _tokens({**ANSWER, **changes})


def test_one_grant_opens_every_shop_of_the_seller_with_its_cipher(client):
    shops = AUTH.shops(client)

    assert [(shop.external_id, shop.name, shop.settings["region"]) for shop in shops] == [
        ("7495540735365777507", "Demo UK", "GB"), ("7495540735365777523", "Demo Deutschland", "DE"),
        ("7495540735365777541", "Demo Japan", "JP"), ("7495540735365777559", "Demo US", "US"),
    ]  # fmt: skip
    assert shops[0] == SharedAccount(
        external_id="7495540735365777507",
        name="Demo UK",
        settings={"app_key": "demo-tts-app-key", "service_id": "demo-tts-service-id", "shop_cipher": "GCP_demoGB/ij+kl==",
                  "region": "GB", "seller_type": "LOCAL"},
    )  # fmt: skip


def test_an_expired_token_asks_for_one_renewal(stand_in, client):
    stand_in.tokens.expire()
    with pytest.raises(Reconnect) as raised:
        client.shops()
    assert (raised.value.code, isinstance(raised.value, Misconfigured)) == ("105002", False)
