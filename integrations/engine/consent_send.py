"""What of the ledger goes out: the standing that a customer carries, and the consent changes that a destination does not hold yet.

Both are decided when a batch is prepared, from what the ledger says then: a statement that arrives while another is on its way is not lost,
and many changes of one person travel as the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integrations.engine.consent_rows import CHANNELS, Handle, Ledger, Told, handle_of, handles, load, tell_rows
from integrations.engine.consent_words import consent_of, person_at
from integrations.models import Attempt, Delivery, Flow
from mapping.consent import Statement, carries, forces, holding, statements_of, winning
from mapping.records import Consent, ConsentChange, ConsentState, Customer, Record, RecordType

if TYPE_CHECKING:
    from integrations.engine.outbox import Claimed
    from integrations.engine.prepare import Prepared, Row

State, Outcome = Delivery.State, Attempt.Outcome
NOTHING = "Nothing to bring there: no statement stands that may be carried to others."
HOLDS = "{place} holds this already."
OWN = "It was stated at {place} itself."
OVERTAKEN = "Overtaken: what stands now was stated at {place}, and does not travel by this flow."


@dataclass(frozen=True, slots=True)
class _Word:
    """What stands for one channel of one record; `forced` = the destination is to hold it against all it holds, `is_new` = never told."""

    handle: Handle
    statement: Statement | None
    forced: bool
    is_new: bool


def standings_for(records: Sequence[Record], flow: Flow) -> list[Record]:
    """The same records; every customer with the consents that stand for the person, as this flow's destination is to hold them."""
    people = [record for record in records if isinstance(record, Customer)]
    known = load(handle for record in people for handle in handles(record))
    return [_standing(record, _words(record, flow, known)) if isinstance(record, Customer) else record for record in records]


def speaking(flow: Flow, rows: list[Row], batch: Prepared) -> list[Row]:
    """The rows with what stands for each person; consent changes that say a destination nothing new are settled here."""
    if flow.record_type == RecordType.CUSTOMER:
        return _customers(flow, rows)
    return _changes(flow, rows, batch) if flow.record_type == RecordType.CONSENT else rows


def _customers(flow: Flow, rows: list[Row]) -> list[Row]:
    known = load(handle for _, record in rows if isinstance(record, Customer) for handle in handles(record))
    ready, told, plain = [], [], []
    for row, record in rows:
        if isinstance(record, Customer):
            words = _words(record, flow, known, entry=row.id if row.sent_hash else None)
            told += [Told(word.handle, word.statement, row.id) for word in words if word.statement and word.forced]
            plain += [Told(word.handle, word.statement, row.id) for word in words if word.statement and word.is_new and not word.forced]
            record = _standing(record, words)
        ready.append((row, record))
    tell_rows(flow.destination_id, told + plain if plain and _listens(flow) else told, keeps_time=False)
    return ready


def _listens(flow: Flow) -> bool:
    """Whether the destination's own statements are read: then what it is told may come back from it."""
    return Flow.objects.filter(source=flow.destination_id, record_type=RecordType.CONSENT, enabled=True).exists()


def _words(record: Customer, flow: Flow, known: Ledger, *, entry: int | None = None) -> list[_Word]:
    words = []
    for handle in handles(record):
        statements = [*known[handle], *_unnoted(record, flow, handle, known)]
        winner = winning(statements, handle[0])
        is_new = winner is not None and not any(_tells(s, winner, flow.destination_id) for s in statements)
        words.append(_Word(handle, winner, forces(winner, statements, flow.destination_id, entry=entry), is_new))
    return words


def _tells(statement: Statement, winner: Statement, destination: int) -> bool:
    """Whether this is where the destination was told, or said itself, what stands."""
    return statement.connection == destination and statement.is_no == winner.is_no and statement.stated_at == winner.stated_at


def _unnoted(record: Customer, flow: Flow, handle: Handle, known: Ledger) -> list[Statement]:
    """What a record says that was stored before there was a ledger: it counts as history until it is said again."""
    if any(s.connection == flow.source_id and not s.told for s in known[handle]):
        return []
    own = statements_of(consent for consent in record.consents if consent.channel == handle[0])
    return [replace(statement, connection=flow.source_id, person=record.key, history=True) for statement in own]


def _standing(record: Customer, words: Sequence[_Word]) -> Customer:
    """The record with what stands; what it says of a channel without a usable address or number is left out."""
    by_channel = {word.handle[0]: word for word in words}
    found = []
    for own in record.consents:
        word = by_channel.get(own.channel)
        if own.channel not in CHANNELS:
            found.append(own)
        elif word is not None and word.statement is None:
            found.append(Consent(channel=own.channel, state=ConsentState.UNKNOWN, source=own.source))
    found += [consent_of(word.statement, forced=word.forced) for word in words if word.statement]
    order = {channel: number for number, channel in enumerate(CHANNELS)}
    consents = tuple(sorted(found, key=lambda consent: order.get(consent.channel, len(order))))
    return record if consents == record.consents else replace(record, consents=consents)


# --- consent changes -----------------------------------------------------------------------------------------------------


def _changes(flow: Flow, rows: list[Row], batch: Prepared) -> list[Row]:
    """The rows that still tell the destination something, with what stands now; the others are settled with the reason."""
    places = {row.id: handle for row, record in rows if (handle := _handle(record)) is not None}
    known = load(places.values())
    ready, told = [], []
    for row, record in rows:
        handle = places.get(row.id)
        statements = known[handle] if handle else []
        winner = winning(statements, handle[0]) if handle else None
        reason = _rests(flow, row, statements, winner)
        if reason or winner is None or handle is None or not isinstance(record, ConsentChange):
            _settle(row, batch, reason or NOTHING)
            continue
        told.append(Told(handle, winner, row.id))
        ready.append((replace(row, sent_hash=""), _addressed(record, winner, statements, flow.destination_id)))
    tell_rows(flow.destination_id, told, keeps_time=True)
    return ready


def _handle(record: Record) -> Handle | None:
    if not isinstance(record, ConsentChange) or not record.consents:
        return None
    channel = record.consents[0].channel
    value = handle_of(record, channel)
    return (channel, value) if value else None


def _rests(flow: Flow, row: Claimed, statements: Sequence[Statement], winner: Statement | None) -> str:
    """Why the destination is not told, empty when it is."""
    if winner is None or not carries(winner):
        return NOTHING
    held = holding(statements, flow.destination_id, winner.channel)
    if held.agrees(winner) and not row.manual:
        own = winner.connection == flow.destination_id
        return (OWN if own else HOLDS).format(place=flow.destination.name)
    if winner.connection not in (flow.source_id, flow.destination_id):
        source = holding(statements, flow.source_id, winner.channel)
        if not source.agrees(winner):
            return OVERTAKEN.format(place=winner.place)
    return ""


def _settle(row: Claimed, batch: Prepared, reason: str) -> None:
    if row.sent_hash:
        batch.settle(row, State.DELIVERED, Outcome.UNCHANGED, code="unchanged", message=reason)
    else:
        batch.settle(row, State.SKIPPED, Outcome.SKIPPED, code="consent_rests", message=reason)


def _addressed(record: ConsentChange, winner: Statement, statements: Sequence[Statement], destination: int) -> ConsentChange:
    return replace(record, customer_key=person_at(statements, destination), consents=(consent_of(winner, forced=True),))
