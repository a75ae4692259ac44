"""A person is found through every table, handed out whole, and erased from all of them; nobody else loses anything, and figures stay."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.db.models import Count, Sum
from django.test import Client, TestCase
from django.utils import timezone

from integrations.engine import people
from integrations.engine.outbox import Cause, enqueue
from integrations.engine.privacy import export, runs, subject
from integrations.engine.privacy.traces import spellings, traces_of
from integrations.models import Delivery, Flow, PrivacyFilePart, PrivacyMark, PrivacyRequest, SyncException, VisitorIdentity
from integrations.platforms.privacy import PrivacyAsk, Wish
from mapping.crosswalk import KnownContact
from mapping.models import Contact
from monitoring.models import OrderFact
from monitoring.segments import facts
from tests.canary import BESIDE, CANARY, WORDS, bring, lay_out, plant, tables_with
from tests.factories import CustomerFactory
from tests.rows import make_person

pytestmark = pytest.mark.django_db
Kind, State = PrivacyRequest.Kind, PrivacyRequest.State


@pytest.fixture
def flows() -> dict[str, Flow]:
    return lay_out()


@pytest.fixture
def staff() -> User:
    return make_person("manager")


def carry_out(request: PrivacyRequest) -> PrivacyRequest:
    PrivacyRequest.objects.filter(pk=request.pk).update(start_at=timezone.now())
    runs.pump(request.pk)
    request.refresh_from_db()
    return request


def erase(staff: User, text: str = CANARY["email"]) -> PrivacyRequest:
    return carry_out(runs.ask(Kind.ERASURE, subject.named(text), staff))


def figures() -> dict[str, Any]:
    facts.catch_up(5)
    rows = Delivery.objects.filter(state="delivered").values("flow__record_type").annotate(rows=Count("pk")).order_by("flow__record_type")
    return {"delivered": list(rows), "all": Delivery.objects.count(), "net": OrderFact.objects.aggregate(sum=Sum("net"), rows=Count("pk"))}


def test_somebody_who_is_erased_stands_in_no_column_of_any_table(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    assert len(tables_with(WORDS)) > 18

    request = erase(staff)

    assert (request.state, request.error) == (State.FOLLOWING, "")
    assert tables_with([*WORDS, CANARY["first"] + " " + CANARY["last"]]) == {}


def test_no_log_line_and_no_metric_names_the_person(flows: dict[str, Flow], staff: User, client: Client, caplog: pytest.LogCaptureFixture):
    plant(flows, CANARY)
    caplog.clear()

    erase(staff)

    told = caplog.text + client.get("/metrics").content.decode()
    assert ("privacy request" in told, [word for word in WORDS if word in told]) == (True, [])


def test_another_person_with_a_similar_name_loses_nothing(flows: dict[str, Flow], staff: User):
    plant(flows, BESIDE)
    words = [word for word in BESIDE.values() if word not in ("Wilhelmina",)]
    before = tables_with([*words, "Wilhelmina Kanarienvogel-Fink"])
    rows = list(Delivery.objects.order_by("pk").values())
    plant(flows, CANARY)

    erase(staff)

    assert tables_with([*words, "Wilhelmina Kanarienvogel-Fink"]) == before
    assert list(Delivery.objects.filter(pk__in=[row["id"] for row in rows]).order_by("pk").values()) == rows


def test_figures_stay_equal(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    plant(flows, BESIDE)
    before = figures()

    erase(staff)

    assert figures() == before


def test_nothing_of_an_erased_person_waits_to_be_sent(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)

    erase(staff)

    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered", "skipped"}
    assert list(SyncException.objects.filter(kind="ambiguous_contact").values_list("state", flat=True)) == ["resolved"]


@pytest.mark.parametrize("name", ["email", "phone", "customer"])
def test_one_name_leads_to_all_others(flows: dict[str, Flow], name: str):
    plant(flows, CANARY)
    shop, site, ometria = flows["customer"].source_id, flows["event"].source_id, flows["customer"].destination_id

    found = subject.complete(subject.named(CANARY[name]))

    assert (found.emails, found.phones, found.customers) == ({CANARY["email"]}, {CANARY["phone"]}, {(shop, CANARY["customer"])})
    assert (found.visitors, found.contacts) == ({(site, CANARY["visitor"])}, {(ometria, CANARY["contact"])})
    assert found.orders == {(shop, "5700000000077"), (shop, "6700000000077")}


def test_a_number_that_a_family_shares_leads_from_nobody_to_another(flows: dict[str, Flow], staff: User):
    other = CustomerFactory(key="7700000000099", email="brother@example.com", phone=CANARY["phone"], first_name="Bruno")
    plant(flows, CANARY)
    with TestCase.captureOnCommitCallbacks(execute=True):
        enqueue(flows["customer"].source, [other], cause=Cause.WEBHOOK)

    erase(staff)

    kept = Delivery.objects.get(flow=flows["customer"], record_key=other.key)
    assert (kept.state, kept.record["email"], kept.record["phone"]) == ("ready", "brother@example.com", CANARY["phone"])


def test_what_arrives_of_an_erased_person_later_loses_them_and_is_skipped(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    erase(staff)
    before = Delivery.objects.count()

    bring(flows, CANARY, second=60, cause=Cause.BACKFILL)
    people.store(flows["customer"].destination_id, [KnownContact(contact_key="new-profile", emails=(CANARY["email"],))])

    assert tables_with(WORDS) == {}
    assert (Delivery.objects.count(), VisitorIdentity.objects.count(), Contact.objects.count()) == (before, 0, 0)


def test_a_worker_that_dies_after_any_batch_leaves_the_rest_to_the_next(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    request = runs.ask(Kind.ERASURE, subject.named(CANARY["email"]), staff)
    PrivacyRequest.objects.filter(pk=request.pk).update(start_at=timezone.now())
    steps = 0
    while PrivacyRequest.objects.get(pk=request.pk).state in (State.WAITING, State.RUNNING):
        claim = runs._take(request.pk)
        assert claim is not None, PrivacyRequest.objects.get(pk=request.pk).error
        runs._step(request.pk, claim)  # and the worker is gone: nothing is given back
        PrivacyRequest.objects.filter(pk=request.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        steps += 1

    assert steps > 40
    assert tables_with(WORDS) == {}


def test_an_erasure_can_be_taken_back_before_it_starts_and_not_after(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    request = runs.ask(Kind.ERASURE, subject.named(CANARY["email"]), staff)
    runs.pump(request.pk)

    assert runs.cancel(request)
    carry_out(request)

    assert (request.state, request.subject, PrivacyMark.objects.count()) == (State.CANCELLED, "", 0)
    assert not runs.cancel(erase(staff))


def test_the_export_holds_everything_that_was_planted(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    plant(flows, BESIDE)

    request = carry_out(runs.ask(Kind.EXPORT, subject.named(CANARY["email"]), staff))

    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.read_file(request))))
    texts = {name: archive.read(name).decode() for name in archive.namelist()}
    whole = "\n".join(texts.values())
    assert request.state == State.READY
    assert [word for word in (*WORDS, "newsletter form", "Called Wilhelmina", "complained", "was turned down") if word not in whole] == []
    assert BESIDE["email"] not in whole
    assert "README.txt" in texts
    assert [orjson.loads(text) for name, text in texts.items() if name.endswith(".json")]
    assert texts["orders.csv"].count("\n") == 3


def test_an_export_is_encrypted_and_removed_after_a_week(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    request = carry_out(runs.ask(Kind.EXPORT, subject.named(CANARY["email"]), staff))
    part = bytes(PrivacyFilePart.objects.first().data)

    runs.remove_files(timezone.now() + timedelta(days=6))
    kept = PrivacyFilePart.objects.count()
    runs.remove_files(timezone.now() + timedelta(days=8))

    request.refresh_from_db()
    assert (part[:2] == b"PK", kept > 0, PrivacyFilePart.objects.count(), request.state, request.subject) == (
        False, True, 0, State.DONE, "",
    )  # fmt: skip


def test_erasing_removes_files_that_were_made_for_the_person(flows: dict[str, Flow], staff: User):
    plant(flows, CANARY)
    carry_out(runs.ask(Kind.EXPORT, subject.named(CANARY["email"]), staff))

    erase(staff)

    assert PrivacyFilePart.objects.count() == 0


def test_a_shop_that_asks_for_it_leaves_nothing_behind_but_figures(flows: dict[str, Flow]):
    plant(flows, CANARY)
    shop = flows["customer"].source
    event = shop.inbox_events.first()

    request = carry_out(runs.receive(shop, PrivacyAsk(wish=Wish.SHOP), "shop/redact", event_id=event.pk))

    shop.refresh_from_db()
    assert (request.state, request.error, shop.state) == (State.DONE, "", "paused")
    left = Delivery.objects.filter(flow__source=shop)
    assert (left.count(), shop.inbox_events.count(), SyncException.objects.filter(flow__source=shop).count()) == (0, 0, 0)


def test_a_request_whose_last_day_is_near_becomes_a_question(flows: dict[str, Flow], staff: User):
    request = runs.ask(Kind.EXPORT, subject.named(CANARY["email"]), staff)
    runs.remind(timezone.now() + timedelta(days=22))
    first = SyncException.objects.filter(kind="privacy_overdue").count()
    runs.remind(timezone.now() + timedelta(days=24))
    runs.remind(timezone.now() + timedelta(days=25))

    question = SyncException.objects.get(kind="privacy_overdue")
    assert (first, question.occurrences, str(request.pk) in question.title) == (0, 1, True)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("granada@example.com", True), ("ada@example.com.au", True), ("ada@example.community", True), ("x+ada@example.com", True),
        ("to ada@example.com.", False), ("<ADA@example.com>", False), ("mailto:ada@example.com?x", False),
    ],
)  # fmt: skip
def test_an_address_is_found_as_a_whole_only(text: str, stays: bool):
    assert (traces_of(["ada@example.com"]).without(text) == text) is stays


def test_a_number_is_found_as_people_write_it():
    traces = traces_of(spellings("+442079460123"))
    texts = ["+442079460123", "020 7946 0123", "+44 20 7946 0123", "02079460123", "020-7946-0123"]

    assert [traces.without(text) for text in texts] == ["(erased)"] * 5
    assert traces.without("020 7946 01234") == "020 7946 01234"
