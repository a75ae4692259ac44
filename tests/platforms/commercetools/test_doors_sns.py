"""Amazon SNS's door: only what our topic signed with a certificate of SNS opens it, and confirmations go nowhere else."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from integrations.platforms.base import IncomingCall
from integrations.platforms.commercetools.doors.outside import MOST_CALLS, Shelf
from integrations.platforms.commercetools.doors.sns import Sns, read_certificate
from integrations.platforms.errors import TryLater, Unverified
from tests.platforms.commercetools.clouds import (
    CHANGE,
    CONFIRM_URL,
    MESSAGE,
    NOW,
    ORDER_ID,
    PEM_URL,
    TOPIC,
    Web,
    account,
    certificate,
    key_pair,
    sns_call,
    sns_fields,
)


class Amazon:
    """The door with SNS's certificate on an address of the test's own web, and a clock that stands."""

    def __init__(self) -> None:
        self.web, self.at = Web({PEM_URL: certificate(key_pair(2)), CONFIRM_URL: b"<ConfirmSubscriptionResponse/>"}), NOW
        shelf = Shelf(read_certificate, self.web.fetch, lambda: self.at.timestamp())
        self.door = Sns(shelf, self.web.fetch, lambda: self.at)

    def check(self, call: IncomingCall, **settings: Any) -> None:
        self.door.check(account(**settings), call)

    def refuses(self, call: IncomingCall, **settings: Any) -> bool:
        try:
            self.check(call, **settings)
        except Unverified:
            return True
        return False


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("changes", [{}, {"Subject": "Änderung"}], ids=["plain", "with a subject"])
def test_a_notification_signed_either_way_is_genuine_and_holds_the_hint(amazon: Amazon, version: str, changes: dict[str, str]) -> None:
    call = sns_call(sns_fields(**changes), version)
    amazon.check(call)
    (event,) = amazon.door.events(account(), call)
    assert (event.topic, event.object_key, event.hint) == ("order/OrderShipmentStateChanged", ORDER_ID, True)


def test_the_text_that_awss_own_description_signs_is_the_text_we_check(amazon: Amazon) -> None:
    described = (
        b"Message\nMy Test Message\nMessageId\n4d4dc071-ddbf-465d-bba8-08f81c89da64\nSubject\nMy subject\nTimestamp\n"
        b"2019-01-31T04:37:04.321Z\nTopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P\nType\nNotification\n"
    )
    signature = base64.b64encode(key_pair(2).sign(described, padding.PKCS1v15(), hashes.SHA256())).decode()
    topic = "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P"
    fields = sns_fields(message="My Test Message", Subject="My subject", Timestamp="2019-01-31T04:37:04.321Z", TopicArn=topic)
    amazon.check(sns_call(fields, Signature=signature), sns_topic_arn=topic)


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Subject", "Type", "Signature"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_notification_is_refused_when_a_signed_field_was_changed(amazon: Amazon, name: str, version: str) -> None:
    spoilt = {"Type": "SubscriptionConfirmation", "Signature": base64.b64encode(b"x" * 256).decode()}.get(name, "changed")
    assert amazon.refuses(sns_call(sns_fields(), version, **{name: spoilt}))


FORGED = {
    "of another topic": lambda: sns_call(sns_fields(TopicArn=TOPIC + "2")),
    "signed by another key": lambda: sns_call(sns_fields(), key=key_pair(9)),
    "that names another version": lambda: sns_call(sns_fields(), SignatureVersion="3"),
    "that names version one and is signed in version two": lambda: sns_call(sns_fields(), SignatureVersion="1"),
    "without a signature": lambda: sns_call(sns_fields(), Signature=""),
    "with a signature that is no base64": lambda: sns_call(sns_fields(), Signature="???"),
    "with a field that is a number": lambda: sns_call(sns_fields(), Timestamp=7),
    "with a field that is a list": lambda: sns_call(sns_fields(), Message=[MESSAGE]),
    "with no certificate": lambda: sns_call(sns_fields(), SigningCertURL=None),
    "of no known type": lambda: sns_call(sns_fields(), Type="Other"),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_call_is_refused_that_is(amazon: Amazon, forged) -> None:
    assert amazon.refuses(forged())


ELSEWHERE = [
    "http://sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com.example.com/a.pem",
    "https://example.com/sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com@example.com/a.pem",
    "https://example.com#sns.eu-central-1.amazonaws.com/a.pem",
    "https://s3.eu-central-1.amazonaws.com/bucket/a.pem",
    "https://sns.amazonaws.com.evil/a.pem",
    "https://sns.eu-central-1.amazonaws.com:8443/a.pem",
    "https://sns.eu-central-1.amazonaws.com/a.pem?x=1",
    "https://sns.eu-central-1.amazonaws.com/a.txt",
    "https://sns.eu-central-1.amazonaws.com/../a.pem",
    "https://sns.eu-central-1.amazonaws.com\\@example.com/a.pem",
    "https://127.0.0.1/a.pem",
    "http://169.254.169.254/a.pem",
    "file:///etc/a.pem",
    "https://[::1]/a.pem",
    "https://[/a.pem",
    "",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_certificate_is_read_from_sns_only(amazon: Amazon, address: str) -> None:
    amazon.web.answers[address] = certificate(key_pair(2))
    assert amazon.refuses(sns_call(sns_fields(SigningCertURL=address)))
    assert amazon.web.asked == []


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "ap-southeast-2", "me-south-1"])
def test_every_region_of_amazon_may_sign(amazon: Amazon, region: str) -> None:
    address = f"https://sns.{region}.amazonaws.com/SimpleNotificationService-1.pem"
    amazon.web.answers[address] = certificate(key_pair(2))
    amazon.check(sns_call(sns_fields(SigningCertURL=address)))


def test_a_stand_in_on_this_machine_may_sign_when_the_settings_name_it(amazon: Amazon) -> None:
    address = "http://127.0.0.1:8123/cert.pem"
    amazon.web.answers[address] = certificate(key_pair(2))
    call = sns_call(sns_fields(SigningCertURL=address))
    assert amazon.refuses(call)
    amazon.check(call, sns_certificate_hosts=["127.0.0.1:8123"])


def test_a_named_host_elsewhere_is_never_called_without_encryption(amazon: Amazon) -> None:
    assert amazon.refuses(sns_call(sns_fields(SigningCertURL="http://sns.internal/a.pem")), sns_certificate_hosts=["sns.internal"])


@pytest.mark.parametrize("days", [-31, 400], ids=["not valid yet", "ended"])
def test_a_certificate_counts_only_while_it_is_valid(amazon: Amazon, days: int) -> None:
    amazon.at = NOW + timedelta(days=days)
    assert amazon.refuses(sns_call(sns_fields()))


def test_a_certificate_is_read_once(amazon: Amazon) -> None:
    call = sns_call(sns_fields())
    assert amazon.door.calls_out(account(), call) is True
    for _ in range(5):
        amazon.check(call)
    assert amazon.door.calls_out(account(), call) is False
    assert amazon.web.asked == [PEM_URL]


def test_made_up_certificate_names_make_us_call_out_only_so_often_a_minute(amazon: Amazon) -> None:
    for number in range(MOST_CALLS * 3):
        address = f"https://sns.eu-central-1.amazonaws.com/{number}.pem"
        amazon.web.answers[address] = TryLater("404")
        with pytest.raises(TryLater):
            amazon.check(sns_call(sns_fields(SigningCertURL=address)))
    assert len(amazon.web.asked) == MOST_CALLS


def test_a_topic_that_is_not_configured_lets_nobody_in(amazon: Amazon) -> None:
    assert amazon.refuses(sns_call(sns_fields()), sns_topic_arn="")
    assert amazon.refuses(sns_call(sns_fields(TopicArn="")), sns_topic_arn="")


def test_a_subscription_is_confirmed_only_after_the_same_checks(amazon: Amazon) -> None:
    call = sns_call(sns_fields("SubscriptionConfirmation", "You have chosen to subscribe"))
    assert amazon.door.calls_out(account(), call) is True
    amazon.check(call)
    assert CONFIRM_URL not in amazon.web.asked

    (event,) = amazon.door.events(account(), call)
    assert amazon.web.asked[-1] == CONFIRM_URL
    assert event.topic == "sns/SubscriptionConfirmation"
    assert b"t0ken" not in event.body


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/?Action=ConfirmSubscription",
        "http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        "https://sns.eu-central-1.amazonaws.com/",
        "http://169.254.169.254/?Action=ConfirmSubscription",
    ],
)
def test_a_confirmation_that_leads_elsewhere_is_refused(amazon: Amazon, address: str) -> None:
    assert amazon.refuses(sns_call(sns_fields("SubscriptionConfirmation", "hello", SubscribeURL=address)))
    assert address not in amazon.web.asked


def test_a_forged_confirmation_is_refused_and_visits_nothing(amazon: Amazon) -> None:
    assert amazon.refuses(sns_call(sns_fields("SubscriptionConfirmation", "hello"), key=key_pair(9)))
    assert CONFIRM_URL not in amazon.web.asked


def test_when_sns_cannot_be_told_the_call_is_to_be_sent_again(amazon: Amazon) -> None:
    amazon.web.answers[CONFIRM_URL] = TryLater("timed out")
    call = sns_call(sns_fields("SubscriptionConfirmation", "hello"))
    amazon.check(call)
    with pytest.raises(TryLater):
        amazon.door.events(account(), call)


def test_being_unsubscribed_is_noted_and_never_undone(amazon: Amazon) -> None:
    call = sns_call(sns_fields("UnsubscribeConfirmation", "You have chosen to deactivate"))
    amazon.check(call)
    (event,) = amazon.door.events(account(), call)
    assert event.topic == "sns/UnsubscribeConfirmation"
    assert amazon.web.asked == [PEM_URL]


def test_raw_message_delivery_carries_no_signature_and_is_refused(amazon: Amazon) -> None:
    call = sns_call(sns_fields())
    assert amazon.refuses(IncomingCall(path=call.path, headers=call.headers, body=orjson.dumps(MESSAGE)))


def test_the_header_must_say_the_type_of_the_body(amazon: Amazon) -> None:
    call = sns_call(sns_fields())
    headers = {**call.headers, "x-amz-sns-message-type": "SubscriptionConfirmation"}
    assert amazon.refuses(IncomingCall(path=call.path, headers=headers, body=call.body))


def test_a_change_is_known_again_by_what_changed_and_its_version(amazon: Amazon) -> None:
    (event,) = amazon.door.events(account(), sns_call(sns_fields(message=CHANGE)))
    assert (event.topic, event.dedup_key) == ("customer/ResourceUpdated", "change:customer:c-1:5:ResourceUpdated")


def test_a_message_that_is_not_json_is_kept_with_its_reason(amazon: Amazon) -> None:
    (event,) = amazon.door.events(account(), sns_call(sns_fields(message="hello")))
    assert orjson.loads(event.body)["raw"] == "hello"
