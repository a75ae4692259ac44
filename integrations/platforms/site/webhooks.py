"""The collector: whose call it is, whether it may send, and the events in it, each judged alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from integrations.platforms.base import Account, IncomingCall, IncomingEvent, JsonObject
from integrations.platforms.bodies import unreadable
from integrations.platforms.errors import Misconfigured, TooMany, Unverified
from integrations.platforms.site.checks import Wrong
from integrations.platforms.site.client import SiteClient
from integrations.platforms.site.limits import Buckets
from integrations.platforms.site.options import Options
from integrations.platforms.site.schema import TYPES, read_event, read_skew

MAX_BODY = 64 * 1024
MAX_EVENTS = 50
MAX_EXCERPT = 4 * 1024
KEY_HEADER, SIGNATURE_HEADER = "x-site-key", "x-site-signature"
SECRETS = ("signing_secret", "signing_secret_previous")
UNKNOWN, REFUSED_CONSENT = "unknown", "no_consent"
SITE_BURST, VISITOR_BURST = 2.0, 10.0  # seconds' worth of calls that may come at once
_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,200}")
_STAMP = re.compile(r"[0-9]{1,12}")


class SiteWebhooks:
    """The site's side of the `Webhooks` protocol; all it remembers is who called how often lately."""

    max_body = MAX_BODY
    open_to_all = True  # its key stands in every page, so what cannot be read is not worth keeping for long

    def __init__(self) -> None:
        self._buckets = Buckets()
        self._options: dict[int, tuple[Account, Options]] = {}  # by connection, for as long as the door keeps its copy of the account

    def external_id(self, call: IncomingCall) -> str:
        """The public site key, from the header or, for callers that cannot set one, from the body; raises Unverified without one."""
        key = call.headers.get(KEY_HEADER) or _parsed(call.body).get("key")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise Unverified("no site key")
        return key

    def verify(self, account: Account, call: IncomingCall) -> None:
        """A signed call must be signed rightly and lately, any other must come from a page of the site; raises Unverified or TooMany."""
        try:
            options = self._options_of(account)
        except Misconfigured as fault:
            raise Unverified(str(fault)) from fault
        if SIGNATURE_HEADER in call.headers:
            _check_signature(account, call, tolerance=options.signature_seconds)
        elif _origin(call) not in options.allowed_origins:
            raise Unverified("origin not allowed")
        if not self.allow(account, call, time.monotonic()):
            raise TooMany("more calls than this caller's share")

    def allow(self, account: Account, call: IncomingCall, at: float) -> bool:
        """Whether one more call is within the share of its address (browsers only) and of the whole site; `at` is monotonic."""
        options, site = self._options_of(account), account.connection_id
        rate = 0.0 if SIGNATURE_HEADER in call.headers else options.calls_per_visitor
        mine = self._buckets.take((site, call.address), rate=rate, burst=rate * VISITOR_BURST, at=at)
        rate = options.calls_per_second
        return mine and self._buckets.take((site, ""), rate=rate, burst=max(1.0, rate * SITE_BURST), at=at)

    def answer_headers(self, account: Account, call: IncomingCall) -> Mapping[str, str]:
        """What lets the script of an allowed page read the status of the answer."""
        origin = call.headers.get("origin", "")
        if not origin or _origin(call) not in self._options_of(account).allowed_origins:
            return {}
        return {"access-control-allow-origin": origin, "vary": "origin"}

    def cut(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """One event per entry; an entry that does not fit is kept with its reason, one without consent is only counted."""
        try:
            parsed = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            return (_whole(call, "the call is not JSON"),)
        entries = parsed.get("events") if isinstance(parsed, dict) else None
        if not isinstance(entries, list):
            return (_whole(call, "the call has no list of events"),)
        if len(entries) > MAX_EVENTS:
            return (_whole(call, f"the call has more than {MAX_EVENTS} events"),)
        now = datetime.now(UTC)
        skew = read_skew(parsed.get("sent_at"), now)
        found: list[IncomingEvent] = []
        dropped: Counter[str] = Counter()
        for entry in entries:
            if isinstance(entry, dict) and entry.get("consent") is not True:
                dropped[_kind(entry)] += 1
                continue
            try:
                if not isinstance(entry, dict):
                    raise Wrong("the event is not an object")
                found.append(_good(read_event(entry, skew=skew, now=now)))
            except Wrong as fault:
                found.append(_bad(entry, str(fault)))
        return (*found, *_without_consent(call, dropped))

    def _options_of(self, account: Account) -> Options:
        known = self._options.get(account.connection_id)
        if known is None or known[0] is not account:
            known = self._options[account.connection_id] = (account, Options.of(account))
        return known[1]

    def missing(self, client: SiteClient, address: str) -> Sequence[str]:
        """Nothing: a site has no subscriptions, its pages carry the script."""
        return ()

    def subscribe(self, client: SiteClient, address: str, topics: Sequence[str]) -> Sequence[str]:
        """Nothing to do."""
        return ()


def _parsed(body: bytes) -> JsonObject:
    """The body as an object, {} when it is none."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _origin(call: IncomingCall) -> str:
    return call.headers.get("origin", "").strip().lower()


def _check_signature(account: Account, call: IncomingCall, *, tolerance: float) -> None:
    """ "t=<seconds of the epoch>,v1=<hex HMAC-SHA256 of t.body>", as many v1 as there are secrets in rotation; raises Unverified."""
    parts = [part.strip().partition("=") for part in call.headers[SIGNATURE_HEADER].split(",")[:10]]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    if not _STAMP.fullmatch(stamp) or abs(time.time() - int(stamp)) > tolerance:
        raise Unverified("signed too long ago, or without a time")
    given = [value.encode("latin-1", "replace") for name, _, value in parts if name == "v1"]
    genuine = False
    for secret in (account.secrets.get(name) for name in SECRETS):
        if secret:
            expected = hmac.digest(secret.encode(), stamp.encode() + b"." + call.body, hashlib.sha256).hex().encode()
            for value in given:
                genuine |= hmac.compare_digest(expected, value)
    if not genuine:
        raise Unverified("bad signature")


def _kind(entry: JsonObject) -> str:
    kind = entry.get("type")
    return kind if isinstance(kind, str) and kind in TYPES else UNKNOWN


def _good(event: JsonObject) -> IncomingEvent:
    about = event["data"].get("checkout_id") or event.get("anonymous_id") or event.get("customer_id") or ""
    return IncomingEvent(
        topic=event["type"], dedup_key=f"event:{event['event_id']}", body=orjson.dumps(event),
        occurred_at=datetime.fromisoformat(event["at"]), object_key=about,
    )  # fmt: skip


def _bad(entry: Any, reason: str) -> IncomingEvent:
    """What is kept of an event that does not fit: an excerpt, and why."""
    try:
        shown = orjson.dumps(entry)
    except TypeError:  # nested deeper than can be written
        shown = b""
    kind = _kind(entry) if isinstance(entry, dict) else UNKNOWN
    key = f"bad:{hashlib.sha256(shown + reason.encode()).hexdigest()}"
    return IncomingEvent(topic=kind, dedup_key=key, body=unreadable(shown[:MAX_EXCERPT], reason))


def _whole(call: IncomingCall, reason: str) -> IncomingEvent:
    return IncomingEvent(topic=UNKNOWN, dedup_key=_call_key(call), body=unreadable(call.body[:MAX_EXCERPT], reason))


def _call_key(call: IncomingCall) -> str:
    return f"call:{hashlib.sha256(call.body).hexdigest()}"


def _without_consent(call: IncomingCall, dropped: Counter[str]) -> Sequence[IncomingEvent]:
    """How many events of a call were dropped, and of which types; nothing else of them is kept."""
    if not dropped:
        return ()
    body = orjson.dumps({"dropped": dropped.total(), "types": dict(sorted(dropped.items()))})
    return (IncomingEvent(topic=REFUSED_CONSENT, dedup_key=_call_key(call), body=body),)
