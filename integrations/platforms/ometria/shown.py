"""What pages of reads have shown a moment ago: pushes that follow each other are on the same pages."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.platforms.base import JsonObject

FRESH = 0.9  # seconds; less than the age of the youngest push that is asked about, so that what was shown is never older than it
KEPT = 3.0  # seconds, at least, for which the objects of a feed are remembered


class Shown:
    """Stored objects by kind and destination key: of any page for less than a second, of feeds for as long as they had changed since."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[float, dict[str, JsonObject]]] = {}
        self._feeds: defaultdict[str, dict[str, Feed]] = defaultdict(dict)

    def note(self, kind: str, rows: Mapping[str, JsonObject]) -> None:
        """Keep a page that was just read."""
        until, known = self._pages.get(kind, (0.0, {}))
        if time.monotonic() >= until:
            until, known = time.monotonic() + FRESH, {}
        known.update(rows)
        self._pages[kind] = until, known

    def of(self, kind: str, keys: Collection[str], since: datetime) -> dict[str, JsonObject]:
        """Those of these objects that were on a page, as they are since a moment."""
        until, known = self._pages.get(kind, (0.0, {}))
        found = {key: known[key] for key in keys if key in known} if time.monotonic() < until else {}
        for feed in self._feeds[kind].values():
            found |= feed.of(keys, since)
        return found

    def feed(self, kind: str, name: str) -> Feed:
        """The feed of this name, begun when there is none."""
        return self._feeds[kind].setdefault(name, Feed())


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read on in order of change: from a moment, leaving out so many."""

    moment: datetime
    offset: int = 0


class Feed:
    """Objects in order of their last change, read on from where the last look ended, so that in a long run each is read about once."""

    def __init__(self) -> None:
        self._begun: datetime | None = None  # what changed from then on was read, up to the place
        self._place: Place | None = None
        self._turned = 0.0
        self._known: dict[str, tuple[datetime, JsonObject]] = {}
        self._older: dict[str, tuple[datetime, JsonObject]] = {}

    def of(self, keys: Collection[str], since: datetime) -> dict[str, JsonObject]:
        """Those of these objects that were read lately and had changed since a moment."""
        found = {key: self._known.get(key) or self._older.get(key) for key in keys}
        return {key: seen[1] for key, seen in found.items() if seen is not None and seen[0] >= since}

    def places(self, since: datetime) -> Iterator[Place]:
        """Where to read what changed since a moment and was not read yet; moves on with what is noted, ends where nothing moves it."""
        if self._begun is None or self._place is None or since < self._begun or self._place.moment < since:
            self._begun, self._place = since, Place(since)
        former = None
        while self._place != former:
            former = self._place
            yield former

    def note(self, page: Sequence[tuple[str, datetime | None, JsonObject]]) -> None:
        """Keep a page that was read at the place: key, time of change and object; a page that does not tell times moves nothing."""
        times = [changed_at for _, changed_at, _ in page if changed_at is not None]
        if not times or len(times) < len(page) or self._place is None:
            return
        if time.monotonic() >= self._turned + KEPT:
            self._known, self._older, self._turned = {}, self._known, time.monotonic()
        self._known.update((key, (changed_at, row)) for key, changed_at, row in page if changed_at is not None)
        latest = max(times)
        onward = latest > self._place.moment
        self._place = Place(latest, times.count(latest)) if onward else Place(self._place.moment, self._place.offset + len(page))
