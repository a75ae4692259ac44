"""OAuth 2 client credentials: tokens with scopes and an end, and what a token may do."""

import binascii
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from integrations.standins.commercetools.errors import Refusal
from integrations.standins.commercetools.settings import Settings
from integrations.standins.commercetools.specs import ClientSpec, ProjectSpec
from integrations.standins.wire import Request


@dataclass(slots=True)
class Access:
    """What a token stands for; scopes as they are written out, project key included."""

    client_id: str
    scopes: frozenset[str]
    expires_at: float


class Tokens:
    """All tokens of all projects; times are the stand-in's."""

    def __init__(self, projects: Mapping[str, ProjectSpec], now: Callable[[], float]) -> None:
        self.settings = Settings()
        self._now = now
        self._clients = {client.client_id: (project, client) for project in projects.values() for client in project.clients}
        self._access: dict[str, Access] = {}
        self.issued = 0

    def issue(self, request: Request) -> dict[str, object]:
        """Answer ``POST /oauth/token``; raises Refusal."""
        project, client = self._client(request)
        form = dict(parse_qsl(request.body.decode(errors="replace"))) if request.body else dict(request.query)
        if form.get("grant_type") != "client_credentials":
            raise Refusal("unsupported_grant_type", "Grant type is not supported.")
        owned = frozenset(_written(scope, project.key) for scope in client.scopes)
        wanted = frozenset(form.get("scope", "").split()) or owned
        for scope in wanted:
            if not _covered(scope, owned, project.key):
                raise Refusal("invalid_scope", f"Permissions exceeded. The client does not own the scope '{scope}'.")
        seconds = client.token_seconds if client.token_seconds is not None else self.settings.token_seconds
        token = secrets.token_urlsafe(24)
        self._access[token] = Access(client.client_id, wanted, self._now() + seconds)
        self.issued += 1
        return {"access_token": token, "expires_in": int(seconds), "scope": " ".join(sorted(wanted)), "token_type": "Bearer"}

    def introspect(self, request: Request) -> dict[str, object]:
        """Answer ``POST /oauth/introspect``; raises Refusal."""
        self._client(request)
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        access = self._access.get(request.query.get("token") or form.get("token", ""))
        if access is None or access.expires_at <= self._now():
            return {"active": False}
        shown = {"scope": " ".join(sorted(access.scopes)), "exp": int(access.expires_at * 1000), "client_id": access.client_id}
        return {"active": True, **shown}

    def check(self, request: Request) -> Access:
        """Who calls; raises Refusal."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refusal("invalid_token", "invalid_token", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        access = self._access.get(token)
        if access is None or access.expires_at <= self._now():
            raise Refusal("invalid_token", "invalid_token", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return access

    def expire(self, token: str | None = None) -> int:
        """End a token, or all of them; the number ended."""
        chosen = [one for name, one in self._access.items() if token in (None, name) and one.expires_at > self._now()]
        for access in chosen:
            access.expires_at = self._now()
        return len(chosen)

    def clear(self) -> None:
        """Forget every token."""
        self._access.clear()
        self.issued = 0

    def _client(self, request: Request) -> tuple[ProjectSpec, ClientSpec]:
        kind, _, packed = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, secret = b64decode(packed, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name = secret = ""
        project, client = self._clients.get(name, (None, None))
        if kind.lower() != "basic" or project is None or client is None or not secrets.compare_digest(client.client_secret, secret):
            raise Refusal("invalid_client", "Please provide valid client credentials using HTTP Basic Authentication.")
        return project, client


def allowed(access: Access, needed: tuple[str, ...], project: str, store: str = "") -> bool:
    """Whether a token has one of these scopes, for the whole project or for the store of the path."""
    return any(_covered(f"{scope}:{project}" + (f":{store}" if store else ""), access.scopes, project) for scope in needed)


def _written(scope: str, project: str) -> str:
    """``view_orders:acme`` from ``view_orders``, ``view_orders:acme:uk`` from ``view_orders:uk``."""
    name, _, store = scope.partition(":")
    return f"{name}:{project}" + (f":{store}" if store else "")


def _covered(wanted: str, owned: frozenset[str], project: str) -> bool:
    name, _, rest = wanted.partition(":")
    if rest.partition(":")[0] != project:
        return False
    manages = name.replace("view_", "manage_", 1).replace("manage_published_", "manage_", 1)
    return any(
        possible in owned
        for base in (name, manages, name.replace("view_published_", "view_"), "manage_project")
        for possible in (f"{base}:{project}", f"{base}:{rest}")
    )
