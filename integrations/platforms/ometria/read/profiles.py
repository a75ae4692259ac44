"""Profiles that changed: whether a person is subscribed now. Ometria says neither when that came about nor why.

So a profile is an observation, not a statement: it opts nobody in by itself. Moves between segments are no changes (Profiles API page).
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from integrations.platforms.base import JsonObject, Page, RawObject, Window
from integrations.platforms.errors import TryLater
from integrations.platforms.ometria.client import MAX_PAGE, OmetriaClient

SHAPE = "profile"
SEEN_KEY = "_seen_at"
OVERLAP = 10  # rows read again with the next page: a profile that changes while we page moves to the end, and all others one place up


def pull_profiles(client: OmetriaClient, window: Window, cursor: str | None) -> Page:
    """One page of up to 250 profiles, least recently changed first; raises TryLater when Ometria repeats a page."""
    state = orjson.loads(cursor) if cursor else {"offset": 0, "first": ""}
    asked = datetime.now(UTC)
    rows = client.profiles(since=window.since, offset=state["offset"], limit=MAX_PAGE)
    seen = client.by_its_clock(asked)
    full = len(rows) >= MAX_PAGE
    first = str(rows[0].get("id", "")) if rows else ""
    if full and first == state["first"]:
        raise TryLater("Ometria repeated a page of profiles: the window is read again", code="cursor_loop")
    rest = {"offset": state["offset"] + len(rows) - OVERLAP, "first": first}
    objects = tuple(raw_object(row, seen=seen) for row in rows)
    return Page(objects=objects, cursor=orjson.dumps(rest).decode() if full else None, note=f"{len(rows)} profiles looked at")


def raw_object(profile: JsonObject, *, seen: datetime) -> RawObject:
    """The profile with the moment before it was read: it has no time of its own."""
    return RawObject(SHAPE, {**profile, SEEN_KEY: seen.isoformat()})
