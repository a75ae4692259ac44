"""Webhooks from cut to whole objects: every message is a hint, and one order is read once however many name it."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from integrations.platforms.base import IncomingCall, IncomingEvent
from integrations.platforms.errors import SlowDown, Unparsable, Unverified
from integrations.platforms.tiktok_shop import PLATFORM
from integrations.platforms.tiktok_shop.expand import DEAUTHORISED_NOTE
from integrations.platforms.tiktok_shop.topics import SUBSCRIBED, TOPICS
from integrations.standins.tiktok_shop.failures import Failure
from tests.platforms.tiktok_shop.conftest import SHOPS

HOOKS = PLATFORM.webhooks


def event(number: int, data: dict, account=None, **fields) -> IncomingEvent:
    body = {"type": number, "tts_notification_id": "7", "shop_id": SHOPS["GB"].id, "timestamp": 1718305585, "data": data, **fields}
    return HOOKS.cut(account, IncomingCall(path="/", headers={}, body=orjson.dumps(body)))[0]


def delivery(headers: dict[str, str], body: bytes) -> IncomingCall:
    return IncomingCall(path="/hooks/tiktok_shop/", headers={name.lower(): value for name, value in headers.items()}, body=body)


def test_what_the_platform_sends_is_recognised_and_verified(stand_in, make_account, place):
    order = place()
    headers, body = stand_in.signed_webhooks([order.id])[0]
    call = delivery(headers, body)

    assert HOOKS.external_id(call) == make_account().external_id
    HOOKS.verify(make_account(), call)
    cut = HOOKS.cut(make_account(), call)[0]
    assert (cut.topic, cut.object_key, cut.hint, cut.body) == ("ORDER_STATUS_CHANGE", f"order:{order.id}", True, body)


def test_during_a_rotation_both_secrets_are_valid_and_after_it_only_the_new_one(stand_in, make_account, place):
    call = delivery(*stand_in.signed_webhooks([place().id])[0])
    rotating = make_account(secrets={"app_secret": "demo-new", "app_secret_previous": "demo-tts-app-secret"})
    HOOKS.verify(rotating, call)
    with pytest.raises(Unverified):
        HOOKS.verify(make_account(secrets={"app_secret": "demo-new"}), call)


def test_a_signature_for_another_app_is_refused(stand_in, make_account, place):
    with pytest.raises(Unverified):
        HOOKS.verify(make_account(app_key="demo-other"), delivery(*stand_in.signed_webhooks([place().id])[0]))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"shop_id":""}', b'{"shop_id":"x"}', b'{"shop_id":null}', b'{"shop_id":[1]}'])
def test_a_body_that_names_no_shop_belongs_to_nobody(body):
    with pytest.raises(Unverified):
        HOOKS.external_id(IncomingCall(path="/", headers={"authorization": "00"}, body=body))


@pytest.mark.parametrize(
    ("number", "data", "key"),
    [
        (1, {"order_id": "576653688135258178"}, "order:576653688135258178"),
        (3, {"order_id": "5"}, "order:5"),
        (4, {"package_list": [{"package_id": "1", "order_id_list": ["8", "9"]}]}, "order:8"),
        (5, {"product_id": 1729582718312380123}, "product:1729582718312380123"),
        (11, {"order_id": "5", "cancel_id": "6"}, "order:5"),
        (12, {"order_id": "5", "return_id": "6"}, "order:5"),
        (67, {"line_items": [{"main_order_id": "4"}]}, "order:4"),
        (6, {"message": "gone"}, ""),
        (14, {"message_id": "1"}, ""),
        (4711, {"order_id": "5"}, ""),
        (1, {"order_id": None}, ""),
        (1, {"order_id": True}, ""),
        (1, [], ""),
        (4, {"package_list": [7]}, ""),
    ],
)
def test_a_message_names_what_it_is_about_as_text(number, data, key):
    found = event(number, data)
    assert (found.object_key, found.hint) == (key, True)
    assert found.occurred_at == datetime(2024, 6, 13, 19, 6, 25, tzinfo=UTC)
    assert found.topic == (TOPICS[number].name if number in TOPICS else f"type {number}")


def test_a_message_without_an_id_is_known_by_its_bytes():
    given = (("1", ""), ("1", ""), ("2", None), ("3", "9" * 300))
    keys = [event(1, {"order_id": order}, tts_notification_id=key).dedup_key for order, key in given]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert all(key.startswith("body:") and len(key) < 100 for key in keys)


def test_products_wait_for_each_other_and_orders_do_not():
    assert [event(number, {}).wait_seconds for number in (1, 11, 5, 15)] == [0, 0, 300, 300]


# --- whole objects --------------------------------------------------------------------------------------------------------


def test_one_order_is_read_once_with_all_that_befell_it(stand_in, client, pacer, place):
    order = place()
    stand_in.act("request_cancellation", order_id=order.id)
    pacer.taken.clear()

    events = [event(1, {"order_id": order.id}), event(11, {"order_id": order.id}), event(3, {"order_id": order.id})]
    expansions = PLATFORM.expand(client, events)

    assert [expansion.event for expansion in expansions] == events
    assert len({id(expansion.objects[0]) for expansion in expansions}) == 1
    data = expansions[0].objects[0].data
    assert (data["order"]["id"], len(data["cancellations"]), data["returns"]) == (order.id, 1, [])
    assert pacer.taken == ["read"] * 3


def test_many_orders_come_in_batches_of_fifty(client, pacer, place):
    orders = [place(units=1) for _ in range(120)]
    pacer.taken.clear()
    expansions = PLATFORM.expand(client, [event(1, {"order_id": order.id}) for order in orders])
    assert [expansion.objects[0].data["order"]["id"] for expansion in expansions] == [order.id for order in orders]
    assert len(pacer.taken) == 9


def test_an_order_that_is_gone_is_a_note(client, place):
    place()
    expansion = PLATFORM.expand(client, [event(1, {"order_id": "576461413038799999"})])[0]
    assert expansion.objects == ()
    assert expansion.note == "Order 576461413038799999 is not in TikTok Shop any more, or not in this shop"


def test_a_product_message_brings_the_product_and_one_that_is_gone_a_note(stand_in, client, goods):
    product = next(iter(stand_in.shop().products.rows))
    found, gone = PLATFORM.expand(client, [event(5, {"product_id": int(product)}), event(16, {"product_id": 1})])
    assert (found.objects[0].shape, found.objects[0].data["id"]) == ("product", product)
    assert (gone.objects, gone.note) == ((), "Product 1 is not in TikTok Shop any more, or not in this shop")


def test_the_end_of_the_authorisation_disconnects_and_its_warning_only_tells(client):
    ended, warned, vague = PLATFORM.expand(client, [event(6, {"message": "x"}), event(7, {"expiration_time": 1800000000}), event(7, {})])
    assert (ended.disconnected, ended.note, ended.objects) == (True, DEAUTHORISED_NOTE, ())
    assert (warned.disconnected, warned.note) == (
        False, "The seller's authorisation ends on 2027-01-15: let the seller authorise the app again before.",
    )  # fmt: skip
    assert " ends soon: " in vague.note


def test_messages_of_other_kinds_are_put_aside_with_a_word_and_without_a_call(client, pacer):
    notes = [expansion.note for expansion in PLATFORM.expand(client, [event(14, {}), event(4711, {})])]
    assert notes == ["Messages of the kind NEW_MESSAGE are not used.", "Messages of the kind type 4711 are not used."]
    assert pacer.taken == []


def test_an_order_message_without_an_order_cannot_be_read(client, make_account):
    raw = PLATFORM.expand(client, [event(1, {"order": "5"})])[0].objects[0]
    with pytest.raises(Unparsable, match="no id of the order in it"):
        PLATFORM.parse(make_account(), raw)


def test_after_a_pause_in_the_middle_the_next_try_goes_on_from_there(client, pacer, place):
    orders = [place(units=1) for _ in range(60)]
    events = [event(1, {"order_id": order.id}) for order in orders]
    first = client.orders
    client.orders = lambda ids: _pause() if len(ids) == 10 else first(ids)
    with pytest.raises(SlowDown):
        PLATFORM.expand(client, events)
    client.orders = first
    pacer.taken.clear()

    expansions = PLATFORM.expand(client, events)

    assert len([expansion for expansion in expansions if expansion.objects]) == 60
    assert pacer.taken == ["read"] * 3
    assert client.unfinished == {}


def test_what_a_newer_message_names_is_read_again_after_a_pause(stand_in, client, place):
    order = place()
    now = int(datetime.now(UTC).timestamp())
    PLATFORM.expand(client, [event(1, {"order_id": order.id})])
    client.unfinished[f"order:{order.id}"] = (datetime.now(UTC), None)
    expansion = PLATFORM.expand(client, [event(1, {"order_id": order.id}, timestamp=now + 5)])[0]
    assert expansion.objects


def _pause():
    raise SlowDown("wait", seconds=1.0, group="read")


# --- subscriptions --------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_subscribed_once_and_then_nothing_is(client):
    address = "http://127.0.0.1:9/hooks/tiktok_shop/"
    assert HOOKS.missing(client, address) == SUBSCRIBED
    assert HOOKS.subscribe(client, address, SUBSCRIBED) == ()
    assert HOOKS.missing(client, address) == ()
    assert HOOKS.missing(client, "http://127.0.0.1:9/elsewhere/") == SUBSCRIBED


def test_a_refused_subscription_is_told_and_the_others_are_made(stand_in, client):
    stand_in.failures.add(Failure(98001004, "Invalid parameter", path="/event/"))
    refused = HOOKS.subscribe(client, "http://127.0.0.1:9/hooks/", ["ORDER_STATUS_CHANGE", "RETURN_STATUS_CHANGE", "NO_SUCH_TYPE"])
    assert refused == ("ORDER_STATUS_CHANGE: 98001004: Invalid parameter", "NO_SUCH_TYPE: TikTok Shop has no such event type")
    assert [hook["event_type"] for hook in client.webhooks()] == ["RETURN_STATUS_CHANGE"]
