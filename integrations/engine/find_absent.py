"""Why nothing was found: for each source what has been read of it, what stands in the way, and whether it can be asked now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, Max, Min, OuterRef, Q

from integrations.engine import accounts
from integrations.engine.find_ask import knows_people, ways_to_ask
from integrations.engine.find_asked import Asked
from integrations.engine.trace_places import Step, connection_trouble
from integrations.models import Checkpoint, Connection, Flow, InboxEvent
from mapping.records import RecordType

LOOKED_AT = 50  # messages that could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """One connection that might have it: what is known of its reading, next steps, and whether it can be asked now."""

    connection: Connection
    says: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    can_ask: bool = False
    is_source: bool = True
    reach: str = ""


def sought(asked: Asked) -> RecordType:
    """What somebody most likely looks for."""
    if asked.record_type:
        return RecordType(asked.record_type)
    if asked.personal:
        return RecordType.CUSTOMER
    return RecordType.ORDER if any(sign.isdigit() for sign in asked.text[-4:]) and " " not in asked.text else RecordType.PRODUCT


def absences(asked: Asked) -> list[Absence]:
    """Every source that could have told of it, and every destination that can be asked for a person; five queries however many."""
    wanted = sought(asked)
    flows = list(Flow.objects.select_related("source", "destination"))
    sources = {flow.source_id: flow.source for flow in flows}
    carries = {pk: [flow for flow in flows if flow.source_id == pk and flow.record_type == wanted] for pk in sources}
    polls, history = _reading(list(sources))
    stuck = _stuck(list(sources))
    found = [
        _absence(source, carries[pk], wanted, asked=asked, polls=polls, history=history, stuck=stuck.get(pk, ""))
        for pk, source in sources.items()
        if carries[pk] or ways_to_ask(source, asked)
    ]
    return sorted(found, key=lambda absence: not absence.can_ask) + _destinations(asked, flows)


def _reading(sources: Sequence[int]) -> tuple[dict[tuple[int, str], object], dict[tuple[int, str], object]]:
    """By connection and reader: until when polls have read, and from when on history was read."""
    rows = Checkpoint.objects.filter(connection__in=sources).values_list("connection", "reader")
    poll, backfill = Q(purpose=Checkpoint.Purpose.POLL), Q(purpose=Checkpoint.Purpose.BACKFILL, state=Checkpoint.State.DONE)
    columns = rows.annotate(polled=Max("finished_at", filter=poll), since=Min("window_from", filter=backfill)).order_by()
    told = list(columns)
    return {(pk, name): at for pk, name, at, _ in told if at}, {(pk, name): since for pk, name, _, since in told if since}


def _stuck(sources: Sequence[int]) -> dict[int, str]:
    """Whether messages wait or could not be read, by connection; one look into the index of each."""
    failed = InboxEvent.objects.filter(state=InboxEvent.State.FAILED).order_by("-id").values_list("connection", flat=True)[:LOOKED_AT]
    new = InboxEvent.objects.filter(connection=OuterRef("pk"), state=InboxEvent.State.NEW)
    waiting = Connection.objects.filter(Exists(new), pk__in=sources).values_list("pk", flat=True)
    return dict.fromkeys(failed, "Some of its messages could not be read.") | dict.fromkeys(
        waiting, "Messages from it wait to be processed."
    )


def _absence(
    source: Connection, carriers: Sequence[Flow], wanted: RecordType, *, asked: Asked, polls: dict, history: dict, stuck: str
) -> Absence:
    says, steps = [], []
    if trouble := connection_trouble(source, "news from there is not read"):
        says.append(trouble[0])
        steps.append(trouble[1])
    off = [flow for flow in carriers if not flow.enabled]
    if not carriers:
        says.append(f"No flow carries {wanted}s from {source.name}.")
    elif len(off) == len(carriers):
        says.append(f"The flow of its {wanted}s is off, so they are not kept.")
        steps += [Step("Open the flow", ("integrations_flow_change", flow.pk)) for flow in off[:1]]
    says += _windows(source, wanted, polls, history)
    if stuck:
        says.append(stuck)
        steps.append(Step("Look at its messages", ("integrations_inboxevent_changelist", source.pk)))
    lookup = accounts.platform_of(source).lookup
    can = bool(ways_to_ask(source, asked)) and not trouble
    reach = lookup.reach if lookup else "This source cannot be asked: it only tells."
    return Absence(connection=source, says=tuple(says), steps=tuple(steps), can_ask=can, reach=reach)


def _windows(source: Connection, wanted: RecordType, polls: dict, history: dict) -> list[str]:
    """What of its past has been read, and when it was last looked at."""
    readers = [name for name, reader in accounts.platform_of(source).readers.items() if wanted in reader.record_types]
    if not readers:
        return []
    since = [history[source.pk, name] for name in readers if (source.pk, name) in history]
    read = [polls[source.pk, name] for name in readers if (source.pk, name) in polls]
    says = [
        f"Its {wanted}s have been read back to {min(since):%-d %B %Y}; older ones never came unless they changed since."
        if since
        else f"Its history was never read: only {wanted}s that are new or changed since {source.created_at:%-d %B %Y} came."
    ]
    return says + ([f"It was last looked through {max(read):%-d %B %Y, %H:%M} UTC."] if read else [])


def _destinations(asked: Asked, flows: Sequence[Flow]) -> list[Absence]:
    """Destinations that can be asked whether they know the address."""
    if not any(kind == "email" for kind, _ in asked.handles):
        return []
    ends = [flow.destination for flow in flows if flow.record_type == RecordType.CUSTOMER]
    there = {end.pk: end for end in ends if knows_people(end)}
    says = "No contact with this address is known here; the destination may know one that no source of yours has told of."
    return [
        Absence(connection=row, says=(says,), can_ask=not connection_trouble(row, ""), is_source=False) for row in there.values()
    ]  # fmt: skip
