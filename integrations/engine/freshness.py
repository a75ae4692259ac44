"""Which of two states of one object is newer, when its source tells the time only by the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mapping.records import Record

REST_OF_SECOND = timedelta(microseconds=999_999)


def seen(record: Record, at: datetime | None) -> Record:
    """The record with the moment its state was seen at (when the source sent it, or before we asked) as the fraction of its second.

    Sources stamp changes by the whole second, and several changes happen within one. A state that was seen later is the newer one.
    """
    version = record.occurred_at
    if at is None or version.microsecond or at <= version:
        return record
    return replace(record, occurred_at=min(at, version + REST_OF_SECOND))
