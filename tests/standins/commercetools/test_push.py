"""Subscriptions and the four ways they reach an HTTP address, proven by code that shares nothing with the stand-in's."""

import json
import time
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.x509 import load_pem_x509_certificate

from integrations.standins.commercetools import CommercetoolsStandIn
from tests.standins.commercetools.conftest import Caller
from tests.standins.commercetools.inbox import Inbox, listening

TOPIC, ARN = "projects/acme-gcp/topics/ct-events", "arn:aws:sns:eu-west-1:123456789012:ct-events"
PUBSUB = {"type": "GoogleCloudPubSub", "projectId": "acme-gcp", "topic": "ct-events"}
ORDERS = [{"resourceTypeId": "order", "types": ["OrderCreated", "OrderStateChanged"]}]


@pytest.fixture
def stand_in() -> Iterator[CommercetoolsStandIn]:
    made = CommercetoolsStandIn(retry_speed=1000.0)
    yield made
    made.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with listening() as found:
        yield found


@pytest.fixture
def subscribed(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn) -> Callable[..., Any]:
    """A Pub/Sub push subscription and a subscription on the topic; the inbox is empty again afterwards."""

    def make(**fields: Any) -> Any:
        caller.control("POST", "/push", {"transport": "pubsub", "topic": TOPIC, "endpoint": inbox.address, "audience": "console"})
        made = caller.post("/subscriptions", {"key": "console", "destination": PUBSUB, "messages": ORDERS, **fields})
        assert stand_in.wait_sent()
        inbox.received.clear()
        return made

    return make


def test_a_new_subscription_is_tested_at_once(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn) -> None:
    caller.control("POST", "/push", {"transport": "pubsub", "topic": TOPIC, "endpoint": inbox.address, "audience": "console"})
    made = caller.post("/subscriptions", {"key": "console", "destination": PUBSUB, "messages": ORDERS})
    stand_in.wait_sent()

    (payload,) = inbox.payloads()
    assert payload.pop("modifiedAt")
    assert payload == {
        "notificationType": "ResourceCreated",
        "projectKey": "acme-demo",
        "resource": {"typeId": "subscription", "id": made["id"]},
        "version": 1,
    }
    assert made["status"] == "Healthy"


def test_a_destination_that_cannot_be_reached_is_refused(caller: Caller) -> None:
    caller.control("POST", "/topic", {"topic": TOPIC, "reachable": False})

    assert caller.refusal("POST", "/subscriptions", {"destination": PUBSUB, "messages": ORDERS}) == (400, "InvalidInput")
    assert caller.query("/subscriptions") == []


def test_only_what_was_asked_for_is_sent(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed(changes=[{"resourceTypeId": "cart"}])
    order = caller.act("guest_order", email="bob@example.com", lines=[tee], paid=True)
    caller.act("change_order", order=order["id"], actions=[{"action": "changeOrderState", "orderState": "Confirmed"}])
    caller.act("ship", order=order["id"])
    stand_in.wait_sent()

    told = sorted((item["notificationType"], item["resource"]["typeId"], item.get("type")) for item in inbox.payloads())
    assert told == [
        ("Message", "order", "OrderCreated"), ("Message", "order", "OrderStateChanged"), ("ResourceCreated", "cart", None),
    ]  # fmt: skip


def test_a_message_is_the_same_by_push_and_by_query(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed()
    order = caller.act("guest_order", email="bob@example.com", lines=[tee])
    stand_in.wait_sent()

    (payload,) = inbox.payloads()
    kept = caller.get(f"/messages/{payload['id']}")
    assert {name: value for name, value in payload.items() if name not in ("notificationType", "projectKey")} == {
        name: value for name, value in kept.items() if name not in ("createdBy", "lastModifiedBy")
    }
    assert payload["resourceUserProvidedIdentifiers"] == {"orderNumber": order["orderNumber"]}


def test_messages_are_pushed_though_they_cannot_be_queried(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed()
    caller.control("POST", "/settings", {"messages_enabled": False})
    caller.act("guest_order", email="bob@example.com", lines=[tee])
    stand_in.wait_sent()

    assert [payload["type"] for payload in inbox.payloads()] == ["OrderCreated"]
    assert caller.query("/messages", 'type = "OrderCreated"') == []


def test_what_is_too_large_is_left_out_and_can_be_fetched(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed()
    caller.control("POST", "/settings", {"payload_bytes": 500})
    caller.act("guest_order", email="bob@example.com", lines=[tee])
    stand_in.wait_sent()

    (payload,) = inbox.payloads()
    assert payload["payloadNotIncluded"]["payloadType"] == "OrderCreated"
    assert "order" not in payload
    assert caller.get(f"/messages/{payload['id']}")["order"]["customerEmail"] == "bob@example.com"


def test_a_notification_comes_again_until_it_is_taken(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed()
    inbox.statuses = [500, 404]
    caller.act("guest_order", email="bob@example.com", lines=[tee])
    stand_in.wait_sent()

    assert len({body["message"]["messageId"] for body in inbox.bodies()}) == 1
    assert [sent["answers"] for sent in caller.control("GET", "/push")["notifications"]][-1] == [500, 404, 204]


def test_a_suspended_subscription_loses_what_happens_until_it_is_repaired(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    made = subscribed()
    caller.control("POST", "/subscription", {"key": "console", "status": "ConfigurationErrorDeliveryStopped"})
    caller.act("guest_order", email="lost@example.com", lines=[tee])
    stopped = caller.get("/subscriptions/key=console")
    caller.update("/subscriptions", stopped, {"action": "changeDestination", "destination": PUBSUB})
    caller.act("guest_order", email="kept@example.com", lines=[tee])
    stand_in.wait_sent()

    assert stopped["status"] == "ConfigurationErrorDeliveryStopped"
    assert caller.get(f"/subscriptions/{made['id']}")["status"] == "Healthy"
    assert [payload["order"]["customerEmail"] for payload in inbox.payloads() if "order" in payload] == ["kept@example.com"]


def test_a_subscription_with_a_passing_error_sends_later(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed()
    caller.control("POST", "/subscription", {"key": "console", "status": "TemporaryError"})
    caller.act("guest_order", email="bob@example.com", lines=[tee])
    assert inbox.received == []
    caller.control("POST", "/subscription", {"key": "console", "status": "Healthy"})
    stand_in.wait_sent()

    assert [payload["type"] for payload in inbox.payloads()] == ["OrderCreated"]


def test_what_was_held_can_come_backwards_and_twice(
    caller: Caller, inbox: Inbox, subscribed: Callable[..., Any], stand_in: CommercetoolsStandIn, tee: str
) -> None:
    subscribed()
    caller.control("POST", "/settings", {"paused": True, "duplicate": 1.0})
    order = caller.act("guest_order", email="bob@example.com", lines=[tee])
    caller.act("change_order", order=order["id"], actions=[{"action": "changeOrderState", "orderState": "Complete"}])
    assert caller.control("POST", "/flush", {"backwards": True}) == {"flushed": 4}
    stand_in.wait_sent()

    assert sorted(payload["type"] for payload in inbox.payloads()) == ["OrderCreated"] * 2 + ["OrderStateChanged"] * 2


# ---- the proofs


def _claims(caller: Caller, token: str) -> Any:
    """The content of a token, if the key that Google publishes signed it."""
    head, body, signature = (urlsafe_b64decode(part + "==") for part in token.split("."))
    (key,) = [
        key for key in caller.session.get(f"{caller.root}/cloud/google/v3/certs").json()["keys"] if key["kid"] == json.loads(head)["kid"]
    ]
    numbers = [int.from_bytes(urlsafe_b64decode(key[name] + "==")) for name in ("e", "n")]
    signed = token.rpartition(".")[0].encode()
    RSAPublicNumbers(*numbers).public_key().verify(signature, signed, PKCS1v15(), hashes.SHA256())
    return json.loads(body)


def test_pubsub_proves_itself_with_a_token_of_googles(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn) -> None:
    caller.control("POST", "/push", {"transport": "pubsub", "topic": TOPIC, "endpoint": inbox.address, "audience": "https://console/door"})
    caller.post("/subscriptions", {"destination": PUBSUB, "messages": ORDERS})
    stand_in.wait_sent()

    claims = _claims(caller, inbox.headers()["authorization"].removeprefix("Bearer "))
    assert (claims["iss"], claims["aud"], claims["email_verified"]) == ("https://accounts.google.com", "https://console/door", True)
    assert claims["iat"] <= time.time() < claims["exp"]
    assert inbox.bodies()[0]["subscription"] == "projects/acme-gcp/subscriptions/ct-events-push"


def test_rotated_keys_are_served_and_the_old_ones_are_not(caller: Caller) -> None:
    caller.control("POST", "/push", {"transport": "pubsub", "topic": TOPIC, "endpoint": "http://127.0.0.1:9/", "audience": "x"})
    before = caller.session.get(f"{caller.root}/cloud/google/v3/certs").json()["keys"][0]["kid"]
    caller.control("POST", "/rotate_keys", {})

    assert before not in [key["kid"] for key in caller.session.get(f"{caller.root}/cloud/google/v3/certs").json()["keys"]]
    assert list(caller.session.get(f"{caller.root}/cloud/google/v1/certs").json()) == ["google-2"]


def _check_sns(caller: Caller, message: dict[str, Any], names: tuple[str, ...]) -> None:
    assert message["SigningCertURL"].startswith(f"{caller.root}/cloud/sns/")
    assert message["SigningCertURL"].endswith(".pem")
    key: Any = load_pem_x509_certificate(caller.session.get(message["SigningCertURL"]).content).public_key()
    text = "".join(f"{name}\n{message[name]}\n" for name in sorted(names))
    algorithm = hashes.SHA256() if message["SignatureVersion"] == "2" else hashes.SHA1()  # noqa: S303
    key.verify(b64decode(message["Signature"]), text.encode(), PKCS1v15(), algorithm)


@pytest.mark.parametrize("version", ["1", "2"])
def test_sns_asks_first_and_signs_everything(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn, version: str) -> None:
    wire = {"transport": "sns", "topic": ARN, "endpoint": inbox.address, "signature_version": version}
    assert caller.control("POST", "/push", wire)["confirmed"] is False
    destination = {"destination": {"type": "SNS", "topicArn": ARN}, "messages": ORDERS}
    caller.post("/subscriptions", destination)
    (asked,) = inbox.bodies()
    _check_sns(caller, asked, ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"))
    assert caller.session.get(asked["SubscribeURL"]).status_code == 200
    caller.post("/subscriptions", destination)
    stand_in.wait_sent()

    _, told = inbox.bodies()
    _check_sns(caller, told, ("Message", "MessageId", "Timestamp", "TopicArn", "Type"))
    assert (inbox.headers()["x-amz-sns-message-type"], inbox.headers()["content-type"]) == ("Notification", "text/plain; charset=UTF-8")
    assert json.loads(told["Message"])["notificationType"] == "ResourceCreated"


def test_event_grid_shakes_hands_and_sends_cloud_events(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn, tee: str) -> None:
    wire = {"transport": "eventgrid", "topic": "https://grid.example.com/in", "endpoint": f"{inbox.address}?key=demo"}
    assert caller.control("POST", "/push", wire)["confirmed"] is True
    destination = {"type": "EventGrid", "uri": "https://grid.example.com/in", "accessKey": "demo"}
    made = caller.post("/subscriptions", {"destination": destination, "messages": ORDERS, "changes": [{"resourceTypeId": "order"}]})
    order = caller.act("guest_order", email="bob@example.com", lines=[tee])
    stand_in.wait_sent()

    events = {event["type"]: event for event in inbox.bodies()}
    assert set(events) == {
        "com.commercetools.subscription.change.ResourceCreated", "com.commercetools.order.message.OrderCreated",
        "com.commercetools.order.change.ResourceCreated",
    }  # fmt: skip
    told = events["com.commercetools.order.message.OrderCreated"]
    assert (told["subject"], told["sequence"], told["data"]["order"]["id"]) == (order["id"], "1", order["id"])
    assert (inbox.received[-1][0], inbox.headers()["content-type"]) == ("/in?key=demo", "application/cloudevents+json; charset=utf-8")
    assert (made["format"]["type"], "accessKey" in made["destination"]) == ("CloudEvents", False)


def test_event_grid_sends_nothing_to_an_address_that_does_not_agree(caller: Caller, inbox: Inbox) -> None:
    inbox.origin = "somewhere.example.com"
    wire = {"transport": "eventgrid", "topic": "https://grid.example.com/in", "endpoint": inbox.address}

    assert caller.control("POST", "/push", wire)["confirmed"] is False


def test_event_bridge_brings_an_envelope_and_its_key(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn, tee: str) -> None:
    topic = "aws.partner/commercetools.com/acme-demo/bridge"
    caller.control("POST", "/push", {"transport": "eventbridge", "topic": topic, "endpoint": inbox.address, "secret": "demo-key"})
    destination = {"type": "EventBridge", "region": "eu-west-1", "accountId": "123456789012"}
    caller.post("/subscriptions", {"key": "bridge", "destination": destination, "messages": ORDERS})
    caller.act("guest_order", email="bob@example.com", lines=[tee])
    stand_in.wait_sent()

    told = {body["detail"].get("type", body["detail"].get("notificationType")): body["source"] for body in inbox.bodies()}
    assert (told["OrderCreated"], inbox.headers()["x-api-key"]) == (topic, "demo-key")


@pytest.mark.parametrize("flaw", ["key", "content"])
def test_a_forged_token_does_not_verify(caller: Caller, inbox: Inbox, stand_in: CommercetoolsStandIn, flaw: str) -> None:
    wire = {"transport": "pubsub", "topic": TOPIC, "endpoint": inbox.address, "audience": "console", "flaw": flaw}
    caller.control("POST", "/push", wire)
    caller.post("/subscriptions", {"destination": PUBSUB, "messages": ORDERS})
    stand_in.wait_sent()

    with pytest.raises((InvalidSignature, ValueError)):
        _claims(caller, inbox.headers()["authorization"].removeprefix("Bearer "))
