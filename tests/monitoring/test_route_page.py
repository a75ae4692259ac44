"""A route's page: what became of what came in, charts that say where nobody counted, limits and runs, at a constant cost."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Checkpoint, Flow, RateBudget
from integrations.routes import ROUTES, route_named
from monitoring.hours import QUARTERLY, sum_up
from monitoring.models import Metric, Sample
from monitoring.route_page import ends_of, route_now
from monitoring.sampling import sample
from monitoring.trends import SPANS, trend
from tests.monitoring.moments import tried, usual_weeks, watched
from tests.rows import make_connections, make_delivery, make_exception, make_flow, make_person

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/route/shopify-to-ometria/"
NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(make_person("manager"))
    return client


def counted(at: datetime, flow: Flow, **numbers: float) -> None:
    """A minute that was looked at, with these numbers of a flow."""
    Sample.objects.create(metric=Metric.PASS, value=1, at=at)
    for metric, value in numbers.items():
        Sample.objects.create(flow=flow, metric=metric, value=value, at=at)


class TestRoutes:
    def test_the_names_and_addresses_follow_the_table_of_flows(self):
        assert {route.letter: (route.slug, route.name) for route in ROUTES.values()} == {
            "A": ("tiktok-shop-to-ometria", "TikTok Shop → Ometria"),
            "B": ("shopify-to-ometria", "Shopify → Ometria"),
            "E": ("commercetools-to-ometria", "commercetools → Ometria"),
        }

    def test_pairs_that_no_route_knows_are_still_shown(self, manager):
        shop, ometria = make_connections()
        Flow.objects.create(source=ometria, destination=shop, record_type="order")

        assert "Other flows" in manager.get("/overview/live/").content.decode()
        assert manager.get("/admin/route/other/").status_code == 200


class TestThePage:
    def test_a_route_without_flows_says_what_to_do_and_an_unknown_one_is_not_there(self, manager):
        assert "Nothing moves on this route yet" in manager.get(ADDRESS).content.decode()
        assert manager.get("/admin/route/nowhere/").status_code == 404

    def test_what_became_of_the_last_hour_adds_up_to_what_was_dealt_with(self):
        flow, minute = make_flow(), (timezone.now() - timedelta(seconds=5)).replace(second=0, microsecond=0)
        sample(minute - timedelta(minutes=30))
        tried(flow, ["delivered"] * 3 + ["unchanged", "held", "refused", "skipped", "later", "accepted"], minute - timedelta(minutes=3))
        sample(minute + timedelta(seconds=10))

        now = route_now(route_named("shopify-to-ometria"), timezone.now())

        assert {end.what: end.count for end in now.became} == {"delivered": 3, "unchanged": 1, "held": 1, "refused": 1, "skipped": 1}
        assert (now.line.acted, now.line.last_hour, now.line.failed) == (7, 3, 2)

    def test_questions_stand_by_kind_with_the_value_they_hold_up(self, manager):
        orders, customers = make_flow("order"), make_flow("customer")
        make_exception(orders, "unmapped_sku", "A", waiting_values={"GBP": "100.50", "EUR": "3"})
        make_exception(orders, "unmapped_sku", "B", waiting_values={"GBP": "0.50"})
        make_exception(orders, "unmapped_sku", "C", waiting_values={"GBP": "7"}, snoozed_until=timezone.now() + timedelta(days=1))
        make_exception(customers, "bad_phone", "D")
        sample()

        now = route_now(route_named("shopify-to-ometria"), timezone.now())

        shown = [(line.kind, str(line.count), line.worth) for line in now.kinds]
        assert shown == [("unmapped_sku", "2", "€3.00 and £101.00"), ("bad_phone", "1", "")]

    def test_the_ends_show_how_much_of_their_limits_is_used(self):
        flow, now = make_flow(), timezone.now()
        limit = {"rate": 1, "burst": 100, "updated_at": now - timedelta(seconds=10)}
        RateBudget.objects.create(connection=flow.destination, group="push", tokens=15, **limit)
        RateBudget.objects.create(connection=flow.source, group="graphql", tokens=500, blocked_until=now + timedelta(minutes=1), **limit)

        ends = ends_of(route_now(route_named("shopify-to-ometria"), now).line.flows, now)

        limits = [[(limit.group, limit.used, limit.blocked_until is None) for limit in end.limits] for end in ends]
        shown = [(end.connection.name, end.is_source, used) for end, used in zip(ends, limits, strict=True)]
        assert shown == [("Example shop", True, [("graphql", 0.0, False)]), ("Example Ometria", False, [("push", 0.75, True)])]

    def test_its_last_runs_are_listed(self, manager):
        flow = make_flow()
        for reader, purpose, state in (("orders", "poll", "waiting"), ("orders", "backfill", "done")):
            Checkpoint.objects.create(
                connection=flow.source, reader=reader, purpose=purpose, state=state, window_from=NOON, due_at=NOON, read_count=1234
            )

        page = manager.get(ADDRESS).content.decode()

        assert [words for words in ("Poll of orders", "Backfill of orders", "1,234") if words not in page] == []

    def test_only_people_with_a_role_see_it(self, client):
        make_flow()
        assert client.get(ADDRESS).status_code == 302
        client.force_login(make_person())
        for address in (ADDRESS, f"{ADDRESS}live/", f"{ADDRESS}trend.csv", "/admin/attempts/"):
            assert client.get(address).status_code == 403
        assert client.post(ADDRESS).status_code in (403, 405)

    @pytest.mark.parametrize(("address", "queries"), [(ADDRESS, 24), (f"{ADDRESS}live/", 16), (f"{ADDRESS}?span=week", 24)])
    def test_it_costs_as_many_queries_for_many_rows_as_for_few(self, manager, django_assert_max_num_queries, address, queries):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        make_exception(make_flow("order"), waiting=1)
        make_delivery(make_flow("customer"))
        sample()
        manager.get(address)
        with CaptureQueriesContext(connection) as few:
            manager.get(address)
        for kind in ("product", "variant", "checkout"):
            flow = make_flow(kind)
            make_exception(flow, waiting=9)
            tried(flow, ["delivered"] * 9, timezone.now() - timedelta(minutes=2))
        sample(timezone.now() + timedelta(minutes=1))

        with CaptureQueriesContext(connection) as many:
            manager.get(address)

        assert (len(many), len(few) <= queries) == (len(few), True)


class TestCharts:
    def test_a_day_in_quarters_of_an_hour_tells_gaps_from_zeros(self):
        flow = make_flow()
        counted(NOON - timedelta(minutes=16), flow, delivered=9)
        counted(NOON - timedelta(minutes=14), flow, delivered=4, unchanged=2, lag=90)
        counted(NOON, flow, delivered=1, refused=1, lag=400)
        counted(NOON - timedelta(hours=2), flow)
        Sample.objects.create(connection=flow.source, metric=Metric.ARRIVED, value=12, at=NOON - timedelta(minutes=1))

        sum_up(QUARTERLY, NOON)

        found = trend([flow], SPANS["day"], NOON + timedelta(minutes=7))

        points = {point.label: (point.delivered, point.acted, point.arrived, point.lag) for point in found.points}
        assert len(found.points) == 96
        assert (found.window.since, found.window.until) == (NOON - timedelta(hours=24), NOON)
        assert points["11:45"] == (5, 8, 12, 400)
        assert points["11:30"] == (9, 9, 0, 0.0)
        assert points["09:45"] == (0, 0, 0, 0.0)
        assert points["10:15"] == (None, None, None, None)
        assert [words for words in ("most at 11:30 (9)", "gaps in the lines") if words not in found.volume_words] == []
        assert "6 minutes at 11:45; longer than 5 minutes at 1 point" in found.lag_words

    def test_a_week_in_hours_stands_beside_what_is_usual(self):
        flow = make_flow()
        usual_weeks(flow, NOON, [120, 180, 150, 160, 130])
        watched(NOON - timedelta(hours=1))
        Sample.objects.create(flow=flow, metric="hour.delivered", value=100, at=NOON - timedelta(hours=1))

        last = trend([flow], SPANS["week"], NOON).points[-1]

        assert (last.delivered, str(last.usual)) == (100, "usual 130–160")

    def test_the_sheet_and_the_table_say_what_the_chart_draws(self, manager):
        flow = make_flow()
        at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
        counted(at, flow, delivered=1234)
        sum_up(QUARTERLY, at)

        page = manager.get(ADDRESS).content.decode()
        drawn = json.loads(re.search(r'<script id="trend" type="application/json">(.*?)</script>', page)[1])
        rows = list(csv.reader(io.StringIO(manager.get(f"{ADDRESS}trend.csv").content.decode())))

        assert [value for value in drawn["delivered"] if value] == [1234]
        assert len(rows) == 97
        assert [row for row in rows[1:] if row[2]] == [
            [(at - timedelta(minutes=15)).isoformat(), at.isoformat(), "1234", "1234", "0", "0.0", "", ""]
        ]
        assert ">1,234</a>" in page.partition("<tbody>")[2]
