"""Carrying out what a person decided about two contacts: the destination's own merge job, its end read back, and what follows here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.contrib.auth.models import User as Person
from django.db import transaction
from django.utils import timezone

from integrations.engine import accounts, circuit, people
from integrations.engine.replay import replay
from integrations.models import Delivery
from integrations.platforms.base import Lane
from integrations.platforms.errors import PlatformError, Refused, SlowDown
from integrations.platforms.registry import PLATFORMS
from integrations.platforms.survey import PersonView
from mapping.models import ContactHandle
from mapping.records import RecordType
from monitoring.models import Duplicate

if TYPE_CHECKING:
    from typing import Any

    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
State = Duplicate.State
PATIENCE = 30.0  # seconds between looks at a job
MAX_FAULTS = 10
AT_ONCE = 5


def word(key: str) -> str:
    """What a person types to confirm that this one disappears: the end of its id."""
    return key[-6:]


def views(pair: Duplicate) -> tuple[PersonView | None, PersonView | None]:
    """Both as the destination shows them now; raises PlatformError."""
    client = _client(pair)
    merging = PLATFORMS[pair.connection.platform].merging
    return merging.view(client, pair.first), merging.view(client, pair.second)


def ask(pair: Duplicate, survivor: str, by: User) -> bool:
    """Note a person's decision to merge; the worker carries it out. False when the pair is no longer to be decided."""
    rows = Duplicate.objects.filter(pk=pair.pk, state=State.OPEN)
    now = timezone.now()
    return bool(rows.update(state=State.ASKED, survivor=survivor, decided_by=by, decided_at=now, due_at=now, note="", faults=0))


def withdraw(pair: Duplicate) -> bool:
    """Take the decision back before it was carried out."""
    return bool(Duplicate.objects.filter(pk=pair.pk, state=State.ASKED).update(state=State.OPEN, survivor="", note=""))


def keep_apart(pair: Duplicate, by: User, note: str) -> bool:
    """They are two people; that is remembered."""
    rows = Duplicate.objects.filter(pk=pair.pk, state=State.OPEN)
    return bool(rows.update(state=State.DIFFERENT, decided_by=by, decided_at=timezone.now(), note=note[:500]))


def reconsider(pair: Duplicate) -> bool:
    """Two people after all not: back to the list."""
    return bool(Duplicate.objects.filter(pk=pair.pk, state=State.DIFFERENT).update(state=State.OPEN, note=""))


def carry_out() -> int:
    """Every minute: send merges that were asked for and look at those under way; returns how many came to an end."""
    rows = Duplicate.objects.filter(state__in=[State.ASKED, State.MERGING], due_at__lte=timezone.now()).select_related("connection")
    ended = 0
    for pair in rows.order_by("due_at", "pk")[:AT_ONCE]:
        if circuit.may_call(pair.connection):
            ended += _go_on(pair)
    return ended


def _go_on(pair: Duplicate) -> int:
    try:
        return STEPS[State(pair.state)](pair)
    except SlowDown as fault:
        _later(pair, fault.seconds)
    except Refused as fault:
        gone = fault.code == "gone"
        _update(pair, state=State.GONE if gone else State.OPEN, note=str(fault)[:500], ended_at=timezone.now() if gone else None)
        return int(gone)
    except PlatformError as fault:
        log.info("merge waits", duplicate=pair.pk, fault=type(fault).__name__)
        given_up = pair.faults + 1 >= MAX_FAULTS
        _update(pair, faults=pair.faults + 1, note=str(fault)[:500], **({"state": State.OPEN} if given_up else {}))
        _later(pair, PATIENCE)
    return 0


def _send(pair: Duplicate) -> int:
    """Ask the destination. A worker that dies right after asks again: then one of the two is gone already, which is found out first."""
    job = PLATFORMS[pair.connection.platform].merging.ask(_client(pair), pair.survivor, _merged(pair))
    _update(pair, state=State.MERGING, job=job, note="", due_at=timezone.now())
    log.info("merge asked for", duplicate=pair.pk, by=pair.decided_by_id, job=job)
    pair.refresh_from_db()
    return _look(pair)


def _look(pair: Duplicate) -> int:
    """When the job has ended, both are read back: the survivor must be there and the other one gone."""
    client, merging = _client(pair), PLATFORMS[pair.connection.platform].merging
    if not merging.is_done(client, pair.job):
        _later(pair, PATIENCE)
        return 0
    kept, gone = merging.view(client, pair.survivor), merging.view(client, _merged(pair))
    if kept is None or gone is not None:
        _update(pair, note="The job has ended, and both are not yet as expected. It is looked at again.", faults=pair.faults + 1)
        _later(pair, PATIENCE)
        return 0
    with transaction.atomic():
        _update(pair, state=State.MERGED, ended_at=timezone.now(), note="Read back: the survivor is there, the other one is gone.")
        sources = _follow(pair)
    _send_listings_again(pair, sources)
    return 1


STEPS = {State.ASKED: _send, State.MERGING: _look}


def _follow(pair: Duplicate) -> list[str]:
    """Our directory follows: whoever was the merged one is the survivor now. Returns the source keys concerned."""
    merged = _merged(pair)
    people.lock(pair.connection_id)
    mine = ContactHandle.objects.filter(connection=pair.connection_id, kind=ContactHandle.Kind.SOURCE_ID)
    keys = list(mine.filter(contact_key=merged).values_list("value", flat=True))
    if keys:
        people.bind(pair.connection_id, dict.fromkeys(keys, pair.survivor))
    people.forget(pair.connection_id, [merged])
    others = Duplicate.objects.filter(connection=pair.connection_id, state=State.OPEN).exclude(pk=pair.pk)
    for name in ("first", "second"):
        others.filter(**{name: merged}).update(state=State.GONE, ended_at=timezone.now(), note="One of them was merged into another.")
    return list(dict.fromkeys([*keys, *([pair.listing] if pair.listing else [])]))


def _send_listings_again(pair: Duplicate, sources: list[str]) -> None:
    """A merge deletes the listings of the merged profile (merge profiles page): they are sent again and join the survivor."""
    rows = Delivery.objects.filter(
        flow__destination=pair.connection_id, flow__record_type=RecordType.CUSTOMER, record_key__in=sources, state=Delivery.State.DELIVERED
    )
    ids = list(rows.values_list("pk", flat=True)) if sources else []
    if ids:
        replay(ids, Person.objects.filter(pk=pair.decided_by_id).first())


def _merged(pair: Duplicate) -> str:
    return pair.second if pair.survivor == pair.first else pair.first


def _client(pair: Duplicate) -> Any:
    with accounts.remediable():
        return accounts.client_for(pair.connection, lane=Lane.STANDARD)


def _later(pair: Duplicate, seconds: float) -> None:
    _update(pair, due_at=timezone.now() + timedelta(seconds=seconds))


def _update(pair: Duplicate, **changes: Any) -> None:
    Duplicate.objects.filter(pk=pair.pk).update(**changes)
