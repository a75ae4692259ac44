"""Who may pass: app key, time stamp, signature, content type, token, scope, cipher, in this order."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from integrations.standins.tiktok_shop.errors import (
    BAD_REQUEST,
    CIPHER_MISSING,
    IP_REFUSED,
    NOT_TOGETHER,
    SCOPE_MISSING,
    SIGN_INVALID,
    WRONG_CONTENT_TYPE,
    Refusal,
)  # fmt: skip
from integrations.standins.tiktok_shop.routes import Endpoint
from integrations.standins.tiktok_shop.settings import Settings
from integrations.standins.tiktok_shop.shops import Shop
from integrations.standins.tiktok_shop.signing import request_signature
from integrations.standins.tiktok_shop.tokens import BAD_TOKEN, Access, Tokens
from integrations.standins.wire import Request

EARLIEST, LATEST = -300, 30


@dataclass(slots=True)
class Gate:
    """Checks a call before it is answered; ``now`` is the time that callers' clocks are compared with."""

    tokens: Tokens
    shops: Mapping[str, Shop]
    now: Callable[[], float]

    def check(self, request: Request, endpoint: Endpoint, settings: Settings) -> tuple[Access, Shop | None]:
        """Who calls, and for which shop; raises Refusal."""
        if settings.ip_refused:
            raise Refusal(IP_REFUSED, "The IP address is not in the IP allow list of the app")
        self._check_app(request.query.get("app_key"))
        self._check_time(request.query.get("timestamp"))
        self._check_sign(request)
        content_type = request.headers.get("content-type", "")
        if request.body and not content_type.startswith("application/json"):
            raise Refusal(WRONG_CONTENT_TYPE, "Invalid content type, must be application/json")
        access = self._check_token(request, endpoint)
        return access, self._shop(request, endpoint, access)

    def _check_app(self, app_key: str | None) -> None:
        if app_key != self.tokens.app.app_key:
            raise Refusal(BAD_REQUEST, "Invalid app_key")

    def _check_time(self, stamp: str | None) -> None:
        if stamp is None:
            raise Refusal(BAD_REQUEST, "The param query.timestamp is missing")
        if not stamp.removeprefix("-").isdecimal():
            raise Refusal(BAD_REQUEST, "Invalid timestamp, must be an integer of seconds")
        if int(stamp) < 0:
            raise Refusal(BAD_REQUEST, "Invalid timestamp, lesser than 0")
        behind = int(stamp) - self.now()
        if behind < EARLIEST:
            raise Refusal(BAD_REQUEST, "Invalid timestamp, earlier than 5 minutes before the current time")
        if behind > LATEST:
            raise Refusal(BAD_REQUEST, "Invalid timestamp, more than 30 seconds after the current time")

    def _check_sign(self, request: Request) -> None:
        given = request.query.get("sign")
        if not given:
            raise Refusal(BAD_REQUEST, "Missing credentials, the param query.sign (signature) is missing")
        content_type = request.headers.get("content-type", "")
        path, secret = request.raw_path or request.path, self.tokens.app.app_secret
        if not hmac.compare_digest(
            given.encode(), request_signature(secret, path, request.query, body=request.body, content_type=content_type).encode()
        ):
            raise Refusal(SIGN_INVALID, "Invalid sign")

    def _check_token(self, request: Request, endpoint: Endpoint) -> Access:
        token = request.headers.get("x-tts-access-token", "")
        if not token:
            raise Refusal(BAD_REQUEST, BAD_TOKEN)
        access = self.tokens.check(token)
        if endpoint.scope not in access.scopes:
            raise Refusal(SCOPE_MISSING, f"Access denied, the scope {endpoint.scope} is missing")
        return access

    def _shop(self, request: Request, endpoint: Endpoint, access: Access) -> Shop | None:
        cipher = request.query.get("shop_cipher")
        if not endpoint.needs_shop:
            if cipher is not None:
                raise Refusal(BAD_REQUEST, "The param query.shop_cipher is not required")
            return None
        if not cipher:
            raise Refusal(CIPHER_MISSING, "The shop_cipher is missing")
        shop = self.shops.get(cipher)
        if shop is None or shop.seller is not access.seller:
            raise Refusal(NOT_TOGETHER, "The access token or shop_cipher is invalid, or they do not belong together")
        return shop
