"""Is a segment as it should be? One answer and its reasons in plain words, from plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from integrations.words import plural, span

FEWEST = 3  # readings before anything is usual
USUAL_DAYS = 14  # the rolling median looks back so far
SMALL = 3  # people; a smaller difference is noise whatever its share
TONES = {
    "unread": "quiet", "healthy": "good", "absent": "bad", "not_ready": "warn", "empty": "bad", "stale": "warn", "shrunk": "bad",
    "grown": "warn", "drifted": "warn",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A segment at one moment, with what it is compared with and the thresholds that somebody chose."""

    now: datetime
    present: bool
    ready: bool = True
    status: str = ""
    size: int | None = None
    refreshed_at: datetime | None = None
    usual: int | None = None
    expected: int | None = None
    median_percent: int = 20
    drift_percent: int = 10
    stale_days: int = 8


def usual_size(sizes: Sequence[int]) -> int | None:
    """The rolling median; None while there are too few readings to know what is usual."""
    return median_low(sizes) if len(sizes) >= FEWEST else None


def verdict(seen: Seen) -> tuple[str, list[str]]:
    """The gravest answer that fits, and a sentence for each thing that is wrong."""
    found = [(answer, text) for answer, check in CHECKS if (text := check(seen))]
    if seen.present and seen.size is None and not found:
        return "unread", ["Ometria names no size yet."]
    return (found[0][0], [text for _, text in found]) if found else ("healthy", [])


def share_words(size: int, base: int) -> str:
    """ "120 more (+24 %)": a size against what it is compared with; a share that rounds to nothing is left out."""
    gap = size - base
    if not gap:
        return "as many"
    percent = round(100 * gap / base) if base else 0
    share = f" ({percent:+d}\u00a0%)" if percent else ""  # a line does not break before the sign
    return f"{abs(gap):,} {'more' if gap > 0 else 'fewer'}{share}"


def _beyond(size: int | None, base: int | None, percent: int) -> bool:
    if size is None or base is None:
        return False
    gap = abs(size - base)
    return gap >= SMALL and gap * 100 > percent * base


def _absent(seen: Seen) -> str:
    return "" if seen.present else "Ometria does not list this segment any more: it was deleted, or the account is another one now."


def _not_ready(seen: Seen) -> str:
    if not seen.present or seen.ready:
        return ""
    return f"Ometria says its status is {seen.status or 'empty'}, not READY: the people in it are not worked out."


def _empty(seen: Seen) -> str:
    return "Nobody is in it." if seen.present and seen.size == 0 else ""


def _shrunk(seen: Seen) -> str:
    if not (seen.present and seen.size and _beyond(seen.size, seen.usual, seen.median_percent) and seen.size < seen.usual):
        return ""
    return f"{plural(seen.size, 'person is', 'people are')} in it, {share_words(seen.size, seen.usual)} than usual."


def _grown(seen: Seen) -> str:
    if not (seen.present and seen.size and _beyond(seen.size, seen.usual, seen.median_percent) and seen.size > seen.usual):
        return ""
    return f"{seen.size:,} people are in it, {share_words(seen.size, seen.usual)} than usual."


def _stale(seen: Seen) -> str:
    if not seen.present or seen.refreshed_at is None or seen.now - seen.refreshed_at <= timedelta(days=seen.stale_days):
        return ""
    since = span((seen.now - seen.refreshed_at).total_seconds())
    return f"Ometria refreshed it {since} ago; even the slowest segments are refreshed once a week."


def _drifted(seen: Seen) -> str:
    if not (seen.present and _beyond(seen.size, seen.expected, seen.drift_percent)):
        return ""
    return f"Our own records expect {plural(seen.expected, 'person', 'people')}; Ometria has {share_words(seen.size, seen.expected)}."


CHECKS: tuple[tuple[str, Callable[[Seen], str]], ...] = (
    ("absent", _absent), ("empty", _empty), ("not_ready", _not_ready), ("shrunk", _shrunk), ("stale", _stale), ("drifted", _drifted),
    ("grown", _grown),
)  # fmt: skip
