"""Client credentials: one token per connection, asked for anew before it ends (client ids last, tokens two days unless set otherwise)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.platforms.base import Account
from integrations.platforms.commercetools.answers import CORRELATION, judge
from integrations.platforms.commercetools.options import auth_address, client_id, client_secret, wanted_scopes
from integrations.platforms.errors import Misconfigured, Reconnect, Refused
from integrations.platforms.grants import SharedAccount, Tokens
from integrations.platforms.http import HttpSession

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
INTROSPECTION_PATH = "/oauth/introspect"


class CommercetoolsAuth:
    """The `Auth` protocol for client credentials; stateless. The engine renews under a lock that all workers share."""

    def authorize_url(self, account: Account, *, state: str, redirect_uri: str) -> str:
        """Never: there is no hand-shake."""
        del account, state, redirect_uri
        raise Misconfigured("commercetools needs no approval: enter client id and secret, then test the connection.")

    def exchange(self, account: Account, query: Mapping[str, str], *, state: str, redirect_uri: str) -> Tokens:
        """Never: no callback belongs to client credentials."""
        del account, query, state, redirect_uri
        raise Misconfigured("commercetools sends no callback: enter client id and secret, then test the connection.")

    def refresh(self, account: Account) -> Tokens | None:
        """A new token and the scopes it was given; raises Misconfigured when id, secret or scopes are not accepted."""
        scopes = wanted_scopes(account)
        form = {"grant_type": "client_credentials", **({"scope": scopes} if scopes else {})}
        try:
            answer = _session(account).post(TOKEN_PATH, form=form).json
        except Refused as fault:
            raise Reconnect(
                f"commercetools gives no token: check client id, secret and the address of the token service. ({fault})",
                status=fault.status, code=fault.code, request_id=fault.request_id,
            ) from fault  # fmt: skip
        return _tokens(answer)

    def shops(self, client: object) -> Sequence[SharedAccount]:
        """None: an API client is for one project."""
        del client
        return ()


def granted_scopes(account: Account) -> tuple[str, ...]:
    """The scopes of the present token: as they were kept when it was issued, else as the token service tells."""
    held = account.settings.get("granted_scopes")
    if isinstance(held, (list, tuple)) and held:
        return tuple(str(scope) for scope in held)
    answer = _session(account).post(INTROSPECTION_PATH, form={"token": account.secrets.get("access_token", "")}).json
    return tuple(sorted(str((answer or {}).get("scope") or "").split()))


def _session(account: Account) -> HttpSession:
    pair = f"{client_id(account)}:{client_secret(account)}".encode()
    headers = {"Authorization": f"Basic {b64encode(pair).decode()}"}
    return HttpSession(auth_address(account), headers, request_id_header=CORRELATION, judge=judge)


def _tokens(answer: Any) -> Tokens:
    token, lasts = (answer.get("access_token"), answer.get("expires_in")) if isinstance(answer, dict) else (None, None)
    if not isinstance(token, str) or not token or isinstance(lasts, bool) or not isinstance(lasts, (int, float)) or lasts <= 0:
        raise Reconnect("commercetools' answer held no access token: check the address of the token service.", code="no_token")
    ends = datetime.now(UTC) + timedelta(seconds=float(lasts))
    return Tokens(values={"access_token": (token, ends)}, scopes=tuple(sorted(str(answer.get("scope") or "").split())))
