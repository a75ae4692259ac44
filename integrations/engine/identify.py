"""Look up before create: is this person known at the destination already?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.engine.exceptions import Question
from integrations.engine.masking import mask_email, mask_phone
from integrations.engine.outbox import Claimed
from integrations.models import Flow
from integrations.platforms.base import Candidate, Lane, Writer
from mapping.identity import MatchKind, match_contact
from mapping.models import ContactHandle, IdentityRule
from mapping.records import Customer, Record


@dataclass(frozen=True, slots=True)
class Identified:
    """What was found out about a batch of customers, by record key."""

    existing: Mapping[str, Candidate]
    questions: Mapping[str, Question]


NOTHING = Identified({}, {})


def identify(flow: Flow, writer: Writer, client: Any, rows: Sequence[tuple[Claimed, Record]]) -> Identified:
    """Match customers that were never sent against the destination's contacts; history is not looked up unless the flow says so."""
    wanted = flow.settings.get("look_up", "live")
    new = [
        record
        for row, record in rows
        if isinstance(record, Customer) and not row.sent_hash and (wanted == "always" or (wanted == "live" and row.lane != Lane.BULK))
    ]
    if not new or wanted == "never":
        return NOTHING
    found = writer.find(client, new)
    rules = list(IdentityRule.objects.filter(destination=flow.destination_id).order_by("position")) if found else []
    chosen = _chosen(flow, [record.key for record in new])
    existing: dict[str, Candidate] = {}
    questions: dict[str, Question] = {}
    for record in new:
        candidates = found.get(record.key, ())
        decided = [candidate for candidate in candidates if candidate.contact_key == chosen.get(record.key)]
        match = match_contact(record, rules, decided or candidates)
        if match.kind is MatchKind.AMBIGUOUS:
            questions[record.key] = _question(record, match.candidates)
        elif match.kind is MatchKind.MATCH:
            existing[record.key] = next(candidate for candidate in candidates if candidate.contact_key == match.contact_key)
    _remember(flow, new, existing)
    return Identified(existing, questions)


def _question(record: Customer, candidates: Sequence[Candidate]) -> Question:
    who = mask_email(record.email) if record.email else mask_phone(record.phone)
    labels = "\n".join(f"{candidate.contact_key}: {candidate.label}" for candidate in candidates)
    return Question("ambiguous_contact", record.key, f"Two contacts fit customer {record.key} ({who})", labels)


def _chosen(flow: Flow, keys: Sequence[str]) -> dict[str, str]:
    """Earlier decisions of people: source key → contact key."""
    rows = ContactHandle.objects.filter(connection=flow.destination_id, kind=ContactHandle.Kind.SOURCE_ID, value__in=keys, chosen=True)
    return dict(rows.values_list("value", "contact_key"))


def _remember(flow: Flow, customers: Sequence[Customer], existing: Mapping[str, Candidate]) -> None:
    rows = []
    for customer in customers:
        candidate = existing.get(customer.key)
        if candidate is None:
            continue
        handles = [
            (ContactHandle.Kind.SOURCE_ID, customer.key),
            *((ContactHandle.Kind.EMAIL, value) for value in candidate.emails),
            *((ContactHandle.Kind.PHONE, value) for value in candidate.phones),
        ]
        rows += [
            ContactHandle(connection_id=flow.destination_id, kind=kind, value=value, contact_key=candidate.contact_key)
            for kind, value in handles
            if value
        ]
    ContactHandle.objects.bulk_create(rows, ignore_conflicts=True)
