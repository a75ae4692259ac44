"""Who a customer is at the destination: rules + candidates → match, new or ambiguous. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mapping.records import Customer, CustomerRef
from mapping.transforms import e164, email

Person = Customer | CustomerRef


class MatchKind(StrEnum):
    """What the rules made of a customer."""

    MATCH = "match"
    NEW = "new"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """One identity rule: the handle compared (email, phone, customer_id), and what several owners of it mean (hold, next)."""

    key: str
    on_several: str = "hold"


DEFAULT_RULES = (IdentityKey("email"), IdentityKey("phone"), IdentityKey("customer_id"))


class Candidate(Protocol):
    """A contact that may be the same person."""

    contact_key: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    customer_ids: tuple[str, ...]
    last_name: str


class KeyRule(Protocol):
    """An identity rule, as a value or as its row."""

    key: str
    on_several: str


@dataclass(frozen=True, slots=True)
class Match:
    """The answer: `contact_key` and the rule that found it for a match; `candidates` are all contacts that fit by any rule."""

    kind: MatchKind
    contact_key: str = ""
    rule: str = ""
    candidates: tuple[Candidate, ...] = ()


def handles(person: Person) -> dict[str, str]:
    """What a person can be recognised by, normalised: handle kind → value; empty and unusable values are left out."""
    country = getattr(person, "country", "")
    found = {"email": email(person.email), "phone": e164(person.phone, country) if person.phone else "", "customer_id": person.key}
    return {kind: value for kind, value in found.items() if value}


def match_contact(customer: Person, rules: Sequence[KeyRule], candidates: Sequence[Candidate]) -> Match:
    """Find the contact a customer is. The first rule that fits decides; a later one that names somebody else makes it ambiguous.

    Without rules: by e-mail, phone, customer id. Several owners of one handle are ambiguous too, unless the rule lets the next one
    choose among them and it names exactly one. A phone alone does not decide for a partial customer whose surname or e-mail is another:
    the number may be that of whoever receives a gift.
    """
    own = handles(customer)
    found = [(rule, _owners(rule.key, own.get(rule.key, ""), candidates)) for rule in rules or DEFAULT_RULES]
    fitting = [(rule, owners) for rule, owners in found if owners]
    if not fitting:
        return Match(MatchKind.NEW)
    keys = {key for _, owners in fitting for key in owners}
    everyone = tuple({candidate.contact_key: candidate for candidate in candidates if candidate.contact_key in keys}.values())
    first, owners_of_first = fitting[0]
    standing = set.intersection(*(owners for _, owners in fitting))
    if len(standing) != 1 or (len(owners_of_first) > 1 and first.on_several == "hold"):
        return Match(MatchKind.AMBIGUOUS, rule=first.key, candidates=everyone)
    by_phone_alone = {rule.key for rule, _ in fitting} == {"phone"}
    if by_phone_alone and any(contradicts(customer, one) for one in everyone if one.contact_key in standing):
        return Match(MatchKind.AMBIGUOUS, rule="phone", candidates=everyone)
    decided = next((rule.key for rule, owners in fitting if len(owners) == 1), fitting[-1][0].key)
    return Match(MatchKind.MATCH, standing.pop(), decided, everyone)


def is_nameless(contact: Candidate, customer: Person) -> bool:
    """Whether a contact was made for this customer under their own key, and no address is known that it could be kept by."""
    return not contact.emails and customer.key in contact.customer_ids


def contradicts(customer: Person, candidate: Candidate) -> bool:
    """Whether what is shown of a partial customer speaks of somebody else: other surname, or an address the contact lacks."""
    if not getattr(customer, "partial", False):
        return False
    own = email(customer.email)
    if not same_surname(customer.last_name, candidate.last_name):
        return True
    return bool(own and candidate.emails and own not in _normal("email", candidate))


def same_surname(one: str, other: str) -> bool:
    """Equal but for case, accents and signs; an unknown one contradicts nothing."""
    first, second = (_letters(name) for name in (one, other))
    return not first or not second or first == second


def _letters(name: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKD", name.casefold()) if character.isalnum())


def _owners(kind: str, value: str, candidates: Sequence[Candidate]) -> set[str]:
    if not value:
        return set()
    return {candidate.contact_key for candidate in candidates if value in _normal(kind, candidate)}


def _normal(kind: str, candidate: Candidate) -> set[str]:
    if kind == "email":
        return {email(value) for value in candidate.emails}
    if kind == "phone":
        return {e164(value, "") for value in candidate.phones}
    return set(candidate.customer_ids)
