"""(value, id) pairs in order, so that a window or a next page is found without looking at all of them."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator

BEHIND_ALL = "\U0010ffff"


class SortedPairs:
    """Pairs in order; the caller holds the lock."""

    def __init__(self) -> None:
        self._pairs: list[tuple[str, str]] = []

    def add(self, value: str, key: str) -> None:
        """Put one in."""
        pair = (value, key)
        if not self._pairs or self._pairs[-1] < pair:
            self._pairs.append(pair)
        else:
            insort(self._pairs, pair)

    def add_many(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Put many in at once."""
        self._pairs.extend(pairs)
        self._pairs.sort()

    def remove(self, value: str, key: str) -> None:
        """Take one out."""
        del self._pairs[bisect_left(self._pairs, (value, key))]

    def span(self, low: str | None, high: str | None) -> tuple[int, int]:
        """Where the values from ``low`` to ``high`` are, both included."""
        begin = 0 if low is None else bisect_left(self._pairs, (low, ""))
        return begin, len(self._pairs) if high is None else bisect_right(self._pairs, (high, BEHIND_ALL))

    def keys(self, begin: int, end: int, *, backwards: bool = False) -> Iterator[str]:
        """Their ids in order."""
        places = range(end - 1, begin - 1, -1) if backwards else range(begin, end)
        return (self._pairs[place][1] for place in places)
