"""A seller's consent and what follows from it: both tokens, their renewal, and the shops they open."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from integrations.platforms.base import Account, JsonObject
from integrations.platforms.errors import PlatformError, Reconnect, Refused, Unverified
from integrations.platforms.grants import SharedAccount, Tokens
from integrations.platforms.http import HttpSession
from integrations.platforms.tiktok_shop.answers import data_of, judge
from integrations.platforms.tiktok_shop.client import TikTokShopClient
from integrations.platforms.tiktok_shop.options import (
    AUTH_ADDRESS,
    SHARED,
    app_key,
    app_secret,
    auth_address,
    consent_address,
    service_id,
    setting,
)  # fmt: skip

CONSENT_HOSTS: Mapping[str, str] = {"us": "https://services.us.tiktokshop.com", "row": "https://services.tiktokshop.com"}
EXCHANGE_PATH, REFRESH_PATH = "/api/v2/token/get", "/api/v2/token/refresh"
SELLER = 0  # `user_type` of a merchant; others are creators and partners
EARLIEST = 1_000_000_000  # a smaller time of expiry is a duration, which the documentation does not know
CROSS_BORDER = "CROSS_BORDER"


def _by_service(account: Account) -> tuple[str, str, str, str]:
    return CONSENT_HOSTS[str(setting(account, "market"))], "/open/authorize", "service_id", service_id(account)


def _by_app_key(account: Account) -> tuple[str, str, str, str]:
    return AUTH_ADDRESS, "/oauth/authorize", "app_key", app_key(account)


# style → host, path, parameter and its value
LINKS: Mapping[str, Callable[[Account], tuple[str, str, str, str]]] = {"service_id": _by_service, "app_key": _by_app_key}


class TikTokShopAuth:
    """TikTok Shop's side of the `Auth` protocol; stateless. The redirect address is fixed in Partner Center and never sent."""

    def authorize_url(self, account: Account, *, state: str, redirect_uri: str) -> str:
        """Where the seller agrees; raises Misconfigured without service id or app key."""
        del redirect_uri
        host, path, name, value = LINKS[str(setting(account, "link_style"))](account)
        return f"{consent_address(account) or host}{path}?{urlencode({name: value, 'state': state}, quote_via=quote, safe='')}"

    def exchange(self, account: Account, query: Mapping[str, str], *, state: str, redirect_uri: str) -> Tokens:
        """Tokens for the code of a callback, which works once within half an hour; raises Unverified, Reconnect for a spent code."""
        del redirect_uri
        if not state or not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
            raise Unverified("state")
        if not query.get("code"):
            raise Unverified("The seller did not agree: no code came back.")
        return _grant(account, EXCHANGE_PATH, {"auth_code": query["code"], "grant_type": "authorized_code"})

    def refresh(self, account: Account) -> Tokens | None:
        """A new pair of tokens, of which the old refresh token is dead; raises Reconnect when the seller must agree again."""
        held = account.secrets.get("refresh_token")
        if not held:
            raise Reconnect("There is no refresh token yet: let the seller authorise the app.", code="no_refresh_token")
        try:
            return _grant(account, REFRESH_PATH, {"refresh_token": held, "grant_type": "refresh_token"})
        except Refused as fault:
            raise Reconnect(
                f"TikTok Shop does not renew the authorisation: let the seller authorise the app again. ({fault})",
                status=fault.status, code=fault.code, request_id=fault.request_id,
            ) from fault  # fmt: skip

    def shops(self, client: TikTokShopClient) -> Sequence[SharedAccount]:
        """One account per shop that the seller authorised, with its cipher, region and kind, and the app's settings."""
        shared = {name: client.account.settings[name] for name in SHARED if name in client.account.settings}
        return tuple(
            SharedAccount(
                external_id=str(shop["id"]),
                name=str(shop.get("name") or shop["id"]),
                settings={
                    **shared,
                    "shop_cipher": str(shop.get("cipher") or ""),
                    "region": str(shop.get("region") or ""),
                    "seller_type": str(shop.get("seller_type") or ""),
                },
            )
            for shop in client.shops()
            if shop.get("id")
        )


def _grant(account: Account, path: str, query: Mapping[str, str]) -> Tokens:
    """Both tokens from the token service. Its address holds the secret, so no fault may carry the one that requests would tell."""
    http = HttpSession(auth_address(account), {}, judge=judge)
    values = {"app_key": app_key(account), "app_secret": app_secret(account), **query}
    failed: PlatformError | None = None
    try:
        reply = http.get(f"{path}?{urlencode(values, quote_via=quote, safe='')}")
        answer = data_of(reply.json, reply.headers)
    except PlatformError as fault:
        failed = fault
    if failed is not None:  # raised here, where no chain of exceptions leads back to the address
        failed.__cause__ = failed.__context__ = None
        raise failed
    return _tokens(answer)


def _tokens(answer: JsonObject) -> Tokens:
    if answer.get("user_type", SELLER) != SELLER:
        raise Refused("This is not a seller's authorisation: sign in to TikTok Shop as the seller.", code="user_type")
    scopes = answer.get("granted_scopes")
    return Tokens(
        values={kind: (_text(answer, kind), _ends(answer, kind)) for kind in ("access_token", "refresh_token")},
        scopes=tuple(str(scope) for scope in scopes) if isinstance(scopes, list) else (),
    )


def _text(answer: JsonObject, kind: str) -> str:
    value = answer.get(kind)
    if not isinstance(value, str) or not value:
        raise Refused(f"TikTok Shop's answer held no {kind.replace('_', ' ')}.", code="no_token")
    return value


def _ends(answer: JsonObject, kind: str) -> datetime:
    """An absolute time in Unix seconds, whatever the field's name says."""
    value = answer.get(f"{kind}_expire_in")
    if isinstance(value, bool) or not isinstance(value, int) or value < EARLIEST:
        raise Refused(f"TikTok Shop's answer held no time at which the {kind.replace('_', ' ')} ends.", code="expiry")
    return datetime.fromtimestamp(value, UTC)
