"""Rows of one shop by id: those that lived, and rows of a filler that are made only when somebody looks."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime
from heapq import merge
from typing import Any, Generic, Protocol, TypeVar

Row = TypeVar("Row")


class Filler(Protocol[Row]):
    """Many rows computed from their index; ids and every time rise with the index."""

    first_id: int
    count: int

    def make(self, index: int) -> Row:
        """The row at an index, always the same."""

    def moment(self, index: int) -> datetime:
        """When that row was made and last changed."""


class Missing(LookupError):
    """The shop has no such object."""


class Table(Generic[Row]):
    """Rows by numeric id; ``own`` before changing one, because filler rows are made anew at each look."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.live: dict[int, Row] = {}
        self.filler: Filler[Row] | None = None
        self._gone: set[int] = set()

    def get(self, key: int) -> Row | None:
        """The row, or None when there is none."""
        row = self.live.get(key)
        if row is None and self.filler is not None and key not in self._gone and 0 <= key - self.filler.first_id < self.filler.count:
            return self.filler.make(key - self.filler.first_id)
        return row

    def own(self, key: int) -> Row:
        """The row, kept from now on; raises Missing."""
        row = self.get(key)
        if row is None:
            raise Missing(f"No {self.name} {key} in this shop.")
        self.live[key] = row
        return row

    def put(self, key: int, row: Row) -> None:
        """Store a row under its id."""
        self.live[key] = row

    def remove(self, key: int) -> None:
        """Forget a row; raises Missing."""
        if self.get(key) is None:
            raise Missing(f"No {self.name} {key} in this shop.")
        self.live.pop(key, None)
        self._gone.add(key)

    def __len__(self) -> int:
        return len(self.live) + self._filler_count()

    def __iter__(self) -> Iterator[Row]:
        yield from list(self.live.values())
        yield from self.filled()

    def filled(self, start: int = 0, stop: int | None = None, *, reverse: bool = False) -> Iterator[Row]:
        """Filler rows from start up to stop (indexes) that nobody has changed or removed."""
        if self.filler is None:
            return
        indexes = range(max(start, 0), self.filler.count if stop is None else min(stop, self.filler.count))
        for index in reversed(indexes) if reverse else indexes:
            key = self.filler.first_id + index
            if key not in self.live and key not in self._gone:
                yield self.filler.make(index)

    def ordered(self, key: Callable[[Row], Any], *, low: datetime | None = None, reverse: bool = False) -> Iterator[Row]:
        """All rows by a sort key that rises with the filler's index; ``low`` lets the filler begin at that time."""
        rows = list(self.live.values())  # copied first: others may add rows meanwhile
        rows.sort(key=key, reverse=reverse)
        if self.filler is None:
            return iter(rows)
        start = self.index_at(low) if low is not None else 0
        return merge(rows, self.filled(start, reverse=reverse), key=key, reverse=reverse)

    def index_at(self, moment: datetime) -> int:
        """Index of the filler's first row at or after a moment."""
        return bisect_left(_Moments(self.filler), moment) if self.filler is not None else 0

    def taken(self) -> set[int]:
        """Ids of filler rows that were changed or removed and so are no longer the filler's."""
        if self.filler is None:
            return set()
        first, count = self.filler.first_id, self.filler.count
        return {key for key in self._gone | self.live.keys() if 0 <= key - first < count}

    def clear(self) -> None:
        """Forget every row."""
        self.live.clear()
        self._gone.clear()
        self.filler = None

    def _filler_count(self) -> int:
        if self.filler is None:
            return 0
        return self.filler.count - len(self.taken())


class _Moments:
    """A filler's times as the sorted sequence that bisect wants."""

    def __init__(self, filler: Filler[Any]) -> None:
        self._filler = filler

    def __len__(self) -> int:
        return self._filler.count

    def __getitem__(self, index: int) -> datetime:
        return self._filler.moment(index)
