"""How a connection's rate gives way: halved when its platform throttles, raised again by a quarter per ten quiet minutes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from integrations.platforms.base import Pacer
from integrations.platforms.errors import SlowDown

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


class Throttles:
    """The rate groups of one client beside the budget that all workers share; the chosen rates in calls a second, 0 = no quota."""

    def __init__(self, pacer: Pacer, rates: Mapping[str, float]) -> None:
        self._pacer, self._each = pacer, {group: Throttle(rate) for group, rate in rates.items()}

    def slow_down(self, group: str, refusal: SlowDown) -> SlowDown:
        """The same refusal with the stated seconds or our own growing ones; every worker pauses and the group's rate is halved."""
        throttle = self._each[group]
        seconds = refusal.seconds if refusal.stated else throttle.wait()
        self._pacer.pause(group, seconds)
        self._pacer.report(group, rate=throttle.slower())
        return SlowDown(
            str(refusal), seconds=seconds, group=group, stated=refusal.stated,
            status=refusal.status, code=refusal.code, request_id=refusal.request_id,
        )  # fmt: skip

    def answered(self, group: str) -> None:
        """A call went through: the rate is raised again when it has been quiet for long."""
        rate = self._each[group].answered()
        if rate is not None:
            self._pacer.report(group, rate=rate)
