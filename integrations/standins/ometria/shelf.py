"""Stored records: compact entries in the two orders the API can read them in."""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import count, takewhile
from math import inf
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


K = TypeVar("K", bound=Hashable)
E = TypeVar("E", bound=Entry)


class Shelf(Generic[K, E]):
    """Entries by key, in order of first arrival and in order of last change."""

    def __init__(self) -> None:
        self._entries: dict[K, E] = {}
        self._changed: dict[K, None] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> E | None:
        """The entry, or None."""
        return self._entries.get(key)

    def put(self, key: K, entry: E) -> None:
        """Store or replace; the key moves to the end of the order of changes."""
        self._entries[key] = entry
        self._changed.pop(key, None)
        self._changed[key] = None

    def remove(self, key: K) -> E | None:
        """Take the entry away, if there is one."""
        self._changed.pop(key, None)
        return self._entries.pop(key, None)

    def items(self) -> Iterator[tuple[K, E]]:
        """In order of first arrival."""
        return iter(self._entries.items())

    def items_by_change(self, since: float = -inf) -> Iterator[tuple[K, E]]:
        """Least recently changed first; those since a moment where no change is ever dated back."""
        latest = takewhile(lambda row: row[1].updated >= since, ((key, self._entries[key]) for key in reversed(self._changed)))
        return reversed(list(latest))


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
