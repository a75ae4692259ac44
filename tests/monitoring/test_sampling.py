"""One pass a minute writes what the pages need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations.models import Checkpoint, Connection
from monitoring import tasks, worth
from monitoring.models import Metric, Sample
from monitoring.sampling import last_pass, sample
from tests.rows import make_attempt, make_delivery, make_event, make_exception, make_flow

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 3, 12, 1, 10, tzinfo=UTC)  # past for the database too, whose clock decides what is due
MINUTE = NOW.replace(second=0)


def of(**wanted: object) -> dict[str, float]:
    return {metric: value for metric, value in Sample.objects.filter(**wanted).values_list("metric", "value") if metric != Metric.PASS}


def test_a_flow_gets_what_stands_in_which_state_and_its_lag():
    flow = make_flow()
    make_delivery(flow, "1", ready_since=NOW - timedelta(seconds=40), due_at=NOW - timedelta(seconds=40))
    make_delivery(flow, "2", ready_since=NOW - timedelta(seconds=5), due_at=NOW - timedelta(seconds=5))
    make_delivery(flow, "3", state="sending")
    make_delivery(flow, "4", state="accepted")
    make_delivery(flow, "5", state="blocked")
    make_delivery(flow, "6", state="delivered")

    sample(NOW)

    assert of(flow=flow) == {"ready": 2, "sending": 1, "accepted": 1, "held": 1, "lag": 40}


def test_work_that_is_not_due_yet_and_history_do_not_count_as_lag():
    flow = make_flow()
    make_delivery(flow, "later", ready_since=NOW - timedelta(hours=1), due_at=NOW + timedelta(days=3650))
    make_delivery(flow, "history", ready_since=NOW - timedelta(hours=1), due_at=NOW - timedelta(hours=1), lane=2)

    sample(NOW)

    assert of(flow=flow) == {"ready": 2}


def test_attempts_of_the_minute_are_counted_once_and_only_those():
    flow = make_flow()
    delivery = make_delivery(flow, state="delivered")
    for seconds, outcome in ((10, "delivered"), (20, "delivered"), (30, "later"), (40, "refused"), (50, "accepted"), (59, "unchanged")):
        make_attempt(delivery, outcome, at=MINUTE - timedelta(seconds=60 - seconds))
    make_attempt(delivery, at=MINUTE - timedelta(seconds=61))
    make_attempt(delivery, at=MINUTE)

    sample(NOW)
    assert of(flow=flow, at=MINUTE) == {"delivered": 2, "failed": 2, "refused": 1, "unchanged": 1}

    sample(NOW + timedelta(minutes=1))
    assert of(flow=flow, at=MINUTE + timedelta(minutes=1)) == {"delivered": 1}


def test_a_minute_is_sampled_once_however_often_it_is_asked():
    make_flow()

    assert sample(NOW) > 0
    assert sample(NOW + timedelta(seconds=20)) == 0
    assert Sample.objects.filter(metric=Metric.PASS).count() == 1
    assert last_pass() == MINUTE


def test_after_a_pause_nothing_between_is_lost_and_each_try_is_in_the_sample_of_its_minute():
    flow = make_flow()
    delivery = make_delivery(flow, state="delivered")
    sample(NOW)
    make_attempt(delivery, at=MINUTE + timedelta(minutes=2))
    make_attempt(delivery, "later", at=MINUTE + timedelta(minutes=9, seconds=59))

    sample(NOW + timedelta(minutes=10))

    rows = Sample.objects.filter(flow=flow).order_by("at").values_list("at", "metric", "value")
    assert list(rows) == [(MINUTE + timedelta(minutes=3), "delivered", 1), (MINUTE + timedelta(minutes=10), "failed", 1)]


def test_a_connection_gets_its_inbox_and_what_arrived_by_webhook_and_pull():
    shop = make_flow().source
    make_event(shop, "a", received_at=MINUTE - timedelta(seconds=30))
    make_event(shop, "b", received_at=MINUTE - timedelta(hours=2), state="failed")
    poll = Checkpoint.objects.create(connection=shop, reader="orders", purpose="poll", window_from=NOW, due_at=NOW, read_count=7)
    sample(NOW)
    assert of(connection=shop) == {"inbox_waiting": 1, "inbox_failed": 1, "arrived": 1, "read_total": 7}

    Checkpoint.objects.filter(pk=poll.pk).update(read_count=12)
    sample(NOW + timedelta(minutes=1))
    assert of(connection=shop, at=MINUTE + timedelta(minutes=1))["arrived"] == 5


def test_open_questions_are_counted_by_kind_with_what_waits():
    flow = make_flow()
    first = NOW - timedelta(hours=3)
    make_exception(flow, "unmapped_sku", "A", waiting=2, first_seen=first)
    make_exception(flow, "unmapped_sku", "B", waiting=1, first_seen=NOW)
    make_exception(flow, "refused", "C", state="resolved")

    sample(NOW)

    assert of(flow=None, connection=None) == {
        "questions.unmapped_sku": 2, "oldest.unmapped_sku": first.timestamp(), "waiting.unmapped_sku": 3,
    }  # fmt: skip
    assert of(flow=flow) == {"questions.unmapped_sku": 2, "held": 3}


def test_the_value_of_held_orders_is_summed_per_currency_and_not_every_minute_when_they_are_many(monkeypatch):
    monkeypatch.setattr(worth, "MANY", 1)
    flow = make_flow()
    for number, (currency, net) in enumerate((("GBP", "10.25"), ("GBP", "0.50"), ("EUR", "7"))):
        make_delivery(flow, str(number), state="blocked", record={"currency": currency, "totals": {"net": net}})
    first, second, third = (datetime(2026, 6, 3, 12, minute, 10, tzinfo=UTC) for minute in (0, 1, 10))

    sample(first)
    make_delivery(flow, "4", state="blocked", record={"currency": "GBP", "totals": {"net": "100"}})
    sample(second)
    sample(third)

    kept = Sample.objects.filter(metric__startswith="worth.").values_list("at", "metric", "value")
    found = {(at.minute, metric): value for at, metric, value in kept}
    assert found == {
        (0, "worth.GBP"): 10.75, (0, "worth.EUR"): 7, (1, "worth.GBP"): 10.75, (1, "worth.EUR"): 7,
        (10, "worth.GBP"): 110.75, (10, "worth.EUR"): 7,
    }  # fmt: skip


def test_the_usual_pause_of_a_source_is_written_beside_its_arrivals():
    shop = make_flow().source
    Connection.objects.update(created_at=NOW - timedelta(hours=30))
    day = NOW - timedelta(days=1)
    Sample.objects.bulk_create(
        Sample(connection=shop, metric=Metric.ARRIVED, value=1, at=day + timedelta(minutes=offset)) for offset in range(-120, 121, 8)
    )

    sample(NOW)

    assert of(connection=shop, at=MINUTE) == {"usual_gap": 8 * 60}


def test_the_worker_entry_samples_now():
    make_flow()

    assert tasks.sample() > 0


def test_the_number_of_queries_does_not_grow_with_flows(django_assert_num_queries):
    make_flow("order")
    for kind in ("customer", "product", "variant", "checkout"):
        make_delivery(make_flow(kind))

    with django_assert_num_queries(28):
        sample(NOW)
