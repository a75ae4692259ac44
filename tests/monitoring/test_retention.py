"""What is too old goes, in small batches, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django_q.models import Success, Task

from integrations.models import Attempt, Connection, Delivery, InboxEvent, VisitorIdentity
from monitoring import retention, tasks
from monitoring.models import Metric, Sample
from tests.rows import make_attempt, make_delivery, make_event, make_flow, minutes_ago

DAY = 24 * 60
OLD, YOUNG = 31 * DAY, 29 * DAY


def left(rows: object, field: str) -> list[str]:
    return sorted(rows.values_list(field, flat=True))


@pytest.fixture(autouse=True)
def _thirty_days(settings):
    settings.RETENTION_DAYS = 30


@pytest.mark.django_db
class TestPrune:
    def test_old_inbox_events_go_once_they_are_settled(self):
        shop = make_flow().source
        for state in InboxEvent.State.values:
            make_event(shop, f"old {state}", state=state, received_at=minutes_ago(OLD))
            make_event(shop, f"young {state}", state=state, received_at=minutes_ago(YOUNG))

        assert retention.prune()["inbox"] == 2
        assert left(InboxEvent.objects, "dedup_key") == [
            "old failed", "old new", "young done", "young failed", "young ignored", "young new",
        ]  # fmt: skip

    def test_what_anybody_may_have_sent_is_bound_by_age_and_number_and_what_platforms_signed_is_kept(self, monkeypatch):
        monkeypatch.setattr(retention, "MOST_UNREADABLE", 2)
        shop = make_flow().source
        site = Connection.objects.create(platform="site", name="Own site", external_id="key", base_url="https://www.example.com")
        for source in (shop, site):
            make_event(source, f"{source.platform} old", state="failed", received_at=minutes_ago(8 * DAY))
            for number in range(4):
                make_event(source, f"{source.platform} {number}", state="failed", received_at=minutes_ago(9 - number))
        make_event(site, "site waits", state="new", received_at=minutes_ago(8 * DAY))

        assert (tasks.prune()["unreadable"], tasks.prune_unreadable()) == (3, 0)
        assert left(InboxEvent.objects, "dedup_key") == [
            "shopify 0", "shopify 1", "shopify 2", "shopify 3", "shopify old", "site 2", "site 3", "site waits",
        ]  # fmt: skip

    def test_old_attempts_go_and_their_delivery_stays(self):
        delivery = make_delivery(make_flow(), state="delivered")
        make_attempt(delivery, at=minutes_ago(OLD))
        young = make_attempt(delivery, at=minutes_ago(YOUNG))

        assert retention.prune()["attempts"] == 1
        assert list(Attempt.objects.all()) == [young]
        assert Delivery.objects.count() == 1

    def test_visitors_are_forgotten_after_half_a_year(self):
        shop = make_flow().source
        for name, days in (("old", 181), ("young", 179)):
            VisitorIdentity.objects.create(connection=shop, anonymous_id=name, email="ada@example.com", seen_at=minutes_ago(days * DAY))

        assert retention.prune()["visitors"] == 1
        assert left(VisitorIdentity.objects, "anonymous_id") == ["young"]

    def test_deliveries_of_passing_things_go_those_of_lasting_things_never(self):
        for kind in ("order", "checkout"):
            flow = make_flow(kind)
            for state in ("delivered", "skipped", "ready", "blocked"):
                make_delivery(flow, f"{kind} {state}", state=state, updated_at=minutes_ago(OLD))
            make_delivery(flow, f"{kind} young", state="delivered", updated_at=minutes_ago(YOUNG))

        assert retention.prune()["passing"] == 2
        assert left(Delivery.objects.filter(flow__record_type="checkout"), "record_key") == [
            "checkout blocked", "checkout ready", "checkout young",
        ]  # fmt: skip
        assert Delivery.objects.filter(flow__record_type="order").count() == 5

    def test_sent_payloads_are_forgotten_and_their_hash_is_kept(self):
        flow = make_flow()
        payload = {"sent_payload": {"id": "1"}, "sent_hash": "abc"}
        make_delivery(flow, "old", state="delivered", updated_at=minutes_ago(OLD), **payload)
        make_delivery(flow, "young", state="delivered", updated_at=minutes_ago(YOUNG), **payload)
        make_delivery(flow, "in flight", state="sending", updated_at=minutes_ago(OLD), **payload)

        assert retention.prune()["payloads"] == 1
        assert {row.record_key: (row.sent_payload, row.sent_hash) for row in Delivery.objects.all()} == {
            "old": (None, "abc"),
            "young": ({"id": "1"}, "abc"),
            "in flight": ({"id": "1"}, "abc"),
        }

    def test_the_next_night_goes_on_where_the_last_one_stopped(self):
        flow = make_flow()
        make_delivery(flow, "old", state="delivered", updated_at=minutes_ago(OLD), sent_payload={"id": "1"})
        make_delivery(flow, "young", state="delivered", updated_at=minutes_ago(YOUNG), sent_payload={"id": "2"})

        assert retention.prune()["payloads"] == 1
        Delivery.objects.filter(record_key="old").update(sent_payload={"id": "seen before"})
        assert retention.prune(timezone.now() + timedelta(days=2))["payloads"] == 1
        assert Delivery.objects.get(record_key="old").sent_payload == {"id": "seen before"}

    def test_samples_tasks_and_sessions_go_too(self):
        Sample.objects.create(metric=Metric.PASS, value=1, at=minutes_ago(OLD))
        Sample.objects.create(metric=Metric.PASS, value=1, at=minutes_ago(1))
        for number, age in enumerate((3 * DAY, 1)):
            Task.objects.create(
                id=f"task-{number}", name=str(number), func="x", started=minutes_ago(age), stopped=minutes_ago(age), success=number == 0
            )
        Session.objects.create(session_key="over", session_data="", expire_date=minutes_ago(1))
        Session.objects.create(session_key="live", session_data="", expire_date=timezone.now() + timedelta(hours=1))

        pruned = tasks.prune()

        assert (pruned["samples"], pruned["tasks"], pruned["sessions"]) == (1, 1, 1)
        assert Success.objects.count() == 0
        assert left(Session.objects, "session_key") == ["live"]

    def test_everything_goes_however_many_batches_it_takes(self, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 3)
        delivery = make_delivery(make_flow(), state="delivered", updated_at=minutes_ago(OLD), sent_payload={"id": "1"})
        for _ in range(10):
            make_attempt(delivery, at=minutes_ago(OLD))
        for number in range(7):
            make_delivery(delivery.flow, str(number), state="delivered", updated_at=minutes_ago(OLD + number), sent_payload={"id": "1"})

        pruned = retention.prune()

        assert (pruned["attempts"], pruned["payloads"]) == (10, 8)


@pytest.mark.django_db(transaction=True)
def test_rows_in_other_hands_are_left_for_the_next_night():
    flow = make_flow("checkout")
    mine = make_delivery(flow, "mine", state="delivered", updated_at=minutes_ago(OLD))
    make_delivery(flow, "free", state="delivered", updated_at=minutes_ago(OLD))
    other = connection.copy()
    try:
        other.connect()
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM integrations_delivery WHERE id = %s FOR UPDATE", [mine.pk])
        assert retention.prune()["passing"] == 1
        assert left(Delivery.objects, "record_key") == ["mine"]
    finally:
        other.rollback()
        other.close()
