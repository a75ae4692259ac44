"""Envelope failures ordered in advance: any code with any HTTP status, for calls whose path contains a text."""

import threading
from dataclasses import dataclass

from integrations.standins.tiktok_shop.errors import Refusal
from integrations.standins.wire import Request


@dataclass(slots=True)
class Failure:
    """One order; ``times`` 0 is until cleared."""

    code: int
    message: str = "Internal error"
    status: int | None = None
    path: str = ""
    times: int = 1
    retry_after: str | None = None
    hits: int = 0


class Failures:
    """Ordered failures, first come first served; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Failure] = []

    def add(self, failure: Failure) -> None:
        """Order one."""
        with self._lock:
            self._orders.append(failure)

    def clear(self) -> None:
        """Call off all."""
        with self._lock:
            self._orders.clear()

    def strike(self, request: Request) -> None:
        """Raises Refusal when this call is to fail."""
        if not self._orders:
            return
        with self._lock:
            found = next((order for order in self._orders if order.path in request.path), None)
            if found is None:
                return
            found.hits += 1
            if found.hits == found.times:
                self._orders.remove(found)
        headers = {"Retry-After": found.retry_after} if found.retry_after is not None else None
        raise Refusal(found.code, found.message, status=found.status, headers=headers)
