"""Quotas for each app, shop and kind of call, as token buckets."""

import threading
from collections.abc import Callable
from email.utils import formatdate
from itertools import count
from math import ceil

from integrations.standins.tiktok_shop.errors import TOO_MANY, Refusal
from integrations.standins.tiktok_shop.settings import Settings


class Throttle:
    """Buckets that hold two seconds' worth of calls (at least one) and refill steadily; thread-safe."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._levels: dict[tuple[str, str, bool], tuple[float, float]] = {}
        self._turn = count()

    def take(self, app_key: str, shop: str, settings: Settings, *, write: bool) -> None:
        """Use one call; raises Refusal when there is none left."""
        rate = settings.write_rate if write else settings.read_rate
        if rate is None:
            return
        now, size = self._now(), max(rate * 2, 1.0)
        with self._lock:
            level, at = self._levels.get((app_key, shop, write), (size, now))
            level = min(size, level + (now - at) * rate)
            allowed = level >= 1.0
            self._levels[app_key, shop, write] = (level - 1.0 if allowed else level, now)
        if not allowed:
            wait = max(1, ceil((1.0 - level) / rate))
            raise Refusal(TOO_MANY, "Too many requests, please retry later", headers=self._advice(settings.retry_after, now, wait))

    def clear(self) -> None:
        """Fill every bucket."""
        with self._lock:
            self._levels.clear()

    def _advice(self, form: str | None, now: float, wait: int) -> dict[str, str]:
        if form is None:
            return {}
        if form == "date" or (form == "alternate" and next(self._turn) % 2):
            return {"Retry-After": formatdate(int(now) + wait, usegmt=True)}
        return {"Retry-After": str(wait)}
