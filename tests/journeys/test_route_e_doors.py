"""commercetools' doors over real HTTP, at the product's own server: each way in, hand-shakes, forgeries, and the same event many times."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
import requests

from integrations.models import Connection, InboxEvent, SyncException
from integrations.platforms.base import IncomingCall
from tests.journeys.acme import Feed, feed, goods, route_e
from tests.platforms.commercetools import clouds

__all__ = ["feed", "route_e"]  # fixtures
pytestmark = [pytest.mark.journey]
LASTING = {"exp": 4_000_000_000, "iat": 1_700_000_000}  # these doors go by the clock of the day


class Cloud:
    """Keys, certificate and confirmation on loopback; notes what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        long_valid = clouds.certificate(clouds.key_pair(2), days=36_500)
        self.answers = {"/certs": clouds.key_set(k1=clouds.key_pair(1)), "/cert.pem": long_valid, "/": b"<ConfirmSubscriptionResponse/>"}
        self.host = ""

    def answer(self, path: str) -> bytes | None:
        self.asked.append(path)
        return self.answers.get(path.partition("?")[0])


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
            body = cloud.answer(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Cache-Control", "public, max-age=3600")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        cloud.host = f"127.0.0.1:{server.server_address[1]}"
        yield cloud
        server.shutdown()


@pytest.fixture
def project(transactional_db: None, cloud: Cloud) -> Connection:
    """A connection whose four doors are open, with the clouds of this test."""
    from integrations.engine.accounts import set_credential

    row = Connection.objects.create(
        platform="commercetools", name="Acme", external_id=clouds.PROJECT, base_url="http://127.0.0.1:9",
        settings={
            "pubsub_audience": clouds.AUDIENCE, "pubsub_email": clouds.PUSHER, "google_certs_url": f"http://{cloud.host}/certs",
            "sns_topic_arn": clouds.TOPIC, "sns_certificate_hosts": [cloud.host],
        },
    )  # fmt: skip
    set_credential(row, "door_key", clouds.DOOR_KEY)
    return row


def send(web: str, call: IncomingCall, method: str = "POST") -> requests.Response:
    query = f"?{call.query}" if call.query else ""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, f"{web}{call.path}{query}", data=call.body, headers=dict(call.headers), timeout=20)


def sns(cloud: Cloud, kind: str = "Notification", message: Any = clouds.MESSAGE, **changes: Any) -> IncomingCall:
    confirm = f"http://{cloud.host}/?Action=ConfirmSubscription&TopicArn={clouds.TOPIC}&Token=t0ken"
    given = {"SigningCertURL": f"http://{cloud.host}/cert.pem", **({"SubscribeURL": confirm} if kind != "Notification" else {}), **changes}
    return clouds.sns_call(clouds.sns_fields(kind, message, **given))


def by_key(way: str, body: Any, key: str = clouds.DOOR_KEY, project: str = clouds.PROJECT) -> IncomingCall:
    path = f"/hooks/commercetools/{project}/{way}/"
    if way == "eventgrid":
        return IncomingCall(path=path, headers={}, body=orjson.dumps(body), query=f"key={key}")
    return IncomingCall(path=path, headers={"x-switchyard-key": key}, body=orjson.dumps(body))


def ways(cloud: Cloud, payload: dict[str, Any]) -> list[IncomingCall]:
    """One and the same notification over each way."""
    return [
        clouds.pushed(payload, clouds.token(**LASTING)),
        sns(cloud, message=payload),
        by_key("eventgrid", [clouds.cloud_event(payload)]),
        by_key("eventbridge", {"detail-type": "x", "detail": payload}),
    ]


def test_one_event_over_every_way_many_times_at_once_is_one_row(project: Connection, cloud: Cloud, web: str) -> None:
    calls = [call for call in ways(cloud, clouds.MESSAGE) for _ in range(25)]
    with ThreadPoolExecutor(16) as callers:
        statuses = Counter(callers.map(lambda call: send(web, call).status_code, calls))

    assert statuses == {200: 100}
    row = InboxEvent.objects.get()
    assert (row.connection, row.topic, row.object_key, row.hint) == (project, "order/OrderShipmentStateChanged", clouds.ORDER_ID, True)
    assert Counter(cloud.asked) == {"/certs": 1, "/cert.pem": 1}


def test_sns_is_let_in_by_its_hand_shake_and_everything_else_that_would_confirm_is_not(project: Connection, cloud: Cloud, web: str) -> None:
    forged = clouds.sns_call(
        clouds.sns_fields("SubscriptionConfirmation", "hello", SigningCertURL=f"http://{cloud.host}/cert.pem"), key=clouds.key_pair(9)
    )  # fmt: skip
    elsewhere = sns(cloud, "SubscriptionConfirmation", "hello", SubscribeURL="http://169.254.169.254/?Action=ConfirmSubscription")
    assert [send(web, call).status_code for call in (forged, elsewhere)] == [401, 401]
    assert not any("ConfirmSubscription" in path for path in cloud.asked)

    assert send(web, sns(cloud, "SubscriptionConfirmation", "hello")).status_code == 200
    assert sum("ConfirmSubscription" in path for path in cloud.asked) == 1
    assert send(web, sns(cloud)).status_code == 200
    assert set(InboxEvent.objects.values_list("topic", flat=True)) == {"sns/SubscriptionConfirmation", "order/OrderShipmentStateChanged"}


def test_event_grids_hand_shake_needs_the_key(project: Connection, web: str) -> None:
    asked = by_key("eventgrid", [])
    asked = IncomingCall(path=asked.path, headers={"webhook-request-origin": "eventgrid.azure.net"}, body=b"", query=asked.query)
    answer = send(web, asked, "OPTIONS")
    assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")
    wrong = IncomingCall(path=asked.path, headers=asked.headers, body=b"", query="key=wrong")
    assert send(web, wrong, "OPTIONS").status_code == 401


FORGED = {
    "for another audience": {"aud": "https://example.com/"},
    "of another issuer": {"iss": "https://issuer.example.com"},
    "expired": {"exp": 1_700_000_100},
    "signed by nobody": {"header": {"alg": "none"}},
    "signed with the public key as password": {"header": {"alg": "HS256"}},
    "signed by an unknown key": {"key": clouds.key_pair(9), "kid": "k9"},
    "signed by another key": {"key": clouds.key_pair(9)},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_a_forged_token_hears_401_and_nothing_else(project: Connection, web: str, changes: dict[str, Any]) -> None:
    answer = send(web, clouds.pushed(clouds.MESSAGE, clouds.token(**{**LASTING, **changes})))
    assert (answer.status_code, answer.content) == (401, b"")
    assert not InboxEvent.objects.exists()


def test_unknown_projects_and_ways_are_not_found_and_wrong_keys_refused(project: Connection, web: str) -> None:
    wrong, none = by_key("eventbridge", {}, key="wrong"), by_key("eventgrid", {}, key="")
    answers = [send(web, call) for call in (by_key("eventbridge", {}, project="nobody"), by_key("kafka", {}), wrong, none)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(404, b""), (404, b""), (401, b""), (401, b"")]
    assert not InboxEvent.objects.exists()


def test_while_google_does_not_give_its_keys_a_push_is_to_be_sent_again_and_then_taken(project: Connection, cloud: Cloud, web: str) -> None:
    Connection.objects.filter(pk=project.pk).update(settings={**project.settings, "google_certs_url": f"http://{cloud.host}/later"})
    call = clouds.pushed(clouds.CHANGE, clouds.token(**LASTING))
    assert send(web, call).status_code == 503
    Connection.objects.filter(pk=project.pk).update(settings=project.settings)
    assert send(web, call).status_code == 200
    assert InboxEvent.objects.get().dedup_key == "change:customer:c-1:5:ResourceUpdated"


def test_a_body_that_is_too_large_is_refused_and_the_next_call_is_taken(project: Connection, web: str) -> None:
    try:
        status = send(web, by_key("eventbridge", {"detail": "x" * 3_000_000})).status_code
    except requests.ConnectionError:  # answered and closed while we were still talking
        status = 413
    assert status == 413
    assert send(web, by_key("eventbridge", {"detail-type": "x", "detail": clouds.CHANGE})).status_code == 200
    assert InboxEvent.objects.count() == 1


def told(order: Any, kind: str, number: int) -> dict[str, Any]:
    """The notification of one message about an order."""
    return {
        **clouds.MESSAGE, "id": f"message-{order.id}-{number}", "resource": {"typeId": "order", "id": order.id}, "type": kind,
        "sequenceNumber": number, "resourceVersion": 1,
    }  # fmt: skip


def test_events_that_come_backwards_twice_and_again_by_polling_leave_the_last_state_once(feed: Feed, web: str) -> None:
    order = feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    feed.shop.act("pay", order=order.id)
    feed.shop.act("ship", order=order.id)
    kinds = ["OrderCreated", "OrderPaymentStateChanged", "OrderShipmentStateChanged"]
    for number in (3, 1, 2, 3, 1):
        notification = {"detail-type": "x", "detail": told(order, kinds[number - 1], number)}
        assert send(web, by_key("eventbridge", notification)).status_code == 200
    feed.run()
    sent = len(feed.ometria.ledger.effects("order"))
    feed.poll()
    feed.run()

    assert feed.events(topic__startswith="order/", dedup_key__startswith="message:message-").count() == 3
    assert (len(feed.numbers()), sent, len(feed.ometria.ledger.effects("order"))) == (1, 1, 1)


def test_an_order_whose_every_notification_was_lost_arrives_with_the_next_reading(feed: Feed) -> None:
    feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    assert not feed.events().exists()
    feed.poll()
    feed.run()
    assert len(feed.numbers()) == 1


def test_a_worker_killed_while_it_reads_leaves_the_events_to_the_next(feed: Feed, web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.engine import process, pumps

    order = feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    assert send(web, by_key("eventbridge", {"detail-type": "x", "detail": told(order, "OrderCreated", 1)})).status_code == 200

    def killed(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(process, "enqueue", killed)
        with pytest.raises(KeyboardInterrupt):
            pumps.pump_connection(feed.source.pk, 5)
    assert feed.events(state="new").count() == 1
    feed.events().update(lease_until=None)
    Connection.objects.update(pump_until=None)
    feed.run()
    assert len(feed.numbers()) == 1


def test_a_test_notification_and_events_nobody_uses_are_ignored_with_words(feed: Feed, web: str) -> None:
    review = {**clouds.CHANGE, "resource": {"typeId": "review", "id": "r-1"}}
    for payload in (clouds.TEST_NOTIFICATION, review):
        assert send(web, by_key("eventbridge", {"detail-type": "x", "detail": payload})).status_code == 200
    feed.run()
    rows = dict(feed.events().values_list("topic", "error"))
    assert set(feed.events().values_list("state", flat=True)) == {"ignored"}
    assert "test notification" in rows["subscription/ResourceCreated"]
    assert rows["review/ResourceUpdated"] == "Events about review are not used."


def test_notifications_of_another_project_are_kept_and_asked_about(feed: Feed, web: str) -> None:
    stray = {**clouds.MESSAGE, "projectKey": "acme-staging"}
    assert send(web, by_key("eventbridge", {"detail-type": "x", "detail": stray})).status_code == 200
    feed.run()
    assert feed.events().get().state == "failed"
    assert "acme-staging" in SyncException.objects.get(kind="unparsable").detail
