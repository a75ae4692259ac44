"""The stages of a comparison, one page per step: what the destination holds, its people, the source, the rest, drifts known before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.utils import timezone

from integrations.models import Delivery, Flow, Hold
from integrations.platforms.base import Window
from integrations.platforms.survey import StoredObject
from mapping.records import RecordType
from monitoring.models import Drift, Reconciliation, Seen
from monitoring.reconcile import drifts, judge
from monitoring.reconcile.drifts import CONSENT, STANDING
from monitoring.reconcile.ends import Ends, SourceRecord
from monitoring.reconcile.judge import Bench, Result, There, Verdict

AT_DESTINATION, AT_SOURCE = "d", "s"
REST_PAGE, LOOK_PAGE = 200, 20
MOST_DIFFERENCES = 5  # kept of one object, so that a comparison of a hundred thousand stays small
LOADED = (
    "id", "flow_id", "record_key", "record", "occurred_at", "state", "destination_key", "sent_payload", "sent_at", "delivered_at",
    "ready_since", "updated_at",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Step:
    """One page's worth: verdicts to store, rows that were seen, and where to go on (`cursor` None: the stage is over)."""

    cursor: str | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    of_consent: bool = False
    counted: bool = True  # whether what matches adds to the records that were compared
    seen: list[Seen] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    lying: list[tuple[str, str]] = field(default_factory=list)  # contacts: source key and the person it lies on
    counts: dict[str, int] = field(default_factory=dict)
    days: list[list[Any]] | None = None
    total: int | None = None
    resume_in: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A comparison and its two ends."""

    run: Reconciliation
    ends: Ends

    @property
    def window(self) -> Window:
        """The span that is compared."""
        return Window(since=self.run.window_from, until=self.run.window_to)

    @property
    def placed(self) -> bool:
        """Whether records count by the time of purchase."""
        return self.run.basis == Reconciliation.Basis.PLACED

    def bench(self, deliveries: Iterable[Delivery]) -> Bench:
        """What judging these deliveries needs; one query."""
        return bench_for(self.ends, timedelta(seconds=self.run.grace_seconds), deliveries)


def bench_for(ends: Ends, grace: timedelta, deliveries: Iterable[Delivery]) -> Bench:
    """The bench for these deliveries: the questions that hold them, and the time."""
    held = [row.pk for row in deliveries if row.state == Delivery.State.BLOCKED]
    holds = Hold.objects.filter(delivery__in=held).order_by("-pk")
    rows = holds.values_list("delivery_id", "exception__kind", "exception_id") if held else ()
    questions = {delivery: (kind, question) for delivery, kind, question in rows}
    return Bench(flow=ends.flow, spec=ends.spec, now=timezone.now(), grace=grace, questions=questions)


# --- what the destination holds ---------------------------------------------------------------------------------------------


def destination(work: Work, cursor: str | None) -> Step:
    """A page of the destination, each object compared with what was sent at once and kept in a few words."""
    page = work.ends.stored_page(work.window, placed=work.placed, cursor=cursor)
    mine = [stored for stored in page.objects if stored.key.startswith(work.ends.namespace)]
    known = _by_destination(work.ends.flow, [stored.key for stored in mine])
    if not work.ends.namespace:  # nothing in a bare id says whose it is: only what was sent is known to be ours
        mine = [stored for stored in mine if stored.key in known]
    rows = [_noted(work, stored, known.get(stored.key)) for stored in mine if _is_mine(work, known.get(stored.key))]
    following = page.cursor if page.cursor != cursor else None
    lying = [(known[stored.key].record_key, stored.person) for stored in mine if stored.key in known and _is_mine(work, known[stored.key])]
    return Step(cursor=following, seen=rows, lying=lying, counts={"stored_count": len(rows)})


def _is_mine(work: Work, delivery: Delivery | None) -> bool:
    return delivery is None or delivery.flow_id == work.ends.flow.pk


def _by_destination(flow: Flow, keys: Sequence[str]) -> dict[str, Delivery]:
    """Deliveries by their key at the destination, of all sources that write such records there."""
    flows = list(Flow.objects.filter(destination=flow.destination_id, record_type=flow.record_type).values_list("pk", flat=True))
    rows = Delivery.objects.filter(flow__in=flows, destination_key__in=keys).only(*LOADED) if keys else ()
    return {row.destination_key: row for row in sorted(rows, key=lambda row: row.flow_id == flow.pk)}


def _noted(work: Work, stored: StoredObject, delivery: Delivery | None) -> Seen:
    facts: dict[str, Any] = {"at": stored.changed_at.isoformat() if stored.changed_at else None, "currency": stored.currency}
    facts |= {"value": str(stored.value) if stored.value is not None else None, "person": stored.person}
    facts["differences"] = _plain(work.ends.differences(delivery, stored)) if delivery is not None else []
    owner = delivery.pk if delivery else None
    return Seen(run=work.run, side=AT_DESTINATION, key=stored.key[:200], delivery_id=owner, facts=facts, at=timezone.now())


def _plain(differences: Sequence[tuple[str, Any, Any]]) -> list[Any]:
    kept = sorted(differences, key=judge.weight)[:MOST_DIFFERENCES]
    return orjson.loads(orjson.dumps(kept, default=str))


def _there(facts: Mapping[str, Any]) -> There:
    at, value = facts.get("at"), facts.get("value")
    return There(
        found=not facts.get("none"),
        differences=tuple((name, sent, stored) for name, sent, stored in facts.get("differences") or ()),
        changed_at=datetime.fromisoformat(at) if at else None,
        value=Decimal(value) if value else None,
        currency=str(facts.get("currency") or ""),
    )


# --- its people -------------------------------------------------------------------------------------------------------------


def people(work: Work, cursor: str | None) -> Step:
    """A page of people who changed at the destination: their consent against the source's last word."""
    page = work.ends.people_page(work.window, cursor)
    owners = {key: person for person in page.people for key in person.customer_ids}
    rows = list(Delivery.objects.filter(flow=work.ends.flow, record_key__in=list(owners)).only(*LOADED)) if owners else []
    bench = work.bench(())
    verdicts = [judge.consent(bench, row, owners[row.record_key].email_consent, owners[row.record_key].key) for row in rows]
    following = page.cursor if page.cursor != cursor else None
    return Step(cursor=following, verdicts=verdicts, of_consent=True, counted=False, counts={"people_count": len(page.people)})


# --- the source ---------------------------------------------------------------------------------------------------------------


def source(work: Work, cursor: str | None) -> Step:
    """A page of the source: each record against what is held here, and what was delivered against the destination."""
    page = work.ends.source_page(work.window, placed=work.placed, cursor=cursor)
    records = _unseen(work.run, work.ends.records(page.objects))
    keys = [one.record.key[:200] for one in records]
    held = {row.record_key: row for row in Delivery.objects.filter(flow=work.ends.flow, record_key__in=keys).only(*LOADED)}
    bench = work.bench(held.values())
    early = {one.record.key: judge.at_our_door(bench, one.record, held.get(one.record.key[:200]), one.pull_key) for one in records}
    delivered = [held[key[:200]] for key, verdict in early.items() if verdict is None and key[:200] in held]
    verdicts = [verdict for verdict in early.values() if verdict is not None] + _at_destination(work, bench, delivered)
    seen = [Seen(run=work.run, side=AT_SOURCE, key=key, met=True, at=timezone.now()) for key in keys]
    met = [row.destination_key[:200] for row in held.values() if row.destination_key]
    return Step(
        cursor=page.cursor, verdicts=verdicts, seen=seen, met=met, counts={"source_count": len(records)}, total=page.total,
        resume_in=page.resume_in, note=page.note,
    )  # fmt: skip


def _unseen(run: Reconciliation, records: Sequence[SourceRecord]) -> list[SourceRecord]:
    """Records that no earlier page brought: sources repeat rows that move while they are paged."""
    keys = {one.record.key[:200]: one for one in records}
    known = set(Seen.objects.filter(run=run, side=AT_SOURCE, key__in=list(keys)).values_list("key", flat=True)) if keys else set()
    return [one for key, one in keys.items() if key not in known]


def _at_destination(work: Work, bench: Bench, rows: Sequence[Delivery]) -> list[Verdict]:
    """How what was delivered stands at the destination."""
    looked = look_up(work, rows)
    return [judge.at_destination(bench, row, looked[row.destination_key]) for row in rows]


def look_up(work: Work, rows: Sequence[Delivery]) -> dict[str, There]:
    """What the destination holds of these deliveries; what no page showed, or what was sent since, is read by itself and kept at once."""
    keys = [row.destination_key[:200] for row in rows]
    noted = {seen.key: seen for seen in Seen.objects.filter(run=work.run, side=AT_DESTINATION, key__in=keys)}
    found = {}
    for row in rows:
        seen = noted.get(row.destination_key[:200])
        if seen is None or row.updated_at > seen.at:
            seen = _read_one(work, row)
        found[row.destination_key] = _there(seen.facts)
    return found


def _read_one(work: Work, row: Delivery) -> Seen:
    stored = work.ends.stored(row.destination_key) if row.destination_key else None
    if stored is None:
        empty = {"none": True}
        seen = Seen(run=work.run, side=AT_DESTINATION, key=row.destination_key[:200], delivery_id=row.pk, facts=empty, at=timezone.now())
    else:
        seen = _noted(work, stored, row)
    keep([seen])
    return seen


def keep(rows: Sequence[Seen]) -> None:
    """Write what was seen; a later look replaces an earlier one, but not whether it was met."""
    ordered = sorted({(row.side, row.key): row for row in rows}.values(), key=lambda row: (row.side, row.key))
    unique, renewed = ["run", "side", "key"], ["facts", "delivery_id", "at"]
    Seen.objects.bulk_create(ordered, update_conflicts=True, unique_fields=unique, update_fields=renewed)


# --- the rest ------------------------------------------------------------------------------------------------------------------


def rest(work: Work, cursor: str | None) -> Step:
    """What the destination showed and the source did not: changed only there, or known to nobody else."""
    rows = Seen.objects.filter(run=work.run, side=AT_DESTINATION, met=False, key__gt=cursor or "").order_by("key")
    page = list(rows[:REST_PAGE])
    known = _by_destination(work.ends.flow, [row.key for row in page])
    bench = work.bench(row for row in known.values() if _is_mine(work, row))
    shown = [row for row in page if not row.facts.get("none")]
    verdicts = [judge.only_there(bench, row.key, _there(row.facts)) for row in shown if row.key not in known]
    mine = [known[row.key] for row in shown if row.key in known and _is_mine(work, known[row.key])]
    early = {row.pk: judge.at_our_door(bench, None, row) for row in mine}
    delivered = [row for row in mine if early[row.pk] is None]
    verdicts += [verdict for verdict in early.values() if verdict is not None] + _at_destination(work, bench, delivered)
    return Step(cursor=page[-1].key if len(page) == REST_PAGE else None, verdicts=verdicts)


# --- drifts known before -----------------------------------------------------------------------------------------------------------


def known_before(work: Work, cursor: str | None) -> Step:
    """Drifts of this flow that this comparison did not come across: each is looked at by itself."""
    rows = Drift.objects.filter(flow=work.ends.flow, state__in=STANDING, pk__gt=int(cursor or 0), last_seen__lt=work.run.started_at)
    page = list(rows.select_related("delivery").order_by("pk")[:LOOK_PAGE])
    verdicts = [(row.aspect == CONSENT, verdict) for row in page if (verdict := look_again(work.ends, row)) is not None]
    following = str(page[-1].pk) if len(page) == LOOK_PAGE else None
    plain = [verdict for is_consent, verdict in verdicts if not is_consent]
    return Step(cursor=following, verdicts=plain, counted=False, counts={"closed": _close_consent(work.ends.flow, verdicts)})


def _close_consent(flow: Flow, verdicts: Sequence[tuple[bool, Verdict]]) -> int:
    of_consent = [verdict for is_consent, verdict in verdicts if is_consent]
    return drifts.record(flow, None, of_consent, of_consent=True).closed if of_consent else 0


def look_again(ends: Ends, drift: Drift, grace: timedelta = timedelta()) -> Verdict | None:
    """How one drift stands now, None when that cannot be told without reading the source."""
    delivery = drift.delivery or Delivery.objects.filter(flow=ends.flow, record_key=drift.record_key).first()
    bench = bench_for(ends, grace, [delivery] if delivery else [])
    if drift.aspect == CONSENT:
        person = ends.person(drift.destination_key)
        if person is None or delivery is None:
            return Verdict(drift.record_key, Result.MATCHED)
        return judge.consent(bench, delivery, person.email_consent, person.key)
    if delivery is None:
        return _extra_again(ends, bench, drift) if drift.cause == "extra" else None
    early = judge.at_our_door(bench, None, delivery)
    if early is not None:
        return early
    stored = ends.stored(delivery.destination_key)
    return judge.at_destination(bench, delivery, _seen_there(ends, delivery, stored))


def _seen_there(ends: Ends, delivery: Delivery, stored: StoredObject | None) -> There:
    if stored is None:
        return There(found=False)
    differences = tuple(tuple(one) for one in _plain(ends.differences(delivery, stored)))
    return There(differences=differences, changed_at=stored.changed_at, value=stored.value, currency=stored.currency)


def _extra_again(ends: Ends, bench: Bench, drift: Drift) -> Verdict:
    stored = ends.stored(drift.destination_key)
    if stored is None:
        return Verdict(drift.record_key, Result.MATCHED)
    return judge.only_there(bench, drift.record_key, There(value=stored.value, currency=stored.currency))


# --- counts ---------------------------------------------------------------------------------------------------------------------


def counts(work: Work, cursor: str | None) -> Step:
    """One day's number of orders at both ends."""
    done = list(work.run.days)
    since = work.run.window_from + timedelta(days=len(done))
    if since >= work.run.window_to:
        return Step()
    until = min(since + timedelta(days=1), work.run.window_to)
    ours, theirs = work.ends.counts(Window(since=since, until=until))
    done.append([since.astimezone(UTC).isoformat(), ours, theirs])
    over = until >= work.run.window_to or ours is None
    step = Step(cursor=None if over else str(len(done)), days=done, counts={"source_count": ours or 0, "stored_count": theirs or 0})
    step.total = (work.run.window_to - work.run.window_from).days
    return step


Stage = Callable[[Work, str | None], Step]
STAGES: dict[str, Stage] = {
    "destination": destination, "people": people, "source": source, "rest": rest, "before": known_before, "counts": counts,
}  # fmt: skip
STAGE_WORDS = {
    "destination": "Reading the destination", "people": "Reading consent at the destination", "source": "Comparing with the source",
    "rest": "Looking at what only the destination has", "before": "Looking at earlier drifts again", "counts": "Counting both ends",
    "over": "Finished",
}  # fmt: skip


def stages_of(run: Reconciliation) -> tuple[str, ...]:
    """The stages of a comparison in their order."""
    if run.level == Reconciliation.Level.COUNTS:
        return ("counts",)
    middle = ("people",) if run.flow.record_type == RecordType.CUSTOMER else ()
    return ("destination", *middle, "source", "rest", "before")
