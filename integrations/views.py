"""The doors for platforms: webhooks and the OAuth hand-shake."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from integrations.engine import accounts
from integrations.engine.ingest import ingest
from integrations.models import Connection, OAuthState
from integrations.platforms.base import Account, IncomingCall, Platform
from integrations.platforms.errors import Misconfigured, PlatformError, Unverified
from integrations.platforms.registry import PLATFORMS

log = structlog.get_logger(__name__)
ACCOUNT_SECONDS = 2.0  # how long a door trusts its copy of a connection; a rotated secret counts after that
STATE_LIFE = timedelta(minutes=10)
_accounts: dict[tuple[str, str], tuple[float, Account | None, str]] = {}
_reading = threading.Lock()


@csrf_exempt
@require_POST
def hook(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a platform's call, as part of the console; the server's short way in is `config.wsgi`."""
    return HttpResponse(status=take(slug, request.META, request.read), headers={"Content-Length": "0"})


def take(slug: str, environ: Mapping[str, Any], read: Callable[[int], bytes]) -> int:
    """Size, account, signature, then store; the status to answer with: 200, or 404, 401 and 413 without detail."""
    platform = PLATFORMS.get(slug)
    if platform is None or platform.webhooks is None:
        return 404
    body = _body(environ, read)
    if body is None:
        return 413
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    call = IncomingCall(path=f"/hooks/{slug}/", headers=headers, body=body)
    try:
        account, state = _account(platform, platform.webhooks.external_id(call))
        if account is None:
            return 404
        platform.webhooks.verify(account, call)
    except Unverified:
        return 401
    if state != Connection.State.PAUSED or not account.settings.get("drop_while_paused"):
        ingest(account.connection_id, platform.webhooks.cut(account, call))
    return 200


def _body(environ: Mapping[str, Any], read: Callable[[int], bytes]) -> bytes | None:
    """The raw bytes, None when the call is larger than we take; a false length is not believed."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > settings.HOOK_BODY_LIMIT:
        return None
    body = read(settings.HOOK_BODY_LIMIT + 1)
    return None if len(body) > settings.HOOK_BODY_LIMIT else body


def _account(platform: Platform, external_id: str) -> tuple[Account | None, str]:
    """The account for a shop or account name, from a copy that is about two seconds old at most."""
    key, now = (platform.slug, external_id), time.monotonic()
    known = _accounts.get(key)
    if known is not None and now - known[0] < ACCOUNT_SECONDS:
        return known[1], known[2]
    if not _reading.acquire(blocking=known is None):
        return known[1], known[2]  # another call renews the copy right now; a crowd must not do it at once
    try:
        known = _accounts.get(key)
        if known is None or now - known[0] >= ACCOUNT_SECONDS:
            known = _accounts[key] = (time.monotonic(), *_read_account(platform, external_id))
        return known[1], known[2]
    finally:
        _reading.release()


def _read_account(platform: Platform, external_id: str) -> tuple[Account | None, str]:
    connection = Connection.objects.filter(platform=platform.slug, external_id=external_id).first()
    found = None if connection is None else accounts.account_for(connection)
    if len(_accounts) > 1000:
        _accounts.clear()
    close_old_connections()  # a call that waits for its turn to be stored must not keep a connection of the pool from the one who stores
    return found, connection.state if connection else ""


@login_required
@permission_required("integrations.change_connection", raise_exception=True)
@require_POST
def oauth_start(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Send the person to the platform to grant access; the nonce is bound to them and usable once."""
    connection = get_object_or_404(Connection, pk=pk, platform=slug)
    platform = accounts.platform_of(connection)
    nonce = secrets.token_urlsafe(32)
    try:
        if platform.auth is None:
            raise Misconfigured(f"{platform.label} has no hand-shake; put in a key instead.")
        url = platform.auth.authorize_url(accounts.account_for(connection), state=nonce, redirect_uri=_callback(slug))
    except Misconfigured as fault:
        messages.error(request, str(fault))
        return redirect("admin:integrations_connection_change", pk)
    OAuthState.objects.create(connection=connection, user=request.user, nonce=nonce)
    return HttpResponseRedirect(url)


@login_required
@permission_required("integrations.change_connection", raise_exception=True)
@require_GET
def oauth_callback(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the platform's answer: the nonce is spent whatever happens, then the room checks and exchanges."""
    state = (
        OAuthState.objects.select_related("connection")
        .filter(
            nonce=request.GET.get("state", ""), user=request.user, created_at__gt=timezone.now() - STATE_LIFE, connection__platform=slug
        )
        .first()
    )
    if state is None or not OAuthState.objects.filter(pk=state.pk).delete()[0]:
        messages.error(request, "This hand-shake is unknown or too old. Start it again from the connection's page.")
        return redirect("admin:integrations_connection_changelist")
    connection, platform = state.connection, accounts.platform_of(state.connection)
    try:
        tokens = platform.auth.exchange(
            accounts.account_for(connection), request.GET.dict(), state=state.nonce, redirect_uri=_callback(slug)
        )
    except (Unverified, PlatformError) as fault:
        log.warning("hand-shake failed", connection=connection.pk, fault=type(fault).__name__)
        messages.error(request, f"The hand-shake failed: {fault}")
    else:
        accounts.store_tokens(connection, tokens)
        accounts.reconnected(connection)
        messages.success(request, f"{connection.name} is connected.")
    return redirect("admin:integrations_connection_change", connection.pk)


def _callback(slug: str) -> str:
    return settings.PUBLIC_URL + reverse("oauth_callback", args=[slug])
