"""Finding anything: people, orders, products, SKUs, deliveries, messages and questions by whatever somebody has of them.

Every look is an exact value or a beginning in an index, and takes a fixed number of rows, so that it costs the same however many there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT

from integrations.engine.find_asked import SHORTEST_BEGINNING, Asked
from integrations.models import Attempt, Connection, Delivery, Flow, InboxEvent, SearchTerm, SyncException
from mapping.models import Contact, ContactHandle
from mapping.records import RecordType

LOOKED_AT, SHOWN, WORD_HITS, MOST_WORDS = 30, 6, 300, 4  # rows of one look, hits of a group, products with one word, words that count
PERSON, CONTACT, SKU = "person", "contact", "sku"
HANDLES = {"email": ContactHandle.Kind.EMAIL, "phone": ContactHandle.Kind.PHONE}
MAIN = (RecordType.CUSTOMER, RecordType.ORDER, RecordType.PRODUCT, RecordType.VARIANT)
NAMED_BY = {RecordType.ORDER: SearchTerm.Kind.NUMBER, RecordType.VARIANT: SearchTerm.Kind.SKU}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing at one connection, whatever flows carry it. A SKU is the same everywhere: its connection is 0."""

    kind: str  # a record type; person, contact or sku
    connection_id: int
    key: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing goes, and how far it is."""

    destination: str
    state: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found: its newest record (None when no flow carries it), its source, and how far it is on its ways."""

    thing: Thing
    record_type: str
    record: Mapping[str, Any] | None
    source: str
    places: tuple[Place, ...] = ()
    also_at: tuple[str, ...] = ()  # other sources of the same person


@dataclass(slots=True)
class Found:
    """Everything that was found, group by group, best first."""

    people: list[Hit] = field(default_factory=list)
    orders: list[Hit] = field(default_factory=list)
    products: list[Hit] = field(default_factory=list)
    skus: list[Hit] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    events: list[InboxEvent] = field(default_factory=list)
    questions: list[SyncException] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many hits there are in all groups."""
        return sum(len(getattr(self, name)) for name in ("people", "orders", "products", "skus", "deliveries", "events", "questions"))

    @property
    def things(self) -> list[Hit]:
        """The hits that have a story of their own, best first."""
        return [*self.people, *self.orders, *self.skus, *self.products]


def search(asked: Asked, limit: int = SHOWN) -> Found:
    """What is found by what was typed, up to `limit` of each group."""
    found = Found()
    if not (asked.text or asked.codes) or asked.unfinished:
        return found
    flows = {flow.pk: flow for flow in Flow.objects.select_related("source", "destination")}
    things, deliveries = _by_key(asked, flows)
    things = _distinct([*_by_code(asked), *_by_name(asked), *things, *_by_words(asked)])
    hits = _hits(things, flows)
    by_type: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        by_type[hit.record_type].append(hit)
    found.people = _people(by_type[RecordType.CUSTOMER], asked)[:limit]
    found.orders, found.products = by_type[RecordType.ORDER][:limit], by_type[RecordType.PRODUCT][:limit]
    found.skus = _skus(by_type[RecordType.VARIANT])[:limit]
    found.deliveries = deliveries[:limit]
    if not asked.personal or asked.is_number:
        found.events = _events(asked, limit)
        found.questions = _questions(asked, limit)
    return found


def hits_of(things: Sequence[Thing]) -> list[Hit]:
    """These things with their records and places, in their order; those that nobody knows are left out unless a name of them was noted."""
    return _hits(things, {flow.pk: flow for flow in Flow.objects.select_related("source", "destination")})


def _distinct(things: Iterable[Thing]) -> list[Thing]:
    return list(dict.fromkeys(things))


# --- the looks ----------------------------------------------------------------------------------------------------------------


def _things(terms: QuerySet[SearchTerm]) -> list[Thing]:
    rows = terms.values_list("record_type", "connection", "record_key")
    return [Thing(record_type, connection, key) for record_type, connection, key in rows]


def _by_code(asked: Asked) -> list[Thing]:
    """Customers and orders of an address or number, and customers of the contacts that destinations know by it."""
    found = []
    for kind, code in asked.codes:
        found += _things(SearchTerm.objects.filter(kind=kind, term=code).order_by("-record_key")[:LOOKED_AT])
    if asked.handles:
        found += _bound_to(_contacts(asked))
    return found


def _contacts(asked: Asked) -> list[tuple[int, str]]:
    """Destination and key of the contacts that own what was asked for."""
    wanted = Q(pk=None)
    for kind, value in asked.handles:
        wanted |= Q(kind=HANDLES[kind], value=value)
    rows = ContactHandle.objects.filter(wanted, connection__in=list(Connection.objects.values_list("pk", flat=True)))
    return list(rows.values_list("connection", "contact_key")[:LOOKED_AT])


def _bound_to(contacts: Sequence[tuple[int, str]]) -> list[Thing]:
    """The customers at their sources that were matched to these contacts."""
    if not contacts:
        return []
    keys = [key for _, key in contacts]
    bound = ContactHandle.objects.filter(connection__in={pk for pk, _ in contacts}, contact_key__in=keys, kind=ContactHandle.Kind.SOURCE_ID)
    source_keys = list(bound.values_list("value", flat=True)[:LOOKED_AT])
    rows = Delivery.objects.filter(flow__record_type=RecordType.CUSTOMER, record_key__in=source_keys)
    return [Thing(RecordType.CUSTOMER, source, key) for source, key in rows.values_list("flow__source", "record_key")[:LOOKED_AT]]


def _by_name(asked: Asked) -> list[Thing]:
    """Order numbers, SKUs and barcodes that begin so; whole ones come first because they are the shortest."""
    name = asked.plain
    if not name:
        return []
    whole = len(name) < SHORTEST_BEGINNING
    found = []
    for kind in (SearchTerm.Kind.NUMBER, SearchTerm.Kind.SKU, SearchTerm.Kind.BARCODE):
        rows = SearchTerm.objects.filter(kind=kind, **({"term": name} if whole else {"term__startswith": name}))
        found += _things(rows.order_by("term", "connection", "record_type", "record_key")[:LOOKED_AT])
    return found


def _by_key(asked: Asked, flows: Mapping[int, Flow]) -> tuple[list[Thing], list[Delivery]]:
    """Things by their id at a source or a destination, and deliveries of passing things; a try by the id of its request."""
    key = asked.key
    if not key or (asked.personal and not asked.is_number):
        return [], []
    same = Delivery.objects.filter(record_key=key).values("pk")[:LOOKED_AT]
    far = Delivery.objects.filter(flow__in=list(flows), destination_key=key).values("pk")[:LOOKED_AT]
    tried = Attempt.objects.filter(request_id=key).exclude(request_id="").values("delivery")[:LOOKED_AT]
    begun = Delivery.objects.filter(record_key__startswith=key).order_by("record_key").values("pk")[:LOOKED_AT]
    looks = [same, far, *([begun] if len(key) > SHORTEST_BEGINNING else [])]
    first = [row["pk"] for look in looks for row in look]
    asked_for = [row["delivery"] for row in tried]
    rows = {row.pk: row for row in Delivery.objects.filter(pk__in={*first, *asked_for}).defer("sent_payload", "issues")}
    things, others = [], []
    for pk in dict.fromkeys([*first, *asked_for]):
        row, flow = rows.get(pk), flows.get(rows[pk].flow_id) if pk in rows else None
        if row is None or flow is None or (asked.record_type and flow.record_type != asked.record_type):
            continue
        row.flow = flow
        if flow.record_type in MAIN and pk not in asked_for:
            things.append(Thing(flow.record_type, flow.source_id, row.record_key))
        else:
            others.append(row)
    return things, others


def _by_words(asked: Asked) -> list[Thing]:
    """Products whose title has all these words or their beginnings: by the rarest of them, the others read in the titles."""
    words = asked.words[:MOST_WORDS]
    looks = []
    for word in words:
        rows = SearchTerm.objects.filter(kind=SearchTerm.Kind.WORD, term__startswith=word)
        looks.append(_distinct(_things(rows.order_by("term")[:WORD_HITS])))
    rarest = min(looks, key=len, default=[])
    if len(words) < 2 or not rarest:
        return rarest[:LOOKED_AT]
    flows = Flow.objects.filter(source__in={thing.connection_id for thing in rarest}, record_type=RecordType.PRODUCT)
    rows = Delivery.objects.filter(flow__in=list(flows.values_list("pk", flat=True)), record_key__in=[thing.key for thing in rarest])
    titles = rows.annotate(title=KT("record__title")).values_list("flow__source", "record_key", "title")
    fits = {(source, key) for source, key, title in titles if all(word in (title or "").lower() for word in words)}
    return [thing for thing in rarest if (thing.connection_id, thing.key) in fits][:LOOKED_AT]


def _events(asked: Asked, limit: int) -> list[InboxEvent]:
    """Messages by their own id or that of the thing they are about."""
    connections = list(Connection.objects.values_list("pk", flat=True))
    mine = InboxEvent.objects.filter(connection__in=connections).select_related("connection").defer("body")
    named = list(mine.filter(dedup_key=asked.key)[:limit])
    about = mine.filter(object_key=asked.key).order_by("-pk")[:limit] if len(asked.key) <= 100 else ()  # noqa: PLR2004 - the column
    return list(dict.fromkeys([*named, *about]))[:limit]


def _questions(asked: Asked, limit: int) -> list[SyncException]:
    """Questions about exactly this: a SKU, a word, a key. Open ones first."""
    rows = SyncException.objects.filter(subject__in={asked.text, asked.key})
    rows = rows.select_related("flow__source", "flow__destination", "connection")
    return sorted(rows.order_by("-last_seen")[:LOOKED_AT], key=lambda row: row.state != SyncException.State.OPEN)[:limit]


# --- from keys to hits --------------------------------------------------------------------------------------------------------


def _hits(things: Sequence[Thing], flows: Mapping[int, Flow]) -> list[Hit]:
    """Things with their newest record and their places: one query."""
    if not things:
        return []
    carriers: dict[tuple[int, str], list[int]] = defaultdict(list)
    for flow in flows.values():
        carriers[flow.source_id, flow.record_type].append(flow.pk)
    wanted = {pk for thing in things for pk in carriers[thing.connection_id, thing.kind]}
    rows: dict[Thing, list[Delivery]] = defaultdict(list)
    for row in Delivery.objects.filter(flow__in=wanted, record_key__in={thing.key for thing in things}).defer("sent_payload", "issues"):
        flow = flows[row.flow_id]
        rows[Thing(flow.record_type, flow.source_id, row.record_key)].append(row)
    names = {flow.source_id: flow.source.name for flow in flows.values()}
    missing = {thing.connection_id for thing in things} - names.keys()
    names |= dict(Connection.objects.filter(pk__in=missing).values_list("pk", "name")) if missing else {}
    return [_hit(thing, rows.get(thing, []), flows, names.get(thing.connection_id, "")) for thing in things]


def _hit(thing: Thing, rows: Sequence[Delivery], flows: Mapping[int, Flow], source: str) -> Hit:
    newest = max(rows, key=lambda row: row.occurred_at, default=None)
    places = tuple(Place(flows[row.flow_id].destination.name, row.state, row.get_state_display()) for row in rows)
    shown = Thing(PERSON, thing.connection_id, thing.key) if thing.kind == RecordType.CUSTOMER else thing
    return Hit(thing=shown, record_type=thing.kind, record=newest.record if newest else None, source=source, places=places)


def _skus(hits: Sequence[Hit]) -> list[Hit]:
    """One hit per SKU, wherever it is sold; a variant without a SKU stays itself."""
    found: dict[Thing, Hit] = {}
    for hit in hits:
        sku = str((hit.record or {}).get("sku") or "")
        thing = Thing(SKU, 0, sku) if sku else hit.thing
        held = found.get(thing)
        also = () if held is None or hit.source in (held.source, *held.also_at) else (hit.source,)
        first = held or hit
        found[thing] = Hit(
            thing=thing, record_type=first.record_type, record=first.record, source=first.source,
            places=(*(held.places if held else ()), *hit.places), also_at=(*first.also_at, *also),
        )  # fmt: skip
    return list(found.values())


def _people(hits: Sequence[Hit], asked: Asked) -> list[Hit]:
    """One hit per person: customers of several sources that were matched to one contact are one; then contacts only a destination knows."""
    keys = [hit.thing.key for hit in hits]
    connections = list(Connection.objects.values_list("pk", flat=True))
    bound = ContactHandle.objects.filter(connection__in=connections, kind=ContactHandle.Kind.SOURCE_ID, value__in=keys)
    contact_of = {key: (connection, contact) for connection, key, contact in bound.values_list("connection", "value", "contact_key")}
    found: dict[object, Hit] = {}
    for hit in hits:
        identity = contact_of.get(hit.thing.key, hit.thing)
        held = found.get(identity)
        if held is None:
            found[identity] = hit
        else:
            found[identity] = Hit(
                thing=held.thing, record_type=held.record_type, record=held.record, source=held.source,
                places=(*held.places, *hit.places), also_at=(*held.also_at, hit.source),
            )  # fmt: skip
    return [*found.values(), *_only_there(asked, set(found))]


def _only_there(asked: Asked, known: set[object]) -> list[Hit]:
    """Contacts that no source has told of."""
    mine = [contact for contact in (_contacts(asked) if asked.handles else []) if contact not in known]
    rows = Contact.objects.filter(connection__in={pk for pk, _ in mine}, contact_key__in=[key for _, key in mine])
    facts = {(row.connection_id, row.contact_key): row for row in rows.select_related("connection")} if mine else {}
    held = {contact: facts[contact] for contact in mine if contact in facts}
    return [
        Hit(thing=Thing(CONTACT, *contact), record_type=CONTACT, record=_person_of(row.facts), source=row.connection.name)
        for contact, row in held.items()
    ]


def _person_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a contact, named as in a customer's record."""
    first = {"email": "emails", "phone": "phones"}
    names = {name: facts.get(name, "") for name in ("first_name", "last_name")}
    return {**names, **{name: next(iter(facts.get(many) or ()), "") for name, many in first.items()}}
