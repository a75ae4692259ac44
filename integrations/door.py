"""The door for platforms' calls: size, account, signature, then store and acknowledge, all on the server's event loop.

A webhook has no session, no form and no page, and while it waits for the disk it needs no thread: so it passes by the console.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections

from integrations.engine import accounts
from integrations.engine.ingest import Gatherer
from integrations.models import Connection
from integrations.platforms.base import Account, IncomingCall, IncomingEvent, Platform
from integrations.platforms.errors import PlatformError, TooMany, Unverified
from integrations.platforms.registry import PLATFORMS

log = structlog.get_logger(__name__)
HOOKS = "/hooks/"
LARGE = 100_000  # bytes; verified and cut in a thread, so that other calls need not wait for it
PREFLIGHT = (
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type, x-site-key"),
    (b"access-control-max-age", b"86400"),
    (b"vary", b"origin"),
)
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and headers; there is never a body, and a refusal says no more than its status."""

    status: int
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A copy of what the database says of an account; None for one that nobody connected.

    `siblings` of an unknown one: the accounts of the platform that its app may sign for too, where apps sign.
    """

    read_at: float
    account: Account | None
    state: str = ""
    siblings: tuple[Account, ...] = ()


@dataclass(slots=True)
class Accounts:
    """Accounts by platform and their name there, read again after `HOOK_ACCOUNT_SECONDS`: a rotated secret counts after that."""

    _known: dict[tuple[str, str], Known] = field(default_factory=dict)
    _reading: dict[tuple[str, str], asyncio.Task[Known]] = field(default_factory=dict)

    async def find(self, platform: Platform, external_id: str) -> Known:
        """The account; while one call renews the copy, the others go on with the old one for as long again."""
        key = (platform.slug, external_id)
        known, reading = self._known.get(key), self._reading.get(key)
        trusted = settings.HOOK_ACCOUNT_SECONDS * (1 if reading is None else 2)
        if known is not None and time.monotonic() - known.read_at < trusted:
            return known
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(platform, external_id))
        return await asyncio.shield(reading)

    async def _read(self, platform: Platform, external_id: str) -> Known:
        key = (platform.slug, external_id)
        try:
            known = await asyncio.to_thread(_read_account, platform, external_id)
        finally:
            del self._reading[key]
        if len(self._known) > 1000:
            self._known.clear()
        self._known[key] = known
        return known


def _read_account(platform: Platform, external_id: str) -> Known:
    try:
        connection = Connection.objects.filter(platform=platform.slug, external_id=external_id).first()
        if connection is not None:
            return Known(time.monotonic(), accounts.account_for(connection), connection.state)
        return Known(time.monotonic(), None, siblings=_siblings(platform))
    finally:
        close_old_connections()


def _siblings(platform: Platform) -> tuple[Account, ...]:
    if not getattr(platform.webhooks, "signs_by_app", False):
        return ()
    rows = Connection.objects.filter(platform=platform.slug).select_related("credentials_from").order_by("pk")
    return tuple(accounts.account_for(row) for row in rows.prefetch_related("credentials", "credentials_from__credentials"))


class Door:
    """The ASGI application below `/hooks/<platform>/`."""

    def __init__(self) -> None:
        self._accounts = Accounts()
        self._gatherer = Gatherer()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one call; the platform hears 500 when its call was not stored, whatever the reason."""
        slug, _, below = scope["path"][len(HOOKS) :].partition("/")
        try:
            answer = await self._answer(slug, below, scope=scope, receive=receive)
        except PlatformError as fault:
            log.warning("webhook could not be checked", platform=slug[:30], fault=type(fault).__name__, reason=str(fault)[:200])
            answer = Answer(503)
        except Exception:  # noqa: BLE001 - the last handler there is: logged, and answered so that the platform tries again
            log.exception("webhook was not stored", platform=slug[:30])
            answer = Answer(500)
        headers = [(b"content-length", b"0"), *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, slug: str, below: str, *, scope: Mapping[str, Any], receive: Receive) -> Answer:
        platform = PLATFORMS.get(slug)
        if platform is None or platform.webhooks is None or (below and not getattr(platform.webhooks, "named_in_path", False)):
            return Answer(404)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["method"] == "OPTIONS" and hasattr(platform.webhooks, "answer_headers"):
            return Answer(204, ((b"access-control-allow-origin", headers.get("origin", "null").encode("latin-1")), *PREFLIGHT))
        call = IncomingCall(
            path=f"{HOOKS}{slug}/{below}", headers=headers, body=b"", address=_address(scope, headers),
            query=scope.get("query_string", b"").decode("latin-1"),
        )  # fmt: skip
        if scope["method"] == "OPTIONS" and hasattr(platform.webhooks, "handshake"):
            return await self._shake_hands(platform, call)
        if scope["method"] != "POST":
            return Answer(405, ((b"allow", b"POST"),))
        most = min(settings.HOOK_BODY_LIMIT, getattr(platform.webhooks, "max_body", settings.HOOK_BODY_LIMIT))
        body = await _body(headers, receive, most)
        if body is None:
            return Answer(413)
        return await self._take(platform, replace(call, body=body))

    async def _shake_hands(self, platform: Platform, call: IncomingCall) -> Answer:
        """Whether a sender may send here, asked before its first call."""
        try:
            name = platform.webhooks.external_id(call)
            known = await self._accounts.find(platform, name) if name else None
            if known is None or known.account is None:
                return Answer(404)
            return Answer(200, _encoded(platform.webhooks.handshake(known.account, call)))
        except Unverified:
            return Answer(401)

    async def _take(self, platform: Platform, call: IncomingCall) -> Answer:
        try:
            name = platform.webhooks.external_id(call)
            if not name:
                return Answer(404)
            known = await self._accounts.find(platform, name)
            if known.account is None:
                return await _of_a_stranger(platform, known, call)
            aside = _takes_time(platform, known.account, call)
            events = await asyncio.to_thread(_admit, platform, known, call) if aside else _admit(platform, known, call)
        except Unverified:
            return Answer(401)
        except TooMany:
            return Answer(429, ((b"retry-after", b"1"),))
        if events:
            await self._gatherer.store(known.account.connection_id, events)
        extra = getattr(platform.webhooks, "answer_headers", None)
        return Answer(200, _encoded(extra(known.account, call)) if extra else ())


async def _of_a_stranger(platform: Platform, known: Known, call: IncomingCall) -> Answer:
    """A call for an account that nobody connected: nothing of it is stored. Raises Unverified when it is signed by no app of ours.

    A platform whose apps sign hears 200, else it tries again for half a day what nobody waits for; others hear 404.
    """
    if not getattr(platform.webhooks, "signs_by_app", False):
        return Answer(404)
    await asyncio.to_thread(_signed_by_one, platform, known.siblings, call)
    log.info("webhook of an account that is not connected", platform=platform.slug, account=platform.webhooks.external_id(call))
    return Answer(200)


def _signed_by_one(platform: Platform, siblings: Sequence[Account], call: IncomingCall) -> None:
    for account in siblings:
        try:
            platform.webhooks.verify(account, call)
        except Unverified:
            continue
        return
    raise Unverified("signed by no app of ours")


def _takes_time(platform: Platform, account: Account, call: IncomingCall) -> bool:
    """Whether a call is too large, or needs another host's answer first, to be looked at on the event loop; raises Unverified."""
    calls_out = getattr(platform.webhooks, "calls_out", None)
    return len(call.body) > LARGE or (calls_out is not None and calls_out(account, call))


def _admit(platform: Platform, known: Known, call: IncomingCall) -> Sequence[IncomingEvent]:
    """The events of a genuine call, none of a connection that drops them while it is paused; raises Unverified or TooMany."""
    platform.webhooks.verify(known.account, call)
    events = platform.webhooks.cut(known.account, call)
    if known.state == Connection.State.PAUSED and known.account.settings.get("drop_while_paused"):
        return tuple(event for event in events if platform.privacy and platform.privacy(event))  # the law knows no pause
    return events


async def _body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes | None:
    """The raw bytes, None when the call is larger than we take; a false length is not believed."""
    length = headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > most:
        return None
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None  # it went away while it was talking, and hears no answer
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > most:
            return None
    return b"".join(parts)


def _address(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Who calls; behind our own proxy the last address it wrote down."""
    forwarded = headers.get("x-forwarded-for", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    client = scope.get("client") or ("", 0)
    return forwarded.rpartition(",")[2].strip() or str(client[0])


def _encoded(headers: Mapping[str, str]) -> tuple[Header, ...]:
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
