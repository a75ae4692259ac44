"""Which orders of TikTok Shop go out, when, and which never: buyers first, nothing unpaid or on hold, a cancellation for good."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrations.engine.deliver import deliver_flow
from integrations.models import Delivery, Flow, SyncException
from mapping.records import CustomerRef, OrderStatus
from tests.journeys.hand_fed import MASKED, HandFed, buyer, order

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_an_order_waits_for_its_buyer_and_goes_right_after(fed: HandFed) -> None:
    fed.put(order())
    flow = Flow.objects.select_related("source", "destination").get(record_type="order")
    deliver_flow(flow, time.monotonic() + 1)
    waiting = Delivery.objects.get()
    assert (waiting.state, waiting.last_code, waiting.attempts) == ("ready", "waits_for_parent", 0)
    assert waiting.due_at - waiting.updated_at < timedelta(seconds=1)
    Delivery.objects.update(due_at=waiting.due_at + timedelta(hours=1))
    fed.put(buyer(**MASKED))
    fed.run()
    assert list(fed.look("orders")) == ["tts-576461"]


def test_an_order_of_a_guest_waits_for_nobody(fed: HandFed) -> None:
    fed.put(replace(order(), customer=CustomerRef()))
    fed.run()
    assert "customer" not in fed.look("orders")["tts-576461"]


ON_HOLD = "On hold: the buyer may still cancel. It goes out when the hold ends."


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": OrderStatus.PENDING, "attributes": {"tiktok_status": "UNPAID"}}, "Not paid yet. It goes out when it is."),
        ({"status": OrderStatus.PENDING, "attributes": {"on_hold": True}}, ON_HOLD),
        ({"attributes": {"order_kind": "sample", "excluded": "a sample for a creator"}}, "Not a sale: a sample for a creator."),
        ({"attributes": {"order_kind": "replacement"}}, "Not a sale: replacement."),
    ],
)  # fmt: skip
def test_what_is_no_sale_yet_is_shown_with_its_reason_and_asks_nobody(fed: HandFed, values: dict[str, Any], reason: str) -> None:
    fed.put(buyer(**MASKED), order(**values))
    fed.run()
    row = Delivery.objects.get(flow__record_type="order")
    assert (row.state, row.last_message, fed.look("orders"), SyncException.objects.count()) == ("skipped", reason, {}, 0)


def test_an_order_goes_out_when_its_hold_ends_and_at_once_where_it_is_not_to_wait(fed: HandFed) -> None:
    held = order(status=OrderStatus.PENDING, attributes={"on_hold": True})
    fed.put(buyer(**MASKED), held)
    fed.run()
    fed.put(order(second=3600))
    fed.run()
    assert fed.look("orders")["tts-576461"]["status"] == "paid"
    fed.shop.settings["hold_until_released"] = False
    fed.shop.save()
    fed.put(replace(held, key="576462"))
    fed.run()
    stored = fed.look("orders")["tts-576462"]
    assert (stored["status"], stored["is_valid"]) == ("pending", False)


def test_a_cancelled_order_is_never_valid_again_by_an_older_message(fed: HandFed) -> None:
    states = [order(second=5.1), order(second=5.9, tags=("late",)), order(second=5.4, status=OrderStatus.CANCELLED), order(second=2)]
    for seed in range(4):
        arrival = random.Random(seed).sample(states, len(states))
        key = f"57646{seed + 1}"
        fed.put(buyer(**MASKED))
        for state in arrival:
            fed.put(replace(state, key=key, number=key))
            fed.run()
        stored = fed.look("orders")[f"tts-{key}"]
        assert (stored["status"], stored["is_valid"]) == ("cancelled", False), arrival
    validity: dict[str, list[bool]] = {}
    for pushed in fed.pushed("order"):
        validity.setdefault(pushed["id"], []).append(pushed["is_valid"])
    assert all(history == sorted(history, reverse=True) for history in validity.values())
