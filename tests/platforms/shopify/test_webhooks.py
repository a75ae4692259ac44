"""The door for webhooks: whose call, genuine or not, which event; nothing but Unverified ever comes out of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.platforms.base import Account, IncomingCall
from integrations.platforms.bodies import MAX_EXCERPT
from integrations.platforms.errors import Unverified
from integrations.platforms.shopify.topics import TOPICS
from integrations.platforms.shopify.webhooks import ShopifyWebhooks

DOOR = ShopifyWebhooks()
SHOP = "demo-shop.myshopify.com"
# Published vectors: secret, raw body, signature.
VECTORS = [
    (
        "hush",
        b'{"id":820982911946154508,"name":"#1001","updated_at":"2026-11-20T10:00:00-05:00"}',
        "3lK+S6LEq36ETpoQPQnxcReHLgNr6D4y0Nui2LH2kZU=",
    ),
    (
        "hush",
        b'{"id":820982911946154508,"name":"#1001","updated_at":"2026-11-20T10:00:00-05:00"}\n',
        "HTulnHvn+la/EIofZS7YUGFnvxH0Ih8s0n78Z3bTXWU=",
    ),
    (
        "shpss_0123456789abcdef0123456789abcdef",
        '{"id":706405506930370084,"first_name":"Zoë","note":"<b>caf\\u00e9</b>","url":"https:\\/\\/x.test\\/a","amount":"10.00"}\n'.encode(),
        "C20x5wDLb377P2LHD2bWj1flglE7qR+vQUrZ9177Fog=",
    ),
]


def account(**secrets: str) -> Account:
    return Account(connection_id=7, platform="shopify", external_id=SHOP, base_url="http://127.0.0.1:9", secrets=secrets)


def call(body: bytes = b"{}", *, old: bool = True, **headers: str) -> IncomingCall:
    prefix = "x-shopify-" if old else "shopify-"
    named = {f"{prefix}{name.replace('_', '-')}": value for name, value in headers.items()}
    return IncomingCall(path="/hooks/shopify/", headers=named, body=body)


def event(body: bytes, topic: str = "orders/updated", **headers: str) -> Any:
    given = {"topic": topic, "event_id": "e-1", "triggered_at": "2026-11-20T10:00:00.123456789Z", **headers}
    (found,) = DOOR.cut(account(), call(body, **given))
    return found


@pytest.mark.parametrize(("secret", "body", "signature"), VECTORS)
def test_published_signatures_are_accepted(secret, body, signature):
    DOOR.verify(account(client_secret=secret), call(body, hmac_sha256=signature))


@pytest.mark.parametrize(("secret", "body", "signature"), VECTORS)
def test_one_changed_byte_is_refused(secret, body, signature):
    with pytest.raises(Unverified):
        DOOR.verify(account(client_secret=secret), call(body.replace(b"0", b"1", 1), hmac_sha256=signature))


def test_during_a_rotation_both_secrets_are_valid():
    _, body, signature = VECTORS[0]
    DOOR.verify(account(client_secret="new", client_secret_previous="hush"), call(body, hmac_sha256=signature))
    DOOR.verify(account(client_secret="hush", client_secret_previous="older"), call(body, hmac_sha256=signature))
    with pytest.raises(Unverified):
        DOOR.verify(account(client_secret="new", client_secret_previous="older"), call(body, hmac_sha256=signature))


@pytest.mark.parametrize("signature", ["", "nonsense", "ü", "3lK+S6LEq36ETpoQPQnxcReHLgNr6D4y0Nui2LH2kZU"])
def test_a_missing_or_broken_signature_is_refused(signature):
    with pytest.raises(Unverified):
        DOOR.verify(account(client_secret="hush"), call(VECTORS[0][1], hmac_sha256=signature))


def test_without_any_secret_nothing_is_genuine():
    empty = base64.b64encode(hmac.digest(b"", b"{}", hashlib.sha256)).decode()
    for secrets in ({}, {"client_secret": ""}):
        with pytest.raises(Unverified):
            DOOR.verify(account(**secrets), call(b"{}", hmac_sha256=empty))


def test_the_stand_ins_own_calls_are_let_in(stand_in, person):
    headers, body = stand_in.render_webhook("customers/update", person.id)
    incoming = IncomingCall(path="/hooks/shopify/", headers={name.lower(): value for name, value in headers.items()}, body=body)
    assert DOOR.external_id(incoming) == SHOP
    DOOR.verify(account(client_secret="demo-shopify-secret"), incoming)
    (found,) = DOOR.cut(account(), incoming)
    assert (found.topic, found.object_key, found.hint) == ("customers/update", str(person.id), True)
    assert found.occurred_at is not None


@pytest.mark.parametrize("old", [True, False])
def test_both_header_generations_name_the_shop(old):
    assert DOOR.external_id(call(old=old, shop_domain="Demo-Shop.myshopify.com")) == SHOP


@pytest.mark.parametrize("domain", ["", "demo shop", "../etc", "a" * 300 + ".com", "demo\x00.myshopify.com"])
def test_a_call_that_names_no_shop_is_unverified(domain):
    with pytest.raises(Unverified):
        DOOR.external_id(call(shop_domain=domain))


def test_an_order_is_one_event_with_its_body_untouched():
    body = VECTORS[0][1]
    found = event(body)
    assert (found.topic, found.dedup_key, found.body, found.hint, found.object_key) == (
        "orders/updated",
        "orders/updated:e-1",
        body,
        False,
        "820982911946154508",
    )
    assert found.occurred_at == datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)


def test_a_retry_and_a_second_subscription_have_the_same_key():
    assert event(b"{}", webhook_id="w-1").dedup_key == event(b"{}", webhook_id="w-2").dedup_key
    assert event(b"{}").dedup_key != event(b"{}", topic="orders/paid").dedup_key


def test_without_an_event_id_the_delivery_and_then_the_body_make_the_key():
    assert event(b"{}", event_id="", webhook_id="w-1").dedup_key == "orders/updated:w-1"
    bare = event(b'{"id":1}', event_id="").dedup_key
    assert bare == "orders/updated:" + hashlib.sha256(b'orders/updated\n{"id":1}').hexdigest()
    assert bare != event(b'{"id":2}', event_id="").dedup_key


def test_an_endless_event_id_is_digested():
    assert len(event(b"{}", event_id="x" * 5000).dedup_key) < 100


HINTS = {
    "refunds/create": ({"id": 9, "order_id": 820982911946154508}, "820982911946154508"),
    "orders/edited": ({"order_edit": {"id": 1, "order_id": 820982911946154508}}, "820982911946154508"),
    "fulfillments/update": ({"id": 9, "order_id": 5}, "5"),
    "orders/delete": ({"id": 5}, "5"),
    "customers/update": ({"id": 706405506930370084}, "706405506930370084"),
    "customers_email_marketing_consent/update": ({"customer_id": 7}, "7"),
    "customers_marketing_consent/update": ({"id": 7, "phone": "+447700900123"}, "7"),
    "customer.tags_added": ({"customerId": "gid://shopify/Customer/7", "tags": ["a"]}, "7"),
    "customers/purchasing_summary": ({"customerId": "gid://shopify/Customer/7"}, "7"),
    "customers/merge": ({"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/7", "status": "completed"}, "7"),
    "products/update": ({"id": 632910392, "title": "Shoe", "variants": []}, "632910392"),
}


@pytest.mark.parametrize("topic", HINTS)
def test_a_hint_names_the_object_to_fetch(topic):
    body, key = HINTS[topic]
    found = event(orjson.dumps(body), topic)
    assert (found.hint, found.object_key) == (True, key)


@pytest.mark.parametrize("topic", [name for name, topic in TOPICS.items() if topic.full])
def test_full_bodies_are_no_hints(topic):
    assert not event(b'{"id":1,"token":"t"}', topic).hint


def test_a_body_without_a_time_gets_the_time_of_its_delivery():
    body = orjson.loads(event(b'{"id":1}', "customers/delete").body)
    assert body == {"id": 1, "_triggered_at": "2026-11-20T10:00:00.123456+00:00"}


def test_an_unknown_topic_is_kept_as_it_came():
    found = event(b'{"id":1}', "themes/publish")
    assert (found.topic, found.hint, found.object_key, found.body) == ("themes/publish", False, "", b'{"id":1}')


@pytest.mark.parametrize("topic", ["", "or\x00ders", "x" * 200, "orders/ü"])
def test_a_topic_that_is_no_topic_becomes_unknown(topic):
    assert event(b"{}", topic).topic == "unknown"


BROKEN = {
    "empty": (b"", "not JSON"),
    "bad utf-8": (b'{"a":"\xff\xfe"}', "not JSON"),
    "encoded surrogate": (b'{"a":"\xed\xa0\x80"}', "not JSON"),
    "lone surrogate": (b'{"a":"\\ud800"}', "not JSON"),
    "raw NUL": (b'{"a":"\x00"}', "not JSON"),
    "escaped NUL": (b'{"a":"\\u0000"}', "NUL"),
    "escaped NUL in a key": (b'{"\\u0000":1}', "NUL"),
    "NaN": (b'{"a":NaN}', "not JSON"),
    "too large a number": (b'{"a":1e400}', "not JSON"),
    "a number of 400 digits": (b'{"a":1' + b"0" * 400 + b"}", "not JSON"),
    "depth 10,000": (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "not JSON"),
    "depth 500": (b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", "deeper than 100"),
    "a list": (b"[1]", "not a JSON object"),
    "a text": (b'"x"', "not a JSON object"),
    "byte order mark": (b"\xef\xbb\xbf{}", "not JSON"),
    "5 MB of noise": (b"\xff" * 5_000_000, "not JSON"),
    "control characters": (b"\x01" * 70_000, "not JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_cannot_be_stored_keeps_an_excerpt_and_the_reason(name):
    body, reason = BROKEN[name]
    found = event(body)
    stored = orjson.loads(found.body)
    assert set(stored) == {"raw", "reason"}
    assert reason in stored["reason"]
    assert len(found.body) <= MAX_EXCERPT
    assert b"\\u0000" not in found.body.replace(b"\\\\u0000", b"")
    assert found.dedup_key == "orders/updated:e-1"


FINE = {
    "escaped backslash before u0000": b'{"a":"\\\\u0000"}',
    "duplicate keys": b'{"id":1,"id":2}',
    "a long id": b'{"id":18446744073709551615}',
    "an emoji as a pair": b'{"a":"\\ud83d\\ude00"}',
    "depth 90": b'{"a":' + b"[" * 90 + b"]" * 90 + b"}",
}


@pytest.mark.parametrize("name", FINE)
def test_unusual_but_sound_bodies_are_kept_byte_for_byte(name):
    assert event(FINE[name]).body == FINE[name]


@pytest.mark.parametrize("number", [b"1e-20000", b"0." + b"1" * 20_000])
def test_numbers_a_database_may_refuse_are_written_anew(number):
    assert len(event(b'{"a":' + number + b',"id":5}').body) < 40


def test_the_word_e_mail_beside_numbers_changes_nothing():
    body = b'{"note":"e-mail 1e-5","rate":1e-05}'
    assert event(body).body == body


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_nothing_that_may_arrive_raises_anything(body, topic, moment):
    (found,) = DOOR.cut(account(), call(body, topic=topic, triggered_at=moment, event_id=moment))
    orjson.loads(found.body)


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_kept_or_explained(value):
    body = orjson.dumps({"id": 1, "value": value}) if _dumps(value) else b"{}"
    stored = orjson.loads(event(body).body)
    assert stored.keys() in ({"id", "value"}, {"raw", "reason"}, set())


def _dumps(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize(("settings", "expected"), [({}, 300.0), ({"enrichment_seconds": 20}, 20.0), ({"enrichment_seconds": 0}, 0.0)])
def test_tags_wait_for_the_next_round_of_enrichment_and_profile_changes_do_not(settings: dict, expected: float) -> None:
    account = Account(connection_id=7, platform="shopify", external_id=SHOP, base_url="http://127.0.0.1:9", settings=settings)

    def wait(topic: str, body: bytes) -> float:
        headers = {"x-shopify-topic": topic, "x-shopify-event-id": "e-1"}
        (event,) = ShopifyWebhooks().cut(account, IncomingCall(path="/", headers=headers, body=body))
        return event.wait_seconds

    assert wait("customer.tags_added", b'{"customerId": "gid://shopify/Customer/1", "tags": ["vip"]}') == expected
    assert wait("customers/update", b'{"id": 1}') == 0.0
