"""Notifications as events of the inbox: what they are about, how they are known again, and what is not kept of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from integrations.platforms.commercetools.payload import event_of
from integrations.platforms.commercetools.topics import note_of, subject_of
from tests.platforms.commercetools.clouds import CHANGE, MESSAGE, ORDER_ID, TEST_NOTIFICATION, account, cloud_event


def event(payload: Any, **settings: Any) -> Any:
    return event_of(account(**settings), payload if isinstance(payload, bytes) else orjson.dumps(payload))


def reason(payload: Any) -> str:
    return orjson.loads(event(payload).body).get("reason", "")


def test_a_message_and_its_cloud_event_are_one_and_the_same_event() -> None:
    plain, cloud = event(MESSAGE), event(cloud_event(MESSAGE))
    assert (plain.topic, plain.dedup_key, plain.object_key, plain.hint) == (
        "order/OrderShipmentStateChanged", "message:5f0d0000-0000-4000-8000-00000000cc01", ORDER_ID, True,
    )  # fmt: skip
    assert (cloud.topic, cloud.dedup_key, cloud.object_key, cloud.hint) == (plain.topic, plain.dedup_key, plain.object_key, True)
    assert plain.occurred_at == cloud.occurred_at == datetime(2026, 11, 20, 11, 59, 30, 250_000, UTC)
    assert subject_of(plain) == ("order", ORDER_ID)


def test_a_message_of_the_list_is_the_same_event_as_its_notification() -> None:
    listed = {name: value for name, value in MESSAGE.items() if name not in ("notificationType", "projectKey")}
    assert event(listed).dedup_key == event(MESSAGE).dedup_key
    assert event(listed).topic == event(MESSAGE).topic


@pytest.mark.parametrize("told", ["ResourceCreated", "ResourceUpdated", "ResourceDeleted"])
def test_a_change_is_known_by_what_changed_its_version_and_how(told: str) -> None:
    change = {**CHANGE, "notificationType": told}
    assert event(change).dedup_key == event(cloud_event(change)).dedup_key == f"change:customer:c-1:5:{told}"
    assert event({**change, "version": 6}).dedup_key != event(change).dedup_key


def test_an_erasure_says_so_in_what_is_kept() -> None:
    kept = orjson.loads(event({**CHANGE, "notificationType": "ResourceDeleted", "dataErasure": True}).body)
    assert kept["dataErasure"] is True


def test_a_message_that_was_too_large_for_its_queue_is_a_hint_like_any_other() -> None:
    short = {name: value for name, value in MESSAGE.items() if name not in ("shipmentState", "oldShipmentState")}
    short["payloadNotIncluded"] = {"reason": "The payload is too large.", "payloadType": "OrderCreated"}
    made = event(short)
    assert (made.topic, made.object_key, made.hint) == (event(MESSAGE).topic, ORDER_ID, True)


def test_a_cloud_event_that_leaves_its_data_out_is_read_from_its_envelope() -> None:
    bare = {name: value for name, value in cloud_event(MESSAGE).items() if name != "data"}
    bare["dataref"] = f"/acme-demo/messages/{MESSAGE['id']}"
    assert (event(bare).topic, event(bare).dedup_key, event(bare).object_key) == (
        "order/OrderShipmentStateChanged", f"message:{MESSAGE['id']}", ORDER_ID,
    )  # fmt: skip


def test_the_test_notification_is_kept_as_something_to_ignore() -> None:
    assert "test notification" in note_of(event(TEST_NOTIFICATION))


def test_events_about_what_nobody_reads_say_so_and_others_say_nothing() -> None:
    assert note_of(event({**CHANGE, "resource": {"typeId": "review", "id": "r"}})) == "Events about review are not used."
    assert note_of(event(CHANGE)) == ""


def test_no_copy_of_a_person_or_an_order_is_kept() -> None:
    order = {"id": ORDER_ID, "customerEmail": "ada@example.com", "shippingAddress": {"streetName": "Mill Lane"}}
    kept = event({**MESSAGE, "type": "OrderCreated", "order": order, "deliveries": [order], "note": "x" * 5000}).body
    assert b"ada@example.com" not in kept
    assert b"Mill Lane" not in kept
    assert len(kept) < 1000


def test_hints_about_the_catalogue_wait_for_each_other_and_those_about_people_do_not() -> None:
    product = {**CHANGE, "resource": {"typeId": "product", "id": "p"}}
    waits = [made.wait_seconds for made in (event(product), event(product, catalogue_wait_seconds=0), event(CHANGE))]
    assert waits == [30.0, 0.0, 0.0]


@pytest.mark.parametrize("odd", ["soon", None, float("nan"), -5])
def test_an_odd_waiting_time_stops_nothing(odd: Any) -> None:
    assert event({**CHANGE, "resource": {"typeId": "product", "id": "p"}}, catalogue_wait_seconds=odd).wait_seconds in (0.0, 30.0)


def test_what_is_of_another_project_is_kept_with_that_reason() -> None:
    assert "other-project" in reason({**MESSAGE, "projectKey": "other-project"})
    bare = {**cloud_event(MESSAGE), "source": "/other-project/orders", "data": None}
    assert "other-project" in reason(bare)


@pytest.mark.parametrize(
    ("spoilt", "named"),
    [
        ({**MESSAGE, "resource": None}, "resource.typeId"),
        ({**MESSAGE, "resource": {"typeId": "order"}}, "resource.id"),
        ({**MESSAGE, "resource": {"typeId": "order", "id": "../customers"}}, "resource.id"),
        ({**MESSAGE, "resource": {"typeId": "Or/der", "id": "1"}}, "resource.typeId"),
        ({**MESSAGE, "type": None}, "type"),
        ({**MESSAGE, "id": None}, "id"),
        ({**MESSAGE, "notificationType": 5}, "notificationType"),
        ({"specversion": "1.0", "type": "Microsoft.Storage.BlobCreated"}, "CloudEvent"),
        ({}, "resource.typeId"),
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "nested"),
    ],
)
def test_what_cannot_be_read_is_kept_with_the_place_that_is_odd(spoilt: Any, named: str) -> None:
    assert named in reason(spoilt)
    assert event(spoilt).topic == "unknown"


def test_an_odd_time_is_no_time_and_an_odd_version_still_makes_a_key() -> None:
    made = event({**CHANGE, "modifiedAt": "yesterday", "version": "five"})
    assert made.occurred_at is None
    assert made.dedup_key.startswith("change:customer:c-1:")
