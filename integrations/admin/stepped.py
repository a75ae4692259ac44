"""Acting on all that a filter leaves, step by step: how far it is travels with the page, so that nothing is stored for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from django.db.models import Count, Max, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

LONGEST_NUMBER = 18  # digits that the database's whole numbers hold


@dataclass(frozen=True, slots=True)
class Run:
    """How far one act on all is; rows are taken in the order of their ids, up to the last one there was when it began."""

    total: int
    last: int
    started: datetime
    after: int = 0
    done: int = 0
    seen: int = 0

    @classmethod
    def begin(cls, rows: QuerySet) -> Self:
        """A run over what these rows are now."""
        found = rows.aggregate(total=Count("pk"), last=Max("pk"))
        return cls(total=found["total"], last=found["last"] or 0, started=timezone.now())

    @classmethod
    def read(cls, data: QueryDict) -> Self | None:
        """The run as a page sent it, None when it tells no moment."""
        started = parse_datetime(data.get("started", "")) if data.get("started") else None
        if started is None or timezone.is_naive(started):
            return None
        return cls(started=started, **{name: _number(data, name) for name in ("total", "last", "after", "done", "seen")})

    def stepped(self, ids: list[int], done: int, most: int) -> Self:
        """The run after a step over these ids, of at most `most`, that did `done` of them."""
        after = ids[-1] if len(ids) == most else self.last
        return replace(self, after=after, done=self.done + done, seen=self.seen + len(ids))

    @property
    def share(self) -> float:
        """Part of the rows that were looked at."""
        return min(1.0, self.seen / self.total) if self.total else 1.0

    @property
    def over(self) -> bool:
        """Whether nothing is left to look at."""
        return self.after >= self.last


def _number(data: QueryDict, name: str) -> int:
    text = data.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else 0
