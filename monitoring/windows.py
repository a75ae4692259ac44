"""Spans of whole minutes, as samples and the list of tries both know them: the same span names the same rows in both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.dateparse import parse_datetime

MINUTE = timedelta(minutes=1)
FORMAT = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True, slots=True)
class Window:
    """A span in whole minutes; `since` belongs to it, `until` does not. A sample at a moment tells of the minute before it."""

    since: datetime
    until: datetime

    @property
    def query(self) -> str:
        """The span as parameters of an address."""
        return f"from={self.since.astimezone(UTC):{FORMAT}}&until={self.until.astimezone(UTC):{FORMAT}}"


def last_hour(until: datetime | None) -> Window | None:
    """The hour that ends with the newest sample."""
    return None if until is None else Window(until - timedelta(hours=1), until)


def read_moment(text: str) -> datetime | None:
    """A moment out of an address, cut to its minute; None when it is none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(second=0, microsecond=0)
