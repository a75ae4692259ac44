"""Access tokens of one shop: static, by client credentials, by authorization code, expiring with a rotating refresh token."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# lifetimes in seconds (Admin API, offline access tokens and client credentials grant)
CLIENT_CREDENTIALS_SECONDS = 86_399
EXPIRING_SECONDS = 3_600
REFRESH_SECONDS = 90 * 86_400
CODE_SECONDS = 600
# how long a used refresh token stays good until the new one is used
RETAINED_SECONDS = 30 * 86_400

Answer = tuple[int, dict[str, object]]
INVALID_GRANT: Answer = (400, {"error": "invalid_grant", "error_description": "The grant is invalid or has expired."})
INVALID_CLIENT: Answer = (401, {"error": "invalid_client", "error_description": "Client authentication failed."})


@dataclass(slots=True)
class Refresh:
    """A refresh token; ``replaces`` dies when this one is first used."""

    expires_at: float
    replaces: str | None = None


class Tokens:
    """What opens a shop's API, and how new tokens are got."""

    def __init__(self, *, client_id: str, client_secret: str, static: str, scopes: Callable[[], str], now: Callable[[], float]) -> None:
        self.client_id = client_id
        # newest first; after a rotation both are good
        self.secrets = [client_secret]
        self._scopes, self._now = scopes, now
        self._access: dict[str, float | None] = {static: None}
        self._refresh: dict[str, Refresh] = {}
        self._codes: dict[str, float] = {}

    def valid(self, token: str) -> bool:
        """Whether a call with this access token is let in."""
        expires = self._access.get(token, 0.0)
        return expires is None or expires > self._now()

    def expire(self, token: str) -> None:
        """Kill one access token."""
        if token in self._access:
            self._access[token] = 0.0

    def revoke_all(self) -> None:
        """Kill everything, as an uninstall does."""
        self._access.clear()
        self._refresh.clear()
        self._codes.clear()

    def rotate_secret(self, secret: str) -> None:
        """A new API secret; the one before stays good for the token calls."""
        self.secrets = [secret, self.secrets[0]]

    def authorize(self, query: Mapping[str, str], shop: str, host: str) -> str | None:
        """Where the owner is sent after agreeing, None when the request is not one of this app's."""
        if query.get("client_id") != self.client_id or not query.get("redirect_uri") or not query.get("state"):
            return None
        code = secrets.token_hex(16)
        self._codes[code] = self._now() + CODE_SECONDS
        values = {"code": code, "host": host, "shop": shop, "state": query["state"], "timestamp": str(int(self._now()))}
        values["hmac"] = callback_hmac(values, self.secrets[0])
        return f"{query['redirect_uri']}?{urlencode(values)}"

    def grant(self, form: Mapping[str, object]) -> Answer:
        """Answer a call of the token address."""
        if form.get("client_id") != self.client_id or form.get("client_secret") not in self.secrets:
            return INVALID_CLIENT
        match form.get("grant_type"):
            case "client_credentials":
                return self._issue(CLIENT_CREDENTIALS_SECONDS)
            case "refresh_token":
                return self._renew(str(form.get("refresh_token") or ""))
        if form.get("code"):
            return self._redeem(str(form["code"]), expiring=str(form.get("expiring", "0")) == "1")
        return 400, {"error": "unsupported_grant_type"}

    def _issue(self, seconds: int | None) -> Answer:
        token = f"shpat_{secrets.token_hex(16)}"
        self._access[token] = None if seconds is None else self._now() + seconds
        answer: dict[str, object] = {"access_token": token, "scope": self._scopes()}
        return 200, answer if seconds is None else {**answer, "expires_in": seconds}

    def _redeem(self, code: str, *, expiring: bool) -> Answer:
        if self._codes.pop(code, 0.0) <= self._now():
            return 400, {"error": "invalid_request", "error_description": "The authorization code was not found or was already used"}
        return self._pair(replaces=None) if expiring else self._issue(None)

    def _renew(self, token: str) -> Answer:
        held = self._refresh.get(token)
        if held is None or held.expires_at <= self._now():
            return INVALID_GRANT
        if held.replaces is not None:
            self._refresh.pop(held.replaces, None)
            held.replaces = None
        held.expires_at = min(held.expires_at, self._now() + RETAINED_SECONDS)
        return self._pair(replaces=token)

    def _pair(self, *, replaces: str | None) -> Answer:
        status, answer = self._issue(EXPIRING_SECONDS)
        refresh = f"shprt_{secrets.token_hex(16)}"
        self._refresh[refresh] = Refresh(self._now() + REFRESH_SECONDS, replaces)
        return status, {**answer, "refresh_token": refresh, "refresh_token_expires_in": REFRESH_SECONDS}


def callback_hmac(values: Mapping[str, str], secret: str) -> str:
    """Lower-case hex HMAC-SHA256 over the sorted, encoded parameters without ``hmac`` and ``signature``."""
    text = "&".join(f"{quote(key, safe='')}={quote(values[key], safe='')}" for key in sorted(values) if key not in ("hmac", "signature"))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
