"""OAuth of the platform: codes that work once, token pairs that rotate, absolute times of expiry, de-authorisation."""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.standins.ledger import Ledger
from integrations.standins.tiktok_shop.errors import AUTH_CODE, BAD_REQUEST, TOKEN_EXPIRED, Refusal
from integrations.standins.tiktok_shop.settings import Settings
from integrations.standins.tiktok_shop.specs import AppSpec, SellerSpec

CODE_SECONDS = 1_800
BAD_TOKEN = "x-tts-access-token header is invalid"


@dataclass(slots=True)
class Access:
    """What one access token opens, and until when."""

    seller: SellerSpec
    scopes: frozenset[str]
    expires_at: float


@dataclass(slots=True)
class Refresh:
    """What one refresh token renews, and until when."""

    seller: SellerSpec
    scopes: frozenset[str]
    expires_at: float
    access_token: str


class Tokens:
    """Everything issued for one app; thread-safe."""

    def __init__(self, app: AppSpec, ledger: Ledger, now: Callable[[], float]) -> None:
        self.app, self.settings = app, Settings()
        # called with (seller, time of expiry) whenever a refresh token is issued
        self.on_issue: Callable[[SellerSpec, float], None] = lambda seller, expires_at: None
        self._ledger, self._now = ledger, now
        self._lock = threading.Lock()
        self._codes: dict[str, tuple[SellerSpec, frozenset[str], float]] = {}
        self._access: dict[str, Access] = {}
        self._refresh: dict[str, Refresh] = {}

    def check(self, token: str) -> Access:
        """The holder of an access token; raises Refusal for an unknown or expired one."""
        access = self._access.get(token)
        if access is None:
            raise Refusal(BAD_REQUEST, BAD_TOKEN)
        if access.expires_at <= self._now():
            raise Refusal(TOKEN_EXPIRED, "Access token is expired")
        return access

    def code(self, seller: SellerSpec, scopes: frozenset[str] | None = None) -> str:
        """A fresh code that a seller's consent leads to."""
        made = f"TTC_{secrets.token_hex(16)}"
        with self._lock:
            self._codes[made] = (seller, scopes or frozenset(self.app.scopes), self._now() + CODE_SECONDS)
        self._ledger.append("consent", seller.open_id, {"scopes": sorted(scopes or self.app.scopes)})
        return made

    def exchange(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Data of ``/api/v2/token/get``; raises Refusal."""
        self._check_app(query, "authorized_code")
        with self._lock:
            held = self._codes.pop(query.get("auth_code", ""), None)
        if held is None or held[2] <= self._now():
            raise Refusal(AUTH_CODE, "auth_code is invalid or expired")
        return self.issue(held[0], held[1], cause="exchange")

    def refresh(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Data of ``/api/v2/token/refresh``: a new pair; the old refresh token is dead. Raises Refusal."""
        self._check_app(query, "refresh_token")
        with self._lock:
            held = self._refresh.pop(query.get("refresh_token", ""), None)
        if held is None or held.expires_at <= self._now():
            self._ledger.append("refresh_refused", query.get("refresh_token", "")[:8], {})
            raise Refusal(AUTH_CODE, "refresh_token is invalid or expired")
        if self.settings.refresh_kills_access:
            self._access.pop(held.access_token, None)
        return self.issue(held.seller, held.scopes, cause="refresh", expires_at=held.expires_at)

    def issue(
        self,
        seller: SellerSpec,
        scopes: frozenset[str],
        *,
        cause: str,
        expires_at: float | None = None,
        pair: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        """A pair of tokens for a seller; ``expires_at`` is the end of his authorisation, ``pair`` gives the tokens' text."""
        access, refresh = pair or (f"TTP_{secrets.token_hex(24)}", f"TTR_{secrets.token_hex(24)}")
        end = expires_at or self._now() + self.settings.refresh_seconds
        until = self._now() + self.settings.access_seconds
        with self._lock:
            self._access[access] = Access(seller, scopes, until)
            self._refresh[refresh] = Refresh(seller, scopes, end, access)
        self._ledger.append("token_issued", seller.open_id, {"cause": cause})
        self.on_issue(seller, end)
        return {
            "access_token": access,
            "access_token_expire_in": int(until),
            "refresh_token": refresh,
            "refresh_token_expire_in": int(end),
            "open_id": seller.open_id,
            "seller_name": seller.name,
            "seller_base_region": seller.base_region,
            "user_type": seller.user_type,
            "granted_scopes": sorted(scopes),
        }

    def expire(self, *, seller: SellerSpec | None = None, token: str = "", refresh: bool = False) -> int:
        """Let access tokens (and refresh tokens, if so asked) expire now; how many did."""
        found: list[Access | Refresh] = [
            held for key, held in self._access.items() if (not token or key == token) and seller in (None, held.seller)
        ]
        if refresh:
            found += [held for held in self._refresh.values() if seller in (None, held.seller)]
        for held in found:
            held.expires_at = 0.0
        return len(found)

    def revoke(self, seller: SellerSpec) -> None:
        """Forget everything issued to a seller."""
        with self._lock:
            self._access = {key: held for key, held in self._access.items() if held.seller is not seller}
            self._refresh = {key: held for key, held in self._refresh.items() if held.seller is not seller}
            self._codes = {key: held for key, held in self._codes.items() if held[0] is not seller}

    def authorised_until(self, seller: SellerSpec) -> float | None:
        """When a seller's authorisation ends, None when there is none."""
        return max((held.expires_at for held in self._refresh.values() if held.seller is seller), default=None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._codes, self._access, self._refresh = {}, {}, {}

    def _check_app(self, query: Mapping[str, str], grant_type: str) -> None:
        if query.get("app_key") != self.app.app_key:
            raise Refusal(BAD_REQUEST, "Invalid app_key")
        if not secrets.compare_digest(query.get("app_secret", "").encode(), self.app.app_secret.encode()):
            raise Refusal(BAD_REQUEST, "Invalid app_secret")
        if query.get("grant_type") != grant_type:
            raise Refusal(BAD_REQUEST, f"Invalid grant_type, must be {grant_type}")
