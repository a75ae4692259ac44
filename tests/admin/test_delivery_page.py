"""The delivery and inbox pages: state in words, masked data, replay and processing again."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from integrations.models import Delivery, Hold, InboxEvent
from tests.rows import make_attempt, make_delivery, make_event, make_exception, make_flow, minutes_ago

pytestmark = pytest.mark.django_db
PERSON = {"email": "ann.realname@example.com", "first_name": "Annabel", "phone": "+447700900123"}
SECRETS = ("ann.realname", "Annabel", "447700900123")


def post(client: Client, row: Any, name: str) -> str:
    url = reverse(f"admin:integrations_{row._meta.model_name}_{name}", args=[row.pk])
    return client.post(url, follow=True).content.decode()


def page_of(client: Client, row: Any) -> str:
    return client.get(reverse(f"admin:integrations_{row._meta.model_name}_change", args=[row.pk])).content.decode()


def leaks(page: str) -> list[str]:
    return [secret for secret in SECRETS if secret in page]


def test_a_delivery_tells_its_whole_story(ecommerce: Client):
    flow = make_flow()
    question = make_exception(flow, subject="TEE")
    row = make_delivery(flow, state="blocked", destination_key="shp-1001", last_message="Unknown SKU TEE")
    Hold.objects.create(exception=question, delivery=row)
    make_attempt(row, "held", request_id="req-77", ms=12, code="unmapped_sku")
    event = make_event(flow.source, "event-1", object_key="1001")

    page = page_of(ecommerce, row)

    story = [
        "a person has to answer the question below",
        "Unknown: TEE",
        "req-77",
        "12 ms",
        "shp-1001",
        reverse("admin:integrations_inboxevent_change", args=[event.pk]),
    ]
    assert [part for part in story if part not in page] == []


def test_record_and_payload_are_masked_for_people_without_the_permission(ecommerce: Client, manager: Client):
    row = make_delivery(make_flow("customer"), record={"key": "1", **PERSON}, sent_payload={"email": PERSON["email"], "profile": PERSON})

    masked, clear = page_of(ecommerce, row), page_of(manager, row)

    assert (leaks(masked), leaks(clear)) == ([], list(SECRETS))


def test_answers_are_masked_too_and_every_try_is_told_with_its_answer(ecommerce: Client, manager: Client):
    said = f"The address {PERSON['email']} is unknown"
    row = make_delivery(make_flow("customer"), state="ready", last_message=said)
    make_attempt(row, "refused", message=said, code="422", manual=True)

    masked, clear = page_of(ecommerce, row), page_of(manager, row)

    assert (leaks(masked), leaks(clear)) == ([], ["ann.realname"])
    assert [text for text in ("Refused", "422", "asked for by a person", "is unknown") if text not in masked] == []


def test_a_replay_makes_it_ready_to_be_really_sent_and_is_attributed(ecommerce: Client):
    row = make_delivery(make_flow(), state="delivered", sent_hash="a" * 64)

    post(ecommerce, row, "replay")

    row.refresh_from_db()
    assert (row.state, row.sent_hash, row.manual, row.cause) == ("ready", "", True, "replay")
    assert list(LogEntry.objects.values_list("user__username", "change_message", "object_id")) == [("ecommerce", "Replayed", str(row.pk))]


def test_a_delivery_in_a_worker_s_hands_is_left_alone(ecommerce: Client):
    row = make_delivery(make_flow(), state="sending")

    page = post(ecommerce, row, "replay")

    row.refresh_from_db()
    assert (row.state, "in a worker" in page) == ("sending", True)


def test_a_delivered_one_is_not_retried_but_replayed(ecommerce: Client):
    row = make_delivery(make_flow(), state="delivered")

    page = post(ecommerce, row, "retry")

    row.refresh_from_db()
    assert (row.state, "neither held nor waiting" in page) == ("delivered", True)


def test_many_are_replayed_at_once_but_only_those_the_role_may(sign_in: Any):
    order, customer = make_delivery(make_flow("order"), state="blocked"), make_delivery(make_flow("customer"), state="blocked")
    data = {"action": "replay_many", "_selected_action": [order.pk, customer.pk], "index": 0}

    page = sign_in("marketing").post(reverse("admin:integrations_delivery_changelist"), data, follow=True).content.decode()

    assert dict(Delivery.objects.values_list("flow__record_type", "state")) == {"order": "blocked", "customer": "ready"}
    assert "1 delivery will be sent again." in page


def test_an_inbox_body_is_masked_and_unreadable_text_is_not_shown_without_the_permission(ecommerce: Client, manager: Client):
    shop = make_flow().source
    readable = InboxEvent.objects.create(
        connection=shop, topic="customers/update", dedup_key="1", body=orjson.dumps({"customer": PERSON}).decode()
    )
    broken = InboxEvent.objects.create(
        connection=shop, topic="customers/update", dedup_key="2", body=orjson.dumps({"raw": f"{{x {PERSON}"}).decode()
    )
    no_json = InboxEvent.objects.create(connection=shop, topic="customers/update", dedup_key="3", body=f"<{PERSON}>")

    assert [leaks(page_of(ecommerce, event)) for event in (readable, broken, no_json)] == [[], [], []]
    assert [leaks(page_of(manager, event)) for event in (readable, broken, no_json)] == [list(SECRETS)] * 3


def test_a_failed_message_is_processed_again(manager: Client):
    event = make_event(make_flow().source, "event-1", state="failed", error="no price")

    page = post(manager, event, "again")

    event.refresh_from_db()
    assert (event.state, "It will be processed again now." in page) == ("new", True)
    assert LogEntry.objects.get().change_message == "Processed again"


def test_messages_and_pulls_tell_who_did_what_to_them(manager: Client):
    shop = make_flow().source
    event = make_event(shop, "event-1", state="failed")
    pull = shop.checkpoints.create(reader="orders", purpose="backfill", window_from=minutes_ago(9), due_at=minutes_ago(1))
    bare = [page_of(manager, row) for row in (event, pull)]

    pages = [post(manager, event, "again"), post(manager, pull, "pause")]

    assert ["Nobody has changed anything here yet." in page for page in bare] == [True, True]
    assert ["manager · Processed again" in pages[0], "manager · Paused." in pages[1]] == [True, True]


def test_chosen_messages_are_processed_again(manager: Client):
    shop = make_flow().source
    events = [make_event(shop, f"event-{number}", state="failed") for number in range(3)]
    data = {"action": "again_many", "_selected_action": [event.pk for event in events[:2]], "index": 0}

    manager.post(reverse("admin:integrations_inboxevent_changelist"), data)

    assert list(InboxEvent.objects.order_by("pk").values_list("state", flat=True)) == ["new", "new", "failed"]
