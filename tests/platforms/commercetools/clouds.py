"""Google, Amazon and Microsoft as they call a door: tokens and signatures made here, with keys of our own, by nothing the room uses."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from integrations.platforms.base import Account, IncomingCall
from integrations.platforms.commercetools.doors.outside import Fetched

PROJECT = "acme-demo"
AUDIENCE, PUSHER = "https://console.example.com/hooks/commercetools/acme-demo/pubsub/", "pusher@acme.iam.gserviceaccount.com"
CERTS = "https://www.googleapis.com/oauth2/v3/certs"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:ct-events"
PEM_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
CONFIRM_URL = f"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t0ken"
DOOR_KEY = "demo-door-key-0123456789"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ORDER_ID = "f2a1c0de-0000-4000-8000-00000000a001"

MESSAGE: dict[str, Any] = {
    "notificationType": "Message", "projectKey": PROJECT, "id": "5f0d0000-0000-4000-8000-00000000cc01", "version": 1,
    "sequenceNumber": 9, "resource": {"typeId": "order", "id": ORDER_ID}, "resourceVersion": 7,
    "resourceUserProvidedIdentifiers": {"orderNumber": "W-2001"}, "type": "OrderShipmentStateChanged", "shipmentState": "Shipped",
    "oldShipmentState": "Ready", "createdAt": "2026-11-20T11:59:30.250Z", "lastModifiedAt": "2026-11-20T11:59:30.250Z",
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "notificationType": "ResourceUpdated", "projectKey": PROJECT, "resource": {"typeId": "customer", "id": "c-1"}, "version": 5,
    "oldVersion": 4, "modifiedAt": "2026-11-20T11:59:31.000Z",
}  # fmt: skip
TEST_NOTIFICATION: dict[str, Any] = {
    "notificationType": "ResourceCreated", "projectKey": PROJECT, "resource": {"typeId": "subscription", "id": "s-1"}, "version": 1,
    "modifiedAt": "2026-11-20T11:59:32.000Z",
}  # fmt: skip


def cloud_event(payload: dict[str, Any]) -> dict[str, Any]:
    """The same notification as a CloudEvent."""
    type_id, told = payload["resource"]["typeId"], payload["notificationType"]
    kind = f"message.{payload['type']}" if told == "Message" else f"change.{told}"
    return {
        "specversion": "1.0", "id": payload.get("id", "event-1"), "type": f"com.commercetools.{type_id}.{kind}",
        "source": f"/{PROJECT}/{type_id}s", "subject": payload["resource"]["id"], "time": "2026-11-20T11:59:30.250Z", "data": payload,
    }  # fmt: skip


def account(**settings: Any) -> Account:
    """A connection whose four doors are open."""
    given = {"pubsub_audience": AUDIENCE, "pubsub_email": PUSHER, "sns_topic_arn": TOPIC, **settings}
    return Account(
        connection_id=1, platform="commercetools", external_id=PROJECT, base_url="http://127.0.0.1:9", settings=given,
        secrets={"door_key": DOOR_KEY},
    )  # fmt: skip


@cache
def key_pair(number: int) -> rsa.RSAPrivateKey:
    """The same key for every test that asks by the same number."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(slots=True)
class Web:
    """Addresses with what they answer; an exception is raised, and every call is noted."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> Fetched:
        self.asked.append(url)
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Fetched) else Fetched(answer, 3600.0)


def key_set(**keys: rsa.RSAPrivateKey) -> bytes:
    """A JSON Web Key Set of public keys by id."""
    rows = []
    for kid, key in keys.items():
        numbers = key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        row = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": b64(numbers.n.to_bytes(size)), "e": b64(b"\x01\x00\x01")}
        rows.append(row)
    return orjson.dumps({"keys": rows})


def certificate(key: rsa.RSAPrivateKey, *, begins: datetime | None = None, days: int = 365) -> bytes:
    """A certificate for the key in PEM, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = begins or NOW - timedelta(days=30)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(begins).not_valid_after(begins + timedelta(days=days))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def token(key: rsa.RSAPrivateKey | None = None, kid: str = "k1", header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as Google makes it for a push subscription; a claim of None is left out."""
    now = int(NOW.timestamp())
    held = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email": PUSHER, "email_verified": True, "sub": "1", "iat": now,
            "exp": now + 3600, **claims}  # fmt: skip
    head = {"alg": "RS256", "kid": kid, "typ": "JWT", **(header or {})}
    signed = f"{b64(orjson.dumps(head))}.{b64(orjson.dumps({name: value for name, value in held.items() if value is not None}))}"
    if head["alg"] == "none":
        return f"{signed}."
    if head["alg"] == "HS256":  # keyed with what everybody may know: the public key
        public = (key or key_pair(1)).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        mac = hmac.HMAC(pem, hashes.SHA256())
        mac.update(signed.encode())
        return f"{signed}.{b64(mac.finalize())}"
    digest = {"RS256": hashes.SHA256(), "RS512": hashes.SHA512()}[head["alg"]]
    return f"{signed}.{b64((key or key_pair(1)).sign(signed.encode(), padding.PKCS1v15(), digest))}"


def pushed(payload: Any, bearer: str, **envelope: Any) -> IncomingCall:
    """A push of Google Pub/Sub."""
    data = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    body = {"message": {"data": base64.b64encode(data).decode(), "messageId": "1", "publishTime": "2026-11-20T11:59:33Z"}, **envelope}
    headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
    return IncomingCall(path=f"/hooks/commercetools/{PROJECT}/pubsub/", headers=headers, body=orjson.dumps(body))


def sns_fields(kind: str = "Notification", message: Any = MESSAGE, **changes: Any) -> dict[str, Any]:
    """The fields of an SNS call before it is signed."""
    text = message if isinstance(message, str) else orjson.dumps(message).decode()
    held = {"Type": kind, "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64", "TopicArn": TOPIC, "Message": text,
            "Timestamp": "2026-11-20T11:59:33.321Z", "SigningCertURL": PEM_URL}  # fmt: skip
    if kind != "Notification":
        held |= {"Token": "t0ken", "SubscribeURL": CONFIRM_URL}
    return {**held, **changes}


def canonical(fields: dict[str, Any]) -> bytes:
    """What SNS signs, written down after AWS's own description: name and value in lines, in the order of names."""
    names = {"Notification": "Message MessageId Subject Timestamp TopicArn Type"}.get(
        fields["Type"], "Message MessageId SubscribeURL Timestamp Token TopicArn Type"
    )  # fmt: skip
    return "".join(f"{name}\n{fields[name]}\n" for name in names.split() if name in fields).encode()


def sns_call(fields: dict[str, Any], version: str = "2", key: rsa.RSAPrivateKey | None = None, **spoilt: Any) -> IncomingCall:
    """An SNS call, signed; `spoilt` replaces fields after signing."""
    digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[version]  # noqa: S303 - as SNS does
    signature = (key or key_pair(2)).sign(canonical(fields), padding.PKCS1v15(), digest)
    body = {**fields, "SignatureVersion": version, "Signature": base64.b64encode(signature).decode(), **spoilt}
    headers = {"x-amz-sns-message-type": fields["Type"], "content-type": "text/plain; charset=UTF-8"}
    return IncomingCall(path=f"/hooks/commercetools/{PROJECT}/sns/", headers=headers, body=orjson.dumps(body))
