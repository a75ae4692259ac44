"""The outbox: one row per flow and record, the newest version wins, no record in two hands, nothing sent backwards."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.engine import deliver, outbox
from integrations.engine.outbox import Cause, Result, claim_deliveries, enqueue, store_results, sweep_leases, upsert
from integrations.flows import spec_for
from integrations.models import Connection, Delivery, Flow, Receipt
from integrations.platforms.base import Lane
from mapping.records import Event, Record
from tests.factories import CustomerFactory, OrderFactory, at
from tests.rows import make_flow

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def flow() -> Flow:
    """Orders of a shop to Ometria, without a time to settle."""
    made = make_flow("order")
    made.settings = {"settle_seconds": 0}
    made.save()
    return made


def put(flow: Flow, *records: Record, cause: Cause = Cause.WEBHOOK) -> int:
    return upsert(flow, spec_for("shopify", "ometria", flow.record_type), records, cause=cause)


def order(key: str = "1", second: float = 0, *, tags: tuple[str, ...] = ()) -> Record:
    return OrderFactory(key=key, second=second, tags=tags)


def delivered(claim: outbox.Claim, **values: Any) -> dict[int, str]:
    results = [Result(delivery_id=row.id, state="delivered", outcome="delivered", sent_hash="h", **values) for row in claim.rows]
    return store_results(claim, results)


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The answers of `work(number)` run at the same moment, each thread with a database connection of its own."""
    start = Barrier(count)

    def run(number: int) -> Any:
        try:
            start.wait(10)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_versions_in_any_order_leave_the_newest(flow: Flow) -> None:
    versions = [order(second=second, tags=(f"v{second}",)) for second in range(8)]
    random.Random(3).shuffle(versions)
    for record in [*versions, *versions]:
        put(flow, record)
    row = Delivery.objects.get()
    assert (row.occurred_at, row.record["tags"], row.state) == (at(7), ["v7"], "ready")


def test_an_older_version_changes_nothing(flow: Flow) -> None:
    put(flow, order(second=5))
    before = Delivery.objects.values().get()
    assert put(flow, order(second=4, tags=("older",))) == 0
    assert Delivery.objects.values().get() == before


def test_the_same_version_with_the_same_content_changes_nothing(flow: Flow) -> None:
    put(flow, order(second=5))
    delivered(claim_deliveries(flow, 10))
    assert put(flow, order(second=5)) == 0
    assert Delivery.objects.get().state == "delivered"


def test_the_same_content_seen_again_later_is_noted_and_not_sent(flow: Flow) -> None:
    put(flow, order(second=5))
    delivered(claim_deliveries(flow, 10))
    put(flow, order(second=9))
    row = Delivery.objects.get()
    assert (row.state, row.occurred_at) == ("delivered", at(9))
    assert put(flow, order(second=7, tags=("in between",))) == 0


def test_the_newest_of_several_versions_in_one_call_wins(flow: Flow) -> None:
    put(flow, order(second=1), order(second=3, tags=("newest",)), order(second=2))
    assert Delivery.objects.get().record["tags"] == ["newest"]


def test_a_row_is_claimed_once(flow: Flow) -> None:
    put(flow, order("1"), order("2"))
    assert len(claim_deliveries(flow, 10).rows) == 2
    assert claim_deliveries(flow, 10).rows == ()


def test_a_version_that_arrives_while_sending_goes_out_after_it(flow: Flow) -> None:
    put(flow, order(second=1))
    claim = claim_deliveries(flow, 10)
    put(flow, order(second=2, tags=("newer",)))
    assert Delivery.objects.get().state == "sending"
    assert list(delivered(claim).values()) == ["ready"]
    (again,) = claim_deliveries(flow, 10).rows
    assert (again.occurred_at, again.sent_hash) == (at(2), "h")


def test_only_the_claimant_writes_the_outcome(flow: Flow) -> None:
    put(flow, order())
    claim = claim_deliveries(flow, 10, lease=timedelta(seconds=-1))
    assert sweep_leases() == 1
    second = claim_deliveries(flow, 10)
    assert delivered(claim) == {}
    assert Delivery.objects.get().state == "sending"
    assert list(delivered(second).values()) == ["delivered"]


def test_a_lost_lease_makes_the_row_ready_and_keeps_its_attempt(flow: Flow) -> None:
    put(flow, order())
    claim_deliveries(flow, 10, lease=timedelta(seconds=-1))
    assert sweep_leases() == 1
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("ready", 1)
    assert sweep_leases() == 0


def test_a_live_change_overtakes_ten_thousand_rows_of_history(flow: Flow) -> None:
    put(flow, *(order(f"old-{number:05}") for number in range(10_000)), cause=Cause.BACKFILL)
    put(flow, order("live"))
    (first,) = claim_deliveries(flow, 1).rows
    assert (first.key, first.lane) == ("live", Lane.REALTIME)
    assert {row.lane for row in claim_deliveries(flow, 100).rows} == {Lane.BULK}


def test_a_live_change_lifts_its_row_out_of_the_lane_of_history(flow: Flow) -> None:
    put(flow, order("1"), order("2"), cause=Cause.BACKFILL)
    put(flow, order("2", second=9, tags=("newer",)))
    assert [row.key for row in claim_deliveries(flow, 10).rows] == ["2", "1"]


def test_history_never_pushes_a_waiting_live_change_back(flow: Flow) -> None:
    put(flow, order("1", second=1))
    put(flow, order("1", second=2), cause=Cause.BACKFILL)
    assert Delivery.objects.get().lane == Lane.REALTIME


def test_a_held_row_goes_out_when_a_newer_version_arrives(flow: Flow) -> None:
    put(flow, order(second=1))
    claim = claim_deliveries(flow, 10)
    store_results(claim, [Result(delivery_id=claim.rows[0].id, state="blocked", outcome="held")])
    put(flow, order(second=2, tags=("newer",)))
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("ready", 0)


def test_a_row_that_waits_for_its_next_try_is_not_hurried_by_a_newer_version(flow: Flow) -> None:
    put(flow, order(second=1))
    claim = claim_deliveries(flow, 10)
    store_results(claim, [Result(delivery_id=claim.rows[0].id, state="ready", outcome="later", delay=600.0)])
    put(flow, order(second=2, tags=("newer",)))
    row = Delivery.objects.get()
    assert row.record["tags"] == ["newer"]
    assert row.due_at > timezone.now() + timedelta(minutes=9)


def test_changes_within_the_time_to_settle_travel_as_one(flow: Flow) -> None:
    flow.settings = {"settle_seconds": 300}
    put(flow, order(second=1))
    due = Delivery.objects.get().due_at
    put(flow, order(second=2))
    assert Delivery.objects.get().due_at == due
    assert claim_deliveries(flow, 10).rows == ()


def test_a_removal_keeps_what_was_known_of_the_record() -> None:
    people = make_flow("customer")
    put(people, CustomerFactory(key="7", occurred_at=at(1), email="ada@example.com"))
    put(people, CustomerFactory(key="7", occurred_at=at(2), email="", first_name="", removed=True))
    record = Delivery.objects.get().record
    assert (record["email"], record["first_name"], record["removed"]) == ("ada@example.com", "Ada", True)
    put(people, CustomerFactory(key="7", occurred_at=at(1.5), email="late@example.com"))
    assert Delivery.objects.get().record["removed"] is True


def test_an_accepted_row_stays_with_its_receipt_until_that_is_confirmed(flow: Flow) -> None:
    put(flow, order(second=1))
    claim = claim_deliveries(flow, 10)
    receipt = Receipt.objects.create(flow=flow, external_id="r1", check_at=timezone.now())
    store_results(claim, [Result(delivery_id=claim.rows[0].id, state="accepted", outcome="accepted", sent_hash="h1")], receipt=receipt.pk)
    put(flow, order(second=2, tags=("newer",)))
    assert Delivery.objects.get().state == "accepted"
    stranger = Receipt.objects.create(flow=flow, external_id="r2", check_at=timezone.now())
    result = Result(delivery_id=claim.rows[0].id, state="delivered", outcome="delivered")
    assert outbox.confirm_results([stranger.pk], [result]) == {}
    assert list(outbox.confirm_results([receipt.pk], [result]).values()) == ["ready"]
    assert Delivery.objects.get().receipt is None


def test_backoff_doubles_up_to_its_cap_with_jitter() -> None:
    for attempts in range(1, 40):
        ceiling = min(900.0, 2.0 * 2 ** (attempts - 1))
        waits = [outbox.backoff(attempts) for _ in range(200)]
        assert 0.5 <= min(waits) <= max(waits) <= max(ceiling, 0.5)
        assert len(set(waits)) > 50 or ceiling <= 2
    assert max(outbox.backoff(30) for _ in range(500)) > 600


@pytest.mark.slow
def test_racing_writers_and_workers_neither_deadlock_nor_share_a_record_nor_go_backwards(flow: Flow) -> None:
    """Four writers renew the same 200 records in different orders while four workers claim, store and sweep."""
    keys = [f"{number:03}" for number in range(200)]
    sent: list[tuple[str, int]] = []
    hands: list[tuple[uuid.UUID, str]] = []

    def write(number: int) -> None:
        generator = random.Random(number)
        for version in range(12):
            mine = keys[:]
            generator.shuffle(mine)
            put(flow, *(order(key, second=version * 4 + number, tags=(str(version * 4 + number),)) for key in mine))

    def work(number: int) -> None:
        generator = random.Random(number)
        idle = 0
        while idle < 30:
            claim = claim_deliveries(flow, generator.randint(1, 60))
            idle = 0 if claim.rows else idle + 1
            hands.extend((claim.id, row.key) for row in claim.rows)
            results = [Result(delivery_id=row.id, state="delivered", outcome="", sent_hash="h") for row in claim.rows]
            sent.extend((row.key, (row.occurred_at - at(0)).seconds) for row in claim.rows)
            store_results(claim, results)
            sweep_leases()

    in_threads(8, lambda number: write(number) if number < 4 else work(number))
    while (claim := claim_deliveries(flow, 100)).rows:
        sent.extend((row.key, (row.occurred_at - at(0)).seconds) for row in claim.rows)
        delivered(claim)

    rows = Delivery.objects.all()
    assert {(row.record_key, row.state, row.record["tags"][0]) for row in rows} == {(key, "delivered", "47") for key in keys}
    newest: dict[str, int] = {}
    for key, version in sent:
        assert version > newest.get(key, -1), f"{key}: {version} after {newest[key]}"
        newest[key] = version
    assert max(Counter(hands).values()) == 1


def test_what_failed_with_others_too_often_is_claimed_alone(flow: Flow) -> None:
    put(flow, order("1"), order("2"), order("3"), order("4"))
    Delivery.objects.filter(record_key__in=["2", "3"]).update(attempts=outbox.SUSPECT_AFTER)
    assert [row.key for row in claim_deliveries(flow, 10).rows] == ["1", "4"]
    assert [row.key for row in claim_deliveries(flow, 10, suspects=True).rows] == ["2"]
    assert [row.key for row in claim_deliveries(flow, 10, suspects=True).rows] == ["3"]


def test_a_record_that_takes_every_worker_down_ends_on_an_exception_and_its_batch_mates_arrive(flow: Flow) -> None:
    put(flow, order("killer"), order("other"))
    for _ in range(2 * outbox.MAX_ATTEMPTS):
        claims = claim_deliveries(flow, 10), claim_deliveries(flow, 10, suspects=True)
        for claim in claims:
            if [row.key for row in claim.rows] == ["other"]:
                delivered(claim)
        Delivery.objects.filter(state="sending").update(lease_until=at(0))  # the worker that held the killer died
        sweep_leases()
        if Delivery.objects.get(record_key="killer").attempts == outbox.MAX_ATTEMPTS:
            break

    done = deliver.deliver_batch(flow, suspects=True)

    killer, other = Delivery.objects.get(record_key="killer"), Delivery.objects.get(record_key="other")
    assert (done.counts, killer.state, other.state) == ({"held": 1}, "blocked", "delivered")
    assert killer.holds.get().exception.subject == "worker_lost"


@pytest.mark.parametrize(("cause", "wanted", "brought"), [("backfill", False, 0), ("backfill", True, 1), ("poll", False, 1)])
def test_history_brings_events_only_where_the_flow_wants_them(cause: str, wanted: bool, brought: int) -> None:
    site = Connection.objects.create(platform="site", name="Own site", external_id="demo-site", base_url="http://127.0.0.1:9")
    flow = Flow.objects.create(source=site, destination=make_flow().destination, record_type="event", settings={"history_events": wanted})
    event = Event(key="e1", occurred_at=timezone.now(), name="product_viewed")

    assert enqueue(flow.source, [event], cause=Cause(cause)) == brought
