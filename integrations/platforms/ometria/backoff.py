"""How long to wait when Ometria says 429 without naming a time: exponential with full jitter, 1 to 60 seconds."""

from __future__ import annotations

import random
from collections.abc import Callable

FLOOR, CEILING = 1.0, 60.0  # seconds


class Backoff:
    """Waits that double in their upper bound with each refusal in a row and start afresh after a success."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._refusals = 0
        self._uniform = uniform

    def next(self) -> float:
        """Seconds to wait after one more refusal."""
        self._refusals += 1
        return self._uniform(FLOOR, min(CEILING, FLOOR * 2.0 ** min(self._refusals, 10)))

    def reset(self) -> None:
        """A call went through."""
        self._refusals = 0
