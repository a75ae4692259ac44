"""Rows in the order of one of their times, so that a window is found without looking at all of them."""

from bisect import bisect_left, insort


class SortedIndex:
    """(time, id) pairs in order; the caller holds the lock."""

    def __init__(self) -> None:
        self._pairs: list[tuple[int, str]] = []

    def move(self, before: int | None, after: int, key: str) -> None:
        """Put a key at a time, away from where it was."""
        if before == after:
            return
        if before is not None:
            del self._pairs[bisect_left(self._pairs, (before, key))]
        pair = (after, key)
        if not self._pairs or self._pairs[-1] < pair:
            self._pairs.append(pair)
        else:
            insort(self._pairs, pair)

    def slice(self, ge: int | None, lt: int | None) -> list[tuple[int, str]]:
        """The pairs with times in [ge, lt)."""
        begin = 0 if ge is None else bisect_left(self._pairs, (ge, ""))
        return self._pairs[begin : None if lt is None else bisect_left(self._pairs, (lt, ""))]
