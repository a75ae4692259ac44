"""Hints made whole against the stand-in: one fetch per object, gone objects explained, interrupted work not lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from integrations.platforms.base import Account, IncomingCall, IncomingEvent
from integrations.platforms.errors import SlowDown, Unparsable
from integrations.platforms.shopify.expand import expand
from integrations.platforms.shopify.parse import parse
from integrations.platforms.shopify.webhooks import ShopifyWebhooks
from mapping.records import Customer, Order, Product, Variant

ACCOUNT = Account(connection_id=7, platform="shopify", external_id="demo-shop.myshopify.com", base_url="http://127.0.0.1:9")


def hint(topic: str, body: dict[str, Any], *, at: datetime | None = None) -> IncomingEvent:
    headers = {"x-shopify-topic": topic, "x-shopify-event-id": "e", "x-shopify-triggered-at": (at or datetime.now(UTC)).isoformat()}
    (event,) = ShopifyWebhooks().cut(ACCOUNT, IncomingCall(path="/", headers=headers, body=orjson.dumps(body)))
    return event


def records(client: Any, *events: IncomingEvent) -> list[list[Any]]:
    return [[record for raw in expansion.objects for record in parse(client.account, raw)] for expansion in expand(client, events)]


def test_events_about_one_order_fetch_it_once(stand_in, client, goods, pacer):
    order = stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}])
    found = records(
        client,
        hint("fulfillments/create", {"id": 1, "order_id": order.id}),
        hint("orders/edited", {"order_edit": {"order_id": order.id}}),
        hint("refunds/create", {"id": 2, "order_id": order.id}),
    )
    assert [[(type(record), record.key) for record in group] for group in found] == [[(Order, str(order.id))]] * 3
    assert len(pacer.taken) == 1


def test_customers_and_products_are_fetched_whole(stand_in, client, goods, person):
    found = records(
        client,
        hint("customer.tags_added", {"customerId": f"gid://shopify/Customer/{person.id}"}),
        hint("products/update", {"id": goods.id}),
    )
    assert [[type(record) for record in group] for group in found] == [[Customer], [Product, Variant, Variant]]
    assert found[0][0].tags == ("vip",)


def test_the_stand_ins_own_consent_webhooks_name_their_customer(stand_in, client, person):
    for topic in (
        "customers_email_marketing_consent/update",
        "customers_marketing_consent/update",
        "customers/update",
        "customers/purchasing_summary",
    ):
        _, body = stand_in.render_webhook(topic, person.id)
        assert [record.key for record in records(client, hint(topic, orjson.loads(body)))[0]] == [str(person.id)]


def test_an_object_that_is_gone_is_explained(client, goods):
    (expansion,) = expand(client, [hint("refunds/create", {"order_id": 5})])
    assert (expansion.objects, expansion.note) == ((), "order 5 is not in Shopify any more, or out of this app's reach")


@pytest.mark.parametrize(
    ("topic", "note"),
    [
        ("orders/delete", "the order was deleted in Shopify"),
        ("app/uninstalled", "the app was uninstalled from the shop: install it again to reconnect"),
    ],
)
def test_some_topics_are_told_and_not_fetched(client, pacer, topic, note):
    (expansion,) = expand(client, [hint(topic, {"id": 5})])
    assert (expansion.objects, expansion.note, pacer.taken) == ((), note, [])


def test_a_merge_gives_the_kept_customer_and_removes_the_other(stand_in, client, person):
    other = stand_in.act("create_customer", email="zoe.biller@example.com")
    stand_in.act("merge_customers", kept_id=person.id, gone_id=other.id)
    body = {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{person.id}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{other.id}",
        "status": "completed",
    }
    kept, gone = records(client, hint("customers/merge", body))[0]
    assert (kept.key, kept.removed) == (str(person.id), False)
    assert (gone.key, gone.removed, gone.merged_into) == (str(other.id), True, str(person.id))


def test_an_unfinished_merge_removes_nobody(stand_in, client, person):
    body = {"admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{person.id}", "status": "in_progress"}
    assert [record.removed for record in records(client, hint("customers/merge", body))[0]] == [False]


def test_a_full_body_passes_through(client, pacer):
    (expansion,) = expand(client, [hint("orders/updated", {"id": 1})])
    assert (expansion.objects[0].shape, expansion.objects[0].data, pacer.taken) == ("webhook:orders/updated", {"id": 1}, [])


def test_a_hint_that_names_nothing_is_unparsable(client):
    with pytest.raises(Unparsable, match="no order_id in the body"):
        records(client, hint("refunds/create", {"id": 1}))


def test_an_unknown_topic_is_noted(client):
    assert expand(client, [hint("themes/publish", {"id": 1})])[0].note == "the topic themes/publish is not used"


class Tired:
    """A pacer that says stop after some calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def take(self, group: str, cost: float = 1) -> None:
        if not self.left:
            raise SlowDown("waiting", seconds=5, group=group)
        self.left -= 1

    def report(self, *_: object, **__: object) -> None:
        """Nothing."""

    pause = report


def test_what_was_fetched_before_a_pause_is_not_fetched_again(stand_in, client, goods):
    made = [stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}]).id for _ in range(50)]
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    events = [hint("fulfillments/create", {"order_id": order_id}, at=earlier) for order_id in made]
    client._pacer = Tired(2)
    with pytest.raises(SlowDown):
        expand(client, events)
    client._pacer = Tired(1)
    assert [expansion.objects[0].data["legacyResourceId"] for expansion in expand(client, events)] == [str(order_id) for order_id in made]
    assert client.unfinished == {}


def test_news_after_an_interrupted_try_is_fetched_again(stand_in, client, goods):
    made = [stand_in.act("create_order", lines=[{"variant_id": goods.variant_ids[0], "quantity": 1}]).id for _ in range(30)]
    events = [hint("fulfillments/create", {"order_id": order_id}, at=datetime.now(UTC) - timedelta(minutes=1)) for order_id in made]
    client._pacer = Tired(1)
    with pytest.raises(SlowDown):
        expand(client, events)
    stand_in.act("fulfil", order_id=made[0])
    client._pacer = Tired(9)
    fresh = hint("fulfillments/create", {"order_id": made[0]}, at=datetime.now(UTC))
    assert [len(expansion.objects[0].data["fulfillments"]) for expansion in expand(client, [*events, fresh])][0] == 1
