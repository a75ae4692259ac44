"""The stand-ins' own time: runs like the wall clock and can be moved ahead by tests."""

import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


class Clock:
    """Seconds since 1970 that never go back and can be advanced."""

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970, including what was advanced."""
        return self._base + time.monotonic() + self._ahead

    def utc(self) -> datetime:
        """The same moment as an aware datetime."""
        return datetime.fromtimestamp(self.now(), UTC)

    def http_date(self) -> str:
        """The same moment as a Date header."""
        return http_date(int(self.now()))

    def advance(self, seconds: float) -> None:
        """Move ahead; raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError("A clock cannot go back.")
        self._ahead += seconds


@lru_cache(maxsize=8)
def http_date(seconds: int) -> str:
    """Seconds since 1970 as a Date header."""
    return formatdate(seconds, usegmt=True)
