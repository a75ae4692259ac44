"""Reading segments from Ometria's stand-in over real HTTP: measured, judged, kept, and compared person by person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.engine import accounts
from integrations.engine.outbox import Cause, enqueue
from integrations.engine.replay import replay
from integrations.models import Delivery, RateBudget, SyncException
from integrations.standins.faults import Fault
from integrations.standins.ometria.lists import Segment as Listed
from integrations.standins.ometria.lists import SegmentRule
from mapping.records import Consent, ConsentState, CustomerRef
from monitoring.models import ReadBack, ReadBackRow, Segment, SegmentFlip, SegmentReading, SegmentSource
from monitoring.segments import causes, facts, read_back, reading
from monitoring.segments.rule import Rule
from monitoring.segments.tasks import tick
from monitoring.segments.trouble import segment_trouble
from tests.conftest import RouteB, connect_route_b
from tests.factories import CustomerFactory, OrderFactory
from tests.quiet import run_until_quiet

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "2101"


@pytest.fixture
def route(stand_ins: Any, transactional_db: None) -> Iterator[RouteB]:
    """Shopify → Ometria without webhooks, and a dynamic list at Ometria: who bought within 30 days."""
    accounts._clients.clear()
    made = connect_route_b(stand_ins)
    account = made.ometria.accounts["demo"]
    account.segments[LIST] = Listed(LIST, "Buyers", account.clock.now(), account.clock.now(), rule=SegmentRule(days=30, every=0))
    SegmentSource.objects.create(connection=made.destination, due_at=timezone.now())
    yield made
    made.http.close()
    accounts._clients.clear()


def bought(route: RouteB, *names: str, sku: str = "TEE", days: float = 1.0) -> None:
    """Each of them signed up and ordered, and both went to Ometria as far as they could."""
    moment = timezone.now() - timedelta(days=days)
    said = (Consent(channel="email", state=ConsentState.GRANTED, stated_at=moment, explicit=True),)
    people = [CustomerFactory(key=name, email=f"{name}@example.com", occurred_at=moment, country="GB", consents=said) for name in names]
    orders = [
        OrderFactory(
            key=f"o-{name}", placed_at=moment, occurred_at=moment, skus=(sku,), customer=CustomerRef(key=name, email=f"{name}@example.com")
        )
        for name in names
    ]
    enqueue(route.source, people, cause=Cause.WEBHOOK)
    enqueue(route.source, orders, cause=Cause.WEBHOOK)
    run_until_quiet(lambda: True, 20)


def watch(route: RouteB, **values: Any) -> Segment:
    """Somebody watches the list, with the rule that its filter at Ometria has."""
    rule = Rule(sources=("any",), days=30).stored()
    return Segment.objects.create(connection=route.destination, list_id=LIST, title=LIST, watched=True, **{"rule": rule, **values})


def read(route: RouteB) -> Segment | None:
    assert reading.read(route.destination.pk)
    return Segment.objects.filter(list_id=LIST).first()


def past(segment: Segment, *sizes: int) -> None:
    """Readings of the last days."""
    now = timezone.now()
    for back, size in enumerate(reversed(sizes), start=1):
        at = now - timedelta(days=back)
        SegmentReading.objects.create(segment=segment, at=at, size=size, expected=size, status="READY", answer="healthy")


class TestReading:
    def test_a_reading_lists_every_segment_and_judges_those_that_are_watched(self, route: RouteB):
        bought(route, "ann", "bob", "cyd")
        watch(route)
        route.ometria.accounts["demo"].segments["7"] = Listed("7", "Static", 0.0, 0.0, type="STATIC")

        row = read(route)

        assert (row.title, row.size, row.expected, row.answer, row.present) == ("Buyers", 3, 3, "healthy", True)
        assert list(Segment.objects.order_by("list_id").values_list("list_id", "watched")) == [(LIST, True), ("7", False)]
        assert list(row.readings.values_list("size", "expected", "answer")) == [(3, 3, "healthy")]

    def test_orders_that_are_held_are_the_reason_of_a_drift_and_the_notice_says_so(self, route: RouteB):
        bought(route, "ann", "bob", "cyd", "dan", "eve")
        held = Delivery.objects.filter(record_key__in=["o-cyd", "o-dan", "o-eve"])
        question = SyncException.objects.create(flow=route.flow("order"), kind="unmapped_sku", subject="OLD", title="Unknown SKU OLD")
        for delivery in held:
            delivery.holds.create(exception=question)
            route.ometria.accounts["demo"].orders.remove(str(delivery.destination_key))
        held.update(state="blocked", updated_at=timezone.now())
        watch(route)

        row = read(route)

        assert (row.answer, row.size, row.expected) == ("drifted", 2, 5)
        assert row.missing["held"] == {"people": 3, "rows": 3, "questions": [[question.pk, "Unknown SKU OLD", 3]]}
        trouble = segment_trouble()
        assert (trouble.title, trouble.text) == (
            "Segment “Buyers”: differs from our records", "Our own records expect 5 people; Ometria has 3 fewer (-60\u00a0%).",
        )  # fmt: skip

    def test_a_shrunk_segment_flips_and_says_who_went(self, route: RouteB):
        bought(route, "ann", "bob")
        bought(route, "old", "older", "oldest", days=29.5)
        row = watch(route)
        past(row, 5, 5, 5, 5)
        Delivery.objects.filter(record_key__startswith="o-old").update(updated_at=timezone.now())
        route.ometria.clock.advance(86_400)
        soon = timezone.now() + timedelta(days=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.utils.timezone.now", lambda: soon)
            row = read(route)

        assert (row.answer, row.size, row.expected, row.usual) == ("shrunk", 2, 2, 5)
        flip = SegmentFlip.objects.get()
        assert (flip.before, flip.after, flip.reason) == ("unread", "shrunk", "2 people are in it, 3 fewer (-60\u00a0%) than usual.")
        assert {slug: line["people"] for slug, line in row.changed["last"]["causes"].items()} == {"left_window": 3}

    def test_a_list_that_ometria_deleted_is_absent_and_healthy_again_when_it_is_back(self, route: RouteB):
        bought(route, "ann", "bob", "cyd")
        watch(route)
        read(route)
        segments = route.ometria.accounts["demo"].segments
        gone = segments.pop(LIST)
        absent = read(route).answer
        segments[LIST] = gone
        back = read(route).answer

        assert (absent, back) == ("absent", "healthy")
        assert list(SegmentFlip.objects.order_by("at").values_list("before", "after")) == [
            ("unread", "healthy"), ("healthy", "absent"), ("absent", "healthy"),
        ]  # fmt: skip

    def test_a_fault_keeps_what_was_read_and_says_why(self, route: RouteB):
        watch(route)
        route.ometria.faults.add(Fault(kind="status", path="/lists", status=503, times=9))

        done = reading.read(route.destination.pk)

        source = SegmentSource.objects.get()
        assert (done, source.lease_until, source.read_at, source.due_at > timezone.now()) == (False, None, None, True)
        assert source.error
        assert SegmentReading.objects.count() == 0

    def test_a_pause_that_ometria_asks_for_is_kept_to_the_second(self, route: RouteB):
        route.ometria.faults.add(Fault(kind="status", path="/lists", status=429, retry_after="30"))

        reading.read(route.destination.pk)

        source = SegmentSource.objects.get()
        assert timedelta(seconds=25) < source.due_at - timezone.now() <= timedelta(seconds=30)
        assert source.error == ""

    def test_two_workers_do_not_read_at_once(self, route: RouteB):
        SegmentSource.objects.update(lease_until=timezone.now() + timedelta(minutes=1))

        assert (reading.read(route.destination.pk), reading.due()) == (False, [])

    def test_it_is_read_every_hour_unless_the_connection_says_otherwise(self, route: RouteB):
        read(route)
        usual = SegmentSource.objects.get().due_at - timezone.now()
        route.destination.settings["segment_minutes"] = 5
        route.destination.save()
        read(route)
        often = SegmentSource.objects.get().due_at - timezone.now()

        assert (round(usual.total_seconds() / 60), round(often.total_seconds() / 60)) == (60, 5)

    def test_the_minute_s_task_starts_what_is_due(self, route: RouteB, monkeypatch: pytest.MonkeyPatch):
        started: list[tuple[Any, ...]] = []
        monkeypatch.setattr("monitoring.segments.tasks.async_task", lambda *call: started.append(call))

        tick()

        assert started == [("monitoring.segments.tasks.read_segments", route.destination.pk)]


class TestReadBack:
    def begin(self, segment: Segment, size: int = 10) -> ReadBack:
        begun = read_back.begin(segment, size, None)
        read_back.run(begun.pk)
        begun.refresh_from_db()
        return begun

    def test_people_of_the_rule_are_compared_field_by_field_with_what_was_sent(self, route: RouteB):
        bought(route, "ann", "bob", "cyd")
        segment = watch(route)
        read(route)
        account = route.ometria.accounts["demo"]
        entry = account.orders.get("shp-o-ann")
        entry.raw = entry.raw.replace(b'"status":"paid"', b'"status":"lost"')

        done = self.begin(segment)

        assert (done.state, done.done, sorted(done.fields["order.status"])) == ("done", 3, [1, 3])
        rows = {(row.kind, row.delivery.record_key): (row.cause, row.member) for row in done.rows.select_related("delivery")}
        assert rows == {
            ("order", "o-ann"): ("not_taken", True), ("contact", "ann"): ("same", True), ("order", "o-bob"): ("same", True),
            ("contact", "bob"): ("same", True), ("order", "o-cyd"): ("same", True), ("contact", "cyd"): ("same", True),
        }  # fmt: skip
        assert ReadBackRow.objects.get(cause="not_taken").differences == [{"field": "status", "sent": "paid", "there": "lost"}]

    def test_what_ometria_lost_is_found_and_sending_it_again_heals_it(self, route: RouteB):
        bought(route, "ann")
        segment = watch(route)
        read(route)
        route.ometria.accounts["demo"].orders.remove("shp-o-ann")
        first = self.begin(segment)
        lost = ReadBackRow.objects.get(read_back=first, kind="order")
        replay([lost.delivery_id], None)
        run_until_quiet(lambda: True, 20)
        second = self.begin(segment)

        assert (lost.found, lost.cause) == (False, "gone")
        assert set(second.rows.values_list("cause", flat=True)) == {"same"}

    def test_it_stops_where_ometria_asks_for_a_pause_and_goes_on_from_there(self, route: RouteB):
        bought(route, "ann", "bob", "cyd")
        segment = watch(route)
        read(route)
        route.ometria.faults.add(Fault(kind="status", path="/orders", status=429, retry_after="20", every=2))
        paused = self.begin(segment)
        at = (paused.state, paused.done < 3, paused.due_at > timezone.now())
        ReadBack.objects.update(due_at=timezone.now())
        RateBudget.objects.update(blocked_until=None)

        read_back.run(paused.pk)
        paused.refresh_from_db()

        assert (at, paused.state, paused.done, paused.rows.count()) == (("running", True, True), "done", 3, 6)

    def test_one_at_a_time_and_a_cancelled_one_stays_as_far_as_it_came(self, route: RouteB):
        segment = watch(route)
        first = read_back.begin(segment, 10, None)
        second = read_back.begin(segment, 10, None)
        cancelled = read_back.cancel(first)
        read_back.run(first.pk)

        assert (second, cancelled, ReadBack.objects.get().state) == (None, True, "cancelled")

    def test_the_sample_is_drawn_from_all_and_differs_from_time_to_time(self, route: RouteB):
        bought(route, *[f"p{number}" for number in range(12)])
        facts.catch_up(10)
        scope = causes.scope_of(watch(route), timezone.now())
        draws = [frozenset(read_back.drawn(scope, 3)) for _ in range(25)]

        assert {len(draw) for draw in draws} == {3}
        assert len(set(draws)) > 1
