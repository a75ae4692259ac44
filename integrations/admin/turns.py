"""An export holds a thread of the console for as long as it leaves; only a few do so at a time, so that the pages stay quick."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from types import TracebackType
from weakref import WeakSet

AT_ONCE = 2  # of each process; the threads of the console are `CONSOLE_THREADS`
LONGEST = 900.0  # seconds; a download on which nobody reads (a machine that sleeps) keeps the others waiting no longer


class Turn:
    """The place of one export among those under way, from its making until the end of the `with` in which its rows are read.

    One that is dropped before it began (the caller went away) counts no more, either.
    """

    def __init__(self) -> None:
        self.began = monotonic()

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        with _lock:
            _under_way.discard(self)


_lock = Lock()
_under_way: WeakSet[Turn] = WeakSet()


def take_turn() -> Turn | None:
    """A place for one more export; None while there are as many as may be."""
    with _lock:
        now = monotonic()
        if sum(now - turn.began < LONGEST for turn in _under_way) >= AT_ONCE:
            return None
        turn = Turn()
        _under_way.add(turn)
        return turn
