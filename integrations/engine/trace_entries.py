"""The entries of a thing's timeline: what its source says of it, how it was received, what it waited for, each try, and what people did."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from integrations.models import Attempt, Connection, Delivery, Hold, InboxEvent, SkuAnswer, SyncException
from mapping.models import MappingVersion

MOST_TRIES, MOST_EVENTS, MOST_ACTS = 200, 60, 60
Link = tuple[str, object]  # name of a page of the console and its argument

# Outcome of a try → tone, and what it means in words; {far} is the destination.
TRIES: Mapping[str, tuple[str, str]] = {
    Attempt.Outcome.DELIVERED: ("good", "Confirmed: {far} holds it"),
    Attempt.Outcome.ACCEPTED: ("info", "Sent: {far} took it and has not confirmed it yet"),
    Attempt.Outcome.LATER: ("warn", "Tried: {far} did not take it yet"),
    Attempt.Outcome.REFUSED: ("bad", "Refused by {far}"),
    Attempt.Outcome.HELD: ("warn", "Held back from {far}"),
    Attempt.Outcome.UNCHANGED: ("quiet", "Looked at: nothing to change at {far}"),
    Attempt.Outcome.SKIPPED: ("quiet", "Not sent to {far} on purpose"),
}
MAPPED = frozenset({Attempt.Outcome.DELIVERED, Attempt.Outcome.ACCEPTED, Attempt.Outcome.REFUSED, Attempt.Outcome.UNCHANGED})
EVENTS: Mapping[str, tuple[str, str]] = {
    InboxEvent.State.NEW: ("info", "Message arrived and waits to be processed"),
    InboxEvent.State.DONE: ("good", "Message received"),
    InboxEvent.State.FAILED: ("bad", "Message received that could not be read"),
    InboxEvent.State.IGNORED: ("quiet", "Message received; nothing in it to carry on"),
}
BROUGHT = {
    "poll": "Read by the regular poll", "backfill": "Read from the source's history", "repair": "Read from the source on request",
    "enrichment": "Received with other changes",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One moment: when, at which platform (slug; empty for the console itself), what in words, and the page that says more."""

    at: datetime
    platform: str
    where: str
    tone: str
    said: str
    detail: str = ""
    link: Link | None = None
    by: str = ""
    version: tuple[int, int] | None = None  # id and number of the rules that were in force
    record_type: str = ""


def tries(deliveries: Sequence[Delivery]) -> list[Entry]:
    """Every try of these deliveries, newest first, with the rules in force at that moment: two queries."""
    mine = {row.pk: row for row in deliveries}
    rows = Attempt.objects.filter(delivery__in=list(mine)).order_by("-at", "-pk")[:MOST_TRIES]
    in_force = _rules({row.flow_id for row in deliveries})
    return [_try(row, mine[row.delivery_id], in_force) for row in rows]


def _try(row: Attempt, delivery: Delivery, in_force: Callable[[int, datetime], tuple[int, int] | None]) -> Entry:
    far = delivery.flow.destination
    tone, said = TRIES[Attempt.Outcome(row.outcome)]
    facts = [row.message] if row.message and row.outcome != Attempt.Outcome.DELIVERED else []
    return Entry(
        at=row.at, platform=far.platform, where=far.name, tone=tone, said=said.format(far=far.name), detail=" ".join(facts),
        link=("integrations_delivery_change", delivery.pk), by="by hand" if row.manual else "",
        version=in_force(delivery.flow_id, row.at) if row.outcome in MAPPED else None, record_type=delivery.flow.record_type,
    )  # fmt: skip


def _rules(flows: Iterable[int]) -> Callable[[int, datetime], tuple[int, int] | None]:
    """Which version of a flow's rules was in force at a moment: the last one published before it."""
    published: dict[int, list[tuple[datetime, int, int]]] = defaultdict(list)
    rows = MappingVersion.objects.filter(flow__in=list(flows), published_at__isnull=False).order_by("published_at")
    for flow, at, pk, number in rows.values_list("flow", "published_at", "pk", "number"):
        published[flow].append((at, pk, number))

    def in_force(flow: int, at: datetime) -> tuple[int, int] | None:
        versions = published[flow]
        place = bisect_right(versions, at, key=lambda version: version[0])
        return versions[place - 1][1:] if place else None

    return in_force


def received(messages: Iterable[tuple[Connection, str]], deliveries: Sequence[Delivery]) -> list[Entry]:
    """Messages about these ids of connections, and how each delivery came when no message brought it: one query."""
    wanted, names = Q(pk=None), {}
    for connection, key in messages:
        names[connection.pk] = connection
        wanted |= Q(connection=connection.pk, object_key=key[:100])
    events = InboxEvent.objects.filter(wanted).exclude(object_key="").defer("body").order_by("-pk")[:MOST_EVENTS]
    told = [_event(row, names[row.connection_id]) for row in events]
    return told + [_brought(row) for row in deliveries if row.cause in BROUGHT or not told]


def _event(row: InboxEvent, connection: Connection) -> Entry:
    tone, said = EVENTS[InboxEvent.State(row.state)]
    return Entry(
        at=row.received_at, platform=connection.platform, where=connection.name, tone=tone, said=f"{said}: {row.topic}", detail=row.error,
        link=("integrations_inboxevent_change", row.pk),
    )  # fmt: skip


def _brought(row: Delivery) -> Entry:
    """When a record first came; what brought it is known as long as nothing newer did."""
    source = row.flow.source
    said = BROUGHT.get(row.cause, "First received") if row.version == 1 else "First received"
    return Entry(
        at=row.created_at, platform=source.platform, where=source.name, tone="good", said=said,
        link=("integrations_delivery_change", row.pk), record_type=row.flow.record_type,
    )  # fmt: skip


def waits(holds: Sequence[Hold], questions: Sequence[SyncException]) -> list[Entry]:
    """What is waited for now, and questions about the same thing with who settled them."""
    page = "integrations_syncexception_change"
    now = [_console(hold.since, "warn", f"Waits for an answer: {hold.exception.title}", link=(page, hold.exception_id)) for hold in holds]
    held = {hold.exception_id for hold in holds}
    for row in questions:
        link = (page, row.pk)
        if row.pk not in held:
            now.append(_console(row.first_seen, "warn", f"Question asked: {row.title}", link=link))
        if row.resolved_at:
            by = row.resolved_by.get_username() if row.resolved_by else ""
            ignored = row.state == SyncException.State.IGNORED
            said = f"Question {'set aside' if ignored else 'settled'}: {row.title}"
            now.append(_console(row.resolved_at, "quiet" if ignored else "good", said, detail=row.note, link=link, by=by or "the program"))
    return now


def answers(rows: Iterable[SkuAnswer]) -> list[Entry]:
    """What people (or the program) answered about SKUs, and what was taken back."""
    entries = []
    for row in rows:
        link = ("integrations_syncexception_change", row.exception_id) if row.exception_id else None
        by = "the program" if row.automatic or row.by is None else row.by.get_username()
        said = f"SKU {row.source_sku} mapped: {row.words}" if row.after.get("components") else f"SKU {row.source_sku} {row.words}"
        entries.append(_console(row.at, "good", said, link=link, by=by))
        if row.undone_at:
            undone_by = row.undone_by.get_username() if row.undone_by else "the program"
            entries.append(_console(row.undone_at, "warn", f"Taken back: SKU {row.source_sku}", link=link, by=undone_by))
    return entries


def acts(deliveries: Sequence[Delivery], questions: Sequence[SyncException]) -> list[Entry]:
    """What people did to these deliveries and questions: one query."""
    kinds = {
        ContentType.objects.get_for_model(Delivery).pk: ("integrations_delivery_change", [str(row.pk) for row in deliveries]),
        ContentType.objects.get_for_model(SyncException).pk: ("integrations_syncexception_change", [str(row.pk) for row in questions]),
    }
    wanted = Q(pk=None)
    for kind, (_, ids) in kinds.items():
        wanted |= Q(content_type=kind, object_id__in=ids)
    rows = LogEntry.objects.filter(wanted).select_related("user").order_by("-action_time")[:MOST_ACTS]
    return [
        _console(
            row.action_time, "info", row.get_change_message() or "Changed", link=(kinds[row.content_type_id][0], int(row.object_id)),
            by=row.user.get_username(),
        )
        for row in rows
    ]  # fmt: skip


def at_the_source(source: Connection, record: Mapping[str, Any]) -> list[Entry]:
    """What an order's own record says happened to it where it was bought."""
    moments = [(record.get("placed_at"), "Placed", "info"), (record.get("cancelled_at"), "Cancelled", "warn")]
    currency = record.get("currency", "")
    moments += [
        (row.get("refunded_at"), f"Refunded {row.get('amount', '')} {currency}".strip(), "warn") for row in record.get("refunds") or ()
    ]
    for row in record.get("fulfilments") or ():
        moments += [(row.get("shipped_at"), "Shipped", "info"), (row.get("delivered_at"), "Arrived at the buyer", "info")]
    return [
        Entry(
            at=datetime.fromisoformat(str(moment)), platform=source.platform, where=source.name, tone=tone, said=f"{said} at {source.name}"
        )
        for moment, said, tone in moments
        if moment
    ]


def _console(at: datetime, tone: str, said: str, *, detail: str = "", link: Link | None = None, by: str = "") -> Entry:
    return Entry(at=at, platform="", where="Switchyard", tone=tone, said=said, detail=detail, link=link, by=by)
