"""Unsubscribes made at Ometria, in windows of at most a day: the one dated statement of consent that Ometria gives out.

Those made through the API are not listed and neither are re-subscriptions; rows carry no id (Unsubscribe API page).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.errors import Unparsable
from integrations.platforms.ometria.client import OmetriaClient
from integrations.platforms.values import text

SHAPE = "unsubscribe"
PROFILE_KEY, SEEN_KEY = "_profile", "_seen_at"  # written into the row: who it is about, and when we read it
STOP_WORD = "stopword_unsubscribe"  # prefix of every text message type; the documented endings may be longer
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
NEAR = timedelta(minutes=15)  # a window that ends so shortly before now was meant to end now
ROUND = 10  # an answer whose length is a multiple of this may be a full page: the next one is asked for
LOOK_UPS = 40  # profiles read for one page of rows, ten seconds of the account's reads


class Place(NamedTuple):
    """Where a row stands among the others: by its time, then by its key."""

    at: str
    key: str


def pull_unsubscribes(client: OmetriaClient, window: Window, cursor: str | None) -> Page:
    """One page: the rows of a day, or those of them whose people could be looked up. The cursor is a time, and the last row's place."""
    state = orjson.loads(cursor) if cursor else {"from": window.since.isoformat(), "after": None}
    since = datetime.fromisoformat(state["from"])
    before = min(since + DAY, _end(window, client))
    if since >= before:
        return Page()
    listed = {place_of(row): row for row in rows_between(client, since, before)}
    waiting = sorted(place for place in listed if state["after"] is None or place > Place(*state["after"]))
    taken = _affordable(waiting, listed)
    seen = client.now()
    objects = tuple(raw_object(listed[place], _profile(client, listed[place]), seen=seen) for place in taken)
    rest: dict[str, object] | None = None
    if len(taken) < len(waiting):
        rest = {"from": since.isoformat(), "after": list(taken[-1])}
    elif before < _end(window, client) - SECOND:
        rest = {"from": before.isoformat(), "after": None}
    note = f"{len(objects)} unsubscribes until {before:%Y-%m-%d %H:%M} UTC"
    return Page(objects=objects, cursor=orjson.dumps(rest).decode() if rest else None, note=note)


def rows_between(client: OmetriaClient, since: datetime, before: datetime) -> list[JsonObject]:
    """All rows of a window, however the account pages them: pages are asked for until one brings nothing new."""
    found: dict[Place, JsonObject] = {}
    offset = 0
    while True:
        rows = client.unsubscribes(since, before, offset=offset)
        fresh = {place_of(row): row for row in rows if place_of(row) not in found}
        found |= fresh
        offset += len(rows)
        if not fresh or len(rows) % ROUND:
            return list(found.values())


def place_of(row: JsonObject) -> Place:
    """The place of a row; its key is a hash of profile, type and time, because Ometria gives none."""
    parts = [text(row, name) for name in ("profile_id", "type", "timestamp")]
    return Place(parts[2], hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32])


def raw_object(row: JsonObject, profile: JsonObject | None, *, seen: datetime) -> RawObject:
    """The row with its profile, where that was read, and the moment of reading."""
    return RawObject(SHAPE, {**row, PROFILE_KEY: profile, SEEN_KEY: seen.isoformat()})


def moment_of(row: JsonObject) -> datetime:
    """The time of a row, written like "2026-01-09 22:08:07+00"; raises Unparsable."""
    written = text(row, "timestamp")
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise Unparsable(f"timestamp is no time: {written[:40]!r}") from fault


def needs_profile(row: JsonObject) -> bool:
    """Whether a row alone does not say who it is: text message rows have no address, and a phone number none has."""
    return not text(row, "email_address") or text(row, "type").startswith(STOP_WORD)


def _end(window: Window, client: OmetriaClient) -> datetime:
    """Where a window ends: one up to now by our clock ends with this second by Ometria's, which is known from its first answer on."""
    now = client.now() + SECOND
    if window.until is None:
        return now
    return max(window.until, now) if now - window.until < NEAR else window.until


def _profile(client: OmetriaClient, row: JsonObject) -> JsonObject | None:
    return client.profile(text(row, "profile_id")) if needs_profile(row) and text(row, "profile_id") else None


def _affordable(places: Sequence[Place], listed: dict[Place, JsonObject]) -> list[Place]:
    """The first places whose people can be looked up within one page's share of the budget."""
    return list(_until_spent(places, listed))


def _until_spent(places: Iterable[Place], listed: dict[Place, JsonObject]) -> Iterable[Place]:
    left = LOOK_UPS
    for place in places:
        left -= needs_profile(listed[place])
        if left < 0:
            return
        yield place
