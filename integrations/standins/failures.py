"""Failures in a platform's own words that are ordered in advance: each is struck as often as it was ordered."""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Ordered(Protocol):
    """One order; ``times`` 0 is until cleared."""

    times: int
    hits: int


Order = TypeVar("Order", bound=Ordered)


class OrderedFailures(Generic[Order]):
    """Ordered failures, first come first served; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Order] = []

    def add(self, failure: Order) -> None:
        """Order one."""
        with self._lock:
            self._orders.append(failure)

    def clear(self) -> None:
        """Call off all."""
        with self._lock:
            self._orders.clear()

    def take(self, meant: Callable[[Order], bool]) -> Order | None:
        """The first order that is meant, counted as struck; None when there is none."""
        if not self._orders:
            return None
        with self._lock:
            found = next((order for order in self._orders if meant(order)), None)
            if found is not None:
                found.hits += 1
                if found.hits == found.times:
                    self._orders.remove(found)
            return found
