"""Sampled read-back: people who should be in a segment, drawn at random, as the platform holds them, against what we sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import randrange
from typing import TYPE_CHECKING, Any

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from integrations.access import may_replay
from integrations.engine import accounts, circuit, turns
from integrations.engine.outbox import backoff
from integrations.models import Delivery, Flow
from integrations.platforms.base import JsonObject, Lane
from integrations.platforms.errors import PlatformError, Reconnect, SlowDown
from integrations.platforms.ometria.compare import INSTRUCTIONS, compare
from integrations.platforms.ometria.lists import member_of
from integrations.platforms.ometria.moments import moment_of
from integrations.platforms.ometria.outgoing import outgoing
from integrations.platforms.registry import PLATFORMS
from mapping.records import RecordType
from monitoring.models import ReadBack, ReadBackRow, Segment
from monitoring.segments import causes

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = structlog.get_logger(__name__)
SIZES = (10, 25, 50)  # people per read-back; each costs up to three reads of the account's few a second
LEASE = timedelta(minutes=1)
SECONDS = 40.0  # one task works at most so long
MAX_FAULTS = 8
MARGIN = timedelta(seconds=5)
State = ReadBack.State
OPEN = (State.WAITING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class ReadCause:
    """What a comparison found, in words, and what to do."""

    label: str
    remedy: str
    tone: str
    resend: bool = False


CAUSES: dict[str, ReadCause] = {
    "same": ReadCause("As we sent it", "", "good"),
    "gone": ReadCause("Not at Ometria", "It was accepted once and is not there: send it again.", "bad", True),
    "newer": ReadCause("A newer version is on its way", "Nothing to do: it goes out by itself.", "info"),
    "held": ReadCause("A newer version is held", "Answer the exception that it waits for.", "warn"),
    "consent": ReadCause("Consent differs", "The person may have used the preference centre, or another source said otherwise. "
                         "Nothing is overwritten without a newer statement of the person.", "warn"),
    "elsewhere": ReadCause("Changed at Ometria after we sent it", "Another source or a person wrote it there. Send it again to put "
                           "ours back.", "warn", True),
    "not_taken": ReadCause("Not taken as sent", "Ometria keeps another value than the one we sent: send it again, and look at its rule "
                           "if that does not help.", "warn", True),
    "forgotten": ReadCause("Not compared", "What was sent is no longer kept; only that the record is there was looked at.", "quiet"),
}  # fmt: skip
CONSENT_FIELDS = ("marketing_optin", "channels", "timestamp_subscribed", "timestamp_unsubscribed")


def begin(segment: Segment, size: int, by: User | None) -> ReadBack | None:
    """Ask for a read-back of so many people; None when one is under way, and ValueError for a segment without a rule."""
    if not segment.rule:
        raise ValueError("Without a rule nobody is expected, so nobody can be drawn.")
    if ReadBack.objects.filter(segment=segment, state__in=OPEN).exists():
        return None
    now = timezone.now()
    made = ReadBack.objects.create(segment=segment, asked_by=by, asked_at=now, due_at=now, fields={"size": size})
    async_task("monitoring.segments.tasks.read_back", made.pk)
    return made


def cancel(read_back: ReadBack) -> bool:
    """End it; what was compared stays."""
    return bool(ReadBack.objects.filter(pk=read_back.pk, state__in=OPEN).update(state=State.CANCELLED, finished_at=timezone.now()))


def to_send_again(last: ReadBack, rows: Iterable[ReadBackRow], by: User) -> list[int]:
    """Of its rows, the deliveries that sending again heals, that were not sent since and that this person may send."""
    found = [row.delivery for row in rows if CAUSES[row.cause].resend]
    still = [one for one in found if one.state == Delivery.State.DELIVERED and one.sent_at and one.sent_at < last.asked_at]
    return [one.pk for one in still if may_replay(by, one)]


def due() -> list[int]:
    """Read-backs that a worker should go on with."""
    now = timezone.now()
    rows = ReadBack.objects.filter(state__in=OPEN, due_at__lte=now).exclude(lease_until__gt=now)
    return list(rows.values_list("pk", flat=True)[:10])


def run(read_back_id: int) -> None:
    """Compare person after person until all are done, time is over or a pump needs the worker; safe after a kill."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    if not ReadBack.objects.filter(free, pk=read_back_id, state__in=OPEN).update(lease_until=now + LEASE, state=State.RUNNING):
        return
    read_back = ReadBack.objects.select_related("segment__connection").get(pk=read_back_id)
    began = time.monotonic()
    if not read_back.chosen:
        _choose(read_back)
    go_on = True
    while go_on and read_back.done < len(read_back.chosen) and time.monotonic() - began < SECONDS and not turns.others_wait(began):
        go_on = _person(read_back)
        read_back.refresh_from_db(fields=["state"])
        go_on = go_on and read_back.state == State.RUNNING
    mine = ReadBack.objects.filter(pk=read_back.pk)
    mine.update(lease_until=None)
    if read_back.done >= len(read_back.chosen):
        mine.filter(state=State.RUNNING).update(state=State.DONE, finished_at=timezone.now())
    elif go_on:
        async_task("monitoring.segments.tasks.read_back", read_back.pk)


def _choose(read_back: ReadBack) -> None:
    """Draw people by the rule: for each the newest delivered order that counts."""
    scope = causes.scope_of(read_back.segment, timezone.now())
    size = read_back.fields.get("size", SIZES[0])
    newest: dict[int, int] = {}
    if scope is not None:
        orders = causes.counting(scope).filter(person__in=drawn(scope, size), state=Delivery.State.DELIVERED)
        newest = dict(orders.order_by("placed_at").values_list("person", "delivery"))
    read_back.chosen, read_back.fields = list(newest.values()), {}
    ReadBack.objects.filter(pk=read_back.pk).update(chosen=read_back.chosen, fields={})


def drawn(scope: causes.Scope, size: int) -> list[int]:
    """So many people of the rule at random: those whose hashes follow a random one, because hashes have no order of their own."""
    people = causes.members(scope).order_by("person").values_list("person", flat=True)
    pivot = randrange(-(2**63), 2**63)  # noqa: S311 - a sample, not a secret
    found = list(people.filter(person__gte=pivot)[:size])
    return found + list(people.filter(person__lt=pivot)[: size - len(found)])


def _person(read_back: ReadBack) -> bool:
    """Compare one person's order, contact and membership; False when the platform wants us to wait."""
    connection, client = read_back.segment.connection, None
    if not circuit.may_call(connection):
        _later(read_back, 60.0)
        return False
    order = Delivery.objects.select_related("flow").filter(pk=read_back.chosen[read_back.done]).first()
    try:
        with accounts.remediable():
            client = accounts.client_for(connection, lane=Lane.BULK)
            rows = _compare_person(read_back, client, order) if order else []
    except PlatformError as fault:
        _postpone(read_back, fault, client)
        return False
    circuit.answered(connection)
    with transaction.atomic():
        _store(read_back, rows)
    return True


def _compare_person(read_back: ReadBack, client: Any, order: Delivery) -> list[tuple[ReadBackRow, list[str]]]:
    contact = _contact_of(order)
    member = _membership(read_back.segment, client, order, contact)
    found = []
    for kind, delivery in (("order", order), ("contact", contact)):
        if delivery is not None and delivery.destination_key:
            row, fields = compare_delivery(client, delivery, read_back.segment.connection.platform)
            row.read_back, row.kind, row.member = read_back, kind, member
            found.append((row, [f"{kind}.{name}" for name in fields]))
    return found


def compare_delivery(client: Any, delivery: Delivery, platform: str) -> tuple[ReadBackRow, list[str]]:
    """What the platform holds against what was sent: the row, and the names of the fields that were compared."""
    writer = PLATFORMS[platform].writers[RecordType(delivery.flow.record_type)]
    stored = writer.read_back(client, delivery.destination_key)
    payload = outgoing(writer.kind, delivery.sent_payload, client.options) if delivery.sent_payload else {}
    differences = compare(payload, stored) if stored is not None else []
    row = ReadBackRow(
        delivery=delivery, found=stored is not None, cause=_cause(delivery, stored, [difference.field for difference in differences]),
        differences=[{"field": one.field, "sent": one.sent, "there": one.stored} for one in differences],
    )  # fmt: skip
    return row, [name for name in payload if name not in INSTRUCTIONS] if stored is not None else []


def _cause(delivery: Delivery, stored: JsonObject | None, fields: list[str]) -> str:
    if stored is None:
        return "gone"
    if not delivery.sent_payload:
        return "forgotten"
    if not fields:
        return "same"
    if delivery.state == Delivery.State.BLOCKED:
        return "held"
    if delivery.state != Delivery.State.DELIVERED:
        return "newer"
    if all(name.split(".")[0] in CONSENT_FIELDS for name in fields):
        return "consent"
    return "elsewhere" if _changed_after(delivery, stored) else "not_taken"


def _changed_after(delivery: Delivery, stored: Mapping[str, Any]) -> bool:
    """Whether the platform says that it changed the object well after our last sending."""
    changed = moment_of(stored.get("dt_object_updated"))
    confirmed = delivery.delivered_at or delivery.sent_at
    return bool(changed and confirmed and changed > confirmed + MARGIN)


def _contact_of(order: Delivery) -> Delivery | None:
    """The delivery of the order's customer to the same platform."""
    key = str((order.record.get("customer") or {}).get("key") or "")
    flow = Flow.objects.filter(source=order.flow.source_id, destination=order.flow.destination_id, record_type=RecordType.CUSTOMER).first()
    return Delivery.objects.select_related("flow").filter(flow=flow, record_key=key).first() if flow and key else None


def _membership(segment: Segment, client: Any, order: Delivery, contact: Delivery | None) -> bool | None:
    """Whether the person's profile names the segment; None when there is no address to ask by, or the profile names none."""
    payloads = [delivery.sent_payload or {} for delivery in (order, contact) if delivery is not None]
    emails = [payload.get("email") or (payload.get("customer") or {}).get("email") for payload in payloads]
    email = next((value for value in emails if value), "")
    profiles = client.profiles_by_email(email) if email else []
    said = [member for profile in profiles if (member := member_of(profile, segment.list_id)) is not None]
    return any(said) if said else None


def _store(read_back: ReadBack, rows: list[tuple[ReadBackRow, list[str]]]) -> None:
    """Keep one person's rows and count agreement per field, in one step with how far it is."""
    for row, fields in rows:
        _, made = ReadBackRow.objects.get_or_create(
            read_back=read_back, delivery=row.delivery,
            defaults={name: getattr(row, name) for name in ("kind", "found", "member", "differences", "cause")},
        )  # fmt: skip
        wrong = {f"{row.kind}.{one['field'].split('.')[0].split('[')[0]}" for one in row.differences}
        for name in fields if made else ():
            compared, different = read_back.fields.get(name, (0, 0))
            read_back.fields[name] = [compared + 1, different + (name in wrong)]
    read_back.done += 1
    ReadBack.objects.filter(pk=read_back.pk).update(
        done=read_back.done, fields=read_back.fields, lease_until=timezone.now() + LEASE, faults=0, error=""
    )


def _postpone(read_back: ReadBack, fault: PlatformError, client: Any) -> None:
    connection = read_back.segment.connection
    if isinstance(fault, SlowDown):
        _later(read_back, fault.seconds)
    elif isinstance(fault, Reconnect):
        _later(read_back, 1.0 if accounts.renewed(connection, fault, client) else 60.0, str(fault))
    else:
        circuit.failed(connection, str(fault))
        _later(read_back, max(1.0, backoff(read_back.faults + 1)), str(fault))
        ReadBack.objects.filter(pk=read_back.pk).update(faults=F("faults") + 1)
        if read_back.faults + 1 >= MAX_FAULTS:
            ReadBack.objects.filter(pk=read_back.pk).update(state=State.FAILED, finished_at=timezone.now())


def _later(read_back: ReadBack, seconds: float, error: str = "") -> None:
    ReadBack.objects.filter(pk=read_back.pk).update(due_at=timezone.now() + timedelta(seconds=seconds), error=error[:500])
