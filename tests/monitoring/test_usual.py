"""What is usual, and when a volume is so far from it that it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from integrations.models import Checkpoint
from monitoring import retention
from monitoring.flow_lines import moved_by_flow
from monitoring.hours import HOUR, HOURLY, PASSES, QUARTERLY, hourly, sum_up
from monitoring.models import Metric, Sample
from monitoring.sampling import sample
from monitoring.unusual import verdict
from monitoring.usual import Usual, Volumes, earlier, volumes_by_flow
from tests.monitoring.moments import usual_weeks, watched
from tests.rows import make_flow

NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
WEEK, DAY = timedelta(weeks=1), timedelta(days=1)


def volumes(step: timedelta, found: list[float]) -> Volumes:
    hours = {NOON - HOUR - step * back: value for back, value in enumerate(found, 1)}
    return Volumes(hours, hours.keys())


class TestTheBand:
    def test_the_highest_and_the_lowest_of_five_weeks_do_not_count(self):
        usual = volumes(WEEK, [120, 180, 150, 0, 4000]).usual(NOON)

        assert (str(usual), usual.middle, usual.basis) == ("usual 120–180", 150, "this hour of the last Wednesdays")

    def test_while_weeks_are_few_the_last_days_tell(self):
        usual = volumes(DAY, [10, 30, 20]).usual(NOON)

        assert (str(usual), usual.basis) == ("usual 10–30", "this hour of the last days")

    def test_two_days_are_too_few(self):
        assert volumes(DAY, [10, 30]).usual(NOON) is None

    def test_an_hour_that_nobody_watched_says_nothing_and_one_without_deliveries_says_none(self):
        quiet = Volumes({}, {NOON - HOUR - WEEK * back for back in range(1, 4)})

        assert str(quiet.usual(NOON)) == "usually none"
        assert Volumes({}, set()).usual(NOON) is None

    def test_between_two_hours_both_count_by_their_share(self):
        hours = {NOON - WEEK * back: 60.0 for back in range(1, 6)} | {NOON - HOUR - WEEK * back: 100.0 for back in range(1, 6)}

        assert str(Volumes(hours, hours.keys()).usual(NOON + timedelta(minutes=15))) == "usual 90"

    @pytest.mark.django_db  # a change of the zone is told to open connections
    def test_a_change_of_the_clocks_moves_nothing(self, settings):
        settings.TIME_ZONE = "Europe/London"

        assert earlier(datetime(2026, 10, 26, 9, 0, tzinfo=UTC), 7, 1) == [datetime(2026, 10, 19, 8, 0, tzinfo=UTC)]

    @given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=3, max_size=5))
    def test_the_middle_lies_in_the_band_and_the_band_in_what_was_seen(self, found: list[int]):
        usual = volumes(WEEK, found).usual(NOON)

        assert min(found) <= usual.low <= usual.middle <= usual.high <= max(found)


class TestTelling:
    BAND = Usual(100, 150, 200, "")

    @pytest.mark.parametrize(
        ("before", "volume", "told"),
        [(0, 50, 0), (0, 49, -1), (-1, 79, -1), (-1, 80, 0), (0, 600, 0), (0, 601, 1), (1, 401, 1), (1, 400, 0), (-1, 601, 1), (1, 49, -1)],
    )
    def test_it_is_told_far_out_and_over_only_well_back(self, before, volume, told):
        assert verdict(before, volume, self.BAND) == told

    def test_thin_hours_and_unknown_ones_are_not_judged(self):
        assert verdict(0, 0, Usual(5, 9, 12, "")) == 0
        assert verdict(0, 0, None) == 0

    def test_a_few_more_than_almost_none_is_no_news(self):
        assert verdict(0, 49, Usual(1, 10, 12, "")) == 0


@pytest.mark.django_db
class TestSampling:
    def told(self) -> dict[datetime, float]:
        return dict(Sample.objects.filter(metric="unusual.B").values_list("at", "value"))

    def delivered(self, flow, value, at) -> None:
        Sample.objects.create(flow=flow, metric=Metric.DELIVERED, value=value, at=at)

    def test_far_less_than_usual_is_told_since_its_beginning_until_it_is_well_back(self):
        flow = make_flow()
        usual_weeks(flow, NOON, [100, 120, 110, 90, 130])
        self.delivered(flow, 30, NOON - timedelta(minutes=59))

        sample(NOON + timedelta(seconds=10))
        assert self.told() == {NOON: -NOON.timestamp()}

        self.delivered(flow, 45, NOON + timedelta(seconds=20))
        sample(NOON + timedelta(seconds=70))
        assert self.told()[NOON + timedelta(minutes=1)] == -NOON.timestamp()

        self.delivered(flow, 100, NOON + timedelta(seconds=80))
        sample(NOON + timedelta(seconds=130))
        assert len(self.told()) == 2

    def test_far_more_is_told_unless_history_is_being_read(self):
        flow = make_flow()
        usual_weeks(flow, NOON, [100, 120, 110, 90, 130])
        self.delivered(flow, 5000, NOON - timedelta(minutes=5))
        times = {"window_from": NOON, "due_at": NOON}
        pull = Checkpoint.objects.create(connection=flow.source, reader="orders", purpose="backfill", state="running", **times)

        sample(NOON + timedelta(seconds=10))
        assert self.told() == {}

        Checkpoint.objects.filter(pk=pull.pk).update(state="done", finished_at=NOON - HOUR)
        sample(NOON + timedelta(seconds=70))
        assert list(self.told().values()) == [(NOON + timedelta(minutes=1)).timestamp()]

    def test_whole_hours_are_summed_up_once_with_the_highest_lag(self):
        flow = make_flow()
        for minutes, delivered, lag in ((0, 7, 0), (1, 10, 30), (30, 5, 90), (60, 2, 20), (61, 99, 600)):
            at = NOON + timedelta(minutes=minutes)
            self.delivered(flow, delivered, at)
            Sample.objects.create(metric=Metric.PASS, value=1, at=at)
            Sample.objects.create(flow=flow, metric=Metric.LAG, value=lag, at=at) if lag else None

        sum_up(HOURLY, NOON + HOUR)
        sum_up(HOURLY, NOON + HOUR)

        rows = Sample.objects.filter(metric__startswith="hour.").order_by("at", "metric").values_list("at", "metric", "value")
        assert list(rows) == [
            (NOON - HOUR, hourly("delivered"), 7), (NOON - HOUR, PASSES, 1),
            (NOON, hourly("delivered"), 17), (NOON, hourly("lag"), 90), (NOON, PASSES, 3),
        ]  # fmt: skip

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/London"])
    def test_the_consoles_time_zone_moves_neither_hours_nor_bars(self, settings, zone):
        settings.TIME_ZONE = zone
        flow = make_flow()
        Sample.objects.create(metric=Metric.PASS, value=1, at=NOON + timedelta(minutes=5))
        self.delivered(flow, 7, NOON + timedelta(minutes=5))

        sum_up(HOURLY, NOON + HOUR)
        moved = moved_by_flow(NOON + timedelta(minutes=20))[flow.pk]

        assert list(Sample.objects.filter(metric=hourly("delivered")).values_list("at", "value")) == [(NOON, 7)]
        assert moved.slots["delivered"][:3] == [0, 7, 0]

    def test_quarters_of_an_hour_are_summed_up_likewise(self):
        flow = make_flow()
        for minutes, delivered in ((1, 10), (15, 5), (16, 2), (31, 99)):
            self.delivered(flow, delivered, NOON + timedelta(minutes=minutes))
            Sample.objects.create(metric=Metric.PASS, value=1, at=NOON + timedelta(minutes=minutes))

        sum_up(QUARTERLY, NOON + timedelta(minutes=31))

        rows = Sample.objects.filter(metric="quarter.delivered").order_by("at").values_list("at", "value")
        assert list(rows) == [(NOON, 15), (NOON + timedelta(minutes=15), 2)]

    def test_hours_outlive_the_minutes_and_go_in_the_end(self):
        now = timezone.now()
        for days in (29, 31, 99, 101):
            for metric in ("delivered", hourly("delivered")):
                Sample.objects.create(metric=metric, value=1, at=now - timedelta(days=days))

        retention.prune()

        left = Sample.objects.exclude(metric=Metric.PRUNED_UNTIL).values_list("metric", "at")
        assert sorted((metric, (now - at).days) for metric, at in left) == [
            ("delivered", 29), ("hour.delivered", 29), ("hour.delivered", 31), ("hour.delivered", 99),
        ]  # fmt: skip

    def test_a_long_stop_does_not_stop_the_summing(self):
        for hours in (0, 24 * 12, 24 * 12 + 1):
            Sample.objects.create(metric=Metric.PASS, value=1, at=NOON + timedelta(hours=hours, minutes=30))

        for _ in range(3):
            sum_up(HOURLY, NOON + timedelta(days=13))

        assert Sample.objects.filter(metric=PASSES).count() == 3

    def test_what_is_usual_is_known_per_flow_in_one_query(self, django_assert_num_queries):
        order, customer = make_flow("order"), make_flow("customer")
        usual_weeks(order, NOON, [10, 20, 30])
        watched(NOON - DAY)

        with django_assert_num_queries(1):
            found = volumes_by_flow(NOON)

        assert (str(found[order.pk].usual(NOON)), str(found[customer.pk].usual(NOON))) == ("usual 10–30", "usually none")
