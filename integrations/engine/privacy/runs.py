"""Requests from the first word to the certificate: asked, taken back in time, carried out by workers, followed up, reminded of."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from integrations.engine import exceptions
from integrations.engine.privacy import asks, shop, work
from integrations.engine.privacy.erase import BODY, WHAT
from integrations.engine.privacy.export import write_file
from integrations.engine.privacy.subject import Subject
from integrations.models import Connection, InboxEvent, PrivacyFilePart, PrivacyRequest, SyncException
from integrations.models.privacy import DUE_AFTER
from integrations.platforms.base import IncomingEvent
from integrations.platforms.privacy import PrivacyAsk, Wish
from integrations.platforms.registry import PLATFORMS
from mapping.transforms import e164, email

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
Kind, Origin, State = PrivacyRequest.Kind, PrivacyRequest.Origin, PrivacyRequest.State
GRACE = timedelta(seconds=60)  # that an erasure asked for in the console waits, so that it can be taken back
FILE_LASTS = timedelta(days=7)
NEAR = timedelta(days=7)  # before its last day an open request becomes a question
RUN_SECONDS = 45.0
LEASE = timedelta(seconds=90)
MOST_TRIES = 5
UNDER_WAY = (State.WAITING, State.RUNNING)
ENDED = (State.DONE, State.CANCELLED)
OVERDUE = "privacy_overdue"
IDLE_LOOK, IDLE_ROWS = timedelta(days=2), 5_000  # how far back messages of a connection that is at rest are looked through, and how many
IDLE_OVERLAP = 1_000  # messages looked at again each time: one may have been stored after another that came later
_looked: dict[int, int] = {}  # connection → the last of its messages that this process looked at
SHOWN_ASK = ("name", "platform", "state", "words", "reference", "asked_at", "ended_at")


def ask(kind: str, subject: Subject, by: User) -> PrivacyRequest:
    """A request made in the console; an erasure waits a minute, so that it can be taken back."""
    now = timezone.now()
    request = PrivacyRequest.objects.create(
        kind=kind, origin=Origin.CONSOLE, subject=subject.dumps(), codes=subject.codes(), by=by, by_name=by.get_username(), asked_at=now,
        start_at=now + (GRACE if kind == Kind.ERASURE else timedelta()), due_at=now + DUE_AFTER, steps=work.planned(kind),
    )  # fmt: skip
    if kind == Kind.EXPORT:
        async_task("integrations.tasks.privacy", request.pk)
    log.info("privacy request", request=request.pk, kind=str(kind), by=by.pk)
    return request


def receive(connection: Connection, told: PrivacyAsk, topic: str, *, event_id: int) -> PrivacyRequest:
    """A request that a platform's message makes; call inside the transaction that settles the message. It starts at once."""
    now = timezone.now()
    InboxEvent.objects.filter(pk=event_id).update(body=BODY, object_key="")  # the request knows whom it is about, encrypted
    subject = Subject(
        emails={one for value in told.emails if (one := email(value))}, phones={one for value in told.phones if (one := e164(value, ""))},
        customers={(connection.pk, key) for key in told.customers}, orders={(connection.pk, key) for key in told.orders},
    )  # fmt: skip
    kind = Kind(told.wish)
    request = PrivacyRequest.objects.create(
        kind=kind, origin=Origin.PLATFORM, connection=connection, topic=topic[:100], reference=told.reference[:100], asked_at=now,
        subject="" if told.wish is Wish.SHOP else subject.dumps(), codes=subject.codes(), start_at=now, due_at=now + DUE_AFTER,
        steps=shop.planned() if told.wish is Wish.SHOP else work.planned(kind),
    )  # fmt: skip
    async_task("integrations.tasks.privacy", request.pk)
    log.info("privacy request", request=request.pk, kind=str(kind), connection=connection.pk)
    return request


def cancel(request: PrivacyRequest) -> bool:
    """Take a request back before it started; False when it is too late."""
    mine = PrivacyRequest.objects.filter(pk=request.pk, state=State.WAITING, origin=Origin.CONSOLE)
    return bool(mine.update(state=State.CANCELLED, ended_at=timezone.now(), subject="", codes=[], steps=[]))


def again(request: PrivacyRequest) -> bool:
    """Go on with a request that stopped, or make the file anew where it was removed; False when there is nothing to go on with."""
    now = timezone.now()
    stopped = PrivacyRequest.objects.filter(pk=request.pk, state=State.FAILED)
    done = stopped.update(state=State.RUNNING, tries=0, error="", claim=None, lease_until=None)
    removed = PrivacyRequest.objects.filter(pk=request.pk, state=State.READY, file_until=None)
    done += removed.update(state=State.WAITING, start_at=now, tries=0, claim=None, lease_until=None, steps=work.planned(request.kind))
    if done:
        async_task("integrations.tasks.privacy", request.pk)
    return bool(done)


def hand_over(request: PrivacyRequest, by: User) -> bool:
    """The file was given to whoever asked; the request is done and knows nobody any more. The file stays until its last day."""
    mine = PrivacyRequest.objects.filter(pk=request.pk, state=State.READY)
    done = bool(mine.update(state=State.DONE, handed_over_at=timezone.now(), handed_over_by=by, subject="", ended_at=timezone.now()))
    if done:
        _close_reminder(request)
    return done


# --- the worker --------------------------------------------------------------------------------------------------------------


def pump(request_id: int, seconds: float = RUN_SECONDS) -> None:
    """Go on with one request for one task's time; another task goes on where this one ends."""
    until = time.monotonic() + seconds
    claim = _take(request_id)
    if claim is None:
        return
    more = True
    try:
        while more and time.monotonic() < until:
            more = _step(request_id, claim)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out and another worker goes on
    except Exception as fault:  # noqa: BLE001 - told by its name alone: its text may quote the person, and a log must not
        log.error("privacy request stopped", request=request_id, fault=type(fault).__name__, place=_place(fault))
        _fail(request_id, claim, f"{type(fault).__name__} at {_place(fault)}")
        return
    PrivacyRequest.objects.filter(pk=request_id, claim=claim).update(claim=None, lease_until=None, tries=0)
    if more:
        async_task("integrations.tasks.privacy", request_id)


def _take(request_id: int) -> uuid.UUID | None:
    """The request into this worker's hands; None when it ended, is not due, or another has it."""
    now, claim = timezone.now(), uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    mine = PrivacyRequest.objects.filter(free, pk=request_id, start_at__lte=now, state__in=(*UNDER_WAY, State.FOLLOWING))
    if not mine.update(claim=claim, lease_until=now + LEASE, tries=F("tries") + 1):
        return None
    PrivacyRequest.objects.filter(pk=request_id, state=State.WAITING).update(state=State.RUNNING, started_at=now)
    if PrivacyRequest.objects.filter(pk=request_id, tries__gt=MOST_TRIES).exists():
        _fail(request_id, claim, f"The worker was lost {MOST_TRIES} times at the same place")
        return None
    return claim


def _step(request_id: int, claim: uuid.UUID) -> bool:
    """One batch, stored with how far it is; whether there is more to do now."""
    with transaction.atomic():
        request = PrivacyRequest.objects.select_for_update(of=("self",)).filter(pk=request_id, claim=claim).first()
        if request is None or request.state not in (*UNDER_WAY, State.FOLLOWING):
            return False
        step = next((step for step in request.steps if step["state"] != "done"), None)
        if step is not None:
            do = shop.do if request.kind == Kind.SHOP else lambda request, step: work.do(work.begin(request), step)
            do(request, step)
            request.lease_until = timezone.now() + LEASE
            request.tries = 1
            request.save(update_fields=["subject", "codes", "steps", "asks", "lease_until", "tries"])
            return True
        if request.kind == Kind.EXPORT:
            _make_file(request)
            return False
    return _follow(request)


def _follow(request: PrivacyRequest) -> bool:
    """Every table is done: ask the platforms, outside of any transaction, and finish when they have finished."""
    if request.state == State.FOLLOWING and request.next_at and request.next_at > timezone.now():
        return False
    asks.follow(request)
    request.state = State.FOLLOWING
    if asks.are_asked(request):
        request.subject = ""
    request.save(update_fields=["asks", "next_at", "state", "subject"])
    if not asks.are_open(request):
        finish(request)
    return False


def _make_file(request: PrivacyRequest) -> None:
    size = write_file(work.begin(request))
    request.state, request.file_bytes, request.file_until = State.READY, size, timezone.now() + FILE_LASTS
    request.report = {"tables": _tables(request)}
    for step in request.steps:
        step["rows"] = []
    request.save(update_fields=["state", "file_bytes", "file_until", "steps", "report"])


def finish(request: PrivacyRequest) -> None:
    """Write the certificate and forget whom it was about."""
    request.ended_at = timezone.now()
    request.report = certificate(request)
    request.digest = hashlib.sha256(orjson.dumps(request.report, option=orjson.OPT_SORT_KEYS)).hexdigest()
    request.state, request.subject, request.error = State.DONE, "", ""
    request.save(update_fields=["ended_at", "report", "digest", "state", "subject", "error"])
    _close_reminder(request)
    log.info("privacy request done", request=request.pk, kind=str(request.kind))


def certificate(request: PrivacyRequest) -> dict[str, Any]:
    """What was erased where, when and by whom; whom it was about is told by one-way codes alone."""
    return {
        "request": request.pk, "kind": request.get_kind_display(), "asked_through": _asked_through(request), "reference": request.reference,
        "asked_at": request.asked_at.isoformat(), "began_at": request.started_at.isoformat() if request.started_at else "",
        "ended_at": request.ended_at.isoformat() if request.ended_at else "", "by": request.by_name or _asked_through(request),
        "codes": sorted(request.codes), "tables": _tables(request),
        "platforms": [{name: ask[name] for name in SHOWN_ASK} for ask in request.asks],
        "searched": sum(step["looked"] for step in request.steps),
    }  # fmt: skip


def _asked_through(request: PrivacyRequest) -> str:
    return f"{request.connection.name}: {request.topic}" if request.connection else request.get_origin_display()


def _tables(request: PrivacyRequest) -> list[dict[str, Any]]:
    """Rows by table and by what was done to them; what the first steps did by index is counted with its table."""
    found: dict[str, Counter[str]] = {}
    rows: dict[str, set[Any]] = {}
    for step in request.steps:
        name = work.BY_INDEX.get(step["name"], step["name"])
        if step["done"] and name not in (work.FIND, work.MARK, work.ASK):
            rows.setdefault(name, set()).update(step["rows"])
            found.setdefault(name, Counter()).update(step["done"])
        for table, done in step.get("also", {}).items():
            found.setdefault(f"table:{table}", Counter()).update(done)
    found |= {name: Counter({"found": len(keys)}) for name, keys in rows.items() if keys}  # what two steps found is one row
    label = shop.label_of if request.kind == Kind.SHOP else work.label_of
    return [{"table": label(name), "done": {WHAT.get(what, what): rows for what, rows in done.items()}} for name, done in found.items()]


def _fail(request_id: int, claim: uuid.UUID, why: str) -> None:
    PrivacyRequest.objects.filter(pk=request_id, claim=claim).update(state=State.FAILED, error=why[:300], claim=None, lease_until=None)


def _place(fault: BaseException) -> str:
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"


# --- every minute ------------------------------------------------------------------------------------------------------------


def tick() -> None:
    """Start what is due, go on with what a worker left, remove files whose days are over, and remind of requests that run out of time."""
    now = timezone.now()
    take_from_idle(now)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Q(state__in=UNDER_WAY, start_at__lte=now) | Q(state=State.FOLLOWING, next_at__lte=now)
    for pk in PrivacyRequest.objects.filter(free & due).values_list("pk", flat=True)[:20]:
        async_task("integrations.tasks.privacy", pk)
    remove_files(now)
    remind(now)


def take_from_idle(now: Any = None) -> int:
    """Requests among the messages of connections that are paused or whose credentials are dead: nothing else of theirs is read."""
    taken = 0
    since = (now or timezone.now()) - IDLE_LOOK
    for connection in Connection.objects.exclude(state=Connection.State.ACTIVE):
        platform = PLATFORMS.get(connection.platform)
        if platform is None or platform.privacy is None:
            continue
        with transaction.atomic():
            waiting = InboxEvent.objects.filter(connection=connection, state=InboxEvent.State.NEW, received_at__gt=since)
            waiting = waiting.filter(pk__gt=_looked.get(connection.pk, 0) - IDLE_OVERLAP)
            for event in waiting.select_for_update().order_by("pk")[:IDLE_ROWS]:
                _looked[connection.pk] = event.pk
                told = platform.privacy(IncomingEvent(topic=event.topic, dedup_key=event.dedup_key, body=event.body.encode()))
                if told is not None:
                    receive(connection, told, event.topic, event_id=event.pk)
                    InboxEvent.objects.filter(pk=event.pk).update(state=InboxEvent.State.DONE, done_at=timezone.now(), lease_until=None)
                    taken += 1
    return taken


def remove_files(now: Any = None) -> int:
    """Remove exports whose last day is over; one that a person made for themselves is done with that. Returns how many."""
    now = now or timezone.now()
    over = list(PrivacyRequest.objects.filter(file_until__lt=now).only("pk", "state", "origin"))
    for request in over:
        PrivacyFilePart.objects.filter(request=request.pk).delete()
        rows = PrivacyRequest.objects.filter(pk=request.pk)
        rows.update(file_until=None, file_bytes=0)
        rows.filter(state=State.READY, origin=Origin.CONSOLE).update(state=State.DONE, subject="", ended_at=now)
    return len(over)


def remind(now: Any = None) -> int:
    """One question for each request whose last day is near; returns how many are."""
    now = now or timezone.now()
    rows = PrivacyRequest.objects.filter(due_at__lt=now + NEAR).exclude(state__in=ENDED).select_related("connection")
    for request in rows:
        at = request.connection or Connection.objects.order_by("pk").first()
        subject = f"request {request.pk}"
        known = SyncException.objects.filter(kind=OVERDUE, subject=subject, state=SyncException.State.OPEN)
        if at is not None and not known.exists():
            days = (request.due_at - now).days
            when = f"is due in {days} day{'' if days == 1 else 's'}" if days >= 0 else "is overdue"
            exceptions.raise_for_connection(at, OVERDUE, subject, f"{request.get_kind_display()} {request.pk} {when}")
    return len(rows)


def _close_reminder(request: PrivacyRequest) -> None:
    SyncException.objects.filter(kind=OVERDUE, subject=f"request {request.pk}", state=SyncException.State.OPEN).update(
        state=SyncException.State.RESOLVED, resolved_at=timezone.now(), note="Closed by itself: the request is done."
    )
