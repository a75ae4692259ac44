"""Look up before create: is this person known at the destination already, and as whom?

Whole people are asked about once, when a customer is new; where very many are new, all contacts of the destination are read instead, which
takes fewer calls. Of people shown in part more may come to light with every order, so they are looked at each time: first whom they were
matched to before, then by what is known of the destination's contacts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from integrations.engine import directory, people
from integrations.engine.exceptions import Question
from integrations.engine.follow import resend_orders
from integrations.engine.masking import mask_email, mask_phone
from integrations.engine.outbox import Claimed
from integrations.engine.people import Known
from integrations.models import Delivery, Flow
from integrations.platforms.base import Candidate, Lane, Writer
from mapping.crosswalk import KnownContact
from mapping.identity import Match, MatchKind, contradicts, handles, is_nameless, match_contact
from mapping.models import IdentityRule
from mapping.records import Customer, Record

Row = tuple[Claimed, Record]
Found = Mapping[str, Sequence[Candidate]]
MANY = 1_000  # deliveries of a flow that wait; asking Ometria about as many one by one takes four minutes
READING = "The contacts of the destination are being read, so that this person is not made twice."


@dataclass(frozen=True, slots=True)
class Identified:
    """What was found out about a batch of customers, by record key; `waiting` can be told only later."""

    existing: Mapping[str, Candidate] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()


NOTHING = Identified()


def identify(flow: Flow, writer: Writer, client: Any, rows: Sequence[Row]) -> Identified:
    """Match customers against the destination's contacts; history is not asked about one by one unless the flow says so."""
    wanted = flow.settings.get("look_up", "live")
    customers = [(row, record) for row, record in rows if isinstance(record, Customer)]
    if not customers or wanted == "never":
        return NOTHING
    parts = [record for _, record in customers if record.partial]
    waiting = frozenset() if directory.is_fresh(flow.destination_id) else _waiting(flow, writer, client, parts)
    known = people.load(flow.destination_id, [record for record in parts if record.email])
    ready = [(row, record) for row, record in customers if record.key not in waiting]
    asked = [record for row, record in ready if (wanted == "always" or row.lane != Lane.BULK) and _asks(row, record, known)]
    whole = [record for record in asked if not record.partial]
    if 2 * len(whole) > len(rows) and _many_wait(flow) and _are_read(flow, writer, client):
        asked = [record for record in asked if record.partial]
    else:
        whole = []
    return replace(_decide(flow, ready, writer.find(client, asked) if asked else {}, whole), waiting=waiting)


def _are_read(flow: Flow, writer: Writer, client: Any) -> bool:
    """Whether all contacts of the destination are known as of some minutes ago; reads a part of them when they are not."""
    known = directory.is_recent(flow.destination_id)
    return known or directory.refresh(flow.destination, writer, client, for_parts=False)


def _many_wait(flow: Flow) -> bool:
    return Delivery.objects.filter(flow=flow, state=Delivery.State.READY)[:MANY].count() >= MANY


def _waiting(flow: Flow, writer: Writer, client: Any, parts: Sequence[Customer]) -> frozenset[str]:
    """Keys of those who may be somebody that the directory of contacts does not show yet."""
    known = people.load(flow.destination_id, parts)
    undecided = frozenset(record.key for record in parts if _is_open(record, known))
    return undecided if undecided and not directory.refresh(flow.destination, writer, client) else frozenset()


def _asks(row: Claimed, record: Customer, known: Known) -> bool:
    """Whether the destination is to be asked about this customer's address."""
    address = handles(record).get("email", "")
    return bool(address and ("email", address) not in known.owners) if record.partial else not row.sent_hash


def _is_open(record: Customer, known: Known) -> bool:
    """Whether something is shown of a customer that nobody is known by, or that somebody else is."""
    bound, chosen = known.bound.get(record.key, ("", False))
    shown = {handle for handle in handles(record).items() if handle[0] != "customer_id"}
    return bool(shown) and not chosen and any(known.owners.get(handle) != {bound} for handle in shown)


def _decide(flow: Flow, customers: Sequence[Row], found: Found, read: Sequence[Customer]) -> Identified:
    """Who each customer is; one worker at a time decides for a destination, so that nobody is made twice.

    `found` = what the destination answered about some, `read` = those who are looked for among the contacts that were read.
    """
    shown = {contact.contact_key: contact for candidates in found.values() for contact in candidates}
    with transaction.atomic():
        people.lock(flow.destination_id)
        known = people.load(flow.destination_id, [record for _, record in customers])
        batch = _Batch(flow, known, {**found, **{record.key: known.candidates(record, "email") for record in read}})
        batch.take(shown.values())
        for row, record in customers:
            batch.decide(row, record)
        batch.store()
    return Identified(batch.existing, batch.questions)


class _Batch:
    """Decides about one customer after the other; what is learnt of one counts for the next."""

    def __init__(self, flow: Flow, known: Known, found: Found) -> None:
        self.flow, self.known, self.found = flow, known, found
        self.rules = list(IdentityRule.objects.filter(destination=flow.destination_id).order_by("position"))
        self.makes = directory.knows_whom_we_make(flow.destination_id)  # whole people too, before the destination shows them
        self.existing: dict[str, Candidate] = {}
        self.questions: dict[str, Question] = {}
        self.changed: dict[str, KnownContact] = {}
        self.bindings: dict[str, str] = {}
        self.gone: set[str] = set()
        self.moved: list[str] = []

    def take(self, shown: Any) -> None:
        """Contacts that the destination showed just now."""
        for contact in shown:
            self.known.adopt(contact)
            if not people.same(contact, self.known.contacts.get(contact.contact_key)):
                self._note(contact)

    def decide(self, row: Claimed, record: Customer) -> None:
        """Who this customer is: an existing contact, a new one, or a question."""
        bound, chosen = self.known.bound.get(record.key, ("", False))
        contact = self.known.contacts.get(bound)
        if chosen and (contact is not None or bound == people.new_key(record.key)):
            self._settle(row, record, contact)
        elif record.partial:
            self._decide_part(row, record, contact)
        else:
            self._decide_whole(row, record, contact)

    def _decide_whole(self, row: Claimed, record: Customer, contact: KnownContact | None) -> None:
        if row.sent_hash or record.key not in self.found:
            if contact is not None:
                self.existing[record.key] = contact
            return
        match = match_contact(record, self.rules, self.found[record.key])
        if match.kind is MatchKind.AMBIGUOUS:
            self._ask(record, match.candidates)
        elif match.kind is MatchKind.MATCH:
            self._settle(row, record, self.known.contacts[match.contact_key])
        elif self.makes:
            self._settle(row, record, None)

    def _decide_part(self, row: Claimed, record: Customer, contact: KnownContact | None) -> None:
        """A contact that is known only by the customer's key may turn out to be another; any other match stands."""
        if contact is not None and is_nameless(contact, record):
            others = [candidate for candidate in self._candidates(record) if candidate.contact_key != contact.contact_key]
            gift = bool(contact.phones) and contradicts(record, contact)
            match = Match(MatchKind.NEW) if gift else match_contact(record, self.rules, others)
        elif contact is not None:
            gift, match = contradicts(record, contact), self._second_thoughts(record, contact)
        else:
            gift, match = False, match_contact(record, self.rules, self._candidates(record))
        if match.kind is MatchKind.AMBIGUOUS:
            self._ask(record, match.candidates)
        elif match.kind is MatchKind.MATCH:
            self._settle(row, record, self.known.contacts[match.contact_key])
        else:
            self._settle(row, record, contact, grows=not gift)

    def _second_thoughts(self, record: Customer, contact: KnownContact) -> Match:
        """A real address that belongs to somebody else than the contact found before is for a person to judge."""
        owners = self.known.owners.get(("email", handles(record).get("email", "")), set())
        if not owners or contact.contact_key in owners:
            return Match(MatchKind.NEW)
        others = tuple(self.known.contacts[key] for key in sorted(owners) if key in self.known.contacts)
        return Match(MatchKind.AMBIGUOUS, rule="email", candidates=(contact, *others))

    def _candidates(self, record: Customer) -> list[KnownContact]:
        return list(self.known.candidates(record))

    def _settle(self, row: Claimed, record: Customer, contact: KnownContact | None, *, grows: bool = True) -> None:
        """The customer is this contact, or one that is made for them now."""
        before, _ = self.known.bound.get(record.key, ("", False))
        if contact is None or (grows and record.key in contact.customer_ids):
            contact = self._grown(record, contact)
        elif not contact.customer_ids and not row.sent_hash and before in ("", contact.contact_key):
            contact = replace(contact, customer_ids=(record.key,))  # it has no id yet, so it takes the customer's
            self._note(contact)
        if before != contact.contact_key:
            self.bindings[record.key] = contact.contact_key
            self.known.bound[record.key] = (contact.contact_key, False)
            if before:
                self.moved.append(record.key)
            former = self.known.contacts.get(before)
            if former is not None and is_nameless(former, record):
                self.gone.add(before)
        self.existing[record.key] = contact

    def _grown(self, record: Customer, contact: KnownContact | None) -> KnownContact:
        """The contact that is made for a customer, with whatever of them belongs to nobody else."""
        own = handles(record)
        base = contact or KnownContact(contact_key=people.new_key(record.key), first_seen=record.occurred_at.isoformat())
        free = {kind: value for kind, value in own.items() if not self.known.owners.get((kind, value), set()) - {base.contact_key}}
        grown = replace(
            base,
            emails=_with(base.emails, free.get("email", "")),
            phones=_with(base.phones, free.get("phone", "")),
            customer_ids=_with(base.customer_ids, record.key),
            first_name=base.first_name or record.first_name,
            last_name=base.last_name or record.last_name,
        )
        if not people.same(grown, contact):
            self._note(grown)
        return grown

    def _note(self, contact: KnownContact) -> None:
        self.known.add(contact)
        self.changed[contact.contact_key] = contact

    def _ask(self, record: Customer, candidates: Sequence[KnownContact]) -> None:
        who = mask_email(record.email) if record.email else mask_phone(record.phone)
        labels = "\n".join(f"{candidate.contact_key}: {label(candidate)}" for candidate in candidates)
        title = f"{'One contact' if len(candidates) == 1 else 'Several contacts'} may be customer {record.key} ({who})"
        self.questions[record.key] = Question("ambiguous_contact", record.key, title, labels)

    def store(self) -> None:
        """Write what was learnt; orders of customers who turned out to be others go out again."""
        people.forget(self.flow.destination_id, self.gone)
        kept = [contact for key, contact in self.changed.items() if key not in self.gone]
        people.store(self.flow.destination_id, kept, self.bindings)
        if self.moved:
            resend_orders(self.flow, self.moved)


def label(contact: KnownContact) -> str:
    """A contact in one line that names nobody."""
    shown = [mask_email(value) for value in contact.emails[:1]] + [mask_phone(value) for value in contact.phones[:1]]
    return contact.label or ", ".join(shown) or "no address known"


def _with(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return values if not value or value in values else (*values, value)
