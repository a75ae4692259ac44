"""The answer to an ambiguous contact: who may be the customer, side by side, and the choice."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from integrations.admin.desk import Refusal
from integrations.engine import people
from integrations.engine.choose import choose_contact
from integrations.engine.masking import mask_email, mask_name, mask_phone
from integrations.models import SyncException
from mapping.crosswalk import KnownContact


@dataclass(frozen=True, slots=True)
class Card:
    """What staff compare: one contact that may be the person, or the customer (without a key). Facts are (label, value)."""

    title: str
    facts: tuple[tuple[str, str], ...]
    contact_key: str = ""


def new_person(exception: SyncException) -> str:
    """The choice that says: nobody of these."""
    return people.new_key(exception.subject)


def cards(exception: SyncException, *, personal: bool = False) -> list[Card]:
    """The contacts that fit, as the engine wrote them down (one "key: label" a line), with what is known of each; masked or not."""
    pairs = [(key.strip(), label.strip()) for key, _, label in (line.partition(": ") for line in exception.detail.splitlines()) if label]
    known = people.contacts(exception.flow.destination_id, [key for key, _ in pairs]) if exception.flow else {}
    return [_card(key, label, known.get(key), personal=personal) for key, label in pairs]


def customer_card(exception: SyncException, *, personal: bool = False) -> Card | None:
    """The customer as the source shows them, None when nothing waits any more."""
    hold = exception.holds.select_related("delivery").order_by("since").first()
    if hold is None:
        return None
    record = hold.delivery.record
    name = [str(record.get(part) or "") for part in ("first_name", "last_name")]
    facts = _facts(name, [record.get("email")], [record.get("phone")], personal=personal)
    return Card("The customer", (*facts, ("Id at the source", exception.subject)))


def give(exception: SyncException, data: QueryDict, by: User) -> int:
    """Remember which contact this customer is, and release what waits in every flow."""
    chosen = data.get("contact_key", "")
    if chosen not in {new_person(exception), *(card.contact_key for card in cards(exception))}:
        raise Refusal("Choose one of the contacts.")
    return choose_contact(exception, chosen, by)


def _card(key: str, label: str, contact: KnownContact | None, *, personal: bool) -> Card:
    if contact is None:
        return Card(label, (), key)
    facts = _facts([contact.first_name, contact.last_name], contact.emails, contact.phones, personal=personal)
    seen = parse_datetime(contact.first_seen) if contact.first_seen else None
    first_seen = seen.strftime("%-d %b %Y") if seen else "not known"
    return Card(label, (*facts, ("Customer id", ", ".join(contact.customer_ids) or "none"), ("First seen", first_seen)), key)


def _facts(names: list[str], emails: object, phones: object, *, personal: bool) -> tuple[tuple[str, str], ...]:
    def shown(values: object, mask: object) -> str:
        return ", ".join(str(value) if personal else mask(str(value)) for value in values if value) or "none"

    return (
        ("Name", " ".join(name if personal else mask_name(name) for name in names if name) or "not known"),
        ("E-mail", shown(emails, mask_email)),
        ("Phone", shown(phones, mask_phone)),
    )
