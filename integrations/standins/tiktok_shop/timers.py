"""Things that are due at a moment of the stand-in's clock: holds that end, retries, warnings."""

import heapq
import threading
from collections.abc import Callable
from itertools import count

from integrations.standins.clock import Clock

Act = Callable[[], None]


class Timers:
    """Runs what is due, at every ``run_due`` and from a thread of its own, under the lock of the whole stand-in."""

    def __init__(self, clock: Clock, lock: threading.RLock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Act]] = []
        self._order = count()
        self._wake = threading.Condition(lock)
        self._thread: threading.Thread | None = None
        self._open = True

    def at(self, moment: float, act: Act) -> None:
        """Do something at a moment in seconds since 1970, at once if that is past."""
        with self._wake:
            if not self._open:
                return
            heapq.heappush(self._due, (moment, next(self._order), act))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tiktok-timers", daemon=True)
                self._thread.start()
            elif self._due[0][2] is act:
                self._wake.notify_all()

    def run_due(self) -> None:
        """Do everything that is due now; returns when it is done, even if another thread does it."""
        if not self._due or self._due[0][0] > self._clock.now():
            return
        with self._wake:
            while self._due and self._due[0][0] <= self._clock.now():
                heapq.heappop(self._due)[2]()

    def moved(self) -> None:
        """The clock was advanced."""
        self.run_due()
        with self._wake:
            self._wake.notify_all()

    def waiting(self) -> int:
        """How many things are not due yet."""
        return len(self._due)

    def clear(self) -> None:
        """Forget everything."""
        with self._wake:
            self._due.clear()

    def close(self) -> None:
        """End the thread; what was to come is forgotten."""
        with self._wake:
            self._open = False
            self._due.clear()
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(5)

    def _work(self) -> None:
        with self._wake:
            while self._open:
                self.run_due()
                self._wake.wait(max(0.001, self._due[0][0] - self._clock.now()) if self._due else None)
