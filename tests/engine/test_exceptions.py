"""Exceptions: one question for all that wait for the same answer; deliveries go when their last question is answered."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from integrations.engine.exceptions import (
    Question,
    close_empty,
    close_for_connection,
    comment,
    ignore_exceptions,
    raise_for_connection,
    raise_questions,
    release_answered,
    release_exceptions,
    resolve_exceptions,
)
from integrations.models import Delivery, Flow, Hold, SyncException
from mapping.models import MappingVersion, SkuCrosswalk
from tests.engine.test_outbox import in_threads
from tests.rows import make_connections, make_delivery, make_flow, make_person

pytestmark = [pytest.mark.django_db]
TEE, MUG = Question("unmapped_sku", "TEE-RED", "Unknown SKU TEE-RED"), Question("unmapped_sku", "MUG", "Unknown SKU MUG")


def held(flow: Flow, key: str, *questions: Question) -> Delivery:
    delivery = make_delivery(flow, key, state="blocked", issues=[{"kind": question.kind} for question in questions])
    raise_questions(flow, [(delivery.pk, questions)])
    return delivery


def state_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def asked(question: Question) -> SyncException:
    return SyncException.objects.get(kind=question.kind, subject=question.subject, state="open")


def test_all_that_wait_for_the_same_answer_hang_on_one_question() -> None:
    flow = make_flow()
    for number in range(5):
        held(flow, str(number), TEE)
    exception = SyncException.objects.get()
    assert (exception.title, exception.occurrences, exception.holds.count()) == ("Unknown SKU TEE-RED", 5, 5)


def test_the_same_question_about_two_flows_is_two_questions() -> None:
    held(make_flow("order"), "1", TEE)
    held(make_flow("checkout"), "1", TEE)
    assert SyncException.objects.count() == 2


def test_a_delivery_with_two_questions_goes_when_both_are_answered() -> None:
    delivery = held(make_flow(), "1", TEE, MUG)
    assert release_exceptions([asked(TEE).pk], None) == 0
    assert state_of(delivery) == "blocked"
    assert release_exceptions([asked(MUG).pk], None) == 1
    assert (state_of(delivery), delivery.issues, delivery.manual) == ("ready", [], True)


def test_releasing_both_questions_at_once_releases_the_delivery_once() -> None:
    delivery = held(make_flow(), "1", TEE, MUG)
    assert release_exceptions([asked(TEE).pk, asked(MUG).pk], None) == 1
    assert state_of(delivery) == "ready"


@pytest.mark.slow
def test_five_thousand_deliveries_are_released_by_one_answer() -> None:
    flow, now = make_flow(), timezone.now()
    rows = Delivery.objects.bulk_create(
        Delivery(flow=flow, record_key=f"{number:05}", record={}, occurred_at=now, due_at=now, ready_since=now, state="blocked")
        for number in range(5_000)
    )
    raise_questions(flow, [(row.pk, [TEE]) for row in rows])
    assert release_exceptions([asked(TEE).pk], None) == 5_000
    assert Delivery.objects.filter(state="ready").count() == 5_000
    assert not Hold.objects.exists()


def test_what_is_ignored_is_skipped_and_what_waits_for_more_stays_held() -> None:
    flow, person = make_flow(), make_person("ecommerce")
    only, both = held(flow, "1", TEE), held(flow, "2", TEE, MUG)
    assert ignore_exceptions([asked(TEE).pk], person, "A test article") == 1
    assert (state_of(only), only.last_message, state_of(both)) == ("skipped", "Ignored: A test article", "blocked")
    exception = SyncException.objects.get(subject="TEE-RED")
    assert (exception.state, exception.resolved_by, exception.note) == ("ignored", person, "A test article")


def test_a_question_for_which_nothing_waits_closes_by_itself() -> None:
    delivery = held(make_flow(), "1", TEE)
    assert close_empty() == 0
    Hold.objects.filter(delivery=delivery).delete()
    assert close_empty() == 1
    assert SyncException.objects.get().state == "resolved"


def test_a_question_that_comes_again_after_it_was_closed_is_a_new_one() -> None:
    flow = make_flow()
    held(flow, "1", TEE)
    first = asked(TEE)
    resolve_exceptions([first.pk], None, "Mapped")
    held(flow, "2", TEE)
    second = asked(TEE)
    assert (second.pk != first.pk, second.occurrences, second.holds.count()) == (True, 1, 1)
    first.refresh_from_db()
    assert (first.state, first.note) == ("resolved", "Mapped")


def test_a_row_in_the_crosswalk_releases_what_waited_for_it_at_the_next_sweep() -> None:
    flow = make_flow()
    tee, mug = held(flow, "1", TEE), held(flow, "2", MUG)
    SkuCrosswalk.objects.create(source=flow.source, destination=flow.destination, source_sku="TEE-RED")
    assert release_answered() == 1
    assert (state_of(tee), state_of(mug)) == ("ready", "blocked")
    assert SyncException.objects.get(state="open").subject == "MUG"


def test_a_mapping_published_after_the_question_releases_what_waited_for_it() -> None:
    flow = make_flow()
    delivery = held(flow, "1", Question("missing_field", "email", "Required field email is empty"))
    assert release_answered() == 0
    MappingVersion.objects.create(flow=flow, number=1, state="published", published_at=timezone.now())
    assert release_answered() == 1
    assert state_of(delivery) == "ready"


def test_a_question_about_a_connection_is_asked_once_however_often_it_arises() -> None:
    connection, _ = make_connections()
    for number in range(4):
        raise_for_connection(connection, "platform_down", "", "It does not answer", detail=f"fault {number}")
    exception = SyncException.objects.get()
    assert (exception.occurrences, exception.detail, exception.flow) == (4, "fault 3", None)
    assert close_for_connection(connection, "platform_down") == 1
    assert close_for_connection(connection, "platform_down") == 0


def test_a_question_about_a_connection_closes_when_it_is_released() -> None:
    connection, _ = make_connections()
    exception = raise_for_connection(connection, "unparsable", "x", "A message could not be read")
    person = make_person("administrator")
    assert release_exceptions([exception.pk], person) == 0
    exception.refresh_from_db()
    assert (exception.state, exception.resolved_by) == ("resolved", person)


def test_a_question_has_comments() -> None:
    held(make_flow(), "1", TEE)
    person, exception = make_person("ecommerce"), asked(TEE)
    comment(exception, person, "Asked the supplier.")
    assert [(note.author, note.text) for note in exception.comments.all()] == [(person, "Asked the supplier.")]


@pytest.mark.django_db(transaction=True)
def test_a_delivery_whose_two_questions_are_answered_at_the_same_moment_goes_out() -> None:
    flow = make_flow()
    deliveries = [held(flow, f"{number:03}", TEE, MUG) for number in range(60)]
    ids = [asked(TEE).pk, asked(MUG).pk]
    in_threads(2, lambda number: release_exceptions([ids[number]], None))
    assert {state_of(delivery) for delivery in deliveries} == {"ready"}
    assert not Hold.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_question_asked_by_eight_workers_at_once_is_one_question() -> None:
    flow = make_flow()
    deliveries = [make_delivery(flow, f"{number:03}", state="blocked") for number in range(80)]

    def ask(number: int) -> Any:
        raise_questions(flow, [(delivery.pk, [TEE, MUG]) for delivery in deliveries[number * 10 : number * 10 + 10]])

    in_threads(8, ask)
    found = {(row.subject, row.occurrences, row.holds.count()) for row in SyncException.objects.all()}
    assert found == {("TEE-RED", 80, 80), ("MUG", 80, 80)}
