"""Where a thing should be and whether it is there; if not, why, in plain words, with the next step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.engine import links, visitors
from integrations.engine.trace_entries import Link
from integrations.models import Connection, Delivery, Flow, Hold
from mapping.records import RecordType

SOON = timedelta(seconds=20)  # what is due within this is on its way
OFF = "The flow is off, so nothing is sent until somebody turns it on."


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next: its words and the page where it is done."""

    label: str
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One destination of a thing: its state as a badge, why it is there or not, and what to do about it."""

    flow: Flow
    delivery: Delivery | None
    tone: str
    state: str
    says: str
    since: datetime | None = None
    steps: tuple[Step, ...] = ()
    moving: bool = False  # it changes by itself in a moment

    @property
    def is_there(self) -> bool:
        """Whether the destination holds it as it was last sent."""
        return self.delivery is not None and self.delivery.state == Delivery.State.DELIVERED


@dataclass(frozen=True, slots=True)
class _Case:
    """What a verdict is made from: the delivery, its holds, and the deliveries of what it belongs to."""

    row: Delivery
    holds: Sequence[Hold]
    parents: Sequence[Delivery]


def verdicts(flows: Iterable[Flow], deliveries: Sequence[Delivery], holds: Sequence[Hold]) -> list[Verdict]:
    """One verdict per delivery, and one per flow that should carry the thing and never got it: one query for what is waited for."""
    carried: dict[int, list[Delivery]] = defaultdict(list)
    for row in deliveries:
        carried[row.flow_id].append(row)
    held: dict[int, list[Hold]] = defaultdict(list)
    for hold in holds:
        held[hold.delivery_id].append(hold)
    parents = _parents([row for row in deliveries if row.last_code == links.WAITS and row.state == Delivery.State.READY])
    answer = [_verdict(_Case(row, held[row.pk], parents.get(row.pk, ()))) for row in deliveries]
    return answer + [_never(flow) for flow in flows if flow.pk not in carried]


def _parents(waiting: Sequence[Delivery]) -> dict[int, list[Delivery]]:
    """The deliveries between the same connections that these wait for, by the id of what waits."""
    keys = {row.parent_key for row in waiting if row.parent_key}
    if not keys:
        return {}
    rows = Delivery.objects.filter(record_key__in=keys, flow__record_type__in=[RecordType.CUSTOMER, RecordType.PRODUCT])
    known = list(rows.select_related("flow").defer("record", "sent_payload")[:20])
    return {
        row.pk: [
            parent
            for parent in known
            if parent.record_key == row.parent_key
            and (parent.flow.source_id, parent.flow.destination_id) == (row.flow.source_id, row.flow.destination_id)
        ]
        for row in waiting
    }


def _verdict(case: _Case) -> Verdict:
    row = case.row
    return STATES[Delivery.State(row.state)](case)


def _make(case: _Case, tone: str, says: str, **facts: object) -> Verdict:
    facts.setdefault("since", case.row.updated_at)
    return Verdict(flow=case.row.flow, delivery=case.row, tone=tone, state=case.row.get_state_display(), says=says, **facts)


def _delivered(case: _Case) -> Verdict:
    far = case.row.flow.destination.name
    return _make(case, "good", f"{far} holds it as it was last sent.", since=case.row.delivered_at or case.row.updated_at)


def _accepted(case: _Case) -> Verdict:
    return _make(case, "info", f"{case.row.flow.destination.name} took it and is asked whether it is good.", moving=True)


def _sending(case: _Case) -> Verdict:
    return _make(case, "info", "A worker is sending it right now.", moving=True)


def _skipped(case: _Case) -> Verdict:
    why = case.row.last_message or "A rule says that it is not to be sent."
    return _make(case, "quiet", f"Not sent on purpose: {why}", steps=(_open(case.row, "See why, or send it again"),))


def _blocked(case: _Case) -> Verdict:
    titles = "; ".join(hold.exception.title for hold in case.holds)
    steps = tuple(Step(f"Answer: {hold.exception.title}", ("integrations_syncexception_change", hold.exception_id)) for hold in case.holds)
    says = f"It waits for an answer: {titles}." if titles else f"It is held: {case.row.last_message or 'nobody knows why'}."
    return _make(case, "warn", says, since=min((hold.since for hold in case.holds), default=case.row.updated_at),
                 steps=steps or (_open(case.row, "Open it and try again"),))  # fmt: skip


def _ready(case: _Case) -> Verdict:
    row = case.row
    if obstacle := standing_still(row.flow):
        return _make(case, "warn", obstacle[0], since=row.ready_since, steps=(obstacle[1],))
    if row.last_code == links.WAITS:
        return _after_its_parent(case)
    if row.last_code == visitors.WAITS:
        return _make(case, "info", row.last_message, since=row.ready_since)
    if row.due_at > timezone.now() + SOON:
        why = f"The last try failed: {row.last_message}" if row.attempts and row.last_message else "It is not due yet."
        return _make(case, "warn" if row.attempts else "info", f"{why} It goes out by itself.", since=row.ready_since,
                     steps=(_open(case.row, "Try now"),))  # fmt: skip
    return _make(case, "info", "It is next in line and goes out by itself.", since=row.ready_since, moving=True)


def _after_its_parent(case: _Case) -> Verdict:
    """A record waits for the one it belongs to, which may be held itself."""
    row = case.row
    if not case.parents:
        return _make(case, "warn", f"{row.last_message} It never arrived here.", since=row.ready_since, steps=(_open(row, "Open it"),))
    parent = case.parents[0]
    state = parent.get_state_display().lower()
    step = Step(f"Open the {parent.flow.record_type} it waits for", ("integrations_delivery_change", parent.pk))
    return _make(case, "warn", f"{row.last_message} That one is {state}.", since=row.ready_since, steps=(step,))


def standing_still(flow: Flow) -> tuple[str, Step] | None:
    """Why nothing of a flow goes out at all, None when it does."""
    far = flow.destination
    if not flow.enabled:
        return OFF, Step("Open the flow", ("integrations_flow_change", flow.pk))
    return connection_trouble(far, "what is ready waits")


def connection_trouble(connection: Connection, meanwhile: str) -> tuple[str, Step] | None:
    """Why a connection is not called, in words; None when it is."""
    step = Step(f"Open {connection.name}", ("integrations_connection_change", connection.pk))
    if connection.state == Connection.State.PAUSED:
        return f"{connection.name} is paused by a person; {meanwhile}.", step
    if connection.state == Connection.State.NEEDS_AUTH:
        return f"{connection.name} no longer accepts our credentials; {meanwhile} until an administrator connects it again.", step
    if connection.resume_at and connection.resume_at > timezone.now():
        return f"{connection.name} does not answer; {meanwhile}, and it is asked again by itself.", step
    return None


def _never(flow: Flow) -> Verdict:
    """A flow that should carry the thing and holds nothing of it."""
    step = Step("Open the flow", ("integrations_flow_change", flow.pk))
    if not flow.enabled:
        return Verdict(flow=flow, delivery=None, tone="quiet", state="Flow off", says=OFF, steps=(step,))
    says = (
        f"It came before this flow was switched on ({flow.created_at:%-d %B %Y}) or lies outside the history that was read. "
        "A backfill of its time brings it."
    )
    return Verdict(flow=flow, delivery=None, tone="warn", state="Not here", says=says, steps=(step,))


def _open(row: Delivery, label: str) -> Step:
    return Step(label, ("integrations_delivery_change", row.pk))


STATES: Mapping[str, Callable[[_Case], Verdict]] = {
    Delivery.State.DELIVERED: _delivered, Delivery.State.ACCEPTED: _accepted, Delivery.State.SENDING: _sending,
    Delivery.State.SKIPPED: _skipped, Delivery.State.BLOCKED: _blocked, Delivery.State.READY: _ready,
}  # fmt: skip
