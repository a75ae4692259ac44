"""What is held of a person, counted table by table and platform by platform: a look before anything is asked for. By index alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q

from integrations.engine.privacy.subject import Key, Subject, deliveries_of
from integrations.models import Connection, Correction, Flow, Hold, InboxEvent
from mapping.models import ConsentStatement, Contact, ContactHandle
from mapping.records import RecordType

NOUNS = {
    RecordType.CUSTOMER: "Customer records", RecordType.ORDER: "Orders", RecordType.CHECKOUT: "Checkouts", RecordType.EVENT: "Events",
    RecordType.CONSENT: "Consent changes",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """So many rows of one kind at one place; `platform` is the platform's slug, empty for what belongs to none."""

    what: str
    where: str
    rows: int
    platform: str = ""


def held_of(subject: Subject) -> list[Held]:
    """Everything that names lead to; words in other rows are found by the search of every table when a request runs."""
    connections = Connection.objects.in_bulk()
    rows = [*_deliveries(subject), *_hanging(subject), *_messages(subject, connections), *_contacts(subject, connections)]
    return [row for row in rows if row.rows]


def _deliveries(subject: Subject) -> Iterator[Held]:
    flows = {flow.pk: flow for flow in Flow.objects.select_related("source", "destination")}
    for pk, rows in deliveries_of(subject).order_by().values_list("flow").annotate(rows=Count("pk")):
        flow = flows[pk]
        what = NOUNS.get(flow.record_type, f"{flow.record_type.capitalize()} records")
        yield Held(what, f"{flow.source} → {flow.destination}", rows, flow.source.platform)


def _hanging(subject: Subject) -> Iterator[Held]:
    mine = deliveries_of(subject).order_by().values("pk")
    yield Held("Questions that wait", "Exceptions", Hold.objects.filter(delivery__in=mine).values("exception").distinct().count())
    yield Held("Values put right", "Corrections", Correction.objects.filter(delivery__in=mine).count())


def _messages(subject: Subject, connections: dict[int, Connection]) -> Iterator[Held]:
    for at, keys in _by_place(subject.customers | subject.orders | subject.visitors).items():
        rows = InboxEvent.objects.filter(connection=at, object_key__in=[key[:100] for key in keys if key]).count()
        if at in connections:
            yield Held("Messages as they came", f"Inbox of {connections[at]}", rows, connections[at].platform)


def _contacts(subject: Subject, connections: dict[int, Connection]) -> Iterator[Held]:
    for at, keys in _by_place(subject.contacts).items():
        rows = Contact.objects.filter(connection=at, contact_key__in=keys).count()
        rows += ContactHandle.objects.filter(connection=at, contact_key__in=keys).count()
        if at in connections:
            yield Held("Contacts and what they are known by", f"Contacts of {connections[at]}", rows, connections[at].platform)
    said = ConsentStatement.objects.filter(Q(contact_key__in=[*subject.emails, *subject.phones]))
    for at, rows in Counter(said.values_list("connection", flat=True)).items():
        yield Held("Consent statements", f"Consent ledger, from {connections[at]}", rows, connections[at].platform)
    for at, keys in _by_place(subject.visitors).items():
        if at in connections:
            yield Held("Browsers that are known as theirs", f"Visitors of {connections[at]}", len(keys), connections[at].platform)


def _by_place(keys: set[Key]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for at, key in sorted(keys):
        found.setdefault(at, []).append(key)
    return found
