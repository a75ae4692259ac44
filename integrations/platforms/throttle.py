"""How a connection's rate gives way: halved when its platform throttles, raised again by a quarter per ten quiet minutes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

LONGEST_WAIT = 60.0
QUIET_SECONDS = 600.0
SLOWEST = 0.1  # calls a second


class Throttle:
    """One rate group of one client; `full` is the chosen rate in calls a second, 0 = no quota."""

    def __init__(self, full: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._full = self._rate = full
        self._clock, self._changed_at, self._refusals = clock, clock(), 0

    def wait(self) -> float:
        """Seconds to stay away after one more refusal that named no time: doubling, with jitter, a minute at most."""
        self._refusals += 1
        return min(LONGEST_WAIT, 2.0 ** min(self._refusals - 1, 10) + random.uniform(0.0, 0.5))  # noqa: S311 - jitter

    def slower(self) -> float:
        """The halved rate after a refusal."""
        if self._full:
            self._rate = max(min(SLOWEST, self._full), self._rate / 2)
        self._changed_at = self._clock()
        return self._rate

    def answered(self) -> float | None:
        """A call went through: the raised rate when ten quiet minutes are over, None while it stays."""
        self._refusals = 0
        if self._rate >= self._full or self._clock() - self._changed_at < QUIET_SECONDS:
            return None
        self._rate, self._changed_at = min(self._full, self._rate * 1.25), self._clock()
        return self._rate
