"""The steps of a request: what is looked at, table by table, in bounded batches that remember how far they are.

A step is a dictionary in the request's own row, `{"name", "state", "cursor", "looked", "done": {what: rows}, "rows": [keys]}`, and is
stored in the same transaction as what it did: a worker may be killed at any moment and the next one goes on behind the last batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from integrations.engine.erased import shadow_key
from integrations.engine.privacy import asks
from integrations.engine.privacy.erase import erase, holding
from integrations.engine.privacy.subject import Subject, complete, deliveries_of, loads
from integrations.engine.privacy.tables import Hunt, Table, hunt_for, look, table_of, tables
from integrations.models import Delivery, InboxEvent, PrivacyFilePart, PrivacyMark, PrivacyRequest

Kind = PrivacyRequest.Kind
Step = dict[str, Any]
OWN_ROWS, MESSAGES, TASKS = 200, 500, 500  # of one batch
MOST_KEPT = 50_000  # rows of one table that an export holds
FIND, MARK, ASK, OWN, INBOX, QUEUE, EXPORTS = "find", "mark", "ask", "own", "inbox", "queue", "exports"
LABELS = {
    FIND: "Find every name of the person", MARK: "Keep later records of the person out", ASK: "List the platforms to ask",
    OWN: "End and empty the person's deliveries", INBOX: "Empty messages about the person", QUEUE: "Results of the queue",
    EXPORTS: "Files made for the person before",
}  # fmt: skip


BY_INDEX = {OWN: "table:integrations.Delivery", INBOX: "table:integrations.InboxEvent"}  # steps that look at a part of a table first


@dataclass(slots=True)
class Work:
    """One request in a worker's hands."""

    request: PrivacyRequest
    subject: Subject
    _hunt: Hunt | None = field(default=None)

    @property
    def erases(self) -> bool:
        """Whether rows are changed, or only found."""
        return self.request.kind == Kind.ERASURE

    @property
    def hunt(self) -> Hunt:
        """What is looked for."""
        if self._hunt is None:
            self._hunt = hunt_for(self.subject, shadow_of(self.request))
        return self._hunt


def begin(request: PrivacyRequest) -> Work:
    """The work of a request as it stands."""
    return Work(request, loads(request.subject))


def shadow_of(request: PrivacyRequest) -> str:
    """What stands in the place of this request's person where they had no key at their source."""
    return shadow_key(0, f"request {request.pk}")


def planned(kind: str) -> list[Step]:
    """The steps of a request of this kind."""
    first = (FIND, MARK, ASK, OWN, INBOX) if kind == Kind.ERASURE else (FIND, OWN, INBOX)
    last = (QUEUE, EXPORTS) if kind == Kind.ERASURE else ()
    names = [*first, *(f"table:{table.name}" for table in tables()), *last]
    return [{"name": name, "state": "waiting", "cursor": None, "looked": 0, "done": {}, "rows": []} for name in names]


def label_of(name: str) -> str:
    """A step in words."""
    if not name.startswith("table:"):
        return LABELS.get(name, name)
    try:
        return table_of(apps.get_model(name.removeprefix("table:"))).label
    except LookupError:
        return name.removeprefix("table:")


def do(work: Work, step: Step) -> None:
    """One batch of a step; its state is "done" after the last. Call inside the transaction that stores the request."""
    name = step["name"]
    step["state"] = "running"
    more = _table(work, step) if name.startswith("table:") else STEPS[name](work, step)
    if not more:
        step["state"] = "done"


def _add(step: Step, done: Counter[str], looked: int) -> None:
    step["looked"] += looked
    for what, rows in done.items():
        step["done"][what] = step["done"].get(what, 0) + rows


def _erase(work: Work, step: Step, table: Table, keys: Sequence[Any], *, looked: int) -> None:
    """Erase, and count what hung on the rows with the tables it stands in."""
    _add(step, erase(table, keys, work.hunt), looked)
    for (name, what), rows in work.hunt.also.items():
        if rows:
            counts = step.setdefault("also", {}).setdefault(name, {})
            counts[what] = counts.get(what, 0) + rows
    work.hunt.also.clear()


def _keep(step: Step, keys: Sequence[Any]) -> None:
    if not keys:
        return
    room = MOST_KEPT - len(step["rows"])
    step["rows"] += list(keys)[: max(room, 0)]
    _add(step, Counter({"found": len(keys)}), 0)


# --- the steps ---------------------------------------------------------------------------------------------------------------


def _find(work: Work, step: Step) -> bool:
    complete(work.subject)
    work.request.subject, work.request.codes = work.subject.dumps(), work.subject.codes()
    _add(step, Counter({"names": work.subject.size}), 0)
    return False


def _mark(work: Work, step: Step) -> bool:
    shadow = shadow_of(work.request)
    rows = [PrivacyMark(code=code, shadow=shadow, request=work.request) for code in work.request.codes]
    PrivacyMark.objects.bulk_create(rows, ignore_conflicts=True)
    _add(step, Counter({"marks": len(rows)}), 0)
    return False


def _ask(work: Work, step: Step) -> bool:
    work.request.asks = asks.listed(work.request, work.subject)
    return False


def _own(work: Work, step: Step) -> bool:
    return _batch(work, step, table_of(Delivery), _next(deliveries_of(work.subject), step, OWN_ROWS), size=OWN_ROWS)


def _inbox(work: Work, step: Step) -> bool:
    keys = work.subject.customers | work.subject.orders | work.subject.visitors
    wanted = Q(pk=None)
    for connection in {at for at, _ in keys}:
        wanted |= Q(connection=connection, object_key__in=[key[:100] for at, key in keys if at == connection and key])
    return _batch(work, step, table_of(InboxEvent), _next(InboxEvent.objects.filter(wanted), step, MESSAGES), size=MESSAGES)


def _next(rows: QuerySet, step: Step, size: int) -> list[int]:
    """The keys behind the step's cursor. All of a person's are read: asked for in order, the database might walk the whole table."""
    after = step["cursor"] or 0
    return sorted(pk for pk in rows.order_by().values_list("pk", flat=True) if pk > after)[:size]


def _batch(work: Work, step: Step, table: Table, keys: list[int], *, size: int) -> bool:
    if keys and work.erases:
        _erase(work, step, table, keys, looked=len(keys))
    elif keys:
        _keep(step, keys)
    step["cursor"] = keys[-1] if keys else step["cursor"]
    return len(keys) == size


def _table(work: Work, step: Step) -> bool:
    try:
        table = table_of(apps.get_model(step["name"].removeprefix("table:")))
    except LookupError:  # a table that an update took away meanwhile
        return False
    last, looked, keys = look(table, work.hunt, step["cursor"])
    step["looked"] += looked
    if keys and work.erases:
        _erase(work, step, table, keys, looked=0)
    elif keys:
        _keep(step, holding(table, keys, work.hunt))
    step["cursor"] = last if last is None or isinstance(last, int) else str(last)
    return last is not None


def _queue(work: Work, step: Step) -> bool:
    """Results that the queue keeps are packed, so each is unpacked and read; there are few, and those of two days."""
    model = apps.get_model("django_q.Task")
    after = step["cursor"] or ""
    rows = list(model.objects.filter(id__gt=after).order_by("id")[:TASKS])
    gone = [row.pk for row in rows if work.hunt.traces.are_in(f"{row.args!r} {row.kwargs!r} {row.result!r}")]
    model.objects.filter(pk__in=gone).delete()
    _add(step, Counter({"deleted": len(gone)}) if gone else Counter(), len(rows))
    step["cursor"] = rows[-1].pk if rows else after
    return len(rows) == TASKS


def _exports(work: Work, step: Step) -> bool:
    """Files that were made for the person before, and what those requests still know of them."""
    codes = set(work.request.codes)
    gone = 0
    for other in PrivacyRequest.objects.filter(kind=Kind.EXPORT).exclude(pk=work.request.pk).only("pk", "codes", "state"):
        if not codes.isdisjoint(other.codes):
            gone += PrivacyFilePart.objects.filter(request=other).delete()[0]
            open_ = other.state not in (PrivacyRequest.State.DONE, PrivacyRequest.State.CANCELLED)
            ended = {"state": PrivacyRequest.State.CANCELLED, "error": "The person was erased before."} if open_ else {}
            PrivacyRequest.objects.filter(pk=other.pk).update(subject="", file_bytes=0, file_until=None, **ended)
    _add(step, Counter({"deleted": gone}) if gone else Counter(), 0)
    return False


STEPS: dict[str, Callable[[Work, Step], bool]] = {
    FIND: _find, MARK: _mark, ASK: _ask, OWN: _own, INBOX: _inbox, QUEUE: _queue, EXPORTS: _exports,
}  # fmt: skip
