"""Looking up before creating."""

from datetime import UTC, datetime

import pytest

from integrations.platforms.base import Candidate
from integrations.platforms.ometria import PLATFORM
from integrations.platforms.ometria.write.people import candidate, masked
from mapping.records import Customer, RecordType

CONTACTS = PLATFORM.writers[RecordType.CUSTOMER]
AT = datetime(2026, 1, 10, tzinfo=UTC)


def test_a_profile_becomes_a_candidate_with_all_its_identifiers(sample):
    assert candidate(sample("profile")) == Candidate(
        contact_key="2a1f-9c0de1-77ab",
        emails=("ada@example.com",),
        phones=("+442079460018",),
        customer_ids=("7001", "C-1"),
        label="a***@example.com (2a1f-9c0de1-77ab)",
    )


def test_a_profile_without_identifiers_is_named_by_its_id():
    assert candidate({"id": "p-1", "identities": None}) == Candidate(contact_key="p-1", label="profile (p-1)")


@pytest.mark.parametrize(("email", "shown"), [("ada@example.com", "a***@example.com"), ("x@example.com", "x***@example.com")])
def test_a_label_names_nobody(email, shown):
    assert masked(email) == shown


def test_customers_are_found_by_their_address_in_any_case(client, pacer, sample):
    client.push([sample("contact")])
    people = [
        Customer(key="1", occurred_at=AT, email=" Ada@Example.com "),
        Customer(key="2", occurred_at=AT, email="ada@example.com"),
        Customer(key="3", occurred_at=AT, email="new@example.com"),
        Customer(key="4", occurred_at=AT, phone="+442079460018"),
    ]
    pacer.taken.clear()

    found = CONTACTS.find(client, people)

    assert {key: [one.emails for one in candidates] for key, candidates in found.items()} == {
        "1": [("ada@example.com",)],
        "2": [("ada@example.com",)],
        "3": [],
    }
    assert pacer.taken == ["read", "read"]


def test_only_customers_are_people(client, pacer):
    for record_type, writer in PLATFORM.writers.items():
        if record_type is not RecordType.CUSTOMER:
            assert writer.find(client, [Customer(key="1", occurred_at=AT, email="ada@example.com")]) == {}

    assert pacer.taken == []
