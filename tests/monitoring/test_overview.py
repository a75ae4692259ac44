"""The first page: what it says in which situation, that every number leads to its list, and that it stays cheap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule

from integrations.models import Checkpoint, Connection, Delivery, Flow, SyncException
from monitoring import bounded
from monitoring.latest import latest_samples
from monitoring.models import Metric, Sample
from monitoring.overview import overview
from monitoring.question_lines import open_questions
from monitoring.sampling import sample
from tests.monitoring.moments import note, usual_weeks, worker_runs
from tests.rows import make_connections, make_delivery, make_exception, make_flow, make_person, minutes_ago

pytestmark = pytest.mark.django_db


def held(flow: Flow, currency: str, *nets: str) -> None:
    """Orders of that value that wait for a person."""
    for net in nets:
        record = {"key": "x", "currency": currency, "totals": {"net": net}, "customer": {}}
        make_delivery(flow, f"{currency}-{Delivery.objects.count()}", state="blocked", record=record)


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


class TestWhoIsAtWork:
    """Each way in which numbers can be old looks and reads differently."""

    def beat(self, minutes: float) -> None:
        Schedule.objects.create(name="Sweep", func="integrations.tasks.sweep", next_run=minutes_ago(minutes))

    @pytest.mark.parametrize(
        ("sampled", "beat", "kind", "title"),
        [
            (9, None, "stopped", "No worker is running"),
            (9, 8, "stopped", "No worker is running"),
            (9, -0.5, "unsampled", "The worker runs, but it has stopped counting"),
            (60 * 20, 60 * 20, "yesterday", "This is how things stood on "),
            (60 * 20, -0.5, "unsampled", "The worker runs, but it has stopped counting"),
            (-5, None, "ahead", "The clocks disagree"),
        ],
    )
    def test_the_notice_says_what_is_wrong_and_nothing_is_called_clear(self, sampled, beat, kind, title):
        shop = make_flow().source
        worker_runs(minutes=sampled)
        data_arrives(shop, minutes=sampled)
        if beat is not None:
            self.beat(beat)

        found = overview().notices

        assert [notice.kind for notice in found] == [kind]
        assert found[0].title.startswith(title)

    def test_the_page_of_another_day_is_marked_and_todays_is_not(self, manager):
        make_flow()
        worker_runs(minutes=60 * 20)
        old = manager.get("/overview/live/").content.decode()
        worker_runs()
        new = manager.get("/overview/live/").content.decode()

        assert ("ov-dated" in old, "ov-yesterday" in old, "the last time anybody counted" in old) == (True, True, True)
        assert ("ov-dated" in new, "ov-yesterday" in new) == (False, False)

    def test_an_unusual_volume_is_told_with_the_way_to_its_charts_but_not_by_a_stopped_worker(self):
        shop = make_flow().source
        worker_runs()
        data_arrives(shop)
        at = latest_samples().at
        Sample.objects.create(metric="unusual.B", value=-minutes_ago(25).timestamp(), at=at)

        found = overview().notices

        assert [(notice.kind, notice.title, notice.url) for notice in found] == [
            ("low", "Shopify → Ometria: far less than usual", "/admin/route/shopify-to-ometria/")
        ]
        assert "For 25 minutes" in found[0].text
        assert [notice.kind for notice in overview(at + timedelta(minutes=9)).notices] == ["stopped"]


class TestRoutes:
    def test_a_line_tells_freshness_volume_share_and_backlog(self):
        flow = make_flow()
        worker_runs()
        at = latest_samples().at
        for minutes, delivered, failed in ((5, 30, 10), (25, 60, 0), (65, 45, 5)):
            Sample.objects.create(flow=flow, metric=Metric.DELIVERED, value=delivered, at=at - timedelta(minutes=minutes))
            Sample.objects.create(flow=flow, metric=Metric.FAILED, value=failed, at=at - timedelta(minutes=minutes)) if failed else None
        Sample.objects.create(flow=flow, metric=Metric.UNCHANGED, value=7, at=at)
        make_delivery(flow, "1", ready_since=minutes_ago(2), due_at=minutes_ago(2))
        make_delivery(flow, "2", state=Delivery.State.BLOCKED)

        line = overview().routes[0].flows[0]

        assert (line.last_hour, line.hour_before, line.trend, line.share, str(line.ready), str(line.held)) == (90, 45, 100, 0.9, "1", "1")
        assert (line.failed, line.acted) == (10, 97)
        assert line.bars == (0, 0, 0, 0, 0, 45, 0, 0, 0, 60, 0, 30)
        assert timedelta(minutes=2) <= line.lag < timedelta(minutes=3)

    def test_a_route_takes_its_flows_together_and_is_as_its_worst(self):
        orders, customers = make_flow("order"), make_flow("customer")
        worker_runs()
        for flow, delivered in ((orders, 30), (customers, 12)):
            Sample.objects.create(flow=flow, metric=Metric.DELIVERED, value=delivered, at=latest_samples().at)
        make_delivery(customers, "7", ready_since=minutes_ago(9), due_at=minutes_ago(9))
        held(orders, "GBP", "10.50", "20.00")
        held(orders, "EUR", "5")
        make_exception(orders, "refused", waiting=1)
        make_exception(customers, "bad_phone", "x", waiting=1)

        line = overview().routes[0]

        assert (line.route.name, line.state, line.last_hour, line.acted) == ("Shopify → Ometria", "behind", 42, 42)
        assert (str(line.questions), str(line.held), line.worth_words) == ("2", "5", "€5.00 and £30.50")

    def test_a_route_that_is_switched_off_says_so_and_one_flow_that_lives_is_enough(self):
        off, live = make_flow("order"), make_flow("customer")
        off.__class__.objects.filter(pk=off.pk).update(enabled=False)
        assert overview().routes[0].state == "fresh"

        live.__class__.objects.update(enabled=False)
        assert overview().routes[0].state == "off"

    def test_volume_stands_beside_what_is_usual_at_this_hour(self):
        flow = make_flow()
        until = timezone.now().replace(minute=0, second=0, microsecond=0)
        Sample.objects.create(metric=Metric.PASS, value=1, at=until)
        usual_weeks(flow, until, [120, 180, 150, 160, 130])
        Sample.objects.create(flow=flow, metric=Metric.DELIVERED, value=90, at=until)

        line = overview(until).routes[0]

        assert (str(line.usual), line.place) == ("usual 130–160", "below")

    def test_counts_beyond_the_peek_come_from_the_last_sample(self, monkeypatch):
        monkeypatch.setattr(bounded, "PEEK", 3)
        monkeypatch.setattr("monitoring.latest.PEEK", 3)
        monkeypatch.setattr("monitoring.flow_lines.PEEK", 3)
        flow = make_flow()
        for number in range(6):
            make_delivery(flow, str(number))
        held(flow, "GBP", *["2.50"] * 5)
        line = overview().routes[0]
        assert (str(line.ready), str(line.held), line.worth_words) == ("3+", "3+", "")

        sample()
        line = overview().routes[0]
        assert (str(line.ready), str(line.held), line.worth_words) == ("6", "5", "£12.50")

    def test_the_next_poll_of_the_records_source_is_shown(self):
        flow = make_flow()
        soon = timezone.now() + timedelta(minutes=3)
        for reader, due in (("orders", soon), ("products", minutes_ago(1))):
            Checkpoint.objects.create(connection=flow.source, reader=reader, purpose="poll", window_from=minutes_ago(9), due_at=due)

        assert overview().routes[0].next_run == soon


class TestQuestions:
    def test_few_questions_are_counted_live_the_oldest_first(self):
        flow = make_flow()
        make_exception(flow, "refused", "X", waiting=1, first_seen=minutes_ago(5))
        make_exception(flow, "unmapped_sku", "A", waiting=2, first_seen=minutes_ago(90))
        make_exception(flow, "unmapped_sku", "B", waiting=1)
        make_exception(flow, "bad_phone", "C", state=SyncException.State.RESOLVED)

        lines = open_questions(latest_samples()).lines

        assert [(line.kind, line.team, str(line.count), str(line.waiting)) for line in lines] == [
            ("unmapped_sku", "ecommerce", "2", "3"),
            ("refused", "ecommerce", "1", "1"),
        ]

    def test_many_questions_are_told_by_the_samples(self, monkeypatch):
        monkeypatch.setattr("monitoring.question_lines.PEEK", 2)
        flow = make_flow()
        for subject in "ABCD":
            make_exception(flow, "unmapped_sku", subject, waiting=1)
        assert [str(line.count) for line in open_questions(latest_samples()).lines] == ["3+"]

        sample()
        assert [(str(line.count), str(line.waiting)) for line in open_questions(latest_samples()).lines] == [("4", "4")]


class TestThePage:
    def test_the_first_page_after_sign_in_is_the_overview(self, manager):
        make_flow()
        page = manager.get(reverse("admin:index"))

        assert page.status_code == 200
        assert page.context["title"] == "Overview"
        assert 'hx-get="/overview/live/"' in page.content.decode()

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

        with django_assert_num_queries(13):
            overview()
