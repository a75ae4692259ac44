"""Whom a request is about: every name by which the person is known here, followed from one to the next until no new one turns up.

Each look is by an index. A record belongs to the person by its e-mail address, by its customer's key or its visitor; by a phone number
only where it shows no address at all, because families share numbers and nobody may be erased for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from integrations.engine.erased import CONTACT, CUSTOMER, EMAIL, PHONE, THERE, VISITOR, Who, code, who_of
from integrations.engine.find_asked import recognise
from integrations.engine.find_terms import one_way
from integrations.models import Connection, Delivery, Flow, SearchTerm, VisitorIdentity
from mapping import codec
from mapping.anonymous import IMPERSONAL, SHADOW
from mapping.models import Contact, ContactHandle
from mapping.records import Customer, Record, RecordType

Key = tuple[int, str]  # connection and key there
MOST_ROUNDS = 8
MOST_OF_A_NUMBER = 50  # records that are looked at to see whether a number is shared
MOST_ROWS = 5_000  # rows of one look; nobody has so many customers' rows, and orders are followed by their customer
SPREADING = (RecordType.CUSTOMER, RecordType.ORDER, RecordType.CHECKOUT)  # records that say by what else their person is known
KINDS = ContactHandle.Kind
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Subject:
    """One person by all their names; keys come with their connection. `names` are first and last name together."""

    emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    customers: set[Key] = field(default_factory=set)
    visitors: set[Key] = field(default_factory=set)
    orders: set[Key] = field(default_factory=set)
    contacts: set[Key] = field(default_factory=set)  # at destinations
    there: set[Key] = field(default_factory=set)  # keys of the person's own object at destinations
    names: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any((self.emails, self.phones, self.customers, self.visitors, self.orders, self.contacts))

    @property
    def size(self) -> int:
        """How many names are known."""
        return sum(len(getattr(self, part.name)) for part in fields(self))

    @property
    def keys(self) -> set[Key]:
        """Keys that mean the person, at whatever end."""
        return self.customers | self.visitors | self.contacts | self.there

    def codes(self) -> list[str]:
        """The marks that this person leaves when erased."""
        kinds = ((CUSTOMER, self.customers), (VISITOR, self.visitors), (CONTACT, self.contacts), (THERE, self.there))
        plain = [*(code(EMAIL, value) for value in self.emails), *(code(PHONE, value) for value in self.phones)]
        return sorted({*plain, *(code(kind, key, connection) for kind, keys in kinds for connection, key in keys)})

    def owns(self, who: Who, connection_id: int) -> bool:
        """Whether somebody is this person."""
        by_key = (connection_id, who.customer) in self.customers or (connection_id, who.visitor) in self.visitors
        return by_key or who.email in self.emails or (not who.email and who.phone in self.phones)

    def dumps(self) -> str:
        """As text, for the encrypted column."""
        return orjson.dumps({part.name: sorted(getattr(self, part.name)) for part in fields(self)}).decode()


def loads(text: str) -> Subject:
    """What `dumps` wrote."""
    data = orjson.loads(text) if text else {}
    plain = {"emails", "phones", "names"}
    return Subject(**{name: set(rows) if name in plain else {(at, key) for at, key in rows} for name, rows in data.items()})


def named(text: str, countries: Iterable[str] = ()) -> Subject:
    """The person somebody means by an e-mail address, a phone number, a customer's id, or the number or id of one of their orders."""
    asked = recognise(text, countries)
    found = Subject()
    for kind, value in asked.handles:
        (found.emails if kind == "email" else found.phones).add(value)
    if not asked.key or asked.unfinished or "@" in text:
        return found
    rows = Delivery.objects.filter(flow__record_type__in=SPREADING, record_key=asked.key)[:MOST_ROWS]
    for source, kind, key in rows.values_list("flow__source", "flow__record_type", "record_key"):
        (found.customers if kind == RecordType.CUSTOMER else found.orders).add((source, key))
    if asked.plain:
        terms = SearchTerm.objects.filter(kind=SearchTerm.Kind.NUMBER, term=asked.plain, record_type=RecordType.ORDER)
        found.orders |= set(terms.values_list("connection", "record_key")[:MOST_ROWS])
    return found


def complete(subject: Subject) -> Subject:
    """The person with every further name that leads to them; the given subject is filled."""
    sources = _Sources()
    if subject.phones and subject.size == len(subject.phones):
        _by_number_alone(subject, sources)
    for _ in range(MOST_ROUNDS):
        before = subject.size
        _by_terms(subject, sources)
        _by_visitors(subject)
        _by_contacts(subject, sources)
        _by_rows(subject, deliveries_of(subject).filter(flow__record_type__in=SPREADING)[:MOST_ROWS], sources)
        if subject.size == before:
            break
    _without_shared_numbers(subject, sources)
    return subject


def deliveries_of(subject: Subject) -> QuerySet[Delivery]:
    """The deliveries of the person's records that keys lead to: customers, what belongs to them or to their browsers, and orders."""
    wanted = Q(pk=None)
    flows: dict[int, list[tuple[int, str]]] = {}
    for pk, source, kind in Flow.objects.values_list("pk", "source", "record_type"):
        flows.setdefault(source, []).append((pk, kind))
    for source, mine in flows.items():
        customers, visitors, orders = (_at(keys, source) for keys in (subject.customers, subject.visitors, subject.orders))
        own = [pk for pk, kind in mine if kind not in (*IMPERSONAL, RecordType.ORDER)]
        if customers:
            wanted |= Q(flow__in=own, record_key__in=customers)
        if customers or visitors:
            all_kinds = [pk for pk, kind in mine if kind not in IMPERSONAL]
            wanted |= Q(flow__in=all_kinds, parent_key__in=[*customers, *visitors]) & ~Q(parent_key="")
        if orders:
            wanted |= Q(flow__in=[pk for pk, kind in mine if kind == RecordType.ORDER], record_key__in=orders)
    return Delivery.objects.filter(wanted)


def record_of(kind: str, data: Mapping[str, Any]) -> Record | None:
    """The record of a delivery, None for one that cannot be read."""
    try:
        return codec.from_json(kind, dict(data))
    except (KeyError, ValueError, TypeError):
        return None


def who_in(kind: str, data: Mapping[str, Any]) -> Who:
    """Whose record this is, also when not all of it can be read."""
    record = record_of(kind, data)
    if record is not None:
        return who_of(record, thorough=True)
    owner = data.get("customer") if isinstance(data.get("customer"), dict) else data if kind == RecordType.CUSTOMER else {}
    told = {name: str(owner.get(name) or "") for name in ("key", "email", "phone")}
    return who_of(Customer(occurred_at=NEVER, **told), thorough=True)


class _Sources:
    """Flows of the installation, read once."""

    def __init__(self) -> None:
        rows = Flow.objects.values_list("pk", "source", "destination", "record_type")
        self.flows = {pk: (source, there, kind) for pk, source, there, kind in rows}
        self.connections = list(Connection.objects.values_list("pk", flat=True))

    def carrying(self, source: int, kind: str) -> list[int]:
        return [pk for pk, (at, _, one) in self.flows.items() if at == source and one == kind]


def _by_terms(subject: Subject, sources: _Sources) -> None:
    wanted = Q(pk=None)
    for kind, values in ((SearchTerm.Kind.EMAIL, subject.emails), (SearchTerm.Kind.PHONE, subject.phones)):
        wanted |= Q(kind=kind, term__in=[one_way(value) for value in values])
    found: dict[tuple[int, str], list[str]] = {}
    for source, kind, key in SearchTerm.objects.filter(wanted).values_list("connection", "record_type", "record_key")[:MOST_ROWS]:
        found.setdefault((source, kind), []).append(key)
    for (source, kind), keys in found.items():
        _by_rows(subject, Delivery.objects.filter(flow__in=sources.carrying(source, kind), record_key__in=keys), sources)


def _by_rows(subject: Subject, rows: QuerySet[Delivery], sources: _Sources, *, bound: bool = False) -> None:
    """Take in what records say of their person; `bound` records were matched to one of the person's contacts and show no other address."""
    for flow_id, key, there, data in rows.values_list("flow", "record_key", "destination_key", "record"):
        source, destination, kind = sources.flows[flow_id]
        who = who_in(kind, data)
        mine = (source, key) in subject.orders or subject.owns(who, source) or (bound and not who.email)
        if not mine or key.startswith(SHADOW):
            continue
        _take(subject, who, source)
        if kind == RecordType.CUSTOMER:
            subject.customers.add((source, key))
            if there:
                subject.there.add((destination, there))
        elif kind == RecordType.ORDER:
            subject.orders.add((source, key))
        subject.names |= set(_names(data))


def _take(subject: Subject, who: Who, source: int) -> None:
    if who.email:
        subject.emails.add(who.email)
    if who.phone:
        subject.phones.add(who.phone)
    if who.customer and not who.customer.startswith(SHADOW):
        subject.customers.add((source, who.customer))
    if who.visitor:
        subject.visitors.add((source, who.visitor))


def _by_visitors(subject: Subject) -> None:
    keys = [key for _, key in subject.customers]
    by_email, by_phone = Q(email__in=subject.emails) & ~Q(email=""), Q(phone__in=subject.phones) & ~Q(phone="")
    rows = VisitorIdentity.objects.filter(by_email | by_phone | (Q(customer_id__in=keys) & ~Q(customer_id="")))
    columns = ("connection", "anonymous_id", "email", "phone", "customer_id")
    for connection, visitor, address, phone, customer in rows.values_list(*columns)[:MOST_ROWS]:
        if address in subject.emails or (not address and (phone in subject.phones or (connection, customer) in subject.customers)):
            subject.visitors.add((connection, visitor))


def _by_contacts(subject: Subject, sources: _Sources) -> None:
    """Contacts at destinations that own an address of the person or that one of their customers was matched to, and whom else they hold."""
    keys = [key for _, key in subject.customers]
    handles = ContactHandle.objects.filter(connection__in=sources.connections)
    mine = Q(kind=KINDS.EMAIL, value__in=subject.emails) | Q(kind__in=[KINDS.SOURCE_ID, KINDS.CUSTOMER_ID], value__in=keys)
    found = set(handles.filter(mine).values_list("connection", "contact_key")[:MOST_ROWS])
    for connection, contact_key, facts in Contact.objects.filter(
        connection__in={at for at, _ in found}, contact_key__in=[key for _, key in found]
    ).values_list("connection", "contact_key", "facts"):
        others = {str(value).lower() for value in facts.get("emails") or ()}
        if (connection, contact_key) in found and (not others or others & subject.emails):
            subject.contacts.add((connection, contact_key))
            subject.names |= set(_names(facts))
    bound = handles.filter(kind=KINDS.SOURCE_ID, contact_key__in=[key for _, key in subject.contacts])
    for connection, contact_key, value in bound.values_list("connection", "contact_key", "value")[:MOST_ROWS]:
        if (connection, contact_key) in subject.contacts:
            flows = [pk for pk, (_, there, kind) in sources.flows.items() if there == connection and kind == RecordType.CUSTOMER]
            _by_rows(subject, Delivery.objects.filter(flow__in=flows, record_key=value), sources, bound=True)


def _by_number_alone(subject: Subject, sources: _Sources) -> None:
    """When a number is all that is known: the one address that goes with it; with several it leads to nobody."""
    found = set().union(*(_addresses_of(phone, sources) for phone in subject.phones))
    if len(found) == 1:
        subject.emails |= found
    elif found:
        subject.phones.clear()


def _without_shared_numbers(subject: Subject, sources: _Sources) -> None:
    """A number under which somebody with another address is known belongs to both: it recognises neither."""
    subject.phones -= {phone for phone in subject.phones if _addresses_of(phone, sources) - subject.emails}


def _addresses_of(phone: str, sources: _Sources) -> set[str]:
    """The e-mail addresses of those who are known by a number."""
    terms = SearchTerm.objects.filter(kind=SearchTerm.Kind.PHONE, term=one_way(phone))
    found: set[str] = set()
    for source, kind, key in terms.values_list("connection", "record_type", "record_key")[:MOST_OF_A_NUMBER]:
        rows = Delivery.objects.filter(flow__in=sources.carrying(source, kind), record_key=key).values_list("record", flat=True)
        found |= {who_in(kind, data).email for data in rows}
    return found - {""}


def _names(data: Mapping[str, Any]) -> Iterator[str]:
    owner = data.get("customer") if isinstance(data.get("customer"), dict) else data
    parts = [str(owner.get(name) or "").strip() for name in ("first_name", "last_name")]
    if all(parts):
        yield " ".join(parts)


def _at(keys: Iterable[Key], connection: int) -> list[str]:
    return [key for at, key in keys if at == connection]
