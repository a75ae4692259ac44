"""Reading chosen records from their source again, by key: the repair of what never arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.utils import timezone

from integrations.engine import accounts, circuit
from integrations.engine.freshness import seen
from integrations.engine.outbox import Cause, enqueue
from integrations.models import Connection
from integrations.platforms.base import Lane, RawObject
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown, Unparsable
from integrations.platforms.registry import PLATFORMS
from mapping.records import Record

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it: keys asked for, objects that the source has, and records that changed a delivery."""

    asked: int
    found: int
    changed: int


def fetch_records(connection: Connection, reader: str, keys: Sequence[str], *, lane: Lane = Lane.STANDARD) -> Fetched:
    """Read these objects from the source and bring their records to its flows; raises PlatformError, and KeyError without a way to look."""
    look, asked_at = PLATFORMS[connection.platform].look, timezone.now()
    if look is None:
        raise KeyError(connection.platform)
    client = None
    try:
        with accounts.remediable():
            client = accounts.client_for(connection, lane=lane)
            objects = look.fetch(client, reader, list(dict.fromkeys(keys)))
    except Reconnect as fault:
        accounts.renewed(connection, fault, client)
        raise
    except SlowDown:
        raise
    except PlatformError as fault:
        circuit.failed(connection, str(fault))
        raise
    circuit.answered(connection)
    records = [seen(record, asked_at) for raw in objects for record in _parsed(connection, raw)]
    changed = enqueue(connection, records, cause=Cause.REPAIR)
    log.info("fetched", connection=connection.pk, reader=reader, asked=len(keys), found=len(objects), changed=changed)
    return Fetched(len(keys), len(objects), changed)


def _parsed(connection: Connection, raw: RawObject) -> Sequence[Record]:
    try:
        return accounts.platform_of(connection).parse(accounts.account_for(connection), raw)
    except Unparsable as fault:
        log.warning("object could not be read", connection=connection.pk, shape=raw.shape, fault=str(fault))
        return ()
