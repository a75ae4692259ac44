"""When something counts as changed: only what lasts is told, so that what flutters is told once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts.watches import Watch


@dataclass(frozen=True, slots=True)
class Standing:
    """How a condition stands: what people believe (`wrong`), what was last seen (`raw`), and since when that is seen."""

    wrong: bool
    raw: bool
    raw_since: datetime


def settled(before: Standing | None, raw: bool, now: datetime, watch: Watch) -> Standing:
    """The standing after one more look; what is new must last for the watch's `settle` or `calm` before people believe it."""
    known = before or Standing(False, False, now)
    since = known.raw_since if raw == known.raw else now
    patience = watch.settle if raw else watch.calm
    return Standing(raw if now - since >= patience else known.wrong, raw, since)
