"""The clouds between commercetools and an HTTP address: how each of the four wraps and proves what it brings."""

import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from integrations.standins.commercetools import keys

PUBSUB, SNS, EVENT_GRID, EVENT_BRIDGE = "pubsub", "sns", "eventgrid", "eventbridge"
FLAWS = (
    "", "no_proof", "key", "audience", "issuer", "email", "unverified", "expired", "unsigned", "content", "certificate_host", "topic",
)  # fmt: skip
ORIGIN = "eventgrid.azure.net"
GOOGLE_KEY, SNS_KEY, STRANGER = "google-1", "sns-1", "stranger"
HOUR = 3600


@dataclass(slots=True)
class Wire:
    """One push subscription at a cloud: notifications of a topic go to an endpoint, proven the cloud's way.

    ``flaw`` is what is wrong with the proof, for tests of those who must notice.
    """

    transport: str
    topic: str
    endpoint: str
    # Google: what the token says
    audience: str = ""
    email: str = "push@acme-demo.iam.example.com"
    google_key: str = GOOGLE_KEY
    # SNS
    signature_version: str = "1"
    sns_key: str = SNS_KEY
    public_url: str = ""
    confirmed: bool = True
    # EventBridge (a header); Event Grid has its key in the endpoint's query
    header: str = "x-api-key"
    secret: str = ""
    flaw: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        if self.transport not in WRAPPERS or self.flaw not in FLAWS:
            raise ValueError(f"transport is one of {sorted(WRAPPERS)}, flaw one of {FLAWS}.")


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes over the line."""

    address: str
    headers: dict[str, str]
    body: bytes


def wrapped(wire: Wire, payload: bytes, identifier: str) -> Parcel:
    """A notification as the wire's cloud sends it; ``identifier`` stays the same over redeliveries."""
    return WRAPPERS[wire.transport](wire, payload, identifier)


def _pubsub(wire: Wire, payload: bytes, identifier: str) -> Parcel:
    now = _now()
    message = {
        "data": b64encode(payload).decode(), "messageId": identifier, "message_id": identifier, "publishTime": now, "publish_time": now,
        "attributes": {},
    }  # fmt: skip
    body = orjson.dumps({"message": message, "subscription": f"{wire.topic.replace('/topics/', '/subscriptions/')}-push"})
    headers = {"Content-Type": "application/json", "User-Agent": "APIs-Google"}
    if wire.flaw != "no_proof":
        headers["Authorization"] = f"Bearer {_google_token(wire)}"
    return Parcel(wire.endpoint, headers, body)


def _google_token(wire: Wire) -> str:
    now = int(time.time())
    changes: dict[str, Any] = {
        "audience": {"aud": "https://elsewhere.example.com"},
        "issuer": {"iss": "https://accounts.example.com"},
        "email": {"email": "stranger@example.com"},
        "unverified": {"email_verified": False},
        "expired": {"iat": now - 2 * HOUR, "exp": now - HOUR},
    }.get(wire.flaw, {})
    made = keys.token(
        wire.google_key if wire.flaw != "key" else STRANGER,
        keys.identity(wire.audience, wire.email, **changes),
        algorithm="none" if wire.flaw == "unsigned" else "RS256",
    )
    return made[:-8] + made[-4:] + made[-8:-4] if wire.flaw == "content" else made


def _sns(wire: Wire, payload: bytes, identifier: str) -> Parcel:
    content = {
        "Type": "Notification", "MessageId": identifier, "TopicArn": _topic(wire), "Message": payload.decode(), "Timestamp": _now(),
    }  # fmt: skip
    return _signed(wire, content, ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"))


def sns_confirmation(wire: Wire, token: str) -> Parcel:
    """What SNS asks an endpoint before it sends anything."""
    url = f"{wire.public_url}/cloud/sns/confirm?Action=ConfirmSubscription&TopicArn={wire.topic}&Token={token}"
    content = {
        "Type": "SubscriptionConfirmation", "MessageId": str(uuid4()), "Token": token, "TopicArn": _topic(wire),
        "Message": f"You have chosen to subscribe to the topic {wire.topic}.", "SubscribeURL": url, "Timestamp": _now(),
    }  # fmt: skip
    return _signed(wire, content, ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"))


def _signed(wire: Wire, content: dict[str, str], names: tuple[str, ...]) -> Parcel:
    """Signed over the sorted fields, each name and value on a line (page "Verifying the signatures of Amazon SNS messages")."""
    text = "".join(f"{name}\n{content[name]}\n" for name in names if name in content)
    host = "https://certificates.example.com" if wire.flaw == "certificate_host" else f"{wire.public_url}/cloud"
    content |= {"SignatureVersion": wire.signature_version, "SigningCertURL": f"{host}/sns/SimpleNotificationService-{wire.sns_key}.pem"}
    if wire.flaw not in ("no_proof", "unsigned"):
        name = STRANGER if wire.flaw == "key" else wire.sns_key
        content["Signature"] = keys.signature(name, text, version=wire.signature_version)
    if wire.flaw == "content":
        content["Message"] = content["Message"] + " "
    headers = {
        "Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": content["Type"],
        "x-amz-sns-message-id": content["MessageId"], "x-amz-sns-topic-arn": content["TopicArn"],
        "User-Agent": "Amazon Simple Notification Service Agent",
    }  # fmt: skip
    return Parcel(wire.endpoint, headers, orjson.dumps(content))


def _topic(wire: Wire) -> str:
    return f"{wire.topic}-other" if wire.flaw == "topic" else wire.topic


def _event_grid(wire: Wire, payload: bytes, identifier: str) -> Parcel:
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8", "aeg-event-type": "Notification", "aeg-delivery-count": "0",
        "WebHook-Request-Origin": ORIGIN,
    }  # fmt: skip
    address = wire.endpoint
    if wire.flaw:
        address = wire.endpoint.partition("?")[0] + ("" if wire.flaw == "no_proof" else "?key=wrong")
    return Parcel(address, headers, payload)


def _event_bridge(wire: Wire, payload: bytes, identifier: str) -> Parcel:
    detail = orjson.loads(payload)
    envelope = {
        "version": "0", "id": identifier, "detail-type": detail.get("notificationType", ""), "source": wire.topic,
        "account": "123456789012", "time": _now()[:19] + "Z", "region": "eu-west-1", "resources": [], "detail": detail,
    }  # fmt: skip
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Amazon/EventBridge/ApiDestinations"}
    if wire.flaw != "no_proof":
        headers[wire.header] = "wrong" if wire.flaw else wire.secret
    return Parcel(wire.endpoint, headers, orjson.dumps(envelope))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


WRAPPERS: dict[str, Callable[[Wire, bytes, str], Parcel]] = {
    PUBSUB: _pubsub, SNS: _sns, EVENT_GRID: _event_grid, EVENT_BRIDGE: _event_bridge,
}  # fmt: skip
