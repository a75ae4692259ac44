"""Calls of the commercetools API: queries by predicate with variables, single resources, and updates by version.

A just written resource is read by its id at once, by a query perhaps seconds later; the server's own clock is the `Date` of its answers.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import orjson

from integrations.platforms.base import Account, JsonObject, Pacer, RawObject
from integrations.platforms.commercetools.answers import CORRELATION, NOT_FOUND, Conflict, TooLarge, judge
from integrations.platforms.commercetools.options import API_ADDRESS, project_key, rates_of
from integrations.platforms.errors import Reconnect, Refused, SlowDown, TryLater
from integrations.platforms.http import HttpSession, Reply
from integrations.platforms.throttle import Throttles

READ, WRITE = "read", "write"  # rate groups
PARALLEL = 8  # calls at once of one worker
MOST = 500  # the largest `limit`
MAX_IN = 100  # values of one `in` list: addresses stay below 8 KB
MAX_ACTIONS = 500
TRIES = 5  # an update is decided anew this often before somebody else's changes win
DEPRECATION = "X-DEPRECATION-NOTICE"
_VARIABLE = re.compile(r":([A-Za-z0-9]+)")
Params = Sequence[tuple[str, str]]
Build = Callable[[JsonObject], Sequence[JsonObject]]


@dataclass(frozen=True, slots=True)
class Where:
    """A predicate and its variables: values never stand in the text, so that no value can change what is asked."""

    predicate: str
    variables: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if '"' in self.predicate:
            raise ValueError("values belong into variables")
        if set(_VARIABLE.findall(self.predicate)) != set(self.variables):
            raise ValueError("every variable of a predicate needs its value, and nothing else does")

    def params(self) -> list[tuple[str, str]]:
        """The predicate with its variables as parameters of an address."""
        found = [("where", self.predicate)]
        for name, value in self.variables.items():
            found += [(f"var.{name}", entry) for entry in ((value,) if isinstance(value, str) else value)]
        return found


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a collection; `full` when it held as many rows as it may, so that there may be more."""

    rows: list[JsonObject]
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question to a collection; `sort` like "id asc", `expand` paths of references, `more` parameters of one collection only."""

    path: str
    where: tuple[Where, ...] = ()
    sort: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()
    limit: int = MOST


@dataclass(frozen=True, slots=True)
class Held:
    """What an interrupted try fetched: when it was asked for, the least version that was wanted, and the objects."""

    at: datetime
    version: int
    objects: tuple[RawObject, ...]


class CommercetoolsClient:
    """One project; raises the error families. `server_time` is the `Date` of the last answer, None before the first."""

    def __init__(self, account: Account, pacer: Pacer) -> None:
        if not account.secrets.get("access_token"):
            raise Reconnect("The connection has no access token yet: enter client id and secret, then test it.", code="no_token")
        self.account, self._pacer = account, pacer
        self.project = f"/{project_key(account)}"
        self.server_time: datetime | None = None
        self.ahead: float | None = None  # the server's clock minus ours, in seconds
        self.deprecation = ""
        self.kept: dict[str, Any] = {}  # what belongs to a project and is read once per client (types, stores, …)
        self.unfinished: dict[str, Held] = {}  # see expand.py
        self._limits: dict[str, int] = {}
        self._run = uuid4().hex[:12]
        self._throttles = Throttles(pacer, rates_of(account))
        headers = {"Authorization": f"Bearer {account.secrets['access_token']}", "Content-Type": "application/json"}
        self._http = HttpSession(account.base_url or API_ADDRESS, headers, request_id_header=CORRELATION, judge=judge)
        for group, rate in rates_of(account).items():
            pacer.report(group, rate=rate, burst=max(rate, float(PARALLEL)))

    # --- reading ------------------------------------------------------------------------------------------------------------

    def settings(self) -> JsonObject:
        """The project itself: key, name, countries, currencies, languages, messages, carts, productCatalogModel."""
        return _object(self._call("GET", "").json)

    def page(self, query: Query) -> Rows:
        """The first `limit` of what fits, without counting; the limit is halved, and stays so, while an answer would be too large."""
        while True:
            limit = self.limit_of(query)
            params = (*_params(query), ("limit", str(limit)), ("withTotal", "false"))
            try:
                return _results(self._call("GET", query.path, params).json, limit)
            except TooLarge:
                if limit == 1:
                    raise
                self._limits[query.path] = limit // 2

    def limit_of(self, query: Query) -> int:
        """How many rows a page of this collection holds now, after what commercetools found too large."""
        return min(query.limit, self._limits.get(query.path, MOST))

    def count(self, query: Query) -> int | None:
        """How many fit; commercetools counts no further than 10,000 where a predicate is used."""
        total = _object(self._call("GET", query.path, (*_params(query), ("limit", "0"), ("withTotal", "true"))).json).get("total")
        return total if isinstance(total, int) else None

    def one(self, path: str, *, expand: Sequence[str] = ()) -> JsonObject | None:
        """One resource by its path ("/orders/<id>"), None where there is none."""
        try:
            return _object(self._call("GET", path, [("expand", entry) for entry in expand]).json)
        except Refused as fault:
            if fault.code in (NOT_FOUND, "404"):
                return None
            raise

    def each(self, path: str, ids: Sequence[str], *, expand: Sequence[str] = ()) -> Iterator[tuple[str, JsonObject | None]]:
        """Each id with its resource as it is now, None where there is none; eight at a time, in the order asked."""
        params = [("expand", entry) for entry in expand]
        with ThreadPoolExecutor(PARALLEL) as pool:
            for start in range(0, len(ids), PARALLEL):
                batch = ids[start : start + PARALLEL]
                self._pacer.take(READ, len(batch))
                sent = [pool.submit(self._send, "GET", f"{path}/{quote(key, safe='')}", params) for key in batch]
                answers = [_answer(call.exception(), call) for call in sent]
                for key, answer in zip(batch, answers, strict=True):
                    if isinstance(answer, SlowDown):
                        raise self._throttles.slow_down(READ, answer) from answer
                    if isinstance(answer, Exception):
                        raise answer
                    self._answered(READ, answer)
                    yield key, None if answer is None else _object(answer.json)

    def among(self, query: Query, ids: Sequence[str]) -> Iterator[JsonObject]:
        """Those of a collection whose id is among these, as queries show them now; 100 in one call."""
        for start in range(0, len(ids), MAX_IN):
            batch = list(ids[start : start + MAX_IN])
            part = Query(
                path=query.path, where=(*query.where, Where("id in :ids", {"ids": batch})), expand=query.expand, more=query.more,
                limit=len(batch),
            )  # fmt: skip
            rows = self.page(part).rows
            yield from rows
            if self.limit_of(part) < len(batch):  # too large for one answer: what is left is read id by id
                seen = {str(row.get("id")) for row in rows}
                rest = [key for key in batch if key not in seen]
                yield from (row for _, row in self.each(query.path, rest, expand=query.expand) if row is not None)

    # --- writing ------------------------------------------------------------------------------------------------------------

    def update(self, path: str, build: Build) -> JsonObject | None:
        """Change a resource by what `build` makes of its present state; None where there is none, unchanged when there is nothing to do.

        When somebody else was faster it is read again and decided anew, five times at most: actions are never sent twice unseen.
        """
        for turn in range(TRIES):
            held = self.one(path)
            actions = list(build(held)) if held is not None else []
            if held is None or not actions:
                return held
            if len(actions) > MAX_ACTIONS:
                raise Refused(f"commercetools takes {MAX_ACTIONS} changes at once, these are {len(actions)}.", code="too_many_actions")
            try:
                return self.post(path, {"version": held["version"], "actions": actions})
            except Conflict:
                if turn == TRIES - 1:
                    raise
                time.sleep(random.uniform(0.0, 0.1 * 2**turn))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    def post(self, path: str, body: JsonObject) -> JsonObject:
        """Create, or change by version; returns the resource."""
        return _object(self._call("POST", path, body=body, group=WRITE).json)

    def delete(self, path: str, version: int) -> JsonObject:
        """Delete a resource at this version; returns what it was."""
        return _object(self._call("DELETE", path, [("version", str(version))], group=WRITE).json)

    # --- the call -----------------------------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, params: Params = (), *, body: JsonObject | None = None, group: str = READ) -> Reply:
        self._pacer.take(group)
        try:
            reply = self._send(method, path, params, body)
        except SlowDown as refusal:
            raise self._throttles.slow_down(group, refusal) from refusal
        self._answered(group, reply)
        return reply

    def _send(self, method: str, path: str, params: Params, body: JsonObject | None = None) -> Reply:
        """The call itself; may run beside others, so it touches nothing that they share."""
        address = f"{self.project}{path}?{urlencode(params, quote_via=quote, safe='')}" if params else f"{self.project}{path}"
        content = None if body is None else orjson.dumps(body)
        return self._http.request(method, address, data=content, headers={CORRELATION: f"{self._run}-{uuid4()}"})

    def _answered(self, group: str, reply: Reply | None) -> None:
        self._throttles.answered(group)
        if reply is None:
            return
        self.deprecation = reply.headers.get(DEPRECATION) or self.deprecation
        with suppress(TypeError, ValueError):
            self.server_time = parsedate_to_datetime(reply.headers.get("Date", "")).astimezone(UTC)
            self.ahead = (self.server_time - datetime.now(UTC)).total_seconds()


def _params(query: Query) -> tuple[tuple[str, str], ...]:
    where = [pair for part in query.where for pair in part.params()]
    return (*where, *(("sort", entry) for entry in query.sort), *(("expand", entry) for entry in query.expand), *query.more)


def _answer(fault: BaseException | None, call: Any) -> Reply | Exception | None:
    """What one of several calls brought: an answer, nothing where there is no such resource, or its fault."""
    if fault is None:
        return call.result()
    if isinstance(fault, Refused) and fault.code in (NOT_FOUND, "404"):
        return None
    return fault if isinstance(fault, Exception) else TryLater(str(fault))


def _object(answer: Any) -> JsonObject:
    if not isinstance(answer, dict):
        raise TryLater("commercetools' answer was no object", code="no_object")
    return answer


def _results(answer: Any, limit: int) -> Rows:
    """The rows of a page; commercetools says itself which limit it kept to."""
    rows, kept = _object(answer).get("results"), answer.get("limit")
    if not isinstance(rows, list):
        raise TryLater("commercetools' answer held no results", code="no_results")
    return Rows([row for row in rows if isinstance(row, dict)], len(rows) >= (kept if isinstance(kept, int) else limit) > 0)
