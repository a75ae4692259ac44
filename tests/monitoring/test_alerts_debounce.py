"""What flutters is told once: people's belief follows what is seen only when it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.debounce import Standing, settled
from monitoring.alerts.quiet import quiet_end
from monitoring.alerts.watches import TEAMS, WATCHES, Severity, Watch

BEGAN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def watch(settle: int, calm: int) -> Watch:
    return Watch(
        slug="x",
        label="X",
        when="Now.",
        teams=(),
        severity=Severity.WARNING,
        settle=timedelta(minutes=settle),
        calm=timedelta(minutes=calm),
    )


def walk(seen: list[bool], which: Watch) -> list[Standing]:
    """The standing after each look, a minute apart."""
    standings: list[Standing] = []
    for minute, raw in enumerate(seen):
        standings.append(settled(standings[-1] if standings else None, raw, BEGAN + timedelta(minutes=minute), which))
    return standings


@given(seen=st.lists(st.booleans(), max_size=60), settle=st.integers(0, 5), calm=st.integers(0, 5))
def test_every_change_that_is_told_was_seen_without_a_break_for_as_long_as_it_must_last(seen: list[bool], settle: int, calm: int):
    before = False
    for minute, standing in enumerate(walk(seen, watch(settle, calm))):
        if standing.wrong != before:
            must = settle if standing.wrong else calm
            assert seen[max(0, minute - must) : minute + 1] == [standing.wrong] * (min(minute, must) + 1)
        before = standing.wrong


@given(seen=st.lists(st.booleans(), max_size=60), settle=st.integers(0, 5), calm=st.integers(0, 5))
def test_whatever_lasts_long_enough_is_told(seen: list[bool], settle: int, calm: int):
    last = seen[-1] if seen else False

    ends = walk([*seen, *[last] * (max(settle, calm) + 1)], watch(settle, calm))

    assert ends[-1].wrong == last


def test_a_condition_without_patience_is_told_at_once():
    assert [standing.wrong for standing in walk([True, False, True], watch(0, 0))] == [True, False, True]


def test_a_short_break_is_neither_the_end_nor_another_beginning():
    assert [standing.wrong for standing in walk([True, True, False, True, False, False, False], watch(1, 2))] == [
        False, True, True, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("slug", WATCHES)
def test_every_condition_says_what_it_is_whom_it_concerns_and_when(slug: str):
    found = WATCHES[slug]

    assert (bool(found.label), found.when.endswith("."), set(found.teams) <= TEAMS.keys()) == (True, True, True)


@pytest.mark.parametrize(
    ("start", "end", "zone", "now", "until"),
    [
        ("22:00", "07:00", "UTC", "2026-11-21T23:30Z", "2026-11-22T07:00Z"),
        ("22:00", "07:00", "UTC", "2026-11-21T06:59Z", "2026-11-21T07:00Z"),
        ("22:00", "07:00", "UTC", "2026-11-21T07:00Z", None),
        ("22:00", "07:00", "Europe/Berlin", "2026-11-21T21:30Z", "2026-11-22T06:00Z"),
        ("12:00", "14:00", "America/New_York", "2026-07-01T16:30Z", "2026-07-01T18:00Z"),
        ("22:00", "07:00", "Europe/London", "2026-03-28T23:00Z", "2026-03-29T06:00Z"),  # the clocks go forward in between
        ("01:00", "01:30", "Europe/London", "2026-10-25T01:10Z", "2026-10-25T01:30Z"),  # in the hour that is repeated
        ("09:00", "09:00", "UTC", "2026-11-21T09:00Z", None),
        (None, "07:00", "UTC", "2026-11-21T06:00Z", None),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_wall_of_the_target(start, end, zone, now, until):
    moments = [None if text is None else datetime.fromisoformat(text) for text in (now, until)]
    hours = [None if text is None else time.fromisoformat(text) for text in (start, end)]

    assert quiet_end(*hours, zone, moments[0]) == moments[1]
