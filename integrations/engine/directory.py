"""Reading a destination's contacts, and every minute their changes: so people can be found by what it cannot be asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.engine import people
from integrations.models import Connection
from integrations.platforms.base import Candidate, Writer
from mapping.models import ContactDirectory

log = structlog.get_logger(__name__)
FRESH = timedelta(seconds=60)
RECENT = timedelta(minutes=15)  # fresh enough for very many whole people, whom asking one by one would take longer
OVERLAP = timedelta(seconds=60)  # read again, because clocks differ and destinations take a moment to store
LEASE = timedelta(seconds=60)
PAGES = 20  # in one go, so that a worker's other batches are not kept waiting


def refresh(connection: Connection, writer: Writer, client: Any, *, for_parts: bool = True) -> bool:
    """Bring the directory of contacts up to date; False when that takes more calls or another worker is at it. Raises PlatformError.

    `for_parts` = on behalf of people who are shown in part.
    """
    row, _ = ContactDirectory.objects.get_or_create(connection=connection, defaults={"for_parts": for_parts})
    if for_parts and not row.for_parts:
        ContactDirectory.objects.filter(pk=row.pk).update(for_parts=True, read_at=None)  # whom we made meanwhile is not known yet
    if not _take(row):
        return is_fresh(connection.pk)
    try:
        return _read(row, writer, client)
    finally:
        ContactDirectory.objects.filter(pk=row.pk).update(lease_until=None)


def is_fresh(connection_id: int) -> bool:
    """Whether the contacts were read to their end just now, and those that were made meanwhile are known."""
    return ContactDirectory.objects.filter(connection=connection_id, for_parts=True, read_at__gt=timezone.now() - FRESH).exists()


def is_recent(connection_id: int) -> bool:
    """Whether the contacts were read to their end lately."""
    return ContactDirectory.objects.filter(connection=connection_id, read_at__gt=timezone.now() - RECENT).exists()


def knows_whom_we_make(connection_id: int) -> bool:
    """Whether contacts are kept there as soon as they are made."""
    return ContactDirectory.objects.filter(connection=connection_id, for_parts=True).exists()


def _take(row: ContactDirectory) -> bool:
    now = timezone.now()
    free = ContactDirectory.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=row.pk)
    taken = bool(free.update(lease_until=now + LEASE))
    row.refresh_from_db()
    return taken


def _read(row: ContactDirectory, writer: Writer, client: Any) -> bool:
    began, cursor, count = row.began_at or timezone.now(), row.cursor or None, 0
    for _ in range(PAGES):
        page = writer.people(client, row.since, cursor)
        if page is None:
            return True
        count += learn(row.connection_id, page.people)
        cursor = page.cursor
        ended = {"since": began - OVERLAP, "read_at": timezone.now(), "began_at": None, "cursor": ""}
        under_way = {"cursor": cursor, "began_at": began, "lease_until": timezone.now() + LEASE}
        ContactDirectory.objects.filter(pk=row.pk).update(**(under_way if cursor else ended))
        if not cursor:
            break
    log.info("contacts read", connection=row.connection_id, changed=count, finished=not cursor)
    return not cursor


def learn(connection_id: int, shown: tuple[Candidate, ...]) -> int:
    """Keep what a destination shows of its contacts; returns how many of them are new or changed."""
    if not shown:
        return 0
    with transaction.atomic():
        people.lock(connection_id)
        held = people.contacts(connection_id, [contact.contact_key for contact in shown])
        changed = [contact for contact in shown if not people.same(contact, held.get(contact.contact_key))]
        people.store(connection_id, changed)
    return len(changed)
