"""Stored records: compact entries in the two orders the API can read them in."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import count
from math import inf
from operator import itemgetter
from typing import Generic, TypeVar

import orjson

from integrations.standins.ometria.consent import Voice


@dataclass(slots=True)
class Entry:
    """One stored record as JSON bytes (a parsed one takes five times the memory) and what reads ask for."""

    raw: bytes
    created: float
    updated: float
    version: int = 1
    profile_id: str | None = None

    def record(self) -> dict:
        """A fresh copy of the stored record."""
        return orjson.loads(self.raw)


@dataclass(slots=True)
class ListingEntry(Entry):
    """A contact: one listing of a person in a collection."""

    email: str | None = None
    phone: str | None = None
    customer_id: str | None = None
    voice: Voice = field(default_factory=Voice)


@dataclass(slots=True)
class OrderEntry(Entry):
    """An order; ``placed`` in seconds since 1970, ``total`` as pushed, ``units`` over all lines."""

    placed: float = 0.0
    email: str | None = None
    customer_id: str | None = None
    valid: bool = True
    total: float = 0.0
    units: int = 0


@dataclass(slots=True)
class ProductEntry(Entry):
    """A product or variant."""

    variant: bool = False
    active: bool = True


SPARE = 1000  # void rows of a log of changes that may stand beside as many as are valid
K = TypeVar("K", bound=Hashable)
E = TypeVar("E", bound=Entry)


class Shelf(Generic[K, E]):
    """Entries by key, in order of first arrival and in order of last change.

    The order of changes is a log of key and latest time so far, which only grows: a change of the same key later makes a row void.
    """

    def __init__(self) -> None:
        self._entries: dict[K, E] = {}
        self._log: list[tuple[float, K]] = []
        self._row: dict[K, int] = {}  # of the last change of each key

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> E | None:
        """The entry, or None."""
        return self._entries.get(key)

    def put(self, key: K, entry: E) -> None:
        """Store or replace; the key moves to the end of the order of changes."""
        self._entries[key] = entry
        self._row[key] = len(self._log)
        self._log.append((max(entry.updated, self._log[-1][0] if self._log else -inf), key))
        if len(self._log) > 2 * len(self._entries) + SPARE:
            self._log = [row for number, row in enumerate(self._log) if self._row.get(row[1]) == number]
            self._row = {key: number for number, (_, key) in enumerate(self._log)}

    def remove(self, key: K) -> E | None:
        """Take the entry away, if there is one."""
        self._row.pop(key, None)
        return self._entries.pop(key, None)

    def items(self) -> Iterator[tuple[K, E]]:
        """In order of first arrival."""
        return iter(self._entries.items())

    def items_by_change(self, since: float = -inf) -> Iterator[tuple[K, E]]:
        """Least recently changed first, those that changed since a moment."""
        for number in range(bisect_left(self._log, since, key=itemgetter(0)), len(self._log)):
            key = self._log[number][1]
            if self._row.get(key) == number and (entry := self._entries[key]).updated >= since:
                yield key, entry


class OrderShelf(Shelf[str, OrderEntry]):
    """Orders, found by when they were placed without a look at every one."""

    def __init__(self) -> None:
        super().__init__()
        self._number = count()
        self._arrived: dict[str, int] = {}
        self._placed: list[tuple[float, int, str]] = []

    def put(self, key: str, entry: OrderEntry) -> None:
        """Store or replace; an order may have been given another time."""
        self._forget(key)
        number = self._arrived.setdefault(key, next(self._number))
        insort(self._placed, (entry.placed, number, key))
        super().put(key, entry)

    def remove(self, key: str) -> OrderEntry | None:
        """Take the order away, if there is one."""
        self._forget(key)
        self._arrived.pop(key, None)
        return super().remove(key)

    def placed_between(self, first: float, after: float) -> Iterator[tuple[str, OrderEntry]]:
        """Orders placed from `first` until before `after`, in order of first arrival."""
        rows = self._placed[bisect_left(self._placed, (first,)) : bisect_left(self._placed, (after,))]
        return ((key, self._entries[key]) for _, key in sorted(row[1:] for row in rows))

    def _forget(self, key: str) -> None:
        former = self._entries.get(key)
        if former is not None:
            del self._placed[bisect_left(self._placed, (former.placed, self._arrived[key]))]
