"""The first page: what it says in which situation, that every number leads to its list, and that it stays cheap."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import Checkpoint, Connection, Delivery, SyncException
from monitoring import bounded
from monitoring.latest import latest_samples
from monitoring.models import Metric, Sample
from monitoring.overview import overview
from monitoring.question_lines import question_lines
from monitoring.sampling import sample
from tests.rows import make_connections, make_delivery, make_event, make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db


def note(metric: str, value: float, minutes: float = 1, **of: object) -> None:
    """One sample some minutes ago."""
    Sample.objects.create(metric=metric, value=value, at=minutes_ago(minutes), **of)


def worker_runs() -> None:
    note(Metric.PASS, 5, minutes=0.5)


def data_arrives(shop: Connection, minutes: float = 1) -> None:
    note(Metric.ARRIVED, 3, minutes=minutes, connection=shop)


def kinds() -> list[str]:
    return [notice.kind for notice in overview().notices]


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_person("manager"))
    return client


class TestWhatIsSaidFirst:
    def test_an_empty_installation_asks_for_a_connection(self):
        assert [(notice.kind, notice.action) for notice in overview().notices] == [("empty", "Connect a platform")]

    def test_all_clear_takes_a_worker_and_arriving_data(self):
        shop = make_flow().source
        worker_runs()
        data_arrives(shop)

        assert kinds() == ["clear"]

    def test_a_quiet_start_is_not_called_all_clear(self):
        make_flow()
        worker_runs()

        assert kinds() == ["quiet"]

    def test_no_data_is_told_although_nothing_failed(self):
        shop = make_flow().source
        Connection.objects.update(created_at=minutes_ago(600))
        worker_runs()
        data_arrives(shop, minutes=75)

        notices = overview().notices

        assert [(notice.kind, notice.title) for notice in notices] == [("silent", "No data is arriving from Example shop")]
        assert "Nothing for 1 hour" in notices[0].text

    def test_a_source_that_is_usually_this_quiet_is_not_silent(self):
        shop = make_flow().source
        worker_runs()
        data_arrives(shop, minutes=75)
        Sample.objects.create(connection=shop, metric=Metric.USUAL_GAP, value=3600, at=latest_samples().at)

        assert kinds() == ["clear"]

    def test_a_destination_is_never_silent(self):
        make_flow()
        Connection.objects.filter(platform="shopify").update(state="paused")
        Connection.objects.update(created_at=minutes_ago(6000))
        worker_runs()

        assert kinds() == ["paused"]

    def test_a_stopped_worker_is_told_before_everything_else(self):
        flow = make_flow()
        make_exception(flow)
        note(Metric.PASS, 5, minutes=9)

        assert kinds() == ["stopped", "question"]

    def test_a_connection_that_needs_authorisation_is_told(self):
        shop = make_flow().source
        Connection.objects.filter(platform="ometria").update(state="needs_auth")
        worker_runs()
        data_arrives(shop)

        assert [notice.title for notice in overview().notices] == ["Example Ometria needs re-authorisation"]

    def test_a_platform_that_is_down_is_told_with_the_next_probe(self):
        shop = make_flow().source
        Connection.objects.filter(platform="ometria").update(resume_at=timezone.now() + timedelta(seconds=90))
        worker_runs()
        data_arrives(shop)

        assert "next probe is in 1 minute" in overview().notices[0].text

    def test_a_flow_that_lags_is_told(self):
        flow = make_flow()
        worker_runs()
        data_arrives(flow.source)
        make_delivery(flow, ready_since=minutes_ago(7), due_at=minutes_ago(7))

        assert [notice.title for notice in overview().notices] == ["Example shop → Example Ometria: order is behind"]


class TestFlows:
    def test_a_line_tells_freshness_volume_share_and_backlog(self):
        flow = make_flow()
        worker_runs()
        at = latest_samples().at
        for minutes, delivered, failed in ((5, 30, 10), (25, 60, 0), (65, 45, 5)):
            Sample.objects.create(flow=flow, metric=Metric.DELIVERED, value=delivered, at=at - timedelta(minutes=minutes))
            Sample.objects.create(flow=flow, metric=Metric.FAILED, value=failed, at=at - timedelta(minutes=minutes)) if failed else None
        make_delivery(flow, "1", ready_since=minutes_ago(2), due_at=minutes_ago(2))
        make_delivery(flow, "2", state=Delivery.State.BLOCKED)

        line = overview().flows[0]

        assert (line.last_hour, line.hour_before, line.trend, line.share, str(line.ready), str(line.held)) == (90, 45, 100, 0.9, "1", "1")
        assert line.bars == (0, 0, 0, 0, 0, 45, 0, 0, 0, 60, 0, 30)
        assert timedelta(minutes=2) <= line.lag < timedelta(minutes=3)

    def test_counts_beyond_the_peek_come_from_the_last_sample(self, monkeypatch):
        monkeypatch.setattr(bounded, "PEEK", 3)
        monkeypatch.setattr("monitoring.latest.PEEK", 3)
        flow = make_flow()
        for number in range(6):
            make_delivery(flow, str(number))
        assert str(overview().flows[0].ready) == "3+"

        sample()
        assert str(overview().flows[0].ready) == "6"

    def test_the_next_poll_of_the_records_source_is_shown(self):
        flow = make_flow()
        soon = timezone.now() + timedelta(minutes=3)
        for reader, due in (("orders", soon), ("products", minutes_ago(1))):
            Checkpoint.objects.create(connection=flow.source, reader=reader, purpose="poll", window_from=minutes_ago(9), due_at=due)

        assert overview().flows[0].next_run == soon


class TestQuestions:
    def test_few_questions_are_counted_live_the_oldest_first(self):
        flow = make_flow()
        make_exception(flow, "refused", "X", waiting=1, first_seen=minutes_ago(5))
        make_exception(flow, "unmapped_sku", "A", waiting=2, first_seen=minutes_ago(90))
        make_exception(flow, "unmapped_sku", "B", waiting=1)
        make_exception(flow, "bad_phone", "C", state=SyncException.State.RESOLVED)

        lines = question_lines(latest_samples())

        assert [(line.kind, line.team, str(line.count), str(line.waiting)) for line in lines] == [
            ("unmapped_sku", "ecommerce", "2", "3"),
            ("refused", "ecommerce", "1", "1"),
        ]

    def test_many_questions_are_told_by_the_samples(self, monkeypatch):
        monkeypatch.setattr("monitoring.question_lines.PEEK", 2)
        flow = make_flow()
        for subject in "ABCD":
            make_exception(flow, "unmapped_sku", subject, waiting=1)
        assert [str(line.count) for line in question_lines(latest_samples())] == ["3+"]

        sample()
        assert [(str(line.count), str(line.waiting)) for line in question_lines(latest_samples())] == [("4", "4")]


class TestThePage:
    def test_the_first_page_after_sign_in_is_the_overview(self, manager):
        make_flow()
        page = manager.get(reverse("admin:index"))

        assert page.status_code == 200
        assert page.context["title"] == "Overview"
        assert 'hx-get="/overview/live/"' in page.content.decode()

    def test_every_number_leads_to_the_list_it_counts(self, manager):
        flow = make_flow()
        make_exception(flow, "unmapped_sku", "A", waiting=1)
        make_delivery(flow, "1")
        make_event(flow.source, "e", state="failed")
        make_event(flow.source, "f")
        worker_runs()
        Sample.objects.create(flow=flow, metric=Metric.DELIVERED, value=4, at=latest_samples().at)

        page = manager.get("/overview/live/").content.decode()

        links = {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+\?[^"]+)"', page)}
        desk, deliveries, inbox = (
            reverse(f"admin:integrations_{model}_changelist") for model in ("syncexception", "delivery", "inboxevent")
        )
        assert {
            f"{desk}?state=open&kind=unmapped_sku",
            f"{deliveries}?flow={flow.pk}&state=delivered&age=hour",
            f"{deliveries}?flow={flow.pk}&state=ready",
            f"{deliveries}?flow={flow.pk}&state=blocked",
            f"{inbox}?connection={flow.source_id}&state=new",
            f"{inbox}?connection={flow.source_id}&state=failed",
        } <= links
        for link in links:
            assert manager.get(link).status_code == 200

    def test_a_running_backfill_shows_its_progress(self, manager):
        flow = make_flow()
        Checkpoint.objects.create(
            connection=flow.source, reader="orders", purpose="backfill", state="running", window_from=minutes_ago(9), due_at=timezone.now(),
            total=200, read_count=50, started_at=minutes_ago(1),
        )  # fmt: skip

        page = manager.get("/overview/live/").content.decode()

        assert 'value="25"' in page
        assert "50 of 200 read" in page

    def test_it_shows_no_personal_data(self, manager):
        flow = make_flow()
        make_delivery(flow)

        assert "ann@example.com" not in manager.get("/overview/live/").content.decode()

    def test_somebody_without_a_role_is_told_so(self, client):
        client.force_login(make_person())

        assert "You have no role yet" in client.get("/overview/live/").content.decode()

    def test_an_ended_session_sends_the_page_to_the_sign_in(self, client):
        answer = client.get("/overview/live/")

        assert (answer.status_code, answer.headers["HX-Refresh"], answer.content) == (204, "true", b"")


class TestCost:
    def test_the_number_of_queries_does_not_depend_on_the_volume(self, django_assert_num_queries):
        make_connections()
        for kind in ("order", "customer", "product", "variant", "checkout"):
            flow = make_flow(kind)
            make_exception(flow, waiting=3)
            for number in range(10):
                make_delivery(flow, str(number))
            Checkpoint.objects.create(
                connection=flow.source, reader=kind, purpose="backfill", state="running", window_from=minutes_ago(9), due_at=timezone.now()
            )
        sample()

        with django_assert_num_queries(8):
            overview()
