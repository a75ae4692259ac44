"""Gaps in the numbers of a resource's messages: each resource counts its own by one, over all types of messages.

Only a stream that leaves out no type can be judged, and only once a late message could not come any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

MOST_RESOURCES = 100_000  # remembered at once


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of one resource ("order:<id>") that never came: the first and the last missing number."""

    resource: str
    first: int
    last: int


@dataclass(slots=True)
class Sequences:
    """What one process saw of a stream that it reads again and again; what it did not see for itself it does not judge.

    `_last` is the highest number up to which nothing is missing, `_ahead` the numbers seen beyond a hole with their times.
    """

    _last: dict[str, int] = field(default_factory=dict)
    _ahead: dict[str, dict[int, datetime]] = field(default_factory=dict)
    _told: dict[str, int] = field(default_factory=dict)
    _since: datetime | None = None
    _reached: datetime | None = None

    def begin(self, since: datetime, until: datetime) -> tuple[Gap, ...]:
        """A reading of this window starts: the gaps before it, which nothing can fill any more.

        They are told again until a later window shows that this reading was stored. When others read what lies between, all is forgotten.
        """
        if self._reached is None or since > self._reached:
            self._last, self._ahead, self._told = {}, {}, {}
        elif self._since is not None and since > self._since:
            self._settle()
        self._since, self._reached = since, max(until, self._reached or until)
        gaps = tuple(self._before(since))
        self._told = {gap.resource: gap.last for gap in gaps}
        return gaps

    def saw(self, resource: str, number: int, at: datetime) -> None:
        """One message of the stream, in any order and however often."""
        last = self._last.get(resource)
        if last is None:
            if len(self._last) >= MOST_RESOURCES:
                self._forget()
            self._last[resource] = number
        elif number > last:
            self._ahead.setdefault(resource, {}).setdefault(number, at)
            self._join(resource)

    def _before(self, moment: datetime) -> Iterator[Gap]:
        for resource, ahead in self._ahead.items():
            first = min(ahead)
            if ahead[first] < moment:
                yield Gap(resource, self._last[resource] + 1, first - 1)

    def _settle(self) -> None:
        """Go on behind the gaps that were told and stored."""
        for resource, last in self._told.items():
            if resource in self._last and self._last[resource] < last:
                self._last[resource] = last
                self._join(resource)

    def _join(self, resource: str) -> None:
        """Take up what continues the last number without a hole."""
        ahead = self._ahead.get(resource, {})
        while (following := self._last[resource] + 1) in ahead:
            del ahead[following]
            self._last[resource] = following
        if not ahead:
            self._ahead.pop(resource, None)

    def _forget(self) -> None:
        """The half that was seen first goes; its resources are judged anew from their next message on."""
        for resource in list(self._last)[: MOST_RESOURCES // 2]:
            del self._last[resource]
            self._ahead.pop(resource, None)
