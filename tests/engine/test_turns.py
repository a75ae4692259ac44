"""Work that may wait gives its worker back when a pump was asked for and has none."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine import deliver, turns
from integrations.engine.deliver import PumpResult, deliver_flow
from integrations.models import Flow
from integrations.platforms.base import Lane
from tests.rows import make_flow

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def flow() -> Flow:
    """A flow that a pump was asked for a second ago."""
    made = make_flow("order")
    ask(made, seconds_ago=1)
    return made


def ask(flow: Flow, *, seconds_ago: float) -> None:
    Flow.objects.filter(pk=flow.pk).update(woken_at=timezone.now() - timedelta(seconds=seconds_ago), pump_until=None)


def long_ago() -> float:
    return time.monotonic() - 60


def test_a_pump_that_was_asked_for_and_is_not_at_work_waits(flow: Flow) -> None:
    assert turns.others_wait(long_ago())


def test_nobody_gives_way_before_a_slice_of_time_is_over(flow: Flow) -> None:
    assert not turns.others_wait(time.monotonic())


def test_a_pump_at_work_does_not_wait(flow: Flow) -> None:
    Flow.objects.update(pump_until=timezone.now() + timedelta(seconds=30))
    assert not turns.others_wait(long_ago())


@pytest.mark.parametrize("seconds_ago", [0.0, 25.0], ids=["just asked for", "lost"])
def test_a_pump_is_not_waited_for_at_once_nor_for_ever(flow: Flow, seconds_ago: float) -> None:
    ask(flow, seconds_ago=seconds_ago)
    assert not turns.others_wait(long_ago())


def test_a_nap_ends_early_when_a_pump_waits_and_lasts_when_none_does(flow: Flow) -> None:
    began = time.monotonic()
    assert not turns.nap(5.0, long_ago())
    assert time.monotonic() - began < 1
    Flow.objects.update(woken_at=None)
    assert turns.nap(0.05, long_ago())


@pytest.mark.parametrize(("lane", "batches"), [(Lane.BULK, 1), (Lane.REALTIME, 3)], ids=["history", "live work"])
def test_only_history_gives_way(flow: Flow, monkeypatch: pytest.MonkeyPatch, lane: Lane, batches: int) -> None:
    left = [PumpResult(claimed=100, batches=1, lane=lane) for _ in range(3)]
    monkeypatch.setattr(deliver, "deliver_batch", lambda flow, suspects=False: left.pop() if left and not suspects else PumpResult())
    monkeypatch.setattr(turns, "SLICE", 0.0)
    done = deliver_flow(make_flow("customer"), time.monotonic() + 10)
    assert (done.batches, done.gives_way) == (batches, lane is Lane.BULK)
