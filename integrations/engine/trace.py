"""One thing across all platforms: where it should be, whether it is there and why not, what it belongs to, and its whole timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from integrations.engine import trace_entries as entries
from integrations.engine.find import CONTACT, PERSON, SKU, Hit, Thing, hits_of
from integrations.engine.find_terms import plain
from integrations.engine.trace_entries import Entry
from integrations.engine.trace_places import Step, Verdict, connection_trouble, verdicts
from integrations.models import Connection, Delivery, Flow, Hold, SearchTerm, SkuAnswer, SyncException
from mapping.models import Contact, ContactHandle, SkuCrosswalk
from mapping.records import RecordType

MOST_OWN, MOST_KIN, MOST_LINES = 20, 10, 20  # deliveries of one thing, related things of one kind, lines of an order that are looked up
OF_A_PERSON = (RecordType.ORDER, RecordType.CHECKOUT, RecordType.EVENT)
UNMAPPED = "unmapped_sku"


@dataclass(frozen=True, slots=True)
class SkuState:
    """One SKU of an order: known under which names at the destination, or held by which question."""

    sku: str
    title: str
    says: str
    tone: str
    question: int | None = None


@dataclass(slots=True, kw_only=True)
class Trace:
    """Everything about one thing, as of a moment."""

    thing: Thing
    record_type: str
    record: Mapping[str, Any]
    sources: list[Connection]
    deliveries: list[Delivery]
    verdicts: list[Verdict]
    entries: list[Entry]
    people: list[Hit] = field(default_factory=list)
    orders: list[Delivery] = field(default_factory=list)  # of a person, with checkouts and events
    variants: list[Hit] = field(default_factory=list)
    skus: list[SkuState] = field(default_factory=list)
    troubles: list[tuple[str, Step]] = field(default_factory=list)
    as_of: datetime = field(default_factory=timezone.now)

    @property
    def moving(self) -> bool:
        """Whether it changes by itself in a moment."""
        return any(verdict.moving for verdict in self.verdicts)


@dataclass(slots=True)
class _About:
    """What was gathered about a thing before its timeline is told."""

    record_type: str
    keys: list[tuple[Connection, str]]  # where its source speaks of it, and by which id
    deliveries: list[Delivery]
    subjects: set[str]  # what questions about it are about
    skus: set[str] = field(default_factory=set)
    record: Mapping[str, Any] = field(default_factory=dict)


def trace(thing: Thing) -> Trace | None:
    """The story of a thing; None when nobody ever heard of it. The number of queries does not depend on how much there is of it."""
    gather = GATHERED.get(thing.kind, _record)
    about = gather(thing)
    if about is None:
        return None
    flows = list(Flow.objects.filter(source__in=[source for source, _ in about.keys], record_type=about.record_type)
                 .select_related("source", "destination"))  # fmt: skip
    holds = list(Hold.objects.filter(delivery__in=about.deliveries).select_related("exception__flow").order_by("since")[: MOST_KIN * 2])
    questions = _questions(about, flows)
    told = _told(about, holds, questions)
    found = Trace(
        thing=thing, record_type=about.record_type, record=about.record, sources=[source for source, _ in about.keys],
        deliveries=about.deliveries, verdicts=verdicts(flows, about.deliveries, holds), entries=told,
        troubles=[trouble for source, _ in about.keys if (trouble := connection_trouble(source, "news from there is not read"))],
    )  # fmt: skip
    RELATED.get(thing.kind, _nothing)(found, about, questions)
    return found


def _told(about: _About, holds: Sequence[Hold], questions: Sequence[SyncException]) -> list[Entry]:
    """The timeline, newest first."""
    answered = SkuAnswer.objects.none()
    if about.skus:
        answered = SkuAnswer.objects.filter(source__in=[source for source, _ in about.keys], source_sku__in=about.skus)
    told = [
        *entries.tries(about.deliveries),
        *entries.received(about.keys, about.deliveries),
        *entries.waits(holds, questions),
        *entries.answers(answered.select_related("by", "undone_by").order_by("-at")[: entries.MOST_ACTS]),
        *entries.acts(about.deliveries, questions),
        *(entries.at_the_source(about.keys[0][0], about.record) if about.record_type == RecordType.ORDER and about.keys else ()),
    ]
    return sorted(told, key=lambda entry: entry.at, reverse=True)


def _questions(about: _About, flows: Iterable[Flow]) -> list[SyncException]:
    """Questions about this thing, open and settled."""
    rows = SyncException.objects.filter(subject__in=about.subjects).filter(
        Q(flow__in=[*flows, *(row.flow_id for row in about.deliveries)]) | Q(kind=UNMAPPED, subject__in=about.skus)
    )
    return list(rows.select_related("resolved_by", "flow").order_by("-last_seen")[: MOST_KIN * 2])


# --- gathering ----------------------------------------------------------------------------------------------------------------


def _own(wanted: Q) -> list[Delivery]:
    rows = Delivery.objects.filter(wanted).select_related("flow__source", "flow__destination").defer("sent_payload")
    return list(rows.order_by("-updated_at")[:MOST_OWN])


def _carried(source_id: int, record_type: str, keys: Iterable[str]) -> Q:
    """Deliveries of these records of a source, by the index of flow and key."""
    flows = list(Flow.objects.filter(source=source_id, record_type=record_type).values_list("pk", flat=True))
    return Q(flow__in=flows, record_key__in=list(keys))


def _record(thing: Thing) -> _About | None:
    """An order, a product, a variant or a passing thing."""
    source = Connection.objects.filter(pk=thing.connection_id).first()
    if source is None or thing.kind not in list(RecordType):
        return None
    deliveries = _own(_carried(source.pk, thing.kind, [thing.key]))
    record = max(deliveries, key=lambda row: row.occurred_at).record if deliveries else {}
    skus = {str(line.get("sku")) for line in (record.get("lines") or [])[:MOST_LINES] if line.get("sku")}
    skus |= {str(record["sku"])} if record.get("sku") else set()
    return _About(thing.kind, [(source, thing.key)], deliveries, {thing.key, *skus}, skus=skus, record=record)


def _person(thing: Thing) -> _About | None:
    """A customer, with whatever other sources know of the same person: all that were matched to the same contact."""
    source = Connection.objects.filter(pk=thing.connection_id).first()
    if source is None:
        return None
    keys = {thing.key, *_same_person(thing.key)}
    rows = _own(Q(flow__record_type=RecordType.CUSTOMER, record_key__in=keys))
    mine = [row for row in rows if row.flow.source_id == source.pk and row.record_key == thing.key]
    others = [row for row in rows if row.record_key != thing.key]
    deliveries = [*mine, *others]
    places = {(row.flow.source_id, row.record_key): row.flow.source for row in deliveries} or {(source.pk, thing.key): source}
    record = max(deliveries, key=lambda row: row.occurred_at).record if deliveries else {}
    return _About(RecordType.CUSTOMER, [(where, key) for (_, key), where in places.items()], deliveries, keys, record=record)


def _same_person(key: str) -> set[str]:
    """Keys at all sources that were matched to the contacts this customer was matched to."""
    connections = list(Connection.objects.values_list("pk", flat=True))
    bound = ContactHandle.objects.filter(connection__in=connections, kind=ContactHandle.Kind.SOURCE_ID, value=key)
    contacts = list(bound.values_list("connection", "contact_key")[:MOST_KIN])
    if not contacts:
        return set()
    rows = ContactHandle.objects.filter(connection__in={pk for pk, _ in contacts}, contact_key__in={contact for _, contact in contacts})
    return set(rows.filter(kind=ContactHandle.Kind.SOURCE_ID).values_list("value", flat=True)[: MOST_KIN * 2])


def _contact(thing: Thing) -> _About | None:
    """A contact that only its destination knows."""
    row = Contact.objects.filter(connection=thing.connection_id, contact_key=thing.key).first()
    if row is None:
        return None
    bound = ContactHandle.objects.filter(connection=thing.connection_id, contact_key=thing.key, kind=ContactHandle.Kind.SOURCE_ID)
    keys = list(bound.values_list("value", flat=True)[:MOST_KIN])
    deliveries = _own(Q(flow__record_type=RecordType.CUSTOMER, record_key__in=keys)) if keys else []
    facts = {name: next(iter(row.facts.get(many) or ()), "") for name, many in (("email", "emails"), ("phone", "phones"))}
    names = {name: row.facts.get(name, "") for name in ("first_name", "last_name")}
    places = {(found.flow.source_id, found.record_key): found.flow.source for found in deliveries}
    about = [(where, key) for (_, key), where in places.items()]
    return _About(RecordType.CUSTOMER, about, deliveries, set(keys), record={**names, **facts})


def _sku(thing: Thing) -> _About | None:
    """A SKU wherever it is sold: its variants at all sources, and every question and answer about it."""
    sku = thing.key
    variants = _sold_as(sku)
    if not variants and not SyncException.objects.filter(subject=sku, kind=UNMAPPED).exists() and not _crosswalk(sku):
        return None
    sources = {row.flow.source_id: (row.flow.source, row.record_key) for row in variants}
    asked = SyncException.objects.filter(subject=sku, kind=UNMAPPED, flow__isnull=False).select_related("flow__source")[:MOST_KIN]
    keys = [*sources.values(), *((row.flow.source, sku) for row in asked if row.flow.source_id not in sources)]
    record = max(variants, key=lambda row: row.occurred_at).record if variants else {"sku": sku}
    unique = list({source.pk: (source, key) for source, key in keys}.values())
    return _About(RecordType.VARIANT, unique, variants, {sku, *(row.record_key for row in variants)}, skus={sku}, record=record)


def _sold_as(sku: str) -> list[Delivery]:
    """The variants with this SKU at all sources."""
    rows = SearchTerm.objects.filter(kind=SearchTerm.Kind.SKU, term=plain(sku)).values_list("connection", "record_key")[:MOST_OWN]
    places = {(source, key) for source, key in rows}
    wanted = Q(flow__source__in={source for source, _ in places}, record_key__in={key for _, key in places})
    found = _own(wanted & Q(flow__record_type=RecordType.VARIANT)) if places else []
    return [row for row in found if (row.flow.source_id, row.record_key) in places]


def _crosswalk(sku: str) -> list[SkuCrosswalk]:
    rows = SkuCrosswalk.objects.filter(source_sku=sku, source__in=list(Connection.objects.values_list("pk", flat=True)))
    return list(rows.select_related("source", "destination").prefetch_related("components")[:MOST_KIN])


# --- what it belongs to -------------------------------------------------------------------------------------------------------


def _nothing(found: Trace, about: _About, questions: Sequence[SyncException]) -> None:
    """Nothing belongs to it."""


def _of_an_order(found: Trace, about: _About, questions: Sequence[SyncException]) -> None:
    """Its buyer, and what became of the SKU of each line."""
    source = about.keys[0][0]
    key = str((about.record.get("customer") or {}).get("key") or "")
    found.people = [hit for hit in hits_of([Thing(RecordType.CUSTOMER, source.pk, key)]) if hit.record] if key else []
    found.skus = sku_states(source, about.record.get("lines") or [], questions)


def sku_states(source: Connection, lines: Sequence[Mapping[str, Any]], questions: Sequence[SyncException]) -> list[SkuState]:
    """Each SKU of these lines of a source: mapped to what, held by which question, or sent as it is."""
    titles = {str(line["sku"]): str(line.get("title") or "") for line in lines[:MOST_LINES] if line.get("sku")}
    rows = SkuCrosswalk.objects.filter(source=source, source_sku__in=list(titles)).prefetch_related("components")
    mapped = {row.source_sku: " + ".join(f"{part.quantity} × {part.target_sku}" for part in row.components.all()) for row in rows}
    asked = {row.subject: row.pk for row in questions if row.kind == UNMAPPED and row.state == SyncException.State.OPEN}
    states = []
    for sku, title in titles.items():
        if sku in asked:
            states.append(SkuState(sku, title, "Nobody has mapped it yet", "warn", asked[sku]))
        elif sku in mapped:
            states.append(SkuState(sku, title, f"Mapped to {mapped[sku]}" if mapped[sku] else "Let through as it is", "good"))
        else:
            states.append(SkuState(sku, title, "Sent as it is", "quiet"))
    return states


def _of_a_person(found: Trace, about: _About, questions: Sequence[SyncException]) -> None:
    """The latest orders, checkouts and events of the person at every source, and their lines in the timeline."""
    flows = Flow.objects.filter(source__in=[source for source, _ in about.keys], record_type__in=OF_A_PERSON)
    keys = [key for _, key in about.keys if key]
    rows = Delivery.objects.filter(flow__in=list(flows.values_list("pk", flat=True)), parent_key__in=keys).exclude(parent_key="")
    rows = rows.select_related("flow__source", "flow__destination").defer("sent_payload", "issues")
    found.orders = sorted(rows[: MOST_KIN * 2], key=lambda row: row.occurred_at, reverse=True)


def _of_a_product(found: Trace, about: _About, questions: Sequence[SyncException]) -> None:
    """The variants of a product."""
    (source, key), *_ = about.keys
    flows = list(Flow.objects.filter(source=source, record_type=RecordType.VARIANT).values_list("pk", flat=True))
    keys = Delivery.objects.filter(flow__in=flows, parent_key=key).values_list("record_key", flat=True)[: MOST_KIN * 2]
    found.variants = hits_of([Thing(RecordType.VARIANT, source.pk, each) for each in dict.fromkeys(keys)])


def _of_a_sku(found: Trace, about: _About, questions: Sequence[SyncException]) -> None:
    """What the crosswalk makes of it, connection by connection."""
    asked = {row.flow.source_id: row.pk for row in questions if row.flow and row.state == SyncException.State.OPEN}
    for row in _crosswalk(found.thing.key):
        parts = " + ".join(f"{part.quantity} × {part.target_sku}" for part in row.components.all())
        says = f"Mapped to {parts}" if parts else "Let through as it is"
        found.skus.append(SkuState(row.source_sku, f"{row.source} → {row.destination}", says, "good"))
    names = {source.pk: source.name for source, _ in about.keys}
    found.skus += [
        SkuState(found.thing.key, names.get(source, ""), "Nobody has mapped it yet", "warn", pk) for source, pk in asked.items()
    ]  # fmt: skip


GATHERED: Mapping[str, Callable[[Thing], _About | None]] = {PERSON: _person, RecordType.CUSTOMER: _person, CONTACT: _contact, SKU: _sku}
RELATED: Mapping[str, Callable[[Trace, _About, Sequence[SyncException]], None]] = {
    RecordType.ORDER: _of_an_order, PERSON: _of_a_person, CONTACT: _of_a_person, RecordType.PRODUCT: _of_a_product, SKU: _of_a_sku,
}  # fmt: skip
