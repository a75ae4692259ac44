"""Webhooks as they arrive: registration, exact bytes, types, retries by the platform's clock, and every way they go wrong on order."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from integrations.standins.tiktok_shop import AppSpec, TikTokShopStandIn
from tests.standins.tiktok_shop.conftest import GB, KEY, SECRET, Caller, Inbox

HOOKS = "/event/202309/webhooks"


def signature(body: bytes) -> str:
    return hmac.new(SECRET.encode(), KEY.encode() + body, hashlib.sha256).hexdigest()


def test_an_address_is_registered_replaced_and_removed(caller: Caller) -> None:
    def put(address: str) -> int:
        return caller.code("PUT", HOOKS, {"event_type": "ORDER_STATUS_CHANGE", "address": address})

    assert [put("https://first.example/hooks"), put("https://second.example/hooks")] == [0, 0]
    found = caller.get(HOOKS)
    assert (found["total_count"], found["webhooks"][0]["address"]) == (1, "https://second.example/hooks")
    assert found["webhooks"][0]["update_time"] > 1_600_000_000_000
    for _ in range(2):
        assert caller.code("DELETE", HOOKS, {"event_type": "ORDER_STATUS_CHANGE"}) == 0
    assert caller.get(HOOKS) == {"total_count": 0}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"event_type": "ORDER_STATUS_CHANGE"}, "param body.address is missing"),
        ({"address": "https://a.example"}, "param body.event_type is missing"),
        ({"event_type": "REFUND", "address": "https://a.example"}, "Invalid parameter: event_type"),
        ({"event_type": "NEW_MESSAGE", "address": "ftp://a.example"}, "Invalid parameter: address"),
        ({"event_type": "NEW_MESSAGE", "address": "https://a.example/" + "a" * 240}, "Invalid parameter: address"),
    ],
)
def test_a_wrong_registration_says_what_is_wrong(caller: Caller, body: Any, message: str) -> None:
    assert caller.call("PUT", HOOKS, body).json()["message"] == message


def test_addresses_may_have_to_be_public(caller: Caller) -> None:
    caller.control("POST", "/settings", {"strict_addresses": True})
    wish = {"event_type": "NEW_MESSAGE"}

    for address in ("http://a.example/h", "https://a.example:8443/h", "https://10.0.0.1/h"):
        assert caller.code("PUT", HOOKS, {**wish, "address": address}) == 98001004
    assert caller.code("PUT", HOOKS, {**wish, "address": "https://a.example/h"}) == 0


def test_an_order_arrives_signed_over_its_exact_bytes(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    order = place(status="ON_HOLD")
    assert caller.stand_in.wait_sent()
    headers, body = inbox.received[0]

    assert headers["authorization"] == signature(body)
    assert json.loads(body) | {"tts_notification_id": "", "timestamp": 0} == {
        "type": 1,
        "tts_notification_id": "",
        "shop_id": GB.id,
        "timestamp": 0,
        "data": {"order_id": order.id, "order_status": "ON_HOLD", "is_on_hold_order": True, "update_time": order.update_time},
    }
    assert caller.control("GET", "/counts")["webhook_acknowledged"] == 1


def test_the_life_of_an_order_is_told_type_by_type(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE", "RECIPIENT_ADDRESS_UPDATE", "CANCELLATION_STATUS_CHANGE", "RETURN_STATUS_CHANGE")
    act, order, other = caller.stand_in.act, place(), place()
    act("update_address", order_id=order.id, city="Leeds")
    act("answer_cancellation", cancel_id=act("request_cancellation", order_id=other.id).id)
    act("advance_order", order_id=order.id, to="DELIVERED")
    act("complete_return", return_id=act("open_return", order_id=order.id).id)
    assert caller.stand_in.wait_sent()

    told = [(body["type"], body["data"]) for body in inbox.bodies()]
    assert sorted(data["order_status"] for number, data in told if number == 1) == [
        "AWAITING_SHIPMENT", "AWAITING_SHIPMENT", "CANCEL", "DELIVERED", "IN_TRANSIT",
    ]  # fmt: skip
    assert [data["order_id"] for number, data in told if number == 3] == [order.id]
    assert {data["cancel_status"] for number, data in told if number == 11} == {
        "CANCELLATION_REQUEST_PENDING", "CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_COMPLETE",
    }  # fmt: skip
    assert {(data["return_type"], data["return_status"]) for number, data in told if number == 12} == {
        ("REFUND", "RETURN_OR_REFUND_REQUEST_PENDING"),
        ("REFUND", "RETURN_OR_REFUND_REQUEST_SUCCESS"),
        ("REFUND", "RETURN_OR_REFUND_REQUEST_COMPLETE"),
    }


def test_a_withdrawn_cancellation_is_spelt_otherwise_than_in_the_api(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("CANCELLATION_STATUS_CHANGE")
    act = caller.stand_in.act
    act("withdraw_cancellation", cancel_id=act("request_cancellation", order_id=place().id).id)
    assert caller.stand_in.wait_sent()

    assert "CANCELLATION_REQUEST_CANCELLED" in [body["data"]["cancel_status"] for body in inbox.bodies()]


def test_the_apps_own_address_takes_what_no_shop_registered(inbox: Inbox) -> None:
    stand_in = TikTokShopStandIn(app=AppSpec(webhook_uri=inbox.address))
    stand_in.act("create_product", title="Tee", variants=[{"seller_sku": "TEE-M", "price": "20"}])
    order = stand_in.act("place_order", lines=[{"seller_sku": "TEE-M"}], status="AWAITING_SHIPMENT")
    stand_in.act("advance_order", order_id=order.id, to="DELIVERED")
    stand_in.act("complete_return", return_id=stand_in.act("open_return", order_id=order.id).id)
    assert stand_in.wait_sent()
    stand_in.close()

    found = {body["type"]: body["data"] for body in inbox.bodies()}
    assert {1, 12, 16, 67} <= found.keys()
    assert isinstance(found[16]["product_id"], int)
    assert (found[67]["refund_total"], found[67]["refund_currency"]) == ("20.00", "GBP")


def test_refusals_are_retried_by_the_platforms_clock_and_then_dropped(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    inbox.status = 500
    place()
    tries = []
    for seconds in (0, 60, 60, 1_800, 10_800, 43_200):
        caller.control("POST", "/clock", {"advance": seconds})
        assert caller.stand_in.wait_sent(retries=False)
        tries.append(len(inbox.received))

    assert tries == [1, 1, 2, 3, 4, 5]
    assert len({body for _, body in inbox.received}) == 1
    sent = caller.control("GET", "/webhooks")
    assert [(one["status"], one["tries"], one["answers"]) for one in sent["webhooks"]] == [("given_up", 5, [500] * 5)]
    assert caller.control("GET", "/counts")["webhook_given_up"] == 1


def test_the_retry_schedule_can_be_pressed_together(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    caller.control("POST", "/settings", {"retry_speed": 1_000_000})
    inbox.status = 404
    place()

    assert caller.stand_in.wait_sent()
    assert len(inbox.received) == 5


def test_a_slow_answer_is_a_failure(inbox: Inbox) -> None:
    stand_in = TikTokShopStandIn(app=AppSpec(webhook_uri=inbox.address), timeout=(1.0, 0.2), retry_speed=1_000_000)
    inbox.delay = 0.5
    stand_in.act("create_product", title="Tee", variants=[{"seller_sku": "TEE-M", "price": "20"}])
    assert stand_in.wait_sent()
    answers = [record["answers"] for record in stand_in.shop().hooks.records()]
    stand_in.close()

    assert answers == [["ReadTimeout"] * 5]


def test_a_webhook_can_come_twice_with_the_same_id(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    caller.control("POST", "/settings", {"shop": "GB", "switches": {"duplicate": 1.0}})
    place()
    assert caller.stand_in.wait_sent()

    assert len(inbox.received) == 2
    assert len({body["tts_notification_id"] for body in inbox.bodies()}) == 1


def test_webhooks_can_be_held_and_let_go_in_the_wrong_order(inbox: Inbox) -> None:
    stand_in = TikTokShopStandIn(app=AppSpec(webhook_uri=inbox.address), threads=1)
    stand_in.act("create_product", title="Tee", variants=[{"seller_sku": "TEE-M", "price": "20"}])
    assert stand_in.wait_sent()
    inbox.received.clear()
    hooks = stand_in.shop().hooks
    hooks.switches.set(paused=True)
    order = stand_in.act("place_order", lines=[{"seller_sku": "TEE-M"}], status="AWAITING_SHIPMENT")
    stand_in.act("advance_order", order_id=order.id, to="COMPLETED")
    held = stand_in.sender.waiting(), list(inbox.received)
    flushed = hooks.flush(backwards=True)
    assert stand_in.wait_sent()
    stand_in.close()

    assert (held, flushed) == ((0, []), 4)
    assert [body["data"]["order_status"] for body in inbox.bodies()] == ["COMPLETED", "DELIVERED", "IN_TRANSIT", "AWAITING_SHIPMENT"]


def test_what_was_held_is_let_go_by_a_control_call(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    caller.control("POST", "/settings", {"switches": {"paused": True}})
    place()
    assert caller.control("POST", "/flush", {}) == {"flushed": 1}
    place()
    assert caller.stand_in.wait_sent()

    assert inbox.types() == [1, 1]


def test_webhooks_can_be_late_by_the_platforms_clock(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    caller.control("POST", "/settings", {"switches": {"delay": 600}})
    place()
    assert caller.stand_in.wait_sent(retries=False)
    assert inbox.received == []
    caller.control("POST", "/clock", {"advance": 601})
    assert caller.stand_in.wait_sent()

    assert inbox.types() == [1]


@pytest.mark.parametrize(("switch", "received"), [("drop", 0), ("wrong_signature", 1)])
def test_webhooks_can_be_lost_or_forged(caller: Caller, inbox: Inbox, subscribe: Any, place: Any, switch: str, received: int) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    caller.control("POST", "/settings", {"switches": {switch: 1.0}})
    place()
    assert caller.stand_in.wait_sent()

    assert len(inbox.received) == received
    assert all(headers["authorization"] != signature(body) for headers, body in inbox.received)


def test_what_happened_before_is_not_told(caller: Caller, inbox: Inbox, subscribe: Any, place: Any) -> None:
    subscribe("ORDER_STATUS_CHANGE")
    order = place(at=1_700_000_000)
    assert caller.stand_in.wait_sent()

    assert (order.update_time, inbox.received) == (1_700_000_000, [])


def test_signed_bodies_are_handed_out_for_load(caller: Caller, place: Any) -> None:
    orders = [place() for _ in range(3)]
    made = caller.control("POST", "/signed", {"count": 2})

    assert [json.loads(one["body"])["data"]["order_id"] for one in made] == [order.id for order in orders[1:]]
    assert all(one["headers"]["Authorization"] == signature(one["body"].encode()) for one in made)
