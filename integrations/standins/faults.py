"""Failures a test orders in advance and the server then commits."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from integrations.standins.wire import Request

FaultKind = Literal["status", "latency", "truncate", "html", "reset_after_accept", "expire_token"]

# what the server does by itself; the rest ("expire_token") is taken by the stand-in where it checks credentials
WIRE_KINDS = frozenset(get_args(FaultKind)) - {"expire_token"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One ordered failure: which calls it hits, how often, and what happens to them.

    ``status`` answers without processing · ``html`` answers 200 with a page, without processing · ``latency`` processes, waits,
    answers · ``truncate`` processes and cuts the answer · ``reset_after_accept`` processes and drops the connection ·
    ``expire_token`` kills the credential.
    """

    kind: FaultKind
    # substring of the request path
    path: str = ""
    # how many calls are hit; 0 = until cleared
    times: int = 1
    status: int = 500
    retry_after: str | None = None
    seconds: float = 0.0
    # hit each n-th matching call
    every: int = 1
    # substring of the request body, for platforms with one path
    body: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"Unknown kind of fault: {self.kind}")
        if self.times < 0 or self.every < 1:
            raise ValueError("A fault needs times >= 0 and every >= 1.")

    def matches(self, request: Request) -> bool:
        """Whether this fault is meant for such a call."""
        return self.path in request.path and (not self.body or self.body.encode() in request.body)


def fault_from_json(raw: object) -> Fault:
    """A fault from a control call's body; raises ValueError when it is none."""
    known = {item.name for item in fields(Fault)}
    if not isinstance(raw, Mapping) or "kind" not in raw or not raw.keys() <= known:
        raise ValueError(f"A fault is an object with 'kind' and any of {sorted(known)}.")
    return Fault(**raw)


@dataclass(slots=True)
class _Order:
    fault: Fault
    seen: int = 0
    hits: int = 0

    def due(self) -> bool:
        self.seen += 1
        return self.seen % self.fault.every == 0


class Faults:
    """Ordered failures of one stand-in, first come first served; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[_Order] = []

    def add(self, fault: Fault) -> None:
        """Order a failure."""
        with self._lock:
            self._orders = [*self._orders, _Order(fault)]

    def clear(self) -> None:
        """Call off everything ordered."""
        with self._lock:
            self._orders = []

    def take(self, request: Request, kinds: Collection[str] | None = None) -> Fault | None:
        """The fault that hits this call, counted as used, or None; ``kinds`` limits the choice."""
        if not self._orders:
            return None
        with self._lock:
            for order in self._orders:
                if (kinds is not None and order.fault.kind not in kinds) or not order.fault.matches(request) or not order.due():
                    continue
                order.hits += 1
                if order.hits == order.fault.times:
                    self._orders = [other for other in self._orders if other is not order]
                return order.fault
        return None

    def pending(self) -> list[Fault]:
        """Faults that can still hit."""
        with self._lock:
            return [order.fault for order in self._orders]
