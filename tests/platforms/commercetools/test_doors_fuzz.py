"""The door itself under whatever anybody may send: never an error of ours, nothing stored unproven, nothing the inbox cannot hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations import door
from integrations.door import Door, Known
from integrations.platforms.base import IncomingCall, IncomingEvent
from integrations.platforms.commercetools import PLATFORM
from integrations.platforms.commercetools.doors.eventbridge import EventBridge
from integrations.platforms.commercetools.doors.eventgrid import EventGrid
from integrations.platforms.commercetools.doors.outside import Shelf
from integrations.platforms.commercetools.doors.pubsub import PubSub
from integrations.platforms.commercetools.doors.sns import Sns, read_certificate
from integrations.platforms.commercetools.doors.token import read_keys
from integrations.platforms.commercetools.webhooks import MAX_BODY, CommercetoolsWebhooks
from integrations.platforms.errors import TryLater
from tests.platforms.commercetools.clouds import (
    CERTS,
    CHANGE,
    CONFIRM_URL,
    DOOR_KEY,
    MESSAGE,
    NOW,
    PEM_URL,
    PROJECT,
    TEST_NOTIFICATION,
    Web,
    account,
    certificate,
    cloud_event,
    key_pair,
    key_set,
    pushed,
    sns_call,
    sns_fields,
    token,
)


def texts(value: Any) -> list[str]:
    """Every text in a value, names included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    return [text for part in value for text in texts(part)] if isinstance(value, list) else [value] if isinstance(value, str) else []


class Inbox:
    """Takes what the door stores, as the database would: JSON objects without NUL, short keys and topics."""

    def __init__(self) -> None:
        self.events: list[IncomingEvent] = []

    async def store(self, connection_id: int, events: Sequence[IncomingEvent]) -> None:
        for event in events:
            held = orjson.loads(event.body)
            assert isinstance(held, dict)
            assert not any("\x00" in text for text in texts(held))
            assert "\x00" not in event.topic + event.dedup_key + event.object_key
            assert event.topic
            assert 0 < len(event.dedup_key) <= 200
        self.events += events


class Doors:
    """The product's own door with the four ways, the clouds' keys and one connection; no database."""

    def __init__(self) -> None:
        self.web = Web({CERTS: key_set(k1=key_pair(1)), PEM_URL: certificate(key_pair(2)), CONFIRM_URL: b"ok"})
        ways = (
            PubSub(Shelf(read_keys, self.web.fetch), NOW.timestamp),
            Sns(Shelf(read_certificate, self.web.fetch), self.web.fetch, lambda: NOW),
            EventGrid(),
            EventBridge(),
        )
        self.platform = replace(PLATFORM, webhooks=CommercetoolsWebhooks({way.name: way for way in ways}))
        self.inbox, self.door, self.account = Inbox(), Door(), account()
        self.door._gatherer = self.inbox  # type: ignore[assignment]
        self.door._accounts = SimpleNamespace(find=self.find)  # type: ignore[assignment]

    async def find(self, platform: Any, external_id: str) -> Known:
        return Known(time.monotonic(), self.account if external_id == PROJECT else None, "active")

    def call(self, call: IncomingCall, method: str = "POST", length: int | None = None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the door's answer."""
        said: list[Any] = []
        headers = {**call.headers, **({"content-length": str(length)} if length is not None else {})}
        scope = {
            "type": "http", "method": method, "path": call.path, "query_string": call.query.encode("latin-1", "replace"),
            "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": call.body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        asyncio.run(self.door(scope, receive, send))
        return said[0]["status"], {name.decode(): value.decode() for name, value in said[0]["headers"]}, said[1]["body"]


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Doors:
    made = Doors()
    monkeypatch.setattr(door, "PLATFORMS", {"commercetools": made.platform})
    return made


def keyed(way: str, body: Any, key: str = DOOR_KEY) -> IncomingCall:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    path = f"/hooks/commercetools/{PROJECT}/{way}/"
    if way == "eventgrid":
        return IncomingCall(path=path, headers={}, body=data, query=f"key={key}")
    return IncomingCall(path=path, headers={"x-switchyard-key": key}, body=data)


GENUINE = {
    "pubsub": lambda payload: pushed(payload, token()),
    "sns": lambda payload: sns_call(sns_fields(message=payload)),
    "eventgrid": lambda payload: keyed("eventgrid", [cloud_event(payload)]),
    "eventbridge": lambda payload: keyed("eventbridge", {"detail-type": "x", "detail": payload}),
}


@pytest.mark.parametrize("way", GENUINE)
def test_the_same_event_over_every_way_and_again_has_one_key(doors: Doors, way: str) -> None:
    for payload in (MESSAGE, MESSAGE, CHANGE, TEST_NOTIFICATION):
        assert doors.call(GENUINE[way](payload))[0] == 200
    keys = [event.dedup_key for event in doors.inbox.events]
    assert keys[0] == keys[1] == "message:5f0d0000-0000-4000-8000-00000000cc01"
    assert keys[2:] == ["change:customer:c-1:5:ResourceUpdated", "change:subscription:s-1:1:ResourceCreated"]


@pytest.mark.parametrize("way", GENUINE)
def test_an_unknown_project_is_not_found_and_a_refused_call_learns_nothing(doors: Doors, way: str) -> None:
    call = GENUINE[way](MESSAGE)
    elsewhere = replace(call, path=call.path.replace(PROJECT, "another-project"))
    assert doors.call(elsewhere) == (404, {"content-length": "0"}, b"")
    doors.account = replace(account(pubsub_audience="x", sns_topic_arn="x"), secrets={})
    assert doors.call(call) == (401, {"content-length": "0"}, b"")
    assert doors.inbox.events == []


def test_a_way_that_does_not_exist_is_not_found(doors: Doors) -> None:
    for path in ("", "acme-demo", "acme-demo/", "acme-demo/kafka/", "acme-demo/sns/x"):
        assert doors.call(IncomingCall(path=f"/hooks/commercetools/{path}", headers={}, body=b""))[0] == 404


def test_a_call_that_is_too_large_is_refused_by_its_length_and_by_its_bytes(doors: Doors) -> None:
    assert doors.call(keyed("eventbridge", b"{}"), length=MAX_BODY + 1)[0] == 413
    assert doors.call(keyed("eventbridge", b" " * (MAX_BODY + 1)), length=2)[0] == 413


def test_event_grids_hand_shake_is_answered_with_its_own_name(doors: Doors) -> None:
    asked = replace(keyed("eventgrid", b""), headers={"webhook-request-origin": "eventgrid.azure.net"})
    status, headers, _ = doors.call(asked, "OPTIONS")
    assert (status, headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")
    assert doors.call(replace(asked, query="key=wrong"), "OPTIONS") == (401, {"content-length": "0"}, b"")
    assert doors.call(replace(asked, path=asked.path.replace(PROJECT, "nobody")), "OPTIONS")[0] == 404
    assert doors.call(keyed("eventbridge", b""), "OPTIONS")[0] == 401
    assert doors.call(asked, "GET")[0] == 405


def test_a_subscription_of_sns_is_confirmed_and_noted(doors: Doors) -> None:
    assert doors.call(sns_call(sns_fields("SubscriptionConfirmation", "hello")))[0] == 200
    assert doors.web.asked == [PEM_URL, CONFIRM_URL]
    assert [event.topic for event in doors.inbox.events] == ["sns/SubscriptionConfirmation"]


@pytest.mark.parametrize(("way", "address"), [("pubsub", CERTS), ("sns", PEM_URL)])
def test_while_a_cloud_cannot_be_asked_the_call_is_to_be_sent_again_and_nothing_is_stored(doors: Doors, way: str, address: str) -> None:
    doors.web.answers[address] = TryLater("no answer")
    assert doors.call(GENUINE[way](MESSAGE))[0] == 503
    assert doors.inbox.events == []


def test_an_inbox_that_does_not_store_is_never_acknowledged(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(connection_id: int, events: Sequence[IncomingEvent]) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(doors.inbox, "store", broken)
    assert doors.call(GENUINE["eventbridge"](MESSAGE))[0] == 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([
    "notificationType", "projectKey", "resource", "typeId", "id", "version", "type", "specversion", "data", "subject", "source", "message",
    "Message", "detail", "createdAt", "time", "modifiedAt", "sequenceNumber", "payloadNotIncluded", "Type", "TopicArn", "Signature",
])  # fmt: skip
WORDS = st.sampled_from(["Message", "ResourceUpdated", "order", PROJECT, "1.0", "com.commercetools.order.message.OrderCreated"])
ALIKE = st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON | WORDS, max_size=4) | WORDS, max_size=8)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str) if not _too_large(value) else b"{}"


def _too_large(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits, or text that is no text
        return True
    return False


@FUZZ
@given(way=st.sampled_from(["eventgrid", "eventbridge"]), payload=ALIKE | JSON)
def test_whatever_is_said_by_one_who_has_the_key_is_stored_and_never_an_error(doors: Doors, way: str, payload: Any) -> None:
    body = dumped([payload, {"specversion": "1.0", "data": payload}] if way == "eventgrid" else {"detail-type": "x", "detail": payload})
    assert doors.call(keyed(way, body))[0] == 200


@FUZZ
@given(way=st.sampled_from(["pubsub", "sns"]), payload=ALIKE | JSON, raw=st.booleans())
def test_whatever_a_cloud_signed_is_stored_and_never_an_error(doors: Doors, way: str, payload: Any, raw: bool) -> None:
    text = "not JSON {" if raw else dumped(payload).decode()
    call = pushed(text.encode(), token()) if way == "pubsub" else sns_call(sns_fields(message=text))
    assert doors.call(call)[0] == 200


@FUZZ
@given(
    way=st.sampled_from(["pubsub", "sns", "eventgrid", "eventbridge"]),
    body=st.binary(max_size=200) | (ALIKE | JSON).map(dumped),
    bearer=st.text(max_size=60) | st.sampled_from(["a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.e30.AA"]),
    kind=st.sampled_from(["Notification", "SubscriptionConfirmation", "x", ""]),
    key=st.text(max_size=30),
    method=st.sampled_from(["POST", "OPTIONS"]),
)
def test_whatever_a_stranger_sends_is_refused_and_leaves_nothing(
    doors: Doors, way: str, body: bytes, bearer: str, kind: str, key: str, method: str
) -> None:
    headers = {"authorization": f"Bearer {bearer}", "x-amz-sns-message-type": kind, "x-switchyard-key": key}
    headers["webhook-request-origin"] = "a.example"
    call = IncomingCall(path=f"/hooks/commercetools/{PROJECT}/{way}/", headers=headers, body=body, query=f"key={key}")
    assert doors.call(call, method)[0] == 401
    assert doors.inbox.events == []
    assert doors.web.asked == []
