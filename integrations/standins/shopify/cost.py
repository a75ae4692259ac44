"""What a call costs in points, and the bucket they are taken from.

An estimate, as the notes allow: objects with an id 1, connections 2 + (about twice the root of the page size) × one node,
mutations 10. The real platform's exact numbers are its own; clients read them from the answer.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.shopify.plan import Field, Selection
from integrations.standins.shopify.resolvers import Call

MUTATION_POINTS = 10


def cost_of(selection: Selection, arguments: Callable[[Field], dict[str, Any]], *, mutation: bool = False) -> int:
    """Requested points of an operation."""
    base = MUTATION_POINTS * len(selection.fields or ()) if mutation else 0
    return base + _children(selection, arguments)


def _children(selection: Selection, arguments: Callable[[Field], dict[str, Any]]) -> int:
    return max((sum(_field(one, arguments) for one in chosen.fields or ()) for chosen in selection.alternatives), default=0)


def _field(one: Field, arguments: Callable[[Field], dict[str, Any]]) -> int:
    if one.child is None:
        return 0
    inner = _children(one.child, arguments)
    given = arguments(one)
    if one.connection:
        return 2 + round(_scale(given.get("first") or given.get("last") or 1) * max(1, inner))
    if one.parent == "QueryRoot" and one.name == "nodes":
        return round(_scale(len(given["ids"])) * max(1, 1 + inner))
    return inner + any(chosen.node for chosen in one.child.alternatives)


def _scale(size: int) -> float:
    """How much dearer a page is than one node."""
    return min(float(size), 2 * math.sqrt(size))


@dataclass(slots=True)
class Bucket:
    """Points of one token at one shop, refilled as time goes by; ``size`` None is never empty."""

    size: int | None
    rate: float
    now: Callable[[], float]
    level: float = field(init=False, default=0)
    _at: float = field(init=False, default=0)
    _lock: Any = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.level, self._at = float(self.size or 0), self.now()

    def take(self, points: float) -> bool:
        """Take the points if they are there."""
        with self._lock:
            self._refill()
            if self.size is None:
                return True
            if points > self.level:
                return False
            self.level -= points
            return True

    def give_back(self, points: float) -> None:
        """Return what was asked for and not needed."""
        with self._lock:
            if self.size is not None:
                self.level = min(float(self.size), self.level + max(0.0, points))

    def status(self) -> dict[str, float]:
        """The throttle status as answers carry it."""
        with self._lock:
            self._refill()
            size = 1_000_000 if self.size is None else self.size
            level = size if self.size is None else int(self.level)
            return {"maximumAvailable": float(size), "currentlyAvailable": level, "restoreRate": float(self.rate)}

    def _refill(self) -> None:
        now = self.now()
        if self.size is not None:
            self.level = min(float(self.size), self.level + (now - self._at) * self.rate)
        self._at = now


def actual_cost(call: Call, requested: int, *, mutation: bool) -> int:
    """Points that the answer really took, never more than were requested."""
    return min(requested, call.objects + (MUTATION_POINTS if mutation else 0))
