"""The door for webhooks: stored once however often it is called, and nothing that is sent there breaks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
import requests

from integrations.models import Connection, Delivery, InboxEvent, SyncException
from tests.conftest import DOMAIN, SPEC, RouteB
from tests.route_a import RouteA

pytestmark = [pytest.mark.journey]
CALLERS, CALLS = 32, 1000


def signed(body: bytes, topic: str = "orders/updated", *, secret: str = SPEC.client_secret, **changes: str) -> dict[str, str]:
    """The headers of a genuine call, signed here and not by the stand-in."""
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json", "X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": digest, "X-Shopify-Shop-Domain": DOMAIN,
        "X-Shopify-Event-Id": str(uuid.uuid4()), "X-Shopify-Triggered-At": "2026-11-20T10:00:00.123456789Z", **changes,
    }  # fmt: skip


def good_order(route: RouteB) -> dict[str, Any]:
    """A webhook body of an order whose product has arrived."""
    assert route.subscribe()
    variant = route.product()
    route.run()
    route.hold_webhooks()
    order = route.act("create_order", lines=[{"variant_id": variant, "quantity": 2}], shipping="4.99", email="ada@example.com")
    return orjson.loads(route.held(order.id)[-1].body)


def test_a_thousand_deliveries_of_one_event_from_32_connections_leave_one_row_and_one_effect(route_b: RouteB) -> None:
    body = orjson.dumps(good_order(route_b))
    headers = signed(body)

    def call_many(_: int) -> Counter[int]:
        with requests.Session() as session:
            session.trust_env = False
            url = f"{route_b.hooks}/hooks/shopify/"
            return Counter(session.post(url, data=body, headers=headers, timeout=30).status_code for _ in range(CALLS // CALLERS + 1))

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = sum(callers.map(call_many, range(CALLERS)), Counter())
    route_b.run()

    assert set(answers) == {200}
    assert answers.total() >= CALLS
    assert InboxEvent.objects.filter(dedup_key__endswith=headers["X-Shopify-Event-Id"]).count() == 1
    assert Delivery.objects.filter(flow__record_type="order").count() == 1
    assert len(route_b.ometria.ledger.effects("order")) == 1


def test_a_retry_of_the_same_event_changes_nothing_after_it_was_processed(route_b: RouteB) -> None:
    body = orjson.dumps(good_order(route_b))
    headers = signed(body)
    assert route_b.post(headers, body) == 200
    route_b.run()
    assert route_b.post({**headers, "X-Shopify-Webhook-Id": str(uuid.uuid4())}, body) == 200
    route_b.run()

    assert InboxEvent.objects.filter(topic="orders/updated").count() == 1
    assert len(route_b.ometria.ledger.effects("order")) == 1


def test_a_retry_after_the_inbox_row_was_pruned_is_taken_again_and_costs_no_call(route_b: RouteB) -> None:
    body = orjson.dumps(good_order(route_b))
    headers = signed(body)
    assert route_b.post(headers, body) == 200
    route_b.run()
    InboxEvent.objects.all().delete()
    pushes = route_b.ometria.look("/calls")["POST /push"]
    assert route_b.post(headers, body) == 200
    route_b.run()

    assert InboxEvent.objects.get(topic="orders/updated").state == "done"
    assert len(route_b.ometria.ledger.effects("order")) == 1
    assert route_b.ometria.look("/calls")["POST /push"] == pushes


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        ("/hooks/shopify/", {"X-Shopify-Hmac-Sha256": "bm90IHRoZSBzaWduYXR1cmU="}, 401),
        ("/hooks/shopify/", {"X-Shopify-Hmac-Sha256": ""}, 401),
        ("/hooks/shopify/", {"X-Shopify-Hmac-Sha256": "ÿþ"}, 401),
        ("/hooks/shopify/", {"X-Shopify-Shop-Domain": ""}, 401),
        ("/hooks/shopify/", {"X-Shopify-Shop-Domain": "another-shop.myshopify.com"}, 404),
        ("/hooks/ometria/", {}, 401),
        ("/hooks/nowhere/", {}, 404),
    ],
)
def test_a_call_that_is_not_genuine_is_refused_without_detail_and_leaves_nothing(
    route_b: RouteB, path: str, changes: dict[str, str], status: int
) -> None:
    body = orjson.dumps({"id": 1})
    headers = {name: value.encode("latin-1") for name, value in {**signed(body), **changes}.items()}
    answer = requests.post(f"{route_b.hooks}{path}", data=body, headers=headers, timeout=10)

    assert (answer.status_code, answer.content) == (status, b"")
    assert InboxEvent.objects.count() == 0


@pytest.mark.parametrize(("spoil", "status"), [(b"", 200), (b" ", 401)], ids=["signed by our app", "signed by nobody"])
def test_a_tiktok_shop_that_nobody_connected_hears_200_only_when_our_app_signed_and_leaves_nothing(
    route_a: RouteA, spoil: bytes, status: int
) -> None:
    route_a.goods("TEE-RED")
    headers, body = route_a.tiktok.signed_webhooks([route_a.order("TEE-RED").id])[0]
    Connection.objects.filter(pk=route_a.source.pk).update(external_id="7490000000000000001")

    assert route_a.post(headers, body + spoil) == status
    assert InboxEvent.objects.count() == 0


def test_after_a_rotation_webhooks_signed_with_the_old_secret_are_still_genuine(route_b: RouteB) -> None:
    from integrations.engine.accounts import set_credential

    set_credential(route_b.source, "client_secret_previous", SPEC.client_secret)
    set_credential(route_b.source, "client_secret", "demo-new-secret")
    body = b'{"id": 1}'
    statuses = [route_b.post(signed(body, secret=secret), body) for secret in (SPEC.client_secret, "demo-new-secret", "demo-third-secret")]

    assert statuses == [200, 200, 401]
    assert InboxEvent.objects.count() == 2


POISON = {
    "bad UTF-8": b'{"id": 1, "name": "\xff\xfe"}',
    "raw NUL": b'{"id": 1, "name": "a\x00b"}',
    "escaped NUL": b'{"id": 1, "name": "a\\u0000b"}',
    "NUL in a key": b'{"id": 1, "a\\u0000b": 1}',
    "depth 10,000": b'{"id": 1, "a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "objects 10,000 deep": b'{"a": ' * 10_000 + b"1" + b"}" * 10_000,
    "NaN": b'{"id": NaN}',
    "Infinity": b'{"id": 1, "total_price": Infinity}',
    "10^400 as digits": b'{"id": 1, "total_price": 1' + b"0" * 400 + b"}",
    "10^400 as exponent": b'{"id": 1, "total_price": 1e400}',
    "10^-400": b'{"id": 1, "total_price": 1e-400}',
    "lone surrogate": b'{"id": 1, "name": "\\ud800"}',
    "surrogates the wrong way round": b'{"id": 1, "name": "\\udc00\\ud800"}',
    "duplicate keys": b'{"id": 1, "id": 2, "id": "3"}',
    "empty body": b"",
    "blanks": b"  \n ",
    "an array": b"[1, 2, 3]",
    "null": b"null",
    "a string": b'"orders/updated"',
    "a number": b"7",
    "cut short": b'{"id": 1, "name": "#10',
    "byte order mark": b'\xef\xbb\xbf{"id": 1}',
    "UTF-16": '{"id": 1}'.encode("utf-16"),
    "an id beyond 64 bits": b'{"id": ' + b"9" * 40 + b"}",
    "an empty object": b"{}",
    "compressed": b"\x1f\x8b\x08\x00garbage",
}
TOPICS = (
    "orders/updated", "refunds/create", "customers/update", "products/update", "checkouts/update", "customers/delete", "no/such_topic",
)  # fmt: skip


def test_every_poisoned_body_is_stored_with_its_reason_and_a_good_order_after_them_arrives(route_b: RouteB) -> None:
    order = good_order(route_b)
    for body in POISON.values():
        for topic in TOPICS:
            assert route_b.post(signed(body, topic), body) == 200, (topic, body[:60])
    body = orjson.dumps(order)
    assert route_b.post(signed(body), body) == 200
    route_b.run()

    events = InboxEvent.objects.filter(topic__in=TOPICS).exclude(object_key=str(order["id"]))
    assert [(event.topic, event.body[:60]) for event in events if event.state == "failed" and not event.error] == []
    assert set(events.values_list("state", flat=True)) <= {"failed", "ignored", "done"}
    assert events.filter(topic="orders/updated").exclude(state="failed").count() == 0
    assert list(route_b.state("orders")) == [f"shp-{order['id']}"]
    assert SyncException.objects.filter(kind="unparsable", connection=route_b.source).exists()
    assert not SyncException.objects.filter(kind="internal").exists()


def test_a_body_of_five_megabytes_is_answered_413_and_the_next_call_is_taken(route_b: RouteB) -> None:
    huge = b'{"id": 1, "note": "' + b"x" * 5_000_000 + b'"}'
    small = b'{"id": 1}'
    try:
        status = requests.post(f"{route_b.hooks}/hooks/shopify/", data=huge, headers=signed(huge), timeout=20).status_code
    except requests.ConnectionError:  # answered and closed while we were still talking
        status = 413
    assert status == 413
    assert route_b.post(signed(small), small) == 200
    assert InboxEvent.objects.count() == 1


ODD = (None, [], {}, "x", -1, True, 1.5e308, "9" * 400, [None], [[]], {"a": []}, "0001-01-01T00:00:00Z", "😀")


def test_wrong_types_in_every_place_of_an_order_never_stop_the_work(route_b: RouteB) -> None:
    order = good_order(route_b)
    sent = 0
    for name in (name for name in order if name != "id"):
        for value in ODD:
            sent += 1
            spoilt = orjson.dumps({**order, "id": 7_000_000 + sent, name: value})
            assert route_b.post(signed(spoilt), spoilt) == 200, name
    for name in order["line_items"][0]:
        for value in ODD:
            sent += 1
            line = {**order["line_items"][0], name: value}
            spoilt = orjson.dumps({**order, "id": 7_000_000 + sent, "line_items": [line]})
            assert route_b.post(signed(spoilt), spoilt) == 200, name
    body = orjson.dumps(order)
    assert route_b.post(signed(body), body) == 200
    route_b.run(60)

    events = InboxEvent.objects.filter(topic="orders/updated")
    assert set(events.values_list("state", flat=True)) <= {"done", "failed"}
    assert not events.filter(state="failed", error="").exists()
    held = SyncException.objects.filter(kind="internal").values_list("title", "detail")
    assert list(held) == []
    assert f"shp-{order['id']}" in route_b.state("orders")
    assert Connection.objects.get(pk=route_b.source.pk).state == "active"
