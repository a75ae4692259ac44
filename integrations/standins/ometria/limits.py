"""Request quotas as token buckets."""


class TokenBucket:
    """Holds up to one second's worth of calls (at least one) and refills steadily; the caller holds the lock."""

    def __init__(self) -> None:
        self._level: float | None = None
        self._at = 0.0

    def take(self, rate: float | None, now: float) -> bool:
        """Use one call at ``rate`` calls a second; False when there is none left, always True without a rate."""
        if rate is None:
            return True
        size = max(rate, 1.0)
        level = size if self._level is None else min(size, self._level + (now - self._at) * rate)
        self._at = now
        allowed = level >= 1.0
        self._level = level - 1.0 if allowed else level
        return allowed
