"""Shares of callers: token buckets in the memory of one process, so that a flood costs neither a disk nor a query."""

from __future__ import annotations

import threading
from collections import OrderedDict


class Buckets:
    """One bucket per caller; when there are too many callers, the one that was quiet longest is forgotten."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._held: OrderedDict[tuple[int, str], tuple[float, float]] = OrderedDict()  # tokens left, and when that was
        self._lock = threading.Lock()

    def take(self, caller: tuple[int, str], *, rate: float, burst: float, at: float) -> bool:
        """Whether `caller` may make one more call at monotonic time `at`; `rate` is calls a second, 0 = no limit."""
        if rate <= 0:
            return True
        with self._lock:
            tokens, since = self._held.get(caller, (burst, at))
            tokens = min(burst, tokens + max(0.0, at - since) * rate)
            allowed = tokens >= 1.0
            self._held[caller] = (tokens - 1.0 if allowed else tokens, max(at, since))
            self._held.move_to_end(caller)
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        return allowed
