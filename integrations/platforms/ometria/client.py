"""Calls of the Ometria Data API v2: paths, limits and headers; raises the error families and knows no record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from integrations.platforms.base import Account, JsonObject, Pacer
from integrations.platforms.errors import Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.http import HttpSession, Reply
from integrations.platforms.ometria.backoff import Backoff
from integrations.platforms.ometria.options import ERROR_PATHS, Options
from integrations.platforms.ometria.receipts import ErrorList, PushReceipt, parse_errors, parse_receipt
from integrations.platforms.ometria.shown import Shown

MAX_ITEMS = 100  # records in one push (Push API)
MAX_PAGE = 250  # objects on one page of a read (Data API introduction)
QUEUE_PAUSE = 10.0  # seconds to leave a nearly full push queue alone
ERRORS_FRESH = 1.0  # seconds for which the error list is not asked again
PROFILE_FRESH = 60.0  # seconds for which a profile looked up by e-mail is not asked again
MAX_PROFILES = 2_000  # profiles remembered at a time
PARALLEL = 8  # reads under way at once
MERGE_RATE = 1 / 60  # merges a second and account (Data API v2, merge profiles)
DELETION_RATE = 6 / 60  # deletion requests a second and account (Data API v2, data deletion requests)
JOB_RATES = {"merge": (MERGE_RATE, 1.0), "deletion": (DELETION_RATE, 1.0)}
AUTH_HEADER = "X-Ometria-Auth"

BAD_KEY = "Ometria does not accept the API key: it is wrong, revoked, or newer than ten minutes and not active yet"
BAD_ADDRESS = "Ometria has no Data API at this address: the base address of the connection is wrong"


class OmetriaClient:
    """One account's Data API; every call spends from the account's shared rate budget first."""

    def __init__(self, account: Account, pacer: Pacer) -> None:
        if not account.secrets.get("api_key"):
            raise Reconnect("The connection has no API key")
        self.account, self.options, self._pacer = account, Options.of(account.settings), pacer
        self._next_key = account.secrets.get("api_key_next", "")
        self.key_in_use = "api_key"
        base = account.base_url.rstrip("/").removesuffix("/v2") + "/v2"
        self._http = HttpSession(base, {AUTH_HEADER: account.secrets["api_key"]})
        rates = {"push": self.options.push_rate, "read": self.options.read_rate}
        self._backoff = {group: Backoff() for group in (*rates, "merge", "deletion")}
        self._errors_path = self.options.errors_path
        self._errors: tuple[float, ErrorList] | None = None
        self.shown = Shown()
        self._profiles: dict[str, tuple[float, list[JsonObject]]] = {}
        self._queue_left: tuple[float, int] | None = None  # (known until, records the push queue still takes)
        self._ahead = timedelta(0)  # Ometria's clock minus ours
        for group, rate in rates.items():
            pacer.report(group, rate=rate, burst=max(rate, 1.0))

    # --- writing ---------------------------------------------------------------------------------------------------------

    def push(self, items: Sequence[JsonObject]) -> PushReceipt:
        """Queue 1 to 100 records of one type; the counts are all Ometria says now. Raises Refused when the call as a whole is refused."""
        if not 1 <= len(items) <= MAX_ITEMS or len({item.get("@type") for item in items}) != 1:
            raise ValueError(f"a push holds 1 to {MAX_ITEMS} records of one type")
        self._mind_queue(len(items))
        self._errors = None  # what was listed before this push says nothing about it
        reply = self._call("push", "POST", "/push", body=list(items))
        self._note_queue(reply.headers)
        return parse_receipt(reply.json, len(items))

    # --- what became of it -----------------------------------------------------------------------------------------------

    def push_errors(self) -> ErrorList:
        """The account's most recent validation errors, asked at most once a second; the path that answers is remembered."""
        if self._errors and time.monotonic() - self._errors[0] < ERRORS_FRESH:
            return self._errors[1]
        for path in dict.fromkeys((self._errors_path, *ERROR_PATHS)):
            body = self._find(path)
            if body is not None:
                self._errors_path = path
                found = ErrorList(errors=parse_errors(body), asked_at=self.now())
                self._errors = time.monotonic(), found
                return found
        raise Refused("Ometria answers at none of the known paths of its error list: check the setting", status=404, code="404")

    def now(self) -> datetime:
        """Ometria's clock, as near as its Date header tells; ours before the first answer."""
        return self.by_its_clock(datetime.now(UTC))

    def by_its_clock(self, moment: datetime) -> datetime:
        """A moment of our clock by Ometria's, as it is known now."""
        return moment + self._ahead

    # --- reading ---------------------------------------------------------------------------------------------------------

    def collections(self) -> list[JsonObject]:
        """`[{collection, count}]` of the whole account."""
        return _rows(self._get("/contacts", limit=MAX_PAGE))

    def contact(self, collection: str, identifier: str) -> JsonObject | None:
        """One listing, None when Ometria has none."""
        return _object(self._find(f"/contacts/{_part(collection)}/{_part(identifier)}"))

    def contacts(self, collection: str, *, since: datetime | None = None, offset: int = 0, limit: int = MAX_PAGE) -> list[JsonObject]:
        """A page of listings in order of their last update, from `since` on; shorter than `limit` means the last one."""
        query = {"updateSince": _time(since), "orderby": "timestamp_update", "limit": limit, "offset": offset}
        return _rows(self._find(f"/contacts/{_part(collection)}", **query))

    def profiles_by_email(self, email: str, *, fresh: bool = False) -> list[JsonObject]:
        """The profiles that own an address, [] for none; remembered for a minute unless they must be `fresh`."""
        held = None if fresh else self._profiles.get(email)
        if held and time.monotonic() < held[0]:
            return held[1]
        return self._note_profiles(email, self._find("/profiles", email=email))

    def profiles_by_emails(self, emails: Iterable[str]) -> dict[str, list[JsonObject]]:
        """The same for many addresses: eight reads are under way at once, for an answer takes longer than a turn of the rate budget.

        What was answered before a fault is raised is remembered and not asked again.
        """
        now, wanted = time.monotonic(), dict.fromkeys(emails)
        found = {email: held[1] for email in wanted if (held := self._profiles.get(email)) and now < held[0]}
        missing = [email for email in wanted if email not in found]
        with ThreadPoolExecutor(PARALLEL) as pool:
            for batch in (missing[start : start + PARALLEL] for start in range(0, len(missing), PARALLEL)):
                for email, ask in self._under_way(pool, batch):
                    try:
                        body = self._judged("read", ask).json
                    except Reconnect:
                        body = self._find("/profiles", email=email)  # perhaps by the next key
                    except Refused as refusal:
                        if refusal.status != 404:
                            raise
                        body = None
                    found[email] = self._note_profiles(email, body)
        return found

    def _under_way(self, pool: ThreadPoolExecutor, emails: Sequence[str]) -> Iterator[tuple[str, Callable[[], Reply]]]:
        """Reads with the call that waits for the answer; the turns of all are taken first, and SlowDown comes after those that had one."""
        sent: list[tuple[str, Callable[[], Reply]]] = []
        held: SlowDown | None = None
        for email in emails:
            try:
                self._pacer.take("read")
            except SlowDown as fault:
                held = fault
                break
            sent.append((email, pool.submit(self._http.get, "/profiles", params={"email": email}).result))
        yield from sent
        if held is not None:
            raise held

    def _note_profiles(self, email: str, body: Any) -> list[JsonObject]:
        found = _rows(body) if isinstance(body, list) else [body] if isinstance(body, dict) and body.get("id") else []
        if len(self._profiles) >= MAX_PROFILES:
            self._profiles.clear()
        self._profiles[email] = time.monotonic() + PROFILE_FRESH, found
        return found

    def profile(self, identifier: str) -> JsonObject | None:
        """One profile, None when Ometria has none."""
        return _object(self._find(f"/profiles/{_part(identifier)}"))

    def profiles(self, *, since: datetime | None = None, offset: int = 0, limit: int = MAX_PAGE) -> list[JsonObject]:
        """A page of profiles in order of their last update, from `since` on."""
        return _rows(self._get("/profiles", updateSince=_time(since), orderby="timestamp_update", limit=limit, offset=offset))

    def orders(
        self, field: str, since: datetime, before: datetime | None = None, *, offset: int = 0, limit: int = MAX_PAGE
    ) -> list[JsonObject]:
        """A page of up to 250 orders in a window over `field`: timestamp, create or update."""
        window = {f"{field}Since": _time(since), f"{field}Before": _time(before)}
        return _rows(self._get("/orders", **window, limit=limit, offset=offset))

    def order(self, identifier: str) -> JsonObject | None:
        """One order with Ometria's derived refund totals, None when it has none."""
        return _object(self._find(f"/orders/{_part(identifier)}"))

    def products(self, *, variants: bool = True, offset: int = 0, limit: int = MAX_PAGE) -> list[JsonObject]:
        """A page of products, with their variants unless told otherwise."""
        return _rows(self._get("/products", includeVariants=str(variants).lower(), limit=limit, offset=offset))

    def product(self, identifier: str) -> JsonObject | None:
        """One product or variant, None when Ometria has none."""
        return _object(self._find(f"/products/{_part(identifier)}"))

    def custom_event(self, event_type: str, identifier: str) -> JsonObject | None:
        """One custom event, None when Ometria has none."""
        return _object(self._find(f"/custom-events/{_part(event_type)}/{_part(identifier)}"))

    def lists(self, mode: str = "active", *, offset: int = 0) -> list[JsonObject]:
        """Segments with their sizes; mode active, archived or all. Paged like other reads in case the account pages them."""
        return _rows(self._get("/lists", mode=mode, limit=MAX_PAGE, offset=offset))

    def one_list(self, identifier: str) -> JsonObject | None:
        """One segment, None when Ometria has none."""
        return _object(self._find(f"/lists/{_part(identifier)}"))

    def unsubscribes(self, since: datetime, before: datetime | None = None, *, offset: int = 0) -> list[JsonObject]:
        """Unsubscribes made at Ometria in a window of at most a day; those made through the API are not among them.

        Whether they are paged is not documented, so they are asked for as every other read: an account that pages them is read whole.
        """
        return _rows(self._get("/unsubscribes", since=_time(since), before=_time(before), limit=MAX_PAGE, offset=offset))

    # --- merging ---------------------------------------------------------------------------------------------------------

    def merge_profiles(self, survivor: JsonObject, merged: Sequence[JsonObject]) -> JsonObject:
        """Ask for a merge of profiles into a survivor, each named by {type, value}; the answer holds the job's id.

        It cannot be undone. One a minute and account (Data API v2, merge profiles).
        """
        body = {"survivor": survivor, "customers_to_merge": list(merged)}
        return self._call("merge", "POST", "/merge-profile", body=body).json or {}

    def merge_job(self, identifier: str) -> JsonObject | None:
        """A merge that was asked for, None when Ometria knows none of that id."""
        return _object(self._find(f"/merge-profile/{_part(identifier)}"))

    # --- erasing people --------------------------------------------------------------------------------------------------

    def ask_deletion(self, body: JsonObject) -> JsonObject:
        """Ask for a person to be erased; the answer holds the request's id. It cannot be undone."""
        return self._call("deletion", "POST", "/data-deletion-requests", body=body).json or {}

    def deletion(self, identifier: str) -> JsonObject | None:
        """A request for erasure that was made, None when Ometria knows none of that id."""
        return _object(self._find(f"/data-deletion-requests/{_part(identifier)}"))

    # --- the call --------------------------------------------------------------------------------------------------------

    def _get(self, path: str, **query: Any) -> Any:
        return self._call("read", "GET", path, query={name: value for name, value in query.items() if value is not None}).json

    def _find(self, path: str, **query: Any) -> Any:
        try:
            return self._get(path, **query)
        except Refused as refusal:
            if refusal.status == 404:
                return None
            raise

    def _call(self, group: str, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> Reply:
        self._pacer.take(group)  # without a quota too: a pause that another worker was given holds for all
        ask = partial(self._http.post, path, json=body) if method == "POST" else partial(self._http.get, path, params=query)
        try:
            return self._judged(group, ask)
        except Reconnect as refusal:
            if not self._use_next_key():
                raise Reconnect(BAD_KEY, status=refusal.status, code=refusal.code, request_id=refusal.request_id) from refusal
            return self._call(group, method, path, query=query, body=body)
        except Refused as refusal:
            if path == "/push" and refusal.status in (404, 405):
                raise Reconnect(BAD_ADDRESS, status=refusal.status, code=refusal.code) from refusal
            raise

    def _judged(self, group: str, ask: Callable[[], Reply]) -> Reply:
        """The answer of a call whose turn was taken, with what it says of rates and clocks kept."""
        try:
            reply = ask()
        except SlowDown as refusal:
            raise self._slow_down(group, refusal) from refusal
        self._backoff[group].reset()
        self._note_clock(reply.headers)
        return reply

    def _slow_down(self, group: str, refusal: SlowDown) -> SlowDown:
        """The same refusal with the seconds Ometria states, or our own growing ones, held for every worker."""
        seconds = refusal.seconds if refusal.stated else self._backoff[group].next()
        self._pacer.pause(group, seconds)
        return SlowDown(str(refusal), seconds=seconds, group=group, stated=refusal.stated, status=refusal.status, code=refusal.code)

    def _use_next_key(self) -> bool:
        """Change over to the next key after the first one was refused; False when there is none left."""
        if not self._next_key:
            return False
        self._http.set_header(AUTH_HEADER, self._next_key)
        self._next_key, self.key_in_use = "", "api_key_next"
        return True

    def _mind_queue(self, size: int) -> None:
        if self._queue_left and time.monotonic() < self._queue_left[0] and self._queue_left[1] < size:
            wait = self._queue_left[0] - time.monotonic()
            raise SlowDown("Ometria's push queue is nearly full", seconds=max(wait, 0.0), group="push", code="queue_full")

    def _note_queue(self, headers: Mapping[str, str]) -> None:
        left = headers.get("X-QueueSize-Remaining", "")
        self._queue_left = None
        if left.isdigit() and int(left) < MAX_ITEMS:
            self._queue_left = time.monotonic() + QUEUE_PAUSE, int(left)
            self._pacer.pause("push", QUEUE_PAUSE)

    def _note_clock(self, headers: Mapping[str, str]) -> None:
        with suppress(TypeError, ValueError):
            told = parsedate_to_datetime(headers.get("Date", ""))
            if told.tzinfo:
                self._ahead = told - datetime.now(UTC)


def _part(text: str) -> str:
    return quote(text, safe="")


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def _rows(body: Any) -> list[JsonObject]:
    """The objects of an array answer; raises TryLater for another shape, because reads are bare arrays."""
    if body is None:
        return []
    if not isinstance(body, list):
        raise TryLater("Ometria answered a list with something else", code="not_a_list")
    return [row for row in body if isinstance(row, dict)]


def _object(body: Any) -> JsonObject | None:
    if isinstance(body, list):  # one page revision wraps single objects
        body = body[0] if body else None
    return body if isinstance(body, dict) else None
