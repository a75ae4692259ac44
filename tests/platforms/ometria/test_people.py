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
        first_name="Ada",
        last_name="Byron",
        first_seen="2025-12-01T08:00:00+00:00",
        fields={
            "email": "ada@example.com", "phone_number": "+442079460018", "customer_id": "7001", "firstname": "Ada", "lastname": "Byron",
            "properties": {"loyalty_tier": "gold"},
        },
    )  # fmt: skip


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


def everybody(client, since=None):
    found, cursor = [], None
    while True:
        page = CONTACTS.people(client, since, cursor)
        found += page.people
        if (cursor := page.cursor) is None:
            return found


def test_all_profiles_are_read_page_by_page(client, pacer, sample):
    people = [{**sample("contact"), "id": str(i), "customer_id": f"c-{i}", "email": f"person{i}@example.com"} for i in range(260)]
    for start in range(0, len(people), 100):
        client.push(people[start : start + 100])
    pacer.taken.clear()

    assert {one.emails[0] for one in everybody(client)} == {row["email"] for row in people}
    assert pacer.taken == ["read", "read"]


def test_a_profile_that_nothing_but_a_phone_names_cannot_be_joined_by_it(client, sample):
    nameless = {name: value for name, value in sample("contact").items() if name not in ("email", "customer_id")}
    client.push([{**nameless, "id": "1"}])
    client.push([{**sample("contact"), "id": "2", "email": "eve@example.com", "customer_id": "c-2"}])
    assert sorted((one.customer_ids, bool(one.phones)) for one in everybody(client)) == [((), False), (("c-2",), True)]
