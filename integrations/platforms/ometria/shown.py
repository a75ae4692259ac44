"""What pages of reads have shown a moment ago: pushes that follow each other are on the same pages."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from integrations.platforms.base import JsonObject

FRESH = 0.9  # seconds; less than the age of the youngest push that is asked about, so that what was shown is never older than it


class Shown:
    """Stored objects by kind and destination key, for less than a second."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[float, dict[str, JsonObject]]] = {}

    def note(self, kind: str, rows: Mapping[str, JsonObject]) -> None:
        """Keep a page that was just read."""
        until, known = self._pages.get(kind, (0.0, {}))
        if time.monotonic() >= until:
            until, known = time.monotonic() + FRESH, {}
        known.update(rows)
        self._pages[kind] = until, known

    def of(self, kind: str, keys: Collection[str]) -> dict[str, JsonObject]:
        """Those of these objects that were on a page."""
        until, known = self._pages.get(kind, (0.0, {}))
        return {key: known[key] for key in keys if key in known} if time.monotonic() < until else {}
