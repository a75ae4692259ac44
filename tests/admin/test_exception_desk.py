"""The exception desk: each kind's answer writes the right row and lets go exactly what waited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from integrations.engine.weights import weights
from integrations.models import Delivery, ExceptionComment, Flow, Hold, SyncException
from integrations.models.kinds import KINDS
from mapping.models import Contact, ContactHandle, SkuCrosswalk, ValueCrosswalk
from tests.rows import make_delivery, make_exception, make_flow

pytestmark = pytest.mark.django_db


def act(client: Client, row: SyncException, name: str, data: dict[str, Any] | None = None) -> str:
    url = reverse(f"admin:integrations_syncexception_{name}", args=[row.pk])
    return client.post(url, data or {}, follow=True).content.decode()


def state_of(row: SyncException) -> tuple[str, str | None, str]:
    row.refresh_from_db()
    return row.state, row.resolved_by.get_username() if row.resolved_by else None, row.note


def states() -> dict[str, str]:
    return dict(Delivery.objects.values_list("record_key", "state"))


def components(sku: str) -> list[tuple[str, int]]:
    return list(SkuCrosswalk.objects.get(source_sku=sku).components.values_list("target_sku", "quantity"))


def bulk(client: Client, name: str, *rows: SyncException) -> str:
    data = {"action": name, "_selected_action": [row.pk for row in rows], "index": 0}
    return client.post(reverse("admin:integrations_syncexception_changelist"), data, follow=True).content.decode()


def test_mapping_an_unknown_sku_sends_out_everything_that_waited(ecommerce: Client):
    question = make_exception(make_flow(), subject="TEE", waiting=2)

    page = act(ecommerce, question, "answer", {"target_sku": ["T-1", ""], "quantity": ["1", "1"], "note": "renamed"})

    assert components("TEE") == [("T-1", 1)]
    assert states() == {"TEE-0": "ready", "TEE-1": "ready"}
    assert state_of(question) == ("resolved", "ecommerce", "TEE: 1 × T-1")
    assert "2 waiting deliveries go out now." in page


def test_a_bundle_is_mapped_to_its_components(ecommerce: Client):
    question = make_exception(make_flow(), subject="SET", waiting=1)

    act(ecommerce, question, "answer", {"target_sku": ["MUG", "PLATE"], "quantity": ["2", "4"]})

    assert components("SET") == [("MUG", 2), ("PLATE", 4)]


def test_a_sku_may_be_let_through_as_it_is(ecommerce: Client):
    question = make_exception(make_flow(), subject="GIFT", waiting=1)

    act(ecommerce, question, "answer", {"answer": "ignore"})

    assert SkuCrosswalk.objects.get().action == "ignore"
    assert states() == {"GIFT-0": "ready"}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"target_sku": [" "], "quantity": ["1"]}, "Name at least one target SKU."),
        ({"target_sku": ["A"], "quantity": ["0"]}, "must be a whole number from 1"),
        ({"target_sku": ["A"], "quantity": ["two"]}, "must be a whole number from 1"),
        ({"target_sku": ["A", "A"], "quantity": ["1", "2"]}, "A is named twice"),
    ],
)
def test_an_answer_that_makes_no_sense_is_told_and_changes_nothing(data: dict[str, Any], told: str, ecommerce: Client):
    question = make_exception(make_flow(), subject="TEE", waiting=1)

    page = act(ecommerce, question, "answer", data)

    assert (told in page, SkuCrosswalk.objects.count(), states(), state_of(question)[0]) == (True, 0, {"TEE-0": "blocked"}, "open")


def test_a_delivery_with_two_unknown_skus_waits_for_both_answers(ecommerce: Client):
    flow = make_flow()
    first, second = make_exception(flow, subject="A", waiting=1), make_exception(flow, subject="B")
    Hold.objects.create(exception=second, delivery=Delivery.objects.get())

    act(ecommerce, first, "answer", {"target_sku": ["X"], "quantity": ["1"]})
    after_one = states()
    act(ecommerce, second, "answer", {"target_sku": ["Y"], "quantity": ["1"]})

    assert (after_one, states()) == ({"A-0": "blocked"}, {"A-0": "ready"})


def test_a_value_becomes_a_row_of_its_table(manager: Client):
    question = make_exception(make_flow(), "unmapped_value", "status:on_hold", waiting=1)

    act(manager, question, "answer", {"target_value": "held", "answer": "row"})

    assert list(ValueCrosswalk.objects.filter(source_value="on_hold").values_list("name", "target_value")) == [("status", "held")]
    assert state_of(question) == ("resolved", "manager", "status: on_hold → held")


def test_ecommerce_cannot_write_value_tables_through_an_exception(ecommerce: Client):
    question = make_exception(make_flow(), "unmapped_value", "status:on_hold", waiting=1)

    answer = ecommerce.post(
        reverse("admin:integrations_syncexception_answer", args=[question.pk]), {"target_value": "held", "answer": "row"}
    )

    assert (answer.status_code, ValueCrosswalk.objects.filter(source_value="on_hold").exists()) == (403, False)


def test_the_chosen_contact_is_remembered(sign_in: Callable[[str], Client]):
    flow = make_flow("customer")
    question = make_exception(flow, "ambiguous_contact", "7001", waiting=1, detail="om-1: a•••@example.com\nom-2: phone •••23")

    act(sign_in("marketing"), question, "answer", {"contact_key": "om-2"})

    handle = ContactHandle.objects.get()
    assert (handle.connection, handle.kind, handle.value, handle.contact_key, handle.chosen) == (
        flow.destination,
        "source id",
        "7001",
        "om-2",
        True,
    )
    assert states() == {"7001-0": "ready"}


def test_the_contacts_stand_side_by_side_with_masked_facts_and_a_new_person_may_be_chosen(sign_in: Callable[[str], Client]):
    flow = make_flow("customer")
    question = make_exception(flow, "ambiguous_contact", "tts:1:2", waiting=1, detail="p-1: a•••@example.com\np-2: •••23")
    person = {"first_name": "Ada", "last_name": "Byron", "first_seen": "2025-12-01T08:00:00Z"}
    facts = {**person, "emails": ["ada@example.com"], "phones": ["+442079460018"], "customer_ids": ["7001"]}
    Contact.objects.create(connection=flow.destination, contact_key="p-1", facts=facts)

    page = sign_in("ecommerce").get(f"/admin/integrations/syncexception/{question.pk}/change/").content.decode()
    shown = ["A••• B•••", "a•••@example.com", "•••18", "7001", "1 Dec 2025", "p-2", "A new person"]
    assert [text for text in shown if text not in page] == []
    assert [text for text in ("ada@example.com", "Byron", "+442079460018") if text in page] == []

    act(sign_in("marketing"), question, "answer", {"contact_key": "@tts:1:2"})
    assert ContactHandle.objects.get().contact_key == "@tts:1:2"


def test_only_a_contact_that_was_offered_can_be_chosen(sign_in: Callable[[str], Client]):
    question = make_exception(make_flow("customer"), "ambiguous_contact", "7001", waiting=1, detail="om-1: one\nom-2: two")

    page = act(sign_in("marketing"), question, "answer", {"contact_key": "om-9"})

    assert ("Choose one of the contacts." in page, ContactHandle.objects.count()) == (True, 0)


def test_retrying_lets_go_what_waits_without_an_answer(ecommerce: Client):
    question = make_exception(make_flow(), "refused", "grand_total", waiting=2)

    page = act(ecommerce, question, "retry")

    assert (states(), "2 deliveries will be tried again." in page) == ({"grand_total-0": "ready", "grand_total-1": "ready"}, True)


def test_ignoring_takes_a_reason(ecommerce: Client):
    question = make_exception(make_flow(), waiting=1)

    page = act(ecommerce, question, "ignore", {"reason": " "})

    assert ("Say why it is ignored" in page, state_of(question)[0]) == (True, "open")


def test_what_is_ignored_is_skipped_and_says_why(ecommerce: Client):
    question = make_exception(make_flow(), subject="TEE", waiting=1)

    act(ecommerce, question, "ignore", {"reason": "test article"})

    assert (states(), state_of(question)) == ({"TEE-0": "skipped"}, ("ignored", "ecommerce", "test article"))
    assert Delivery.objects.get().last_message == "Ignored: test article"


def test_a_question_is_given_to_a_person_and_back_to_nobody(manager: Client, ecommerce: Client):
    question = make_exception(make_flow())
    person = ecommerce.get(reverse("admin:index")).wsgi_request.user

    act(manager, question, "assign", {"assignee": str(person.pk)})
    question.refresh_from_db()
    given = question.assignee
    act(manager, question, "assign", {"assignee": ""})

    question.refresh_from_db()
    assert (given, question.assignee) == (person, None)
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == ["Assigned to ecommerce", "Assigned to nobody"]


def test_a_comment_is_kept_with_its_author_and_shown_as_text(ecommerce: Client):
    question = make_exception(make_flow())

    page = act(ecommerce, question, "comment", {"text": "<b>asked the shop</b>"})

    assert list(ExceptionComment.objects.values_list("author__username", "text")) == [("ecommerce", "<b>asked the shop</b>")]
    assert ("<b>asked" in page, "&lt;b&gt;asked the shop" in page) == (False, True)


@pytest.mark.parametrize("name", ["answer", "retry", "ignore", "assign"])
def test_a_settled_question_is_not_settled_again(name: str, manager: Client):
    question = make_exception(make_flow(), state="resolved", note="done before")

    page = act(manager, question, name, {"target_sku": ["A"], "quantity": ["1"], "reason": "x"})

    assert ("so nothing was done" in page, state_of(question)) == (True, ("resolved", None, "done before"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_that_says_what_happened_and_what_to_do(kind: str, manager: Client):
    question = make_exception(make_flow(), kind, "table:word")

    page = manager.get(reverse("admin:integrations_syncexception_change", args=[question.pk])).content.decode()

    assert (KINDS[kind].cause in page.replace("&#x27;", "'"), KINDS[kind].remedy in page.replace("&#x27;", "'")) == (True, True)


def test_what_waits_is_masked_for_people_without_the_permission(ecommerce: Client):
    question = make_exception(make_flow("customer"), "bad_phone", "7001", waiting=1, detail="ann@example.com")
    Delivery.objects.update(record={"key": "1", "email": "ann@example.com", "first_name": "Annabel"})

    page = ecommerce.get(reverse("admin:integrations_syncexception_change", args=[question.pk])).content.decode()

    assert [secret for secret in ("ann@example.com", "Annabel") if secret in page] == []


def test_waiting_value_is_the_net_of_orders_by_currency():
    orders, customers = make_flow("order"), make_flow("customer")
    order_question, customer_question = make_exception(orders), make_exception(customers, "bad_phone", "1", waiting=1)
    for key, net, currency in (("1", "10.50", "GBP"), ("2", "1.25", "GBP"), ("3", "700", "JPY")):
        delivery = make_delivery(orders, key, record={"currency": currency, "totals": {"net": net}})
        Hold.objects.create(exception=order_question, delivery=delivery)

    waiting = weights([order_question.pk, customer_question.pk])

    told = {row: (found.count, {name: str(amount.normalize()) for name, amount in found.values.items()}) for row, found in waiting.items()}
    assert told == {order_question.pk: (3, {"GBP": "11.75", "JPY": "7E+2"}), customer_question.pk: (1, {})}


def test_chosen_questions_are_retried_together(ecommerce: Client):
    flow = make_flow()
    rows = [make_exception(flow, subject=f"S{number}", waiting=1) for number in range(3)]

    page = bulk(ecommerce, "retry_many", *rows[:2])

    assert (states(), "2 deliveries will be tried again." in page) == ({"S0-0": "ready", "S1-0": "ready", "S2-0": "blocked"}, True)


def test_chosen_questions_are_taken_and_ignored(ecommerce: Client):
    flow = make_flow()
    rows = [make_exception(flow, subject=f"S{number}", waiting=1) for number in range(2)]

    bulk(ecommerce, "take_many", *rows)
    bulk(ecommerce, "ignore_many", rows[0])

    assert list(SyncException.objects.order_by("pk").values_list("assignee__username", "state")) == [
        ("ecommerce", "ignored"),
        ("ecommerce", "open"),
    ]
    assert states() == {"S0-0": "skipped", "S1-0": "blocked"}
    assert list(LogEntry.objects.filter(object_id=rows[0].pk).order_by("pk").values_list("change_message", flat=True)) == [
        "Assigned to ecommerce",
        "Ignored",
    ]


def test_a_narrowed_role_settles_only_its_own_questions_in_bulk(sign_in: Callable[[str], Client]):
    mine, other = (
        make_exception(make_flow("customer"), "bad_phone", "1", waiting=1),
        make_exception(make_flow("order"), subject="S", waiting=1),
    )

    bulk(sign_in("marketing"), "ignore_many", mine, other)

    assert dict(SyncException.objects.values_list("kind", "state")) == {"bad_phone": "ignored", "unmapped_sku": "open"}


def test_a_question_about_a_connection_leads_to_its_page(manager: Client):
    flow: Flow = make_flow()
    question = SyncException.objects.create(connection=flow.source, kind="version_drift", subject="x", title="Another version answered")

    page = manager.get(reverse("admin:integrations_syncexception_change", args=[question.pk])).content.decode()

    assert reverse("admin:integrations_connection_change", args=[flow.source_id]) in page
