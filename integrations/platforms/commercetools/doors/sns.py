"""Amazon SNS over HTTPS: each call is JSON whose own fields are signed by a certificate that it names.

Facts: AWS, "Verifying the signatures of Amazon SNS messages" and "HTTP/HTTPS subscription confirmation JSON format". Version 1 signs with
SHA-1, version 2 with SHA-256, both over the sorted fields below, each name and value on a line of its own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.bodies import read_body
from integrations.platforms.commercetools.doors.options import door_list, door_setting
from integrations.platforms.commercetools.doors.outside import Fetched, Shelf, fetch, permitted
from integrations.platforms.commercetools.doors.token import SMALLEST_KEY
from integrations.platforms.commercetools.payload import event_of, odd_event
from integrations.platforms.commercetools.topics import CONFIRMED, SNS, UNSUBSCRIBED
from integrations.platforms.errors import Unverified

TYPE_HEADER = "x-amz-sns-message-type"
NOTIFICATION = "Notification"
MAX_FIELD = 400_000  # characters of one field; SNS carries 256 KB
SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMED: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIBED: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
OPTIONAL = frozenset({"Subject"})
DIGESTS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "1": hashes.SHA1,  # noqa: S303 - what SNS signs with unless its topic is told otherwise
    "2": hashes.SHA256,
}
_HOSTS = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(\.cn)?")
_PEM_PATH = re.compile(r"/[A-Za-z0-9_./-]{1,200}\.pem")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The public key of a certificate and when it is valid."""

    key: RSAPublicKey
    begins: datetime
    ends: datetime


def read_certificate(body: bytes) -> Certificate:
    """An RSA certificate in PEM; raises ValueError for anything else."""
    certificate = x509.load_pem_x509_certificate(body)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise ValueError("not a certificate SNS would sign with")
    return Certificate(key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


class Sns:
    """The way over Amazon's notification service; it remembers certificates."""

    name = "sns"

    def __init__(
        self,
        certificates: Shelf[Certificate] | None = None,
        visit: Callable[[str], Fetched] = fetch,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._certificates, self._visit, self._clock = certificates or Shelf(read_certificate), visit, clock

    def signed(self, call: IncomingCall) -> bool:
        """Whether it says that it is a call of SNS; the signature is inside."""
        return call.headers.get(TYPE_HEADER, "") in SIGNED

    def calls_out(self, account: Account, call: IncomingCall) -> bool:
        """Whether its certificate has to be read first, or a subscription be confirmed."""
        fields = _fields(call)
        return fields["Type"] == CONFIRMED or self._certificates.kept(fields["SigningCertURL"]) is None

    def check(self, account: Account, call: IncomingCall) -> None:
        """Topic and addresses first, as they cost nothing; then the signature over the fields."""
        fields = _fields(call)
        topic, hosts = door_setting(account, "sns_topic_arn"), door_list(account, "sns_certificate_hosts")
        if not topic or fields["TopicArn"] != topic:
            raise Unverified("of another topic")
        if fields["Type"] != NOTIFICATION and not _confirms(fields["SubscribeURL"], hosts):
            raise Unverified("it would be confirmed at an address that is not of SNS")
        url, digest = fields["SigningCertURL"], DIGESTS.get(fields["SignatureVersion"])
        if digest is None or not permitted(url, _HOSTS, hosts) or not _plain_pem(url):
            raise Unverified("signed in a way or with a certificate that is not of SNS")
        certificate = self._certificates.get(url)
        if not certificate.begins <= self._clock() <= certificate.ends:
            raise Unverified("signed with a certificate that is not valid now")
        _verify(certificate.key, fields, digest())

    def events(self, account: Account, call: IncomingCall) -> Sequence[IncomingEvent]:
        """The notification in the text of `Message`; a request to confirm is answered here. Raises TryLater when SNS cannot be told."""
        try:
            fields = _fields(call)
        except Unverified:
            return (odd_event(call.body, "not a message of SNS"),)
        if fields["Type"] == NOTIFICATION:
            return (event_of(account, fields["Message"].encode()),)
        if fields["Type"] == CONFIRMED:
            self._visit(fields["SubscribeURL"])
        return (_handshake(fields),)


def _fields(call: IncomingCall) -> dict[str, str]:
    """The fields that are signed and those that say how; raises Unverified when one is missing or odd."""
    parsed, reason = read_body(call.body)
    if parsed is None:
        raise Unverified(reason)
    kind = parsed.get("Type")
    if not isinstance(kind, str) or kind not in SIGNED or call.headers.get(TYPE_HEADER, kind) != kind:
        raise Unverified("not a message of SNS")
    names = (*SIGNED[kind], "Signature", "SignatureVersion", "SigningCertURL")
    found = {name: parsed[name] for name in names if name in parsed}
    if not all(isinstance(value, str) and len(value) <= MAX_FIELD for value in found.values()):
        raise Unverified("not a message of SNS")
    if set(names) - set(found) - OPTIONAL:
        raise Unverified("a field is missing")
    return found


def _verify(key: RSAPublicKey, fields: Mapping[str, str], digest: hashes.HashAlgorithm) -> None:
    signed = "".join(f"{name}\n{fields[name]}\n" for name in SIGNED[fields["Type"]] if name in fields)
    try:
        key.verify(base64.b64decode(fields["Signature"], validate=True), signed.encode(), padding.PKCS1v15(), digest)
    except (InvalidSignature, binascii.Error, ValueError) as fault:
        raise Unverified("bad signature") from fault


def _plain_pem(url: str) -> bool:
    parts = urlsplit(url)
    return bool(_PEM_PATH.fullmatch(parts.path)) and ".." not in parts.path and not parts.query


def _confirms(url: str, hosts: Sequence[str]) -> bool:
    return permitted(url, _HOSTS, hosts) and parse_qs(urlsplit(url).query, max_num_fields=20).get("Action") == ["ConfirmSubscription"]


def _handshake(fields: Mapping[str, str]) -> IncomingEvent:
    """What is kept of a confirmation: not its token, with which anybody could subscribe or unsubscribe this address."""
    body = {name: fields[name][:500] for name in ("Type", "TopicArn", "MessageId", "Timestamp")}
    return IncomingEvent(
        topic=f"{SNS}/{fields['Type']}", dedup_key=f"sns:{fields['MessageId'][:100]}", body=orjson.dumps(body), hint=True
    )  # fmt: skip
