"""Pulling from a source by checkpoint: polls, gap repairs and backfills, one page per call with its cursor stored beside its rows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine import accounts, circuit, exceptions, leases, turns
from integrations.engine.figures import keep_figures
from integrations.engine.freshness import seen
from integrations.engine.ingest import ingest
from integrations.engine.outbox import Cause, backoff, enqueue
from integrations.engine.recoveries import end_checkouts
from integrations.engine.siblings import drop_missing_variants
from integrations.models import Checkpoint, Connection, InboxEvent
from integrations.platforms.base import Lane, Page, RawObject, Reader, Window
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown, Unparsable
from mapping.records import Record

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
PULL_SECONDS = 50
LONGEST_NAP = 5.0  # seconds a worker waits for a source that is preparing; for longer it is given back
MAX_FAULTS = 8  # in a row, then a backfill asks a person
AGAIN = 0.05  # seconds until a page is asked for again with renewed credentials
FIRST_POLL = timedelta(hours=1)  # how far back the very first poll looks; history is the backfill's affair
State, Purpose = Checkpoint.State, Checkpoint.Purpose


@dataclass(frozen=True, slots=True)
class PullResult:
    """One page: objects read, records found, and whether the window is exhausted or the source wants us to wait (seconds)."""

    read: int = 0
    records: int = 0
    finished: bool = False
    resume_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill is; None where it cannot be known yet."""

    read: int
    total: int | None
    share: float | None
    per_second: float | None
    eta: datetime | None


def readers_of(connection: Connection) -> dict[str, Reader]:
    """The readers that a connection's platform offers, by name."""
    return dict(accounts.platform_of(connection).readers)


def ensure_polls(connection: Connection) -> int:
    """One standing poll per reader of an active source; returns how many were added."""
    now, added = timezone.now(), 0
    for name in readers_of(connection):
        _, created = Checkpoint.objects.get_or_create(
            connection=connection, reader=name, purpose=Purpose.POLL, defaults={"window_from": now - FIRST_POLL, "due_at": now}
        )
        added += created
    return added


def start_backfill(
    connection: Connection, readers: Sequence[str], *, since: datetime, until: datetime | None = None, by: User | None = None
) -> list[Checkpoint]:
    """Begin pulling history; one checkpoint per reader, in the bulk lane. Raises ValueError for a reader the source does not offer."""
    unknown = set(readers) - set(readers_of(connection))
    if unknown:
        raise ValueError(f"{connection.name} cannot read {', '.join(sorted(unknown))}")
    now = timezone.now()
    if since >= (until or now):
        raise ValueError("the backfill's beginning must lie before its end")
    started = [
        Checkpoint.objects.create(
            connection=connection,
            reader=name,
            purpose=Purpose.BACKFILL,
            window_from=since,
            window_to=until or now,
            due_at=now,
            requested_by=by,
        )
        for name in readers
    ]
    for checkpoint in started:
        async_task("integrations.tasks.pull", checkpoint.pk)
    return started


def pause(checkpoint: Checkpoint, by: User | None) -> None:
    """Stop after the page that is being read; resuming goes on from there."""
    _move(checkpoint, [State.WAITING, State.RUNNING], State.PAUSED, by)


def resume(checkpoint: Checkpoint, by: User | None) -> None:
    """Go on where it stopped."""
    if _move(checkpoint, [State.PAUSED, State.FAILED], State.WAITING, by):
        Checkpoint.objects.filter(pk=checkpoint.pk).update(due_at=timezone.now(), faults=0, error="", finished_at=None)
        async_task("integrations.tasks.pull", checkpoint.pk)


def cancel(checkpoint: Checkpoint, by: User | None) -> None:
    """End it for good; what was read stays."""
    if _move(checkpoint, [State.WAITING, State.RUNNING, State.PAUSED, State.FAILED], State.CANCELLED, by):
        Checkpoint.objects.filter(pk=checkpoint.pk).update(finished_at=timezone.now())
        _cancel_at_source(checkpoint)


def _cancel_at_source(checkpoint: Checkpoint) -> None:
    """End what the backfill started there; a platform that does not answer ends it by itself in time."""
    reader = readers_of(checkpoint.connection)[checkpoint.reader]
    if reader.cancel is None or checkpoint.purpose != Purpose.BACKFILL:
        return
    try:
        reader.cancel(accounts.client_for(checkpoint.connection), checkpoint.cursor or None)
    except PlatformError as fault:
        log.warning("backfill not cancelled at the source", checkpoint=checkpoint.pk, fault=type(fault).__name__, code=fault.code)


def _move(checkpoint: Checkpoint, states: Sequence[str], to: str, by: User | None) -> bool:
    moved = bool(Checkpoint.objects.filter(pk=checkpoint.pk, state__in=states).update(state=to))
    checkpoint.refresh_from_db()
    log.info("pull", checkpoint=checkpoint.pk, state=checkpoint.state, by=by.pk if by else None)
    return moved


def progress(checkpoint: Checkpoint) -> Progress:
    """Count, share, speed and expected end of a pull."""
    total = checkpoint.total
    share = None if not total else min(1.0, checkpoint.read_count / total)
    end = checkpoint.finished_at or timezone.now()
    seconds = (end - checkpoint.started_at).total_seconds() if checkpoint.started_at else 0.0
    speed = checkpoint.read_count / seconds if seconds > 1 and checkpoint.read_count else None
    running = checkpoint.state in (State.WAITING, State.RUNNING)
    eta = timezone.now() + timedelta(seconds=(total - checkpoint.read_count) / speed) if running and total and speed else None
    return Progress(checkpoint.read_count, total, share, speed, eta)


def due_pulls() -> list[int]:
    """Checkpoints whose time has come, of connections that may be called; each is to be pulled by its own task."""
    now = timezone.now()
    rows = Checkpoint.objects.filter(state__in=[State.WAITING, State.RUNNING], due_at__lte=now, connection__state=Connection.State.ACTIVE)
    return list(rows.exclude(lease_until__gt=now).order_by("due_at").values_list("pk", flat=True)[:50])


def run_pull(checkpoint_id: int, seconds: float = PULL_SECONDS) -> PullResult:
    """Pull page after page until the window is exhausted, time is over or a pump needs the worker; safe to run twice and after a kill."""
    checkpoint = leases.take_checkpoint(checkpoint_id)
    if checkpoint is None:
        return PullResult()
    began, last = time.monotonic(), PullResult()
    until = began + seconds
    try:
        while time.monotonic() < until and circuit.may_call(checkpoint.connection):
            last = _page(checkpoint)
            checkpoint.refresh_from_db()
            wait = last.resume_in if 0 < last.resume_in <= min(LONGEST_NAP, until - time.monotonic()) else 0.0
            if last.finished or checkpoint.state != State.RUNNING or (last.resume_in and not wait) or not turns.nap(wait, began):
                break
            checkpoint.connection.refresh_from_db()
    finally:
        Checkpoint.objects.filter(pk=checkpoint.pk).update(lease_until=None)
    if checkpoint.state == State.RUNNING and not last.finished and not last.resume_in:
        async_task("integrations.tasks.pull", checkpoint.pk)
    return last


def _page(checkpoint: Checkpoint) -> PullResult:
    """One page; a fault that no platform reported is our own: told loudly, and counted like any other."""
    try:
        return pull_page(checkpoint)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out and the page is read again
    except Exception as fault:  # noqa: BLE001 - else the same page would fail for ever and ask nobody
        log.error("page could not be read", checkpoint=checkpoint.pk, exc_info=fault)
        return _again_later(checkpoint, f"{type(fault).__name__}: {fault}", backoff(checkpoint.faults + 1))


def pull_page(checkpoint: Checkpoint) -> PullResult:
    """Read one page and store its records, its unreadable objects and its cursor in one transaction."""
    reader = readers_of(checkpoint.connection)[checkpoint.reader]
    bulk = checkpoint.purpose == Purpose.BACKFILL
    lane = Lane.BULK if bulk or reader.unhurried else Lane.STANDARD
    window, asked_at, client = _window(checkpoint, reader), timezone.now(), None
    try:
        with accounts.remediable():
            client = accounts.client_for(checkpoint.connection, lane=lane)
            page = (reader.backfill if bulk and reader.backfill else reader.pull)(client, window, checkpoint.cursor or None)
    except PlatformError as fault:
        return _postpone(checkpoint, fault, client)
    finally:
        accounts.note_version(checkpoint.connection, getattr(client, "version_served", ""), getattr(client, "deprecation", ""))
    circuit.answered(checkpoint.connection)
    records, failed = _parse(checkpoint.connection, page, asked_at=None if bulk and reader.backfill else asked_at)
    with transaction.atomic():
        if page.events:
            ingest(checkpoint.connection_id, page.events)
        enqueue(checkpoint.connection, records, cause=Cause(checkpoint.purpose))
        drop_missing_variants(checkpoint.connection, records)
        keep_figures(checkpoint.connection, records)
        if not bulk:
            end_checkouts(checkpoint.connection, records)
        _keep_unreadable(checkpoint, failed)
        _advance(checkpoint, reader, window, page, records=len(records), failed=len(failed))
    if failed:
        exceptions.raise_for_connection(
            checkpoint.connection,
            "unparsable",
            failed[0][1][:200],
            f"{checkpoint.connection.name}: an object could not be read: {failed[0][1]}",
        )
    return PullResult(len(page.objects) + len(page.events), len(records), page.cursor is None, page.resume_in)


def _window(checkpoint: Checkpoint, reader: Reader) -> Window:
    """A poll re-reads its overlap and ends where this run began; a backfill covers what a person chose."""
    if checkpoint.purpose != Purpose.POLL:
        return Window(since=checkpoint.window_from, until=checkpoint.window_to)
    if checkpoint.window_to is None:
        checkpoint.window_to = timezone.now()
    return Window(since=checkpoint.window_from - timedelta(seconds=reader.overlap_seconds), until=checkpoint.window_to)


def _advance(checkpoint: Checkpoint, reader: Reader, window: Window, page: Page, *, records: int, failed: int) -> None:
    now = timezone.now()
    changes: dict[str, Any] = {
        "read_count": F("read_count") + len(page.objects) + len(page.events) + len(page.failed),
        "record_count": F("record_count") + records,
        "failed_count": F("failed_count") + failed,
        "faults": 0,
        "error": "",
        "note": page.note[:300],
        "due_at": now + timedelta(seconds=page.resume_in),
        "lease_until": now + leases.LEASE,
        "started_at": checkpoint.started_at or now,
        "cursor": page.cursor or "",
        "window_to": window.until,
    }
    if page.total is not None:
        changes["total"] = page.total
    Checkpoint.objects.filter(pk=checkpoint.pk).update(**changes)
    runnable = Checkpoint.objects.filter(pk=checkpoint.pk, state__in=[State.WAITING, State.RUNNING])  # a pause meanwhile stays a pause
    if page.cursor is not None:
        runnable.update(state=State.RUNNING)
    elif checkpoint.purpose == Purpose.POLL:
        next_run = now + timedelta(minutes=int(checkpoint.connection.settings.get("poll_minutes", reader.every_minutes)))
        reached = page.reached or window.until  # the mark itself: each run subtracts its overlap anew
        runnable.update(state=State.WAITING, window_from=reached, window_to=None, due_at=next_run, finished_at=now)
    else:
        runnable.update(state=State.DONE, finished_at=now)


def _postpone(checkpoint: Checkpoint, fault: PlatformError, client: Any) -> PullResult:
    """Keep the cursor and try the same page later; a backfill that fails again and again stops and asks."""
    counts = not isinstance(fault, SlowDown | Reconnect)
    delay = fault.seconds if isinstance(fault, SlowDown) else max(1.0, backoff(checkpoint.faults + 1))
    if isinstance(fault, Reconnect) and accounts.renewed(checkpoint.connection, fault, client):
        delay = AGAIN
    if counts:
        circuit.failed(checkpoint.connection, str(fault))
    return _again_later(checkpoint, str(fault), delay, counts=counts)


def _again_later(checkpoint: Checkpoint, reason: str, delay: float, *, counts: bool = True) -> PullResult:
    Checkpoint.objects.filter(pk=checkpoint.pk).update(
        due_at=timezone.now() + timedelta(seconds=delay), error=reason[:500], faults=F("faults") + int(counts)
    )
    if counts and checkpoint.faults + 1 >= MAX_FAULTS:
        if checkpoint.purpose != Purpose.POLL:
            Checkpoint.objects.filter(pk=checkpoint.pk).update(state=State.FAILED, finished_at=timezone.now())
        title = f"{checkpoint.get_purpose_display()} of {checkpoint.reader} {'fails' if checkpoint.purpose == Purpose.POLL else 'stopped'}"
        exceptions.raise_for_connection(checkpoint.connection, "backfill_failed", str(checkpoint.pk), title, detail=reason)
    return PullResult(resume_in=delay)


def _parse(connection: Connection, page: Page, *, asked_at: datetime | None) -> tuple[list[Record], list[tuple[dict[str, Any], str]]]:
    """The records of a page and what cannot be read; `asked_at` None for history, whose state may be older than the page."""
    platform, account = accounts.platform_of(connection), accounts.account_for(connection)
    records: list[Record] = []
    failed = list(page.failed)
    for raw in page.objects:
        try:
            records += [seen(record, asked_at) for record in platform.parse(account, raw)]
        except Unparsable as fault:
            failed.append((_named(raw), str(fault)))
        except Exception as fault:  # noqa: BLE001 - one poisoned object must not stop a pull; it is logged and shown
            log.error("object could not be parsed", connection=connection.pk, shape=raw.shape, exc_info=fault)
            failed.append((_named(raw), f"{type(fault).__name__}: {fault}"))
    return records, failed


def _named(raw: RawObject) -> dict[str, Any]:
    return {"shape": raw.shape, "object": raw.data}


def _keep_unreadable(checkpoint: Checkpoint, failed: Sequence[tuple[dict[str, Any], str]]) -> None:
    """Only what cannot be read is stored as an inbox event; a history of a million rows is not written twice."""
    rows = []
    for body, reason in failed:
        text = orjson.dumps(body, default=str).decode().replace("\\u0000", "")
        digest = hashlib.sha256(text.encode()).hexdigest()[:40]
        rows.append(
            InboxEvent(
                connection=checkpoint.connection,
                topic=f"pull:{checkpoint.reader}",
                dedup_key=f"pull:{digest}",
                body=text,
                state=InboxEvent.State.FAILED,
                error=reason[:500],
            )  # fmt: skip
        )
    InboxEvent.objects.bulk_create(rows, ignore_conflicts=True)
