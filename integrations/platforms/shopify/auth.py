"""The four ways to an access token: pasted, client credentials, authorization code, and expiring tokens with refresh."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from integrations.platforms.base import Account
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect, Refused, Unverified
from integrations.platforms.grants import SharedAccount, Tokens
from integrations.platforms.http import HttpSession

ADMIN_TOKEN, CLIENT_CREDENTIALS, AUTHORIZATION_CODE, EXPIRING_TOKEN = (
    "admin_token",
    "client_credentials",
    "authorization_code",
    "expiring_token",
)
CREDENTIAL_MODES: tuple[tuple[str, str], ...] = (
    (CLIENT_CREDENTIALS, "Client id and secret of a Dev Dashboard app (renewed by itself every day)"),
    (ADMIN_TOKEN, "Access token of a custom app made in the Shopify admin"),
    (AUTHORIZATION_CODE, "Install by approving in Shopify, permanent token"),
    (EXPIRING_TOKEN, "Install by approving in Shopify, token renewed every hour"),
)
HANDSHAKE_MODES = {AUTHORIZATION_CODE: "0", EXPIRING_TOKEN: "1"}  # mode -> `expiring`
CALLBACK_SECONDS = 90.0  # tolerance of the callback's timestamp, as in the vendor's own library
TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - a path

# What this product asks for; `read_all_orders` lets orders older than 60 days through.
SCOPES = (
    "read_products",
    "read_inventory",
    "read_orders",
    "read_all_orders",
    "read_customers",
    "write_customers",
    "read_fulfillments",
    "read_customer_merge",
    "read_translations",
    "read_locales",
    "read_markets",
)
_SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-_]*\.myshopify\.com")


class ShopifyAuth:
    """Shopify's side of the `Auth` protocol; stateless."""

    def authorize_url(self, account: Account, *, state: str, redirect_uri: str) -> str:
        """Where the merchant approves the app; raises Misconfigured for modes without a hand-shake."""
        if mode_of(account) not in HANDSHAKE_MODES:
            raise Misconfigured("This way of signing in needs no approval in Shopify: enter its keys, then test the connection.")
        query = {"client_id": _client_id(account), "scope": ",".join(SCOPES), "redirect_uri": redirect_uri, "state": state}
        return f"{account.base_url.rstrip('/')}/admin/oauth/authorize?{urlencode(query, quote_via=quote)}"

    def exchange(self, account: Account, query: Mapping[str, str], *, state: str, redirect_uri: str) -> Tokens:
        """Tokens for an approved installation; raises Unverified for a forged, stale or foreign callback, Reconnect for a spent code."""
        del redirect_uri  # Shopify does not ask for it again
        check_callback(account, query, state=state)
        expiring = HANDSHAKE_MODES.get(mode_of(account))
        if expiring is None:
            raise Misconfigured("This way of signing in takes no callback from Shopify.")
        return _grant(account, {"code": query.get("code", ""), "expiring": expiring})

    def refresh(self, account: Account) -> Tokens | None:
        """A new token, with its refresh token where there is one; None for tokens that do not end; raises Reconnect for a dead grant."""
        mode = mode_of(account)
        if mode == CLIENT_CREDENTIALS:
            return _grant(account, {"grant_type": "client_credentials"})
        if mode == EXPIRING_TOKEN:
            held = account.secrets.get("refresh_token")
            if not held:
                raise Reconnect("There is no refresh token yet: approve the app in Shopify.", code="no_refresh_token")
            return _grant(account, {"grant_type": "refresh_token", "refresh_token": held})
        return None

    def shops(self, client: object) -> Sequence[SharedAccount]:
        """None: a grant is for one shop."""
        del client
        return ()


def mode_of(account: Account) -> str:
    """The connection's credential mode; client credentials unless a token was pasted without a client id."""
    chosen = account.settings.get("credential_mode")
    if chosen:
        return str(chosen)
    return CLIENT_CREDENTIALS if account.settings.get("client_id") else ADMIN_TOKEN


def check_callback(account: Account, query: Mapping[str, str], *, state: str) -> None:
    """Check, in this order, state, shop, time and signature of an installation callback; raises Unverified with the first that fails."""
    if not state or not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
        raise Unverified("state")
    shop = query.get("shop", "")
    if not _SHOP.fullmatch(shop) or shop.lower() != account.external_id.lower():
        raise Unverified("shop")
    stamp = query.get("timestamp", "")
    if not (stamp.isascii() and stamp.isdecimal()) or len(stamp) > 12 or abs(time.time() - int(stamp)) > CALLBACK_SECONDS:
        raise Unverified("timestamp")
    given, secret = query.get("hmac", "").encode(), account.secrets.get("client_secret", "")
    if not secret or not hmac.compare_digest(callback_hmac(secret, query).encode(), given):
        raise Unverified("hmac")


def callback_hmac(secret: str, query: Mapping[str, str]) -> str:
    """The lowercase hex signature of a callback's parameters without `hmac` and `signature`, sorted by name."""
    signed = sorted((name, value) for name, value in query.items() if name not in ("hmac", "signature"))
    return hmac.new(secret.encode(), urlencode(signed, quote_via=quote).encode(), hashlib.sha256).hexdigest()


def _grant(account: Account, form: Mapping[str, str]) -> Tokens:
    secret = account.secrets.get("client_secret", "")
    if not secret:
        raise Misconfigured("This way of signing in needs the app's client secret: enter it.")
    http = HttpSession(account.base_url, {})
    try:
        answer = http.post(TOKEN_PATH, form={**form, "client_id": _client_id(account), "client_secret": secret}).json
    except Misconfigured:
        raise
    except (Refused, Reconnect) as fault:
        raise _dead(fault) from fault
    if not isinstance(answer, dict) or not answer.get("access_token"):
        raise Reconnect("Shopify's answer held no access token: connect again.", code="no_token")
    return _tokens(answer)


def _dead(fault: PlatformError) -> Reconnect:
    """A grant that will not come back by trying again, in plain words."""
    said = str(fault)
    if "invalid_grant" in said:
        words, code = "Shopify has ended this authorisation (invalid_grant): approve the app again.", "invalid_grant"
    elif fault.status == 404:
        words, code = "Shopify knows no such shop: check the myshopify domain.", "404"
    elif "shop_not_permitted" in said:
        words, code = "App and shop belong to different organisations: use another way of signing in.", "shop_not_permitted"
    else:
        words, code = "Shopify does not accept this client id and secret: check both.", fault.code
    return Reconnect(words, status=fault.status, code=code, request_id=fault.request_id)


def _tokens(answer: Mapping[str, object]) -> Tokens:
    values = {"access_token": (str(answer["access_token"]), _ends(answer.get("expires_in")))}
    if answer.get("refresh_token"):
        values["refresh_token"] = (str(answer["refresh_token"]), _ends(answer.get("refresh_token_expires_in")))
    scopes = tuple(part.strip() for part in str(answer.get("scope") or "").split(",") if part.strip())
    return Tokens(values=values, scopes=scopes)


def _ends(seconds: object) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=float(seconds)) if isinstance(seconds, (int, float)) else None


def _client_id(account: Account) -> str:
    client_id = str(account.settings.get("client_id") or "")
    if not client_id:
        raise Misconfigured("This way of signing in needs the app's client id: enter it.")
    return client_id
