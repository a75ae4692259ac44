"""Silence is judged by what a source usually does at this time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.silence import AROUND, silence_limit, usual_gap

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def every(minutes: int, around: datetime) -> list[datetime]:
    return [around + timedelta(minutes=offset) for offset in range(-120, 121, minutes)]


def test_a_busy_source_is_told_after_a_quarter_of_an_hour():
    assert silence_limit(60) == timedelta(minutes=15)


def test_a_source_that_pauses_long_at_this_time_is_given_twice_that():
    assert silence_limit(3600) == timedelta(hours=2)


def test_a_source_without_habits_is_told_after_an_hour():
    assert silence_limit(None) == timedelta(hours=1)


def test_the_pause_of_the_middle_day_counts_so_that_one_outage_hides_no_other():
    arrivals = sorted([*every(5, NOW - DAY), *every(20, NOW - 2 * DAY), NOW - 3 * DAY])

    assert usual_gap(arrivals, [NOW - DAY, NOW - 2 * DAY, NOW - 3 * DAY], NOW) == timedelta(minutes=20)


def test_a_night_without_orders_is_usual_at_night():
    assert usual_gap(every(5, NOW - DAY), [NOW - DAY, NOW - 2 * DAY], NOW) == 2 * AROUND


def test_pauses_at_other_hours_do_not_count():
    morning = [NOW - DAY - timedelta(minutes=minutes) for minutes in (119, 80)]
    noon = [NOW - DAY + timedelta(minutes=minutes) for minutes in range(-60, 121, 5)]

    assert usual_gap(sorted([*morning, *noon]), [NOW - DAY], NOW) == timedelta(minutes=5)


def test_on_its_first_day_a_source_speaks_for_itself_after_ten_minutes_with_arrivals():
    recent = [NOW - timedelta(minutes=minutes) for minutes in range(30, 0, -3)]

    assert usual_gap(recent, [], NOW) == timedelta(minutes=3)
    assert usual_gap(recent[:9], [], NOW) is None


@given(st.lists(st.integers(min_value=-7200, max_value=7200), max_size=50))
def test_the_usual_pause_lies_between_nothing_and_the_span_looked_at(offsets: list[int]):
    arrivals = sorted(NOW - DAY + timedelta(seconds=offset) for offset in offsets)

    assert timedelta() < usual_gap(arrivals, [NOW - DAY], NOW) <= 2 * AROUND
