"""The OAuth hand-shake with a platform; its webhooks come through `integrations.door`."""

from __future__ import annotations

import secrets
from datetime import timedelta

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from integrations.engine import accounts, shared
from integrations.models import Connection, OAuthState
from integrations.platforms.errors import Misconfigured, PlatformError, Unverified

log = structlog.get_logger(__name__)
STATE_LIFE = timedelta(minutes=10)


@login_required
@permission_required("integrations.change_connection", raise_exception=True)
@require_http_methods(["GET", "POST"])
def oauth_start(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Send the person to the platform to grant access; the nonce is bound to them and usable once.

    The page links here: a form that led to another host would be stopped by our own content policy (`form-action`).
    """
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
        _open_shared(request, connection)
    return redirect("admin:integrations_connection_change", connection.pk)


def _open_shared(request: HttpRequest, connection: Connection) -> None:
    """A grant may open several accounts; the person hears of each."""
    try:
        opened = shared.open_accounts(connection)
    except PlatformError as fault:
        messages.warning(request, f"The accounts behind this grant could not be listed: {fault}")
        return
    for other in opened:
        messages.success(request, f"{other.name} ({other.external_id}) was connected by the same grant.")


def _callback(slug: str) -> str:
    return settings.PUBLIC_URL + reverse("oauth_callback", args=[slug])
