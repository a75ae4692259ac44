"""commercetools without any cloud: messages that are read every minute bring each change once, whatever goes wrong between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Checkpoint, Delivery, SyncException
from tests.journeys.acme import Feed, feed, goods, route_e

__all__ = ["feed", "route_e"]  # fixtures
pytestmark = [pytest.mark.journey]


def test_an_order_is_at_its_destination_after_the_next_reading_and_once(feed: Feed) -> None:
    order = feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    feed.poll()
    feed.run()
    assert len(feed.numbers()) == 1
    rows, sent = feed.events().count(), len(feed.ometria.ledger.effects("order"))

    for _ in range(3):
        feed.poll(0.5)
        feed.run()
    assert (feed.events().count(), len(feed.ometria.ledger.effects("order"))) == (rows, sent)
    assert feed.events(object_key=order.id).exclude(state="done").count() == 0


def test_messages_that_become_visible_late_and_out_of_order_are_all_taken(feed: Feed) -> None:
    sku = goods(feed)
    feed.shop.change_settings({"message_lag": 100.0})
    orders = []
    for number in range(30):
        orders.append(feed.shop.act("guest_order", email=f"person{number}@example.com", lines=[sku]).id)
        if number % 5 == 4:
            feed.poll(0.5)
    for _ in range(4):
        feed.poll()
    feed.run()

    assert set(feed.events(topic="order/OrderCreated").values_list("object_key", flat=True)) == set(orders)
    assert len(feed.numbers()) == 30
    assert len(feed.ometria.ledger.effects("order")) == 30


def test_many_messages_about_one_order_make_one_delivery_of_its_last_state(feed: Feed) -> None:
    order = feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    for number in range(40):
        feed.shop.act("change_order", order=order.id, actions=[{"action": "setCustomerEmail", "email": f"ada{number}@example.com"}])
    feed.poll()
    feed.run()

    assert feed.events(object_key=order.id).count() > 40
    assert Delivery.objects.filter(flow__record_type="order").count() == 1
    assert len(feed.ometria.ledger.effects("order")) == 1


def test_a_message_that_never_comes_leads_to_reading_the_order_again_and_asks_nobody(feed: Feed) -> None:
    order = feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])
    feed.poll()
    messages = feed.shop.project()["message"]
    feed.shop.act("change_order", order=order.id, actions=[{"action": "setCustomerEmail", "email": "lost@example.com"}])
    lost = next(key for key in list(messages.rows) if messages.rows[key].doc()["type"] == "OrderCustomerEmailSet")
    messages.remove(lost)
    feed.shop.act("change_order", order=order.id, actions=[{"action": "changeOrderState", "orderState": "Confirmed"}])
    for _ in range(9):
        feed.poll()
    feed.run()

    row = feed.events(topic="order/MessagesMissing").get()
    assert (row.object_key, row.state, row.hint) == (order.id, "done", True)
    assert not SyncException.objects.filter(kind="message_gap").exists()


def test_after_a_longer_pause_than_messages_are_kept_changes_are_read_by_their_time_and_that_is_said(feed: Feed) -> None:
    from integrations.engine import pull

    sku = goods(feed)
    feed.poll()
    feed.shop.change_settings({"message_days": 1})
    feed.shop.act("guest_order", email="early@example.com", lines=[sku], in_past_at=feed.shop.clock.now() - 2 * 86_400)  # told to nobody
    feed.shop.act("guest_order", email="late@example.com", lines=[sku])
    feed.shop.advance(60)
    polls = Checkpoint.objects.select_related("connection").filter(reader="messages")
    polls.update(window_from=timezone.now() - timedelta(days=3), state="running", due_at=timezone.now())
    notes = []
    while not pull.pull_page(polls.get()).finished:
        notes.append(polls.get().note)
        assert len(notes) < 20
    feed.run()

    assert len(feed.numbers()) == 2
    assert any(note.startswith("Messages are kept 1 day") for note in notes)


def test_a_project_that_keeps_no_messages_says_so_on_the_pull(feed: Feed) -> None:
    feed.shop.change_settings({"messages_enabled": False})
    assert "keeps no messages" in feed.poll().note


def test_a_pull_that_dies_between_reading_and_storing_reads_the_same_messages_again(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.engine import pull

    feed.shop.act("guest_order", email="ada@example.com", lines=[goods(feed)])

    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pull, "_advance", die)
        with pytest.raises(KeyboardInterrupt):
            feed.poll()
    assert not feed.events().exists()
    Checkpoint.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    feed.poll()
    feed.run()
    assert len(feed.numbers()) == 1


def test_a_gap_whose_resource_cannot_be_read_again_is_asked_about_as_missing_messages(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.engine import accounts, process, pumps
    from integrations.engine.ingest import ingest
    from integrations.platforms.base import IncomingEvent
    from integrations.platforms.errors import Refused

    def refuse(client: Any, events: Any) -> Any:
        raise Refused("InvalidInput: no such view")

    room = replace(accounts.platform_of(feed.source), expand=refuse)
    monkeypatch.setattr(process.accounts, "platform_of", lambda connection: room)
    gap = IncomingEvent(topic="order/MessagesMissing", dedup_key="gap:order:o-1:5-5", body=b"{}", hint=True, object_key="o-1")
    plain = IncomingEvent(topic="order/OrderCreated", dedup_key="message:1", body=b"{}", hint=True, object_key="o-1")
    ingest(feed.source.pk, [gap, plain])
    feed.events().update(attempts=process.MAX_ATTEMPTS)
    pumps.pump_connection(feed.source.pk, 5)

    asked = dict(SyncException.objects.values_list("kind", "title"))
    assert set(asked) == {"message_gap", "unparsable"}
    assert "messages are missing" in asked["message_gap"]
