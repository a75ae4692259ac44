"""Looking at what Ometria holds: single objects, and many at once within a small budget of reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from itertools import count, pairwise

from integrations.platforms.base import JsonObject, Sent
from integrations.platforms.ometria.client import MAX_PAGE, OmetriaClient
from integrations.platforms.ometria.keys import destination_key, split
from integrations.platforms.ometria.moments import changed_at, moment_of

MAX_READS = 5  # per call of `look`, of the account's four reads a second
PAGE_READS = 4  # of those on pages
MARGIN = timedelta(seconds=5)  # windows reach this much further back than the push
CLOCK = timedelta(seconds=1)  # what is lost of Ometria's clock in a Date header
FEEDS = frozenset({"contact"})  # kinds that are found by no other time than that of their last change

Rows = list[JsonObject]
Pages = Callable[[OmetriaClient, Sequence[Sent], datetime], Iterator[Rows]]


def read_one(client: OmetriaClient, kind: str, key: str) -> JsonObject | None:
    """The stored object of a destination key, None when Ometria has none."""
    return SINGLE[kind](client, key)


def look(client: OmetriaClient, kind: str, sent: Sequence[Sent], since: datetime) -> dict[str, JsonObject]:
    """Stored objects by destination key, as far as at most five reads show them; `since` is when they were pushed."""
    missing = {item.destination_key for item in sent}
    found = client.shown.of(kind, missing, since - CLOCK)
    missing -= found.keys()
    left = MAX_READS
    if len(missing) > 1 and kind in PAGES:
        for page in PAGES[kind](client, sent, since - MARGIN):
            left -= 1
            rows = {destination_key(kind, row): row for row in page}
            client.shown.note(kind, rows)
            shown = {key: rows[key] for key in missing & rows.keys()}
            found.update(shown)
            missing -= shown.keys()
            useless = not shown and len(page) == MAX_PAGE and kind not in FEEDS
            if not missing or left == MAX_READS - PAGE_READS or useless:
                break
        else:  # the pages ended: what was not among them is not there yet
            return found
    for key in sorted(missing)[:left]:
        stored = read_one(client, kind, key)
        if stored is not None:
            found[key] = stored
    return found


def _paged(read: Callable[[int], Rows]) -> Iterator[Rows]:
    """Pages at growing offsets until a short one."""
    for offset in count(0, MAX_PAGE):
        page = read(offset)
        yield page
        if len(page) < MAX_PAGE:
            return


def _contact_pages(client: OmetriaClient, sent: Sequence[Sent], since: datetime) -> Iterator[Rows]:
    """Read on from where the last look ended: more listings may have changed since the push than a look can read."""
    for collection in sorted({split(item.destination_key)[0] for item in sent}):
        feed = client.shown.feed("contact", collection)
        for place in feed.places(since):
            page = client.contacts(collection, since=place.moment, offset=place.offset)
            feed.note([(destination_key("contact", row), changed_at(row), row) for row in page])
            yield page
            if len(page) < MAX_PAGE:
                break


def _order_pages(client: OmetriaClient, sent: Sequence[Sent], since: datetime) -> Iterator[Rows]:
    """By order time when the payloads tell it, because a batch is close together there; else by update time."""
    times = [moment for item in sent if (moment := moment_of((item.payload or {}).get("timestamp"))) and MINYEAR < moment.year < MAXYEAR]
    windows = _windows(sorted(times)) if len(times) == len(sent) else [("update", since, None)]
    for window in windows:
        yield from _paged(lambda offset, window=window: client.orders(*window, offset=offset))


def _windows(times: Sequence[datetime]) -> list[tuple[str, datetime, datetime]]:
    """Where to look for orders of these times: in one span, or in two when history and live orders travelled together."""
    second = timedelta(seconds=1)
    gaps = [(after - before, place) for place, (before, after) in enumerate(pairwise(times), start=1)]
    widest, place = max(gaps, default=(timedelta(), 0))
    parts = (times[:place], times[place:]) if widest > (times[-1] - times[0]) / 2 else (times,)
    return [("timestamp", part[0] - second, part[-1] + second) for part in parts]


def _product_pages(client: OmetriaClient, sent: Sequence[Sent], since: datetime) -> Iterator[Rows]:
    return _paged(lambda offset: client.products(offset=offset))


PAGES: Mapping[str, Pages] = {"contact": _contact_pages, "order": _order_pages, "product": _product_pages}
SINGLE: Mapping[str, Callable[[OmetriaClient, str], JsonObject | None]] = {
    "contact": lambda client, key: client.contact(*split(key)),
    "order": lambda client, key: client.order(key),
    "product": lambda client, key: client.product(key),
    "custom_event": lambda client, key: client.custom_event(*split(key)),
}
