"""The doors that a key opens: Azure Event Grid with its hand-shake and batches, Amazon EventBridge with its envelope."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from integrations.platforms.base import Account, IncomingCall
from integrations.platforms.commercetools.doors.eventbridge import EventBridge
from integrations.platforms.commercetools.doors.eventgrid import EventGrid
from integrations.platforms.commercetools.doors.way import MOST_EVENTS
from integrations.platforms.commercetools.webhooks import CommercetoolsWebhooks
from integrations.platforms.errors import Unverified
from tests.platforms.commercetools.clouds import CHANGE, DOOR_KEY, MESSAGE, PROJECT, account, cloud_event

GRID, BRIDGE = EventGrid(), EventBridge()


def grid_call(body: Any = b"", query: str = f"key={DOOR_KEY}", **headers: str) -> IncomingCall:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return IncomingCall(path=f"/hooks/commercetools/{PROJECT}/eventgrid/", headers=named, body=data, query=query)


def bridge_call(body: Any, key: str = DOOR_KEY) -> IncomingCall:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return IncomingCall(path=f"/hooks/commercetools/{PROJECT}/eventbridge/", headers={"x-switchyard-key": key}, body=data)


def envelope(payload: Any) -> dict[str, Any]:
    return {
        "version": "0", "id": "1", "detail-type": "Message", "source": "aws.partner/commercetools.com/acme/switchyard",
        "account": "123456789012", "time": "2026-11-20T12:00:00Z", "region": "eu-central-1", "resources": [], "detail": payload,
    }  # fmt: skip


def with_keys(**secrets: str) -> Account:
    return dataclasses.replace(account(), secrets=secrets)


WRONG = ["", "wrong", DOOR_KEY[:-1], DOOR_KEY + "x", DOOR_KEY.upper(), "é", "\udcff"]


@pytest.mark.parametrize("key", WRONG)
def test_event_grid_without_the_right_key_is_refused(key: str) -> None:
    with pytest.raises(Unverified):
        GRID.check(account(), dataclasses.replace(grid_call(), query=f"key={key.encode('utf-8', 'replace').decode()}"))


@pytest.mark.parametrize("key", WRONG)
def test_event_bridge_without_the_right_key_is_refused(key: str) -> None:
    with pytest.raises(Unverified):
        BRIDGE.check(account(), bridge_call({}, key))


def test_the_key_may_be_in_the_address_or_in_a_header_of_event_grid_but_only_in_the_header_of_event_bridge() -> None:
    GRID.check(account(), grid_call())
    GRID.check(account(), grid_call(query="", x_switchyard_key=DOOR_KEY))
    with pytest.raises(Unverified):
        BRIDGE.check(account(), dataclasses.replace(bridge_call({}, ""), query=f"key={DOOR_KEY}"))


def test_a_key_in_the_address_may_hold_signs_that_addresses_escape() -> None:
    GRID.check(with_keys(door_key="a key/with+signs&=?"), grid_call(query="key=a%20key%2Fwith%2Bsigns%26%3D%3F"))


def test_while_a_key_is_changed_both_open() -> None:
    both = with_keys(door_key="new-key-new-key-new", door_key_previous=DOOR_KEY)
    BRIDGE.check(both, bridge_call({}, "new-key-new-key-new"))
    BRIDGE.check(both, bridge_call({}, DOOR_KEY))


@pytest.mark.parametrize("secrets", [{}, {"door_key": ""}, {"door_key": "short"}])
def test_without_a_key_of_some_length_nobody_is_let_in(secrets: dict[str, str]) -> None:
    for key in ("", "short"):
        with pytest.raises(Unverified):
            BRIDGE.check(with_keys(**secrets), bridge_call({}, key))


def test_the_hand_shake_lets_the_asking_sender_send() -> None:
    said = GRID.handshake(account(), grid_call(webhook_request_origin="eventgrid.azure.net", webhook_request_rate="120"))
    assert (said["webhook-allowed-origin"], said["webhook-allowed-rate"]) == ("eventgrid.azure.net", "*")


@pytest.mark.parametrize(
    "call",
    [
        grid_call(query="key=wrong-wrong-wrong", webhook_request_origin="eventgrid.azure.net"),
        grid_call(query="", webhook_request_origin="eventgrid.azure.net"),
        grid_call(),
        grid_call(webhook_request_origin="evil\r\nset-cookie: a=b"),
    ],
    ids=["with a wrong key", "without a key", "without a sender", "with a sender that is none"],
)
def test_a_hand_shake_is_refused(call: IncomingCall) -> None:
    with pytest.raises(Unverified):
        GRID.handshake(account(), call)


def test_only_event_grid_shakes_hands() -> None:
    with pytest.raises(Unverified):
        CommercetoolsWebhooks().handshake(account(), bridge_call(b""))


def test_one_cloud_event_and_a_list_of_them_are_cut_into_the_same_events() -> None:
    single = GRID.events(account(), grid_call(cloud_event(MESSAGE)))
    batch = GRID.events(account(), grid_call([cloud_event(MESSAGE), cloud_event(CHANGE)]))
    assert [event.topic for event in batch] == ["order/OrderShipmentStateChanged", "customer/ResourceUpdated"]
    assert batch[0] == single[0]


def test_events_that_come_twice_in_one_batch_are_one_event() -> None:
    assert len(CommercetoolsWebhooks().cut(account(), grid_call([cloud_event(MESSAGE)] * 5))) == 1


def test_one_odd_event_of_a_batch_is_kept_with_its_reason_and_the_others_are_taken() -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    body = b"[" + b",".join((orjson.dumps(cloud_event(CHANGE)), b"7", b'{"data": ' + b"[" * 400 + b"]" * 400 + b"}")) + b"]"
    events = GRID.events(account(), grid_call(body))
    assert [event.topic for event in events] == ["customer/ResourceUpdated", "unknown", "unknown"]
    assert all("reason" in orjson.loads(event.body) for event in events[1:])


def test_a_batch_that_is_too_long_is_kept_as_one_with_its_reason() -> None:
    (event,) = GRID.events(account(), grid_call([cloud_event(CHANGE)] * (MOST_EVENTS + 1)))
    assert str(MOST_EVENTS) in orjson.loads(event.body)["reason"]


@pytest.mark.parametrize("body", [envelope(MESSAGE), MESSAGE], ids=["in its envelope", "bare"])
def test_event_bridge_is_read(body: dict[str, Any]) -> None:
    (event,) = BRIDGE.events(account(), bridge_call(body))
    assert (event.topic, event.dedup_key) == ("order/OrderShipmentStateChanged", "message:5f0d0000-0000-4000-8000-00000000cc01")


@pytest.mark.parametrize("body", [b"", b"[]", envelope(None), envelope([]), envelope("text"), {"detail-type": "Message"}])
def test_what_event_bridge_should_not_send_is_kept_with_its_reason(body: Any) -> None:
    (event,) = BRIDGE.events(account(), bridge_call(body))
    assert set(orjson.loads(event.body)) == {"raw", "reason"}


@pytest.mark.parametrize(
    "path", ["/hooks/commercetools/", "/hooks/commercetools/acme-demo/", "/hooks/commercetools/acme-demo/kafka/",
             "/hooks/commercetools/acme-demo/sns/more/", "/hooks/commercetools/../sns/", "/hooks/commercetools/Acme%2F/sns/"]
)  # fmt: skip
def test_an_address_that_leads_nowhere_names_nobody(path: str) -> None:
    assert CommercetoolsWebhooks().external_id(dataclasses.replace(bridge_call({}), path=path)) == ""


@pytest.mark.parametrize("way", ["pubsub", "sns", "eventgrid", "eventbridge"])
def test_a_call_that_proves_nothing_is_refused_before_anybody_looks_whose_it_is(way: str) -> None:
    call = IncomingCall(path=f"/hooks/commercetools/{PROJECT}/{way}/", headers={}, body=orjson.dumps(MESSAGE))
    with pytest.raises(Unverified):
        CommercetoolsWebhooks().external_id(call)
