"""From a connection's row to a client that may call its platform: secrets, pacing, renewal, test call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.engine import exceptions
from integrations.engine.pacing import DatabasePacer
from integrations.engine.wake import wake_connection, wake_flow
from integrations.models import Connection, Credential
from integrations.models.secret import UnreadableSecret
from integrations.platforms.base import Account, Lane, Platform, Probe
from integrations.platforms.errors import Misconfigured, PlatformError, Reconnect
from integrations.platforms.grants import Tokens
from integrations.platforms.registry import PLATFORMS
from mapping.records import RecordType

log = structlog.get_logger(__name__)
REFRESHED_LATELY = timedelta(seconds=60)  # a refused call right after a renewal is not a matter of an old token
_clients: dict[tuple[int, Lane], tuple[Account, Any]] = {}


def platform_of(connection: Connection) -> Platform:
    """The platform room of a connection; raises KeyError for a platform that was removed."""
    return PLATFORMS[connection.platform]


def account_for(connection: Connection) -> Account:
    """The connection as its platform sees it, secrets in clear; raises UnreadableSecret."""
    return Account(
        connection_id=connection.pk,
        platform=connection.platform,
        name=connection.name,
        external_id=connection.external_id,
        base_url=connection.base_url,
        api_version=connection.api_version,
        secrets={row.kind: row.secret for row in connection.keeper.credentials.all()},
        settings={"spool_dir": str(settings.SPOOL_DIR), **connection.settings},
    )


@contextmanager
def remediable() -> Iterator[None]:
    """What only a person can put right is raised as Reconnect: like dead credentials it stops the connection with one question."""
    try:
        yield
    except UnreadableSecret as fault:
        raise Reconnect(str(fault), code="misconfigured") from fault


def client_for(connection: Connection, *, lane: Lane = Lane.STANDARD) -> Any:
    """A paced client with live credentials, kept for the process while the connection does not change; raises Reconnect."""
    with remediable():
        return _client(connection, lane)


def _client(connection: Connection, lane: Lane) -> Any:
    _refresh_if_due(connection)
    account = account_for(connection)
    known = _clients.get((connection.pk, lane))
    if known is not None and known[0] == account:
        return known[1]
    platform = platform_of(connection)
    client = platform.connect(account, DatabasePacer(connection.pk, platform.rates, lane=lane, settings=connection.settings))
    _clients[(connection.pk, lane)] = (account, client)
    return client


def set_credential(connection: Connection, kind: str, secret: str, *, expires_at: datetime | None = None) -> None:
    """Store one secret, encrypted; the old value is gone."""
    Credential.objects.update_or_create(connection=connection.keeper, kind=kind, defaults={"secret": secret, "expires_at": expires_at})


def store_tokens(connection: Connection, tokens: Tokens) -> None:
    """Store all parts of a grant or a refresh together, or none of them."""
    with transaction.atomic():
        for kind, (value, expires_at) in tokens.values.items():
            set_credential(connection, kind, value, expires_at=expires_at)
        if tokens.scopes:
            keeper = Connection.objects.select_for_update().get(pk=connection.keeper.pk)
            keeper.settings["granted_scopes"] = sorted(tokens.scopes)
            keeper.save(update_fields=["settings"])


def refresh_if_due(connection: Connection, *, force: bool = False) -> bool:
    """Renew credentials that end soon, under a lock that all workers share; raises Reconnect when the grant is dead."""
    with remediable():
        return _refresh_if_due(connection, force=force)


def _refresh_if_due(connection: Connection, *, force: bool = False) -> bool:
    platform = platform_of(connection)
    if platform.auth is None or not (force or _renewal_due(connection)):
        return False
    with transaction.atomic():  # the one place with HTTP inside a transaction: a refresh must happen once, for all workers
        Connection.objects.select_for_update().get(pk=connection.keeper.pk)
        if force and _renewed_lately(connection):  # by the worker that held the lock before
            return True
        if not (force or _renewal_due(connection)):
            return False
        tokens = platform.auth.refresh(account_for(connection))
        if tokens is None:
            return False
        store_tokens(connection, tokens)
    log.info("credentials renewed", connection=connection.pk, platform=connection.platform)
    return True


def renewed(connection: Connection, fault: Reconnect, client: Any = None) -> bool:
    """Whether a refused call is worth another try: with credentials that another worker renewed meanwhile, or that are renewed now.

    When new credentials do not help either, or there are none to be had, the connection stops and a person is asked.
    """
    if _outdated(connection, client):
        return True
    try:
        stale = not isinstance(fault, Misconfigured) and not _renewed_lately(connection)
        if stale and refresh_if_due(connection, force=True):
            return True
    except PlatformError as refusal:
        fault = Reconnect(str(refusal))
    if _outdated(connection, client):
        return True  # renewed by another worker between the first look and this one
    needs_auth(connection, str(fault))
    return False


def _outdated(connection: Connection, client: Any) -> bool:
    """Whether the client was made with other secrets than those that are stored now."""
    return client is not None and dict(client.account.secrets) != dict(account_for(connection).secrets)


def _renewed_lately(connection: Connection) -> bool:
    since = timezone.now() - REFRESHED_LATELY
    return Credential.objects.filter(connection=connection.keeper, refreshed_at__gt=since, expires_at__isnull=False).exists()


def _renewal_due(connection: Connection) -> bool:
    rows = list(Credential.objects.filter(connection=connection.keeper, kind="access_token"))
    before = timedelta(seconds=platform_of(connection).renew_before_seconds)
    if not rows:
        return True  # a mode that asks for its first token; the room answers None when there is nothing to ask for
    return any(row.expires_at is not None and row.expires_at < timezone.now() + before for row in rows)


def probe_connection(connection: Connection) -> Probe:
    """Make the connection's test call and store its answer; never raises for what the platform says."""
    try:
        probe = platform_of(connection).probe(_client(connection, Lane.STANDARD))
    except Misconfigured as fault:
        probe = Probe(ok=False, summary=str(fault), problems=(str(fault),))
    except Reconnect as fault:
        probe = Probe(ok=False, summary="The platform does not accept the credentials.", problems=(str(fault),))
    except UnreadableSecret as fault:
        probe = Probe(ok=False, summary="A stored secret cannot be read.", problems=(str(fault),))
    except PlatformError as fault:
        probe = Probe(ok=False, summary="The platform did not answer as expected.", problems=(str(fault),))
    probe = _with_write_problems(connection, probe)
    connection.refresh_from_db()  # the call may have renewed a token, and with it what is granted
    connection.probe = {
        "ok": probe.ok, "summary": probe.summary, "problems": list(probe.problems),
        "scopes": list(probe.scopes), "facts": dict(probe.facts),
    }  # fmt: skip
    connection.probed_at = timezone.now()
    if probe.version_served:
        connection.version_served = probe.version_served
    connection.save(update_fields=["probe", "probed_at", "version_served"])
    note_version(connection, probe.version_served, "")
    if probe.ok and connection.state == Connection.State.NEEDS_AUTH:
        reconnected(connection)
    return probe


def _with_write_problems(connection: Connection, probe: Probe) -> Probe:
    """The probe with what it lacks for the flows that are switched on into this connection."""
    lacks = platform_of(connection).write_problems
    if lacks is None or not probe.ok:
        return probe
    incoming = {RecordType(name) for name in connection.flows_in.filter(enabled=True).values_list("record_type", flat=True)}
    problems = tuple(lacks(probe, incoming))
    if not problems:
        return probe
    return replace(probe, problems=(*probe.problems, *problems), summary=f"{probe.summary} Something is missing for what is written to it.")


def note_version(connection: Connection, served: str, deprecation: str) -> None:
    """Keep what the platform says of its version; another version than the pinned one is an exception for a person."""
    changes: dict[str, str] = {}
    if served and served != connection.version_served:
        changes["version_served"] = served
    if deprecation and deprecation[:500] != connection.deprecation:
        changes["deprecation"] = deprecation[:500]
    if changes:
        Connection.objects.filter(pk=connection.pk).update(**changes)
        for name, value in changes.items():
            setattr(connection, name, value)
    if served and connection.api_version and served != connection.api_version:
        exceptions.raise_for_connection(
            connection, "version_drift", connection.api_version,
            f"{connection.name}: version {connection.api_version} is pinned, {served} answered",
        )  # fmt: skip
    elif served:
        exceptions.close_for_connection(connection, "version_drift")


def needs_auth(connection: Connection, reason: str) -> None:
    """Stop calling with dead credentials: deliveries wait, one exception asks a person."""
    changed = Connection.objects.filter(pk=connection.pk, state=Connection.State.ACTIVE).update(
        state=Connection.State.NEEDS_AUTH, state_reason=reason[:300]
    )
    if changed:
        log.warning("connection needs re-authorisation", connection=connection.pk)
    exceptions.raise_for_connection(connection, "needs_auth", "", f"{connection.name} needs re-authorisation", detail=reason)


def grant_ends(connection: Connection, note: str) -> None:
    """Ask a person, once for all accounts of a grant, to have it given again before it ends; nothing stops until then."""
    keeper = connection.keeper
    exceptions.raise_for_connection(keeper, "grant_ends", "", f"The authorisation of {keeper.name} is about to end", detail=note)


def pause(connection: Connection, by: str) -> None:
    """Stop calling this account on a person's word; what arrives is kept, and its deliveries wait."""
    connection.state = Connection.State.PAUSED
    connection.state_reason = f"Paused by {by} on {timezone.localtime():%Y-%m-%d %H:%M}."[:300]
    connection.save(update_fields=["state", "state_reason"])


def reconnected(connection: Connection) -> int:
    """The credentials work again: go on with everything that waited, at all accounts that share them; returns the flows woken."""
    keeper = connection.keeper
    exceptions.close_for_connection(keeper, "grant_ends")
    sharers = keeper.sharers.filter(state=Connection.State.NEEDS_AUTH).exclude(pk=connection.pk)
    others = [*sharers, *([keeper] if keeper.pk != connection.pk and keeper.state == Connection.State.NEEDS_AUTH else [])]
    return _go_on(connection) + sum(_go_on(other) for other in others)


def _go_on(connection: Connection) -> int:
    Connection.objects.filter(pk=connection.pk).update(
        state=Connection.State.ACTIVE, state_reason="", resume_at=None, faults=0, woken_at=None, pump_until=None
    )
    connection.refresh_from_db()
    exceptions.close_for_connection(connection, "needs_auth")
    exceptions.close_for_connection(connection, "platform_down")
    wake_connection(connection.pk)
    return sum(wake_flow(flow.pk) for flow in connection.flows_in.filter(enabled=True))
