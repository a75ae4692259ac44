"""The rate budget: all workers together never spend more than the platform allows, and all of them heed a pause."""

from __future__ import annotations

import time

import pytest
from django.db import connection as database
from django.db import transaction

from integrations.engine.pacing import PATIENCE, DatabasePacer
from integrations.models import Connection, RateBudget
from integrations.platforms.base import Lane
from integrations.platforms.errors import SlowDown
from tests.engine.test_outbox import in_threads
from tests.rows import make_connections

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def connection() -> Connection:
    """Any account."""
    return make_connections()[1]


def pacer(connection: Connection, rate: float = 20.0, burst: float = 10.0, lane: Lane = Lane.REALTIME) -> DatabasePacer:
    return DatabasePacer(connection.pk, {"push": (rate, burst)}, lane=lane)


def spend(paced: DatabasePacer, seconds: float) -> int:
    taken, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            paced.take("push")
            taken += 1
        except SlowDown as fault:
            time.sleep(min(fault.seconds, max(until - time.monotonic(), 0)))
    return taken


def test_eight_threads_together_stay_within_rate_and_burst(connection: Connection) -> None:
    seconds, began = 2.0, time.monotonic()
    taken = sum(in_threads(8, lambda _: spend(pacer(connection), seconds)))
    lasted = time.monotonic() - began
    assert taken <= 10 + 20 * lasted + 1
    assert taken >= 10 + 20 * seconds * 0.7


def test_the_burst_is_there_at_once_and_then_the_wait_is_told(connection: Connection) -> None:
    paced = pacer(connection, rate=0.1, burst=3)
    for _ in range(3):
        paced.take("push")
    with pytest.raises(SlowDown) as told:
        paced.take("push")
    assert 9 < told.value.seconds <= 10
    assert (told.value.group, told.value.code) == ("push", "paced")


def test_a_short_wait_is_waited(connection: Connection) -> None:
    paced = pacer(connection, rate=5, burst=1)
    paced.take("push")
    began = time.monotonic()
    paced.take("push")
    assert 0.15 < time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(("lane", "left"), [(Lane.REALTIME, 10), (Lane.STANDARD, 8), (Lane.BULK, 7)])
def test_each_lane_leaves_a_share_to_those_above_it(connection: Connection, lane: Lane, left: int) -> None:
    paced = pacer(connection, rate=0.001, burst=10, lane=lane)
    for _ in range(left):
        paced.take("push")
    with pytest.raises(SlowDown):
        paced.take("push")


def test_a_cost_beyond_the_burst_is_paid_by_what_follows(connection: Connection) -> None:
    paced = pacer(connection, rate=1, burst=10)
    paced.take("push", 15)
    with pytest.raises(SlowDown) as told:
        paced.take("push", 5)
    assert 9 < told.value.seconds <= 10


def test_a_pause_holds_every_worker_and_ends_to_the_second(connection: Connection) -> None:
    pacer(connection).pause("push", 1.0)
    began = time.monotonic()

    def first(_: int) -> float:
        pacer(connection).take("push")
        return time.monotonic() - began

    moments = in_threads(4, first)
    assert 0.95 <= min(moments) <= max(moments) < 1.8


def test_a_pause_is_never_cut_short_by_a_shorter_one(connection: Connection) -> None:
    pacer(connection).pause("push", 60)
    pacer(connection).pause("push", 1)
    with pytest.raises(SlowDown) as told:
        pacer(connection).take("push")
    assert 58 < told.value.seconds <= 60


def test_a_pause_holds_a_group_without_a_quota_too(connection: Connection) -> None:
    unlimited = DatabasePacer(connection.pk, {"push": (0.0, 0.0)})
    unlimited.take("push", 1000)
    unlimited.pause("push", 30)
    with pytest.raises(SlowDown):
        unlimited.take("push")


def test_what_the_platform_says_is_left_lowers_the_budget_of_all(connection: Connection) -> None:
    paced = pacer(connection, rate=0.1, burst=10)
    paced.take("push")
    paced.report("push", rate=0.1, burst=10, available=1)
    other = pacer(connection, rate=0.1, burst=10)
    other.take("push")
    with pytest.raises(SlowDown):
        other.take("push")


def test_groups_and_connections_do_not_share(connection: Connection) -> None:
    another = Connection.objects.create(platform="ometria", name="Second", external_id="second", base_url="http://127.0.0.1:9")
    rates = {"push": (0.001, 1.0), "read": (0.001, 1.0)}
    for paced, group in ((DatabasePacer(connection.pk, rates), "push"), (DatabasePacer(connection.pk, rates), "read"),
                         (DatabasePacer(another.pk, rates), "push")):  # fmt: skip
        paced.take(group)
    assert RateBudget.objects.count() == 3


def test_a_connection_may_choose_its_own_rate(connection: Connection) -> None:
    chosen = DatabasePacer(connection.pk, {"push": (100.0, 100.0)}, settings={"push_rate": 2})
    for _ in range(2):
        chosen.take("push")
    began = time.monotonic()
    chosen.take("push")
    assert time.monotonic() - began > 0.3


def test_spending_inside_a_transaction_leaves_what_it_writes_durable(connection: Connection) -> None:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = 'on'")
        pacer(connection).take("push")
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
