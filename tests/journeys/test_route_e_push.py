"""Subscriptions of commercetools that push to the product's own server: made on a person's word, watched, made up for when they stop."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import accounts, pull, pumps, watch
from integrations.models import Checkpoint, Connection, SyncException
from integrations.standins.commercetools.subscriptions import set_status
from integrations.standins.commercetools.wires import Wire
from tests.journeys.acme import Feed, feed, goods, route_e
from tests.platforms.commercetools.clouds import DOOR_KEY, PROJECT, PUSHER
from tests.quiet import pull_through

__all__ = ["feed", "route_e"]  # fixtures
pytestmark = [pytest.mark.journey]
PUBSUB_TOPIC, SNS_TOPIC = "projects/acme/topics/ct-events", "arn:aws:sns:eu-central-1:123456789012:ct-events"
GRID = "https://ct.example.com/api/events"


def settings_of(way: str, feed: Feed, web: str) -> dict[str, Any]:
    """What a person enters for a way."""
    base = feed.server.url("commercetools")
    return {
        "pubsub": {
            "subscription_destination": "GoogleCloudPubSub", "pubsub_topic": PUBSUB_TOPIC, "pubsub_audience": f"{web}/pubsub",
            "pubsub_email": PUSHER, "google_certs_url": f"{base}/cloud/google/v3/certs",
        },
        "sns": {
            "subscription_destination": "SNS", "sns_topic_arn": SNS_TOPIC,
            "sns_certificate_hosts": [base.removeprefix("http://").partition("/")[0]],
        },
        "eventgrid": {"subscription_destination": "EventGrid", "event_grid_uri": GRID},
        "eventbridge": {
            "subscription_destination": "EventBridge", "eventbridge_account": "123456789012", "eventbridge_region": "eu-central-1",
        },
    }[way]  # fmt: skip


def wire_of(way: str, feed: Feed, web: str) -> Wire:
    """The push subscription that a person makes in the cloud."""
    endpoint = f"{web}/hooks/commercetools/{PROJECT}/{way}/"
    return {
        "pubsub": lambda: Wire("pubsub", PUBSUB_TOPIC, endpoint, audience=f"{web}/pubsub", email=PUSHER),
        "sns": lambda: Wire("sns", SNS_TOPIC, endpoint, public_url=feed.server.url("commercetools"), signature_version="2"),
        "eventgrid": lambda: Wire("eventgrid", GRID, f"{endpoint}?key={DOOR_KEY}"),
        "eventbridge": lambda: Wire(
            "eventbridge", f"aws.partner/commercetools.com/{PROJECT}/switchyard", endpoint, header="X-Switchyard-Key", secret=DOOR_KEY
        ),
    }[way]()  # fmt: skip


def open_door(way: str, feed: Feed, web: str) -> dict[str, Any]:
    """Settings, the cloud's push subscription, and the subscription of commercetools, in the order of the manual."""
    Connection.objects.filter(pk=feed.source.pk).update(settings={**feed.source.settings, **settings_of(way, feed, web)})
    feed.source.refresh_from_db()
    accounts.set_credential(feed.source, "event_grid_access_key", "access")
    connected = feed.shop.cloud.connect(wire_of(way, feed, web))
    assert watch.check_subscriptions(feed.source, asked=True) == ["Subscribed to switchyard."]
    return connected


def pushed(feed: Feed) -> None:
    """Wait until what is on its way has arrived."""
    until = time.monotonic() + 20
    while feed.shop.cloud.postmen.waiting():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("way", ["pubsub", "sns", "eventgrid", "eventbridge"])
def test_an_order_is_pushed_over_every_way_and_arrives(feed: Feed, web: str, way: str) -> None:
    assert open_door(way, feed, web)["confirmed"] is True
    order = feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    pushed(feed)
    feed.run()

    assert len(feed.numbers()) == 1
    assert feed.events(object_key=order.id, state="done").exists()
    assert feed.events(topic="subscription/ResourceCreated", state="ignored").count() == 1
    assert not SyncException.objects.exists()


def test_twice_and_out_of_order_and_forged_between_them_leave_one_order_each(feed: Feed, web: str) -> None:
    open_door("pubsub", feed, web)
    sku = goods(feed)
    feed.shop.change_settings({"duplicate": 0.5, "reorder": 0.5, "reorder_seconds": 0.2})
    for number in range(10):
        order = feed.shop.act("guest_order", email=f"person{number}@example.com", lines=[sku])
        feed.shop.act("pay", order=order.id)
    pushed(feed)
    feed.run()
    assert len(feed.numbers()) == 10
    keys = list(feed.events().values_list("dedup_key", flat=True))
    assert len(keys) == len(set(keys))


def test_the_hourly_look_never_makes_a_subscription_and_says_that_it_is_missing(feed: Feed, web: str) -> None:
    Connection.objects.filter(pk=feed.source.pk).update(settings={**feed.source.settings, **settings_of("sns", feed, web)})
    pumps.hourly()
    asked = SyncException.objects.get(kind="missing_subscription")
    assert "switchyard: it is not there" in asked.detail
    assert len(feed.shop.project()["subscription"]) == 0


def test_a_subscription_that_stopped_is_said_made_up_for_by_polling_and_started_again_on_a_persons_word(feed: Feed, web: str) -> None:
    open_door("sns", feed, web)
    sku = goods(feed)
    pushed(feed)
    feed.run()
    pull.ensure_polls(feed.source)
    Checkpoint.objects.update(due_at=timezone.now() + timedelta(hours=1))
    project = feed.shop.project()
    subscription = next(iter(project["subscription"].rows))
    set_status(project, subscription, "ConfigurationErrorDeliveryStopped")
    feed.shop.act("guest_order", email="lost@example.com", lines=[sku])
    feed.run()
    assert feed.numbers() == set()

    pumps.hourly()
    asked = SyncException.objects.get(kind="missing_subscription")
    assert "what it would send is lost" in asked.detail
    feed.shop.advance(60)
    for checkpoint_id in pull.due_pulls():
        pull_through(checkpoint_id)
    feed.run()
    assert len(feed.numbers()) == 1
    assert any("is lost" in problem for problem in accounts.probe_connection(feed.source).problems)

    assert watch.check_subscriptions(feed.source, asked=True) == ["Subscribed to switchyard."]
    assert watch.check_subscriptions(feed.source) == []
    asked.refresh_from_db()
    assert asked.state == "resolved"
    feed.shop.act("guest_order", email="found@example.com", lines=[sku])
    pushed(feed)
    feed.run()
    assert len(feed.numbers()) == 2
