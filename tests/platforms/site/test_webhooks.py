"""The collector: who may send, how much, and what becomes of each event of a call."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import time_machine

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.errors import TooMany, Unverified
from integrations.platforms.site import PLATFORM
from integrations.platforms.site.webhooks import SiteWebhooks

KEY, SECRET, PAGE = "site_demo_0123456789abcdef", "demo-signing-secret", "https://www.example.com"
NOW = datetime(2026, 1, 9, 12, 0, tzinfo=UTC)
VISITOR = "5f0c2f8e-3d41-4a55-9b7e-8f1d6f0f7a21"
PRODUCT = {"sku": "SHIRT-M", "name": "Linen shirt", "price": 25, "currency": "GBP"}
GOOD: dict[str, dict[str, Any]] = {
    "product_viewed": PRODUCT,
    "added_to_cart": {**PRODUCT, "quantity": 2},
    "checkout_started": {"checkout_id": "c-889", "total": "54.00", "currency": "GBP", "lines": [{"sku": "SHIRT-M", "quantity": 2}]},
    "checkout_completed": {"checkout_id": "c-889"},
    "purchased": {"order_id": 5001, "checkout_id": "c-889"},
    "identified": {},
}


def account(connection_id: int = 1, **settings: Any) -> Account:
    secrets = {"signing_secret": SECRET, "signing_secret_previous": "demo-older-secret"}
    return Account(connection_id=connection_id, platform="site", external_id=KEY, base_url=PAGE, secrets=secrets, settings=settings)


def event(kind: str = "product_viewed", **changes: Any) -> dict[str, Any]:
    made = {"event_id": str(uuid.uuid4()), "type": kind, "at": "2026-01-09T11:59:00Z", "consent": True, "anonymous_id": VISITOR}
    if kind == "identified":
        made["email"] = "ada@example.com"
    return {**made, "data": GOOD.get(kind, {}), **changes}


def call(*events: Any, origin: str = PAGE, headers: dict[str, str] | None = None, **values: Any) -> IncomingCall:
    body = orjson.dumps({"key": KEY, "sent_at": "2026-01-09T12:00:00Z", "events": list(events), **values})
    return IncomingCall(path="/hooks/site/", headers={"origin": origin} if headers is None else headers, body=body, address="192.0.2.7")


def signed(body: bytes, *, secret: str = SECRET, age: float = 0.0, also: str = "") -> IncomingCall:
    stamp = str(int(time.time() - age))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return IncomingCall(path="/hooks/site/", headers={"x-site-key": KEY, "x-site-signature": f"t={stamp},{also}v1={digest}"}, body=body)


@pytest.fixture
def hooks() -> SiteWebhooks:
    return SiteWebhooks()


@pytest.fixture
def cut(hooks: SiteWebhooks) -> Callable[..., list[IncomingEvent]]:
    """What a call holds, at noon."""

    def go(*events: Any, **values: Any) -> list[IncomingEvent]:
        with time_machine.travel(NOW, tick=False):
            return list(hooks.cut(account(), call(*events, **values)))

    return go


def reasons(events: list[IncomingEvent]) -> list[str]:
    return [orjson.loads(found.body).get("reason", "") for found in events]


# --- who may send ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"x-site-key": KEY}, {}], ids=["in the header", "in the body"])
def test_the_site_key_is_read_from_header_or_body(hooks, headers):
    assert hooks.external_id(call(headers=headers)) == KEY


@pytest.mark.parametrize("key", ["", 7, None, ["a"], "a b", "k" * 201, "é"])
def test_a_call_without_a_plausible_site_key_is_refused(hooks, key):
    with pytest.raises(Unverified):
        hooks.external_id(call(headers={}, key=key))


@pytest.mark.parametrize(
    ("origin", "settings", "allowed"),
    [
        (PAGE, {}, True),
        ("https://WWW.example.com", {}, True),
        ("https://shop.example.com", {"allowed_origins": ["https://Shop.example.com/en", PAGE]}, True),
        (PAGE, {"allowed_origins": ["https://shop.example.com"]}, False),
        ("http://www.example.com", {}, False),
        ("https://www.example.com.example.net", {}, False),
        ("https://www.example.com:8443", {}, False),
        ("null", {}, False),
        ("", {}, False),
    ],
)
def test_a_page_may_send_only_from_an_allowed_origin_and_only_it_may_read_the_answer(hooks, origin, settings, allowed):
    seen = call(event(), origin=origin)
    if not allowed:
        with pytest.raises(Unverified):
            hooks.verify(account(**settings), seen)
        assert hooks.answer_headers(account(**settings), seen) == {}
        return
    hooks.verify(account(**settings), seen)
    assert hooks.answer_headers(account(**settings), seen) == {"access-control-allow-origin": origin, "vary": "origin"}


@pytest.mark.parametrize("secret", [SECRET, "demo-older-secret"])
def test_a_server_signs_with_the_new_or_the_previous_secret(hooks, secret):
    hooks.verify(account(), signed(b"{}", secret=secret))


def test_a_server_in_rotation_may_sign_twice(hooks):
    hooks.verify(account(), signed(b"{}", also=f"v1={'0' * 64},"))


@pytest.mark.parametrize("changes", [{"secret": "another"}, {"age": 301}, {"age": -302}], ids=["wrong secret", "too old", "of the future"])
def test_a_wrong_or_stale_signature_is_refused_even_from_an_allowed_page(hooks, changes):
    found = signed(b"{}", **changes)
    with pytest.raises(Unverified):
        hooks.verify(account(), IncomingCall(path=found.path, headers={**found.headers, "origin": PAGE}, body=found.body))


def test_a_setting_that_cannot_work_lets_nobody_in(hooks):
    with pytest.raises(Unverified):
        hooks.verify(account(calls_per_second="many"), call(event()))


# --- shares ------------------------------------------------------------------------------------------------------------


def test_one_address_gets_its_share_and_others_still_theirs(hooks):
    limited = account(calls_per_visitor=2)
    granted = [hooks.allow(limited, call(), 100.0) for _ in range(25)]
    elsewhere = IncomingCall(path="/", headers={"origin": PAGE}, body=b"", address="192.0.2.8")

    assert granted.count(True) == 20
    assert hooks.allow(limited, elsewhere, 100.0)
    assert [hooks.allow(limited, call(), 101.0) for _ in range(3)] == [True, True, False]


def test_a_site_gets_its_share_whoever_calls_and_another_site_its_own(hooks):
    limited = account(calls_per_visitor=0, calls_per_second=5)
    calls = [IncomingCall(path="/", headers={"x-site-signature": "t=1"}, body=b"", address=f"192.0.2.{n}") for n in range(12)]

    assert [hooks.allow(limited, made, 100.0) for made in calls].count(True) == 10
    assert hooks.allow(account(2, calls_per_second=5), calls[0], 100.0)


def test_a_caller_above_its_share_hears_that_it_is_too_much(hooks):
    for _ in range(10):
        hooks.verify(account(calls_per_visitor=1), call(event()))
    with pytest.raises(TooMany):
        hooks.verify(account(calls_per_visitor=1), call(event()))


# --- what a call holds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(GOOD))
def test_a_good_event_of_every_type_is_kept_without_what_was_only_for_the_door(cut, kind):
    given = event(kind)
    (found,) = cut(given)
    stored = orjson.loads(found.body)

    assert (found.topic, found.dedup_key, found.occurred_at) == (kind, f"event:{given['event_id']}", NOW - timedelta(minutes=1))
    assert set(stored) == {"event_id", "type", "at", "anonymous_id", "data"} | ({"email"} if kind == "identified" else set())
    assert stored["data"].keys() == GOOD[kind].keys()


BAD = {
    "no id": ({"event_id": None}, "the event.event_id is missing"),
    "odd id": ({"event_id": "a b"}, "the event.event_id is not 8 to 100 letters, digits, dots, dashes or colons"),
    "no type": ({"type": ""}, "the event.type is missing"),
    "unknown type": ({"type": "wish"}, "the event has a type that is not known here"),
    "no time": ({"at": None}, "the event.at is missing"),
    "a time without offset": ({"at": "2026-01-09T10:00:00"}, "the event.at is not a time like 2026-01-09T10:00:00Z"),
    "a time before time": ({"at": "0001-01-01T00:00:00+05:00"}, "the event.at is not a time like 2026-01-09T10:00:00Z"),
    "the future": ({"at": "2026-01-09T12:06:00Z"}, "product_viewed: at lies in the future"),
    "nobody": ({"anonymous_id": ""}, "the event needs anonymous_id or email or phone or customer_id"),
    "odd e-mail": ({"email": "ada@"}, "the event.email is not an e-mail address"),
    "odd phone": ({"phone": "call me"}, "the event.phone is not a phone number"),
    "unknown field": ({"mail": "ada@example.com"}, "the event has a field that is not known here"),
    "odd data": ({"data": [1]}, "product_viewed: data is not an object"),
    "no product": ({"data": {"name": "Linen shirt"}}, "product_viewed: data needs sku or product_id"),
    "no name": ({"data": {"sku": "SHIRT-M"}}, "product_viewed: data.name is missing"),
    "odd price": ({"data": {**PRODUCT, "price": "12,50"}}, "product_viewed: data.price is not a number"),
    "true price": ({"data": {**PRODUCT, "price": True}}, "product_viewed: data.price is not a number"),
    "price below zero": ({"data": {**PRODUCT, "price": -1}}, "product_viewed: data.price is not an amount between 0 and 1,000,000,000"),
    "odd currency": ({"data": {**PRODUCT, "currency": "gbp"}}, "product_viewed: data.currency is not a currency code like GBP"),
    "unknown data": ({"data": {**PRODUCT, "colour": "red"}}, "product_viewed: data has a field that is not known here"),
    "NUL": ({"data": {**PRODUCT, "name": "a\x00b"}}, "product_viewed: data.name holds a control character"),
    "half a unit": ({"data": {**PRODUCT, "quantity": 0.5}}, "product_viewed: data.quantity is not a whole number from 1 to 100,000"),
    "script address": ({"page": "javascript:alert(1)"}, "the event.page is not a web address"),
    "nested extras": ({"data": {**PRODUCT, "properties": {"a": {"b": 1}}}}, "product_viewed: data.properties is not a text"),
    "odd campaign": ({"campaign": {"gclid": "1"}}, "the event.campaign entry has a field that is not known here"),
    "no checkout": ({"type": "checkout_started", "data": {"total": 1, "currency": "GBP"}}, "checkout_started: data.checkout_id is missing"),
    "empty line": (
        {"type": "purchased", "data": {"order_id": "1", "lines": [{"name": "x"}]}},
        "purchased: data.lines holds an entry that cannot be used: line needs sku or product_id or variant_id",
    ),
    "no order": ({"type": "purchased", "data": {}}, "purchased: data.order_id is missing"),
    "nobody identified": ({"type": "identified", "data": {}}, "identified needs email or phone or customer_id"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_a_bad_event_is_kept_with_its_reason_and_the_good_ones_beside_it_go_on(cut, case):
    changes, reason = BAD[case]
    found = cut(event(), event(**changes), event("added_to_cart"))

    assert reasons(found) == ["", reason, ""]
    assert len({one.dedup_key for one in found}) == 3
    assert "\x00" not in orjson.loads(found[1].body)["raw"]


@pytest.mark.parametrize("entry", [None, 7, "view", [], [[]]], ids=repr)
def test_what_is_no_event_at_all_is_kept_with_its_reason(cut, entry):
    assert reasons(cut(entry, event())) == ["the event is not an object", ""]


def test_no_reason_repeats_what_somebody_sent(cut):
    secret = "s3cr3t-words"
    tries = [{name: secret} for name in ("at", "email", "phone", "page", "type", secret)]
    tries += [{"data": {**PRODUCT, name: value}} for name, value in (("price", secret), (secret, 1), ("properties", {f"{secret} x": 1}))]
    assert [reason for reason in reasons(cut(*(event(**changes) for changes in tries))) if secret in reason or not reason] == []


@pytest.mark.parametrize("consent", [False, None, "true", 1, ...], ids=repr)
def test_an_event_without_consent_leaves_only_a_count(cut, consent):
    given = event("identified", consent=consent)
    if consent is ...:
        del given["consent"]
    kept, count = cut(event(), given, {"type": "ada@example.com", "email": "ada@example.com"})

    assert kept.topic == "product_viewed"
    assert (count.topic, orjson.loads(count.body)) == ("no_consent", {"dropped": 2, "types": {"identified": 1, "unknown": 1}})
    assert PLATFORM.parse(account(), _raw(count)) == ()


def _raw(found: IncomingEvent) -> Any:
    from integrations.platforms.base import RawObject

    return RawObject(f"webhook:{found.topic}", orjson.loads(found.body))


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=3), -timedelta(days=400)], ids=["right", "ahead", "a year behind"])
def test_the_time_of_an_event_is_told_by_our_clock_whatever_theirs_says(cut, ahead):
    theirs = NOW + ahead
    (found,) = cut(event(at=(theirs - timedelta(minutes=1)).isoformat()), sent_at=theirs.isoformat())
    assert found.occurred_at == NOW - timedelta(minutes=1)


def test_a_call_that_was_long_on_its_way_does_not_move_its_events(cut):
    (found,) = cut(event(), sent_at=(NOW - timedelta(seconds=20)).isoformat())
    assert found.occurred_at == NOW - timedelta(minutes=1)


@pytest.mark.parametrize("sent_at", [None, "", "yesterday", 7], ids=repr)
def test_a_call_that_does_not_say_when_it_was_sent_is_taken_at_its_word(cut, sent_at):
    (found,) = cut(event(), sent_at=sent_at)
    assert found.occurred_at == NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"events": None}, "the call has no list of events"),
        ({"events": {"a": 1}}, "the call has no list of events"),
        ({"events": [1] * 51}, "the call has more than 50 events"),
    ],
)
def test_a_call_that_holds_no_list_is_kept_whole_with_its_reason(cut, values, reason):
    assert reasons(cut(**values)) == [reason]


def test_fifty_events_are_taken(cut):
    assert reasons(cut(*(event() for _ in range(50)))) == [""] * 50


def test_an_event_nested_without_end_does_no_harm():
    body = b'{"events": [{"consent": true, "data": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}]}"
    (found,) = SiteWebhooks().cut(account(), IncomingCall(path="/", headers={}, body=body))
    assert reasons([found]) == ["the event.event_id is missing"]
