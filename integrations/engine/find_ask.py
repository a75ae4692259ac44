"""Asking a source for one thing now, and a destination whether it knows a person: what comes goes the way of everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils import timezone

from integrations.engine import accounts, circuit, directory
from integrations.engine.find import CONTACT, PERSON, Thing
from integrations.engine.find_asked import Asked
from integrations.engine.freshness import seen
from integrations.engine.outbox import Cause, enqueue
from integrations.engine.recoveries import end_checkouts
from integrations.engine.siblings import drop_missing_variants
from integrations.engine.trace_places import connection_trouble
from integrations.models import Connection, Delivery
from integrations.platforms.base import JsonObject, Lane, RawObject, SoughtBy
from integrations.platforms.errors import PlatformError, Unparsable
from mapping.records import Customer, Record, RecordType

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
LONGEST_NAME = 64  # characters of a number or SKU that a source is asked for
FIRST = (RecordType.ORDER, RecordType.CUSTOMER, RecordType.PRODUCT, RecordType.VARIANT)  # which of several records a person asked for


class CannotAsk(Exception):
    """The platform could not be asked; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform said: the things it has, in the order people ask for them, and how many records came in."""

    things: tuple[Thing, ...] = ()
    records: int = 0


def _number(asked: Asked) -> str:
    text = asked.text.strip()
    fits = not asked.record_type and any(sign.isdigit() for sign in text) and " " not in text and "@" not in text and "/" not in text
    return text if fits and len(text) <= LONGEST_NAME else ""


def _id(record_type: RecordType, *, bare: bool = False) -> Callable[[Asked], str]:
    """Reads an id that names its own type, or a bare number where that is what people mean by it."""

    def read(asked: Asked) -> str:
        return asked.key if asked.key.isdecimal() and (asked.record_type == record_type or (bare and not asked.record_type)) else ""

    return read


def _handle(kind: str) -> Callable[[Asked], str]:
    return lambda asked: next((value for name, value in asked.handles if name == kind), "")


def _sku(asked: Asked) -> str:
    plain_name = asked.text and not asked.personal and not asked.record_type and not asked.is_number and " " not in asked.text
    return asked.text if plain_name and "/" not in asked.text and len(asked.text) <= LONGEST_NAME else ""


# What of a search a source can be asked by, most likely first.
WAYS: Mapping[SoughtBy, Callable[[Asked], str]] = {
    SoughtBy.EMAIL: _handle("email"),
    SoughtBy.ORDER_NUMBER: _number,
    SoughtBy.ORDER_ID: _id(RecordType.ORDER, bare=True),
    SoughtBy.CUSTOMER_ID: _id(RecordType.CUSTOMER),
    SoughtBy.PRODUCT_ID: _id(RecordType.PRODUCT),
    SoughtBy.PHONE: _handle("phone"),
    SoughtBy.SKU: _sku,
}


def ways_to_ask(connection: Connection, asked: Asked) -> list[tuple[SoughtBy, str]]:
    """By what this source can be asked for it; empty when it cannot."""
    lookup = accounts.platform_of(connection).lookup
    return [(by, value) for by, read in WAYS.items() if lookup and by in lookup.by and (value := read(asked))]


def knows_people(connection: Connection) -> bool:
    """Whether a destination can be asked for the profile that owns an e-mail address."""
    return RecordType.CUSTOMER in accounts.platform_of(connection).writers


def ask_source(connection: Connection, asked: Asked, by: User | None) -> Answer:
    """Read one thing from its source, way after way until there is one, and bring it to the outbox. Raises CannotAsk."""
    platform = accounts.platform_of(connection)
    asked_at = timezone.now()
    with _called(connection) as client:
        for way, value in ways_to_ask(connection, asked):
            objects = platform.lookup.find(client, way, value)
            if objects:
                break
        else:
            way, objects = None, ()
    records = _parsed(connection, objects, asked_at)
    with transaction.atomic():
        changed = enqueue(connection, records, cause=Cause.REPAIR)
        drop_missing_variants(connection, records)
        end_checkouts(connection, records)
        _attribute(connection, records, by)
    log.info("source asked", connection=connection.pk, way=way, records=len(records), changed=changed, by=by.pk if by else None)
    return Answer(_things(connection, records), len(records))


def ask_destination(connection: Connection, asked: Asked, by: User | None) -> Answer:
    """Ask a destination for the profiles that own the e-mail address, and remember them. Raises CannotAsk."""
    address = _handle("email")(asked)
    if not address:
        raise CannotAsk(f"{connection.name} can be asked by an e-mail address only.")
    writer = accounts.platform_of(connection).writers[RecordType.CUSTOMER]
    with _called(connection) as client:
        found = writer.find(client, [Customer(key="asked", occurred_at=timezone.now(), email=address)]).get("asked", ())
    directory.learn(connection.pk, tuple(found))
    log.info("destination asked", connection=connection.pk, profiles=len(found), by=by.pk if by else None)
    return Answer(tuple(Thing(CONTACT, connection.pk, candidate.contact_key) for candidate in found), len(found))


def look_there(row: Delivery) -> JsonObject | None:
    """A delivery's object as its destination holds it at this moment, None when it has none. Raises CannotAsk."""
    destination = row.flow.destination
    writer = accounts.platform_of(destination).writers[RecordType(row.flow.record_type)]
    with _called(destination) as client:
        return writer.read_back(client, row.destination_key)


@contextmanager
def _called(connection: Connection) -> Iterator[Any]:
    """A client to call with; every way in which a call can fail is told in words."""
    if trouble := connection_trouble(connection, "it cannot be asked now"):
        raise CannotAsk(trouble[0])
    try:
        yield accounts.client_for(connection, lane=Lane.REALTIME)
    except PlatformError as fault:
        log.warning("could not be asked", connection=connection.pk, fault=type(fault).__name__, code=fault.code)
        raise CannotAsk(f"{connection.name} could not be asked: {fault}") from fault
    circuit.answered(connection)


def _parsed(connection: Connection, objects: Any, asked_at: Any) -> list[Record]:
    platform, account = accounts.platform_of(connection), accounts.account_for(connection)
    records: list[Record] = []
    for raw in objects:
        records += [seen(record, asked_at) for record in _parse(platform, account, raw, connection)]
    return records


def _parse(platform: Any, account: Any, raw: RawObject, connection: Connection) -> Any:
    try:
        return platform.parse(account, raw)
    except Unparsable as fault:
        raise CannotAsk(f"{connection.name} has it, but it could not be read: {fault}") from fault


def _attribute(connection: Connection, records: list[Record], by: User | None) -> None:
    """Who asked stands in the log of everything that came of it."""
    rows = Delivery.objects.filter(flow__source=connection, record_key__in=[record.key for record in records])
    brought = {(str(record.record_type), record.key) for record in records}
    mine = [row for row in rows.select_related("flow") if (row.flow.record_type, row.record_key) in brought]
    if by is not None and mine:
        LogEntry.objects.log_actions(by.pk, mine, CHANGE, f"Asked {connection.name} for it")


def _things(connection: Connection, records: list[Record]) -> tuple[Thing, ...]:
    main = sorted((record for record in records if record.record_type in FIRST), key=lambda record: FIRST.index(record.record_type))
    kinds = {RecordType.CUSTOMER: PERSON}
    return tuple(Thing(str(kinds.get(record.record_type, record.record_type)), connection.pk, record.key) for record in main)
