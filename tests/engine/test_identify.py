"""Who is who at a destination: decided by one worker at a time, and read from the destination page by page."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.engine import directory, identify, people
from integrations.engine.outbox import Cause, Claimed, claim_deliveries, upsert
from integrations.flows import spec_for
from integrations.models import Connection, Delivery, Flow
from integrations.platforms.base import Candidate, Lane, PeoplePage
from mapping import codec
from mapping.models import Contact, ContactDirectory, ContactHandle
from mapping.records import Customer
from tests.factories import at

pytestmark = [pytest.mark.django_db(transaction=True)]
ADA = Candidate(contact_key="p-1", emails=("ada@example.com",), phones=("+442079460018",), customer_ids=("7001",), last_name="Byron")


class Shown:
    """A destination's contacts on pages of one."""

    def __init__(self, *shown: Candidate) -> None:
        self.shown, self.asked, self.looked_up = shown, [], []

    def people(self, client: Any, since: datetime | None, cursor: str | None) -> PeoplePage:
        self.asked.append((since, cursor))
        place = int(cursor or 0)
        following = str(place + 1) if place + 1 < len(self.shown) else None
        return PeoplePage(people=self.shown[place : place + 1], cursor=following)

    def find(self, client: Any, records: Any) -> dict[str, tuple[Candidate, ...]]:
        self.looked_up += [record.key for record in records]
        return {record.key: () for record in records}


@pytest.fixture
def account() -> Connection:
    return Connection.objects.create(platform="ometria", name="Account", external_id="a", base_url="http://127.0.0.1:9")


def shop(account: Connection, number: int = 1) -> Flow:
    source = Connection.objects.create(
        platform="tiktok_shop", name=f"Shop {number}", external_id=str(number), base_url="http://127.0.0.1:9"
    )
    return Flow.objects.create(source=source, destination=account, record_type="customer")


def buyer(key: str, **shown: Any) -> Customer:
    return Customer(key=key, occurred_at=at(0), country="GB", partial=True, **shown)


def asked(flow: Flow, writer: Shown, *records: Customer, limit: int = 100) -> Any:
    upsert(flow, spec_for("tiktok_shop", "ometria", "customer"), records, cause=Cause.WEBHOOK)
    rows = claim_deliveries(flow, limit).rows
    return identify.identify(flow, writer, None, [(row, codec.loads("customer", row.record_json)) for row in rows])


def test_workers_of_two_shops_make_one_contact_of_two_new_buyers_with_one_phone(account: Connection) -> None:
    flows = [shop(account, number) for number in range(4)]
    start = Barrier(len(flows))
    directory.refresh(account, Shown(), None)

    def work(number: int) -> str:
        try:
            start.wait(10)
            key = f"tts:{number}:1"
            return asked(flows[number], Shown(), buyer(key, phone="+442079460018", last_name="Byron")).existing[key].contact_key
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(flows)) as pool:
        assert len(set(pool.map(work, range(len(flows))))) == 1
    assert ContactHandle.objects.filter(kind="phone").count() == 1


def test_people_wait_while_a_large_destination_is_read_and_then_nobody_is_missed(account: Connection, monkeypatch: Any) -> None:
    monkeypatch.setattr(directory, "PAGES", 2)
    others = [Candidate(contact_key=f"o-{n}", emails=(f"person{n}@example.com",)) for n in range(4)]
    flow, writer = shop(account), Shown(*others, ADA)
    record = buyer("tts:1:1", phone="+442079460018")

    first = asked(flow, writer, record, buyer("tts:1:2"))
    assert (first.waiting, list(first.existing)) == ({"tts:1:1"}, ["tts:1:2"])
    rows = [(_row(record), record)]
    assert identify.identify(flow, writer, None, rows).waiting == {"tts:1:1"}
    assert identify.identify(flow, writer, None, rows).existing["tts:1:1"].contact_key == "p-1"
    assert [cursor for _, cursor in writer.asked] == [None, "1", "2", "3", "4"]


def test_a_directory_is_read_again_from_where_it_was_up_to_date(account: Connection) -> None:
    writer = Shown(ADA)
    assert directory.refresh(account, writer, None) is True
    assert directory.is_fresh(account.pk)
    ContactDirectory.objects.update(read_at=at(0))
    assert directory.refresh(account, writer, None) is True
    (first, _), (second, _) = writer.asked
    assert (first, second < ContactDirectory.objects.get().read_at, Contact.objects.count()) == (None, True, 1)


def test_a_contact_that_loses_its_phone_is_not_found_by_it_any_more(account: Connection) -> None:
    directory.learn(account.pk, (ADA,))
    assert people.load(account.pk, [buyer("x", phone="+442079460018")]).candidates(buyer("x", phone="+442079460018")) != ()
    directory.learn(account.pk, (Candidate(contact_key="p-1", emails=ADA.emails, customer_ids=ADA.customer_ids),))
    assert people.load(account.pk, [buyer("x", phone="+442079460018")]).candidates(buyer("x", phone="+442079460018")) == ()


def test_a_contact_made_here_is_the_one_that_the_destination_shows_later(account: Connection) -> None:
    flow = shop(account)
    directory.refresh(account, Shown(), None)
    made = asked(flow, Shown(), buyer("tts:1:1", phone="+442079460018")).existing["tts:1:1"]
    assert made.contact_key == "@tts:1:1"

    directory.learn(account.pk, (Candidate(contact_key="p-9", phones=("+442079460018",), customer_ids=("tts:1:1",)),))

    assert people.contacts_of(account.pk, ["tts:1:1"])["tts:1:1"].contact_key == "p-9"
    assert set(Contact.objects.values_list("contact_key", flat=True)) == {"p-9"}
    assert set(ContactHandle.objects.values_list("kind", "contact_key")) == {("source id", "p-9"), ("phone", "p-9"), ("customer id", "p-9")}


def customers(number: int, *, start: int = 0) -> list[Customer]:
    return [Customer(key=str(n), occurred_at=at(0), email=f"person{n}@example.com") for n in range(start, start + number)]


def test_many_new_people_are_looked_for_among_all_contacts_instead_of_one_by_one(account: Connection, monkeypatch: Any) -> None:
    monkeypatch.setattr(identify, "MANY", 3)
    flow, writer = shop(account), Shown(ADA, Candidate(contact_key="o-3", emails=("Person3@example.com",), customer_ids=("other",)))
    upsert(flow, spec_for("tiktok_shop", "ometria", "customer"), customers(3, start=100), cause=Cause.BACKFILL)  # who wait behind

    found = asked(flow, writer, *customers(5), limit=5)
    assert (writer.looked_up, {key: contact.contact_key for key, contact in found.existing.items()}) == ([], {"3": "o-3"})

    asked(flow, writer, *customers(5, start=5), limit=5)
    assert (writer.looked_up, len(writer.asked)) == ([], 2)


def test_many_new_people_are_remembered_at_once_where_others_are_shown_in_part(account: Connection, monkeypatch: Any) -> None:
    monkeypatch.setattr(identify, "MANY", 1)
    flow, writer = shop(account), Shown(ADA)
    upsert(flow, spec_for("tiktok_shop", "ometria", "customer"), customers(1, start=100), cause=Cause.BACKFILL)
    assert asked(flow, writer, *customers(1), limit=1).existing == {}
    asked(flow, writer, buyer("tts:1:1", phone="+442079460018"), limit=1)
    ContactDirectory.objects.update(read_at=timezone.now() - directory.FRESH)

    first = Customer(key="1", occurred_at=at(0), email="grace@example.com", phone="+447700900123", country="GB")
    assert asked(flow, writer, first, limit=1).existing["1"].contact_key == "@1"
    again = asked(flow, writer, buyer("tts:1:2", email="grace@example.com"), limit=1)
    assert (again.existing["tts:1:2"].contact_key, writer.looked_up) == ("@1", [])


def test_few_new_people_are_asked_about_however_fresh_the_contacts_are(account: Connection) -> None:
    flow, writer = shop(account), Shown(ADA)
    directory.refresh(account, writer, None)
    asked(flow, writer, *customers(2))
    assert writer.looked_up == ["0", "1"]


def test_while_a_large_destination_is_read_many_new_people_are_asked_about(account: Connection, monkeypatch: Any) -> None:
    monkeypatch.setattr(identify, "MANY", 1)
    monkeypatch.setattr(directory, "PAGES", 2)
    others = [Candidate(contact_key=f"o-{n}", emails=(f"other{n}@example.com",)) for n in range(3)]
    flow, writer = shop(account), Shown(*others)
    upsert(flow, spec_for("tiktok_shop", "ometria", "customer"), customers(1, start=100), cause=Cause.BACKFILL)

    asked(flow, writer, *customers(2), limit=2)
    asked(flow, writer, *customers(2, start=2), limit=2)
    assert (writer.looked_up, len(writer.asked)) == (["0", "1"], 3)


def _row(record: Customer) -> Any:
    """The delivery of a record as it was claimed."""
    row = Delivery.objects.get(record_key=record.key)
    text = codec.dumps(record).decode()
    return Claimed(row.pk, record.key, text, at(0), Lane.REALTIME, 1, "", "", None, False, row.due_at, row.ready_since)
