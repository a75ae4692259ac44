"""The contract for comparing both ends: what a destination holds, page by page, and single objects of a source by their keys.

Like the rest of a platform room nothing here knows Django or the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from integrations.platforms.base import JsonObject, RawObject, Window
from mapping.records import RecordType


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field on which the two ends disagree; `stored` is None when the destination has no value."""

    field: str
    sent: Any
    stored: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object as a destination holds it. `value` is its net worth (orders only), `person` the profile it lies on."""

    key: str  # the destination key that deliveries keep
    data: JsonObject
    changed_at: datetime | None = None
    value: Decimal | None = None
    currency: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """One page of what a destination holds; `cursor` is None after the last."""

    objects: tuple[StoredObject, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPerson:
    """A person at a destination: ids at the source that lead to them, and their e-mail consent (None = never said)."""

    key: str
    customer_ids: tuple[str, ...] = ()
    email_consent: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSeen:
    """One page of people; `cursor` is None after the last."""

    people: tuple[StoredPerson, ...] = ()
    cursor: str | None = None


class Survey(Protocol):
    """How a destination is read for a comparison. `placed` windows go by the time of purchase, others by the time of change there."""

    record_types: frozenset[RecordType]

    def page(self, client: Any, record_type: RecordType, window: Window, *, placed: bool, namespace: str, cursor: str | None) -> StoredPage:
        """What it holds of a type; `namespace` is what the keys of the flow begin with."""

    def one(self, client: Any, record_type: RecordType, key: str) -> StoredObject | None:
        """One object, None when there is none."""

    def differences(self, client: Any, record_type: RecordType, payload: JsonObject, stored: JsonObject) -> Sequence[FieldDifference]:
        """The fields of what was sent that the stored object holds otherwise; what the destination adds is not looked at."""

    def people(self, client: Any, since: datetime, cursor: str | None) -> PeopleSeen:
        """People who changed there since then."""

    def person(self, client: Any, key: str) -> StoredPerson | None:
        """One person, None when there is none."""

    def count(self, client: Any, record_type: RecordType, window: Window, namespace: str) -> int | None:
        """How many objects were placed in the window, None where that cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLook:
    """How single things are read at a source, and how many there are; keys are those of the reader's root objects."""

    fetch: Callable[[Any, str, Sequence[str]], Sequence[RawObject]]  # (client, reader, keys)
    count: Callable[[Any, str, Window], int | None]  # (client, reader, window by time of purchase)
    readers: dict[RecordType, str] = field(default_factory=dict)  # record type → the reader that brings it whole


# --- merging people ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """One person as a destination shows them, for people to compare: label → value in `facts`, personal ones in `personal`."""

    key: str
    facts: dict[str, str]
    personal: dict[str, str]
    empty: bool = False  # no address, no id, no order: nothing would be lost with it


class Merging(Protocol):
    """How two people at a destination are made one; it cannot be undone there."""

    def view(self, client: Any, key: str) -> PersonView | None:
        """The person as shown now, None when there is none (any more)."""

    def ask(self, client: Any, survivor: str, merged: str) -> str:
        """Ask for the merge; returns the job's id. Raises Refused when one of them is gone, SlowDown when it is not our turn."""

    def is_done(self, client: Any, job: str) -> bool:
        """Whether the job has come to its end."""
