"""Stored records: compact entries in the two orders the API can read them in."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
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

    def items_by_change(self) -> Iterator[tuple[K, E]]:
        """Least recently changed first."""
        return ((key, self._entries[key]) for key in self._changed)
