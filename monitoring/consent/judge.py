"""Which sides of a person's consent are stale: what stands against what each side last told, or was last sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.engine.consent import Standing, behind, explain_all, sides
from integrations.engine.consent_rows import Handle
from integrations.models import Connection, Flow
from mapping.records import CustomerRef, RecordType

UNDER_WAY = timedelta(minutes=15)  # that a new statement has to reach every side before one that lacks it is stale
CARRYING = (RecordType.CUSTOMER, RecordType.CONSENT)


@dataclass(frozen=True, slots=True)
class Stale:
    """A side that does not hold what stands: connection id, state that stands, state that is held there as last known."""

    connection: int
    wanted: str
    held: str


def person_of(handle: Handle) -> CustomerRef:
    """An address or number of the ledger as a person."""
    channel, value = handle
    return CustomerRef(phone=value) if channel == "sms" else CustomerRef(email=value)


def standings_of(handles: Sequence[Handle]) -> dict[Handle, Standing]:
    """What stands for each handle with its chain, in one query."""
    found = explain_all([person_of(handle) for handle in handles])
    return {handle: mine[handle[0]] for handle, mine in zip(handles, found, strict=True) if handle[0] in mine}


def receivers() -> frozenset[int]:
    """Connections, by id, to which a flow that is on brings consents: of people alone, or as a part of the customer."""
    active = Flow.objects.filter(record_type__in=CARRYING, enabled=True, destination__state=Connection.State.ACTIVE)
    return frozenset(active.values_list("destination", flat=True))


def stale_sides(found: Standing, into: Collection[int], now: datetime) -> list[Stale]:
    """The sides that are stale; none while what stands is so new that it may still be on its way."""
    winner = found.winner
    if winner is None or is_under_way(found, now):
        return []
    held = sides(found)
    return [Stale(pk, str(winner.state), str(held[pk].state)) for pk in behind(found) if pk in into]


def is_under_way(found: Standing, now: datetime) -> bool:
    """Whether what stands came in only now."""
    winner = found.winner
    return winner is not None and winner.noted_at is not None and now - winner.noted_at < UNDER_WAY


def stale_of(handles: Iterable[Handle], now: datetime) -> dict[Handle, list[Stale]]:
    """The stale sides of each of these people."""
    wanted, into = list(handles), receivers()
    return {handle: stale_sides(found, into, now) for handle, found in standings_of(wanted).items()}
