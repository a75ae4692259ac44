"""The answer about a segment: every threshold from both sides, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.segments.reading import thinned
from monitoring.segments.verdict import Seen, share_words, usual_size, verdict

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FRESH: dict[str, Any] = {"now": NOW, "present": True, "status": "READY", "size": 500, "refreshed_at": NOW - timedelta(hours=4)}


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({}, "healthy"),
        ({"usual": 500, "expected": 500}, "healthy"),
        ({"present": False, "size": None}, "absent"),
        ({"ready": False, "status": "PROCESSING"}, "not_ready"),
        ({"size": 0, "usual": 500}, "empty"),
        ({"usual": 625}, "healthy"),  # 20 % fewer is still as agreed
        ({"usual": 626}, "shrunk"),
        ({"usual": 416}, "grown"),
        ({"usual": 417}, "healthy"),
        ({"size": 2, "usual": 4}, "healthy"),  # two people are noise
        ({"refreshed_at": NOW - timedelta(days=8)}, "healthy"),
        ({"refreshed_at": NOW - timedelta(days=8, seconds=1)}, "stale"),
        ({"refreshed_at": None}, "healthy"),
        ({"expected": 555}, "healthy"),
        ({"expected": 556}, "drifted"),
        ({"expected": 0}, "drifted"),
        ({"size": None}, "unread"),
        ({"usual": 900, "refreshed_at": NOW - timedelta(days=30), "expected": 900}, "shrunk"),  # the gravest is the answer
    ],
)
def test_each_threshold_has_its_answer(values: dict[str, Any], answer: str):
    assert verdict(Seen(**{**FRESH, **values}))[0] == answer


def test_every_reason_is_told_not_only_the_gravest():
    _, reasons = verdict(Seen(**{**FRESH, "usual": 900, "refreshed_at": NOW - timedelta(days=30), "expected": 900}))

    assert reasons == [
        "500 people are in it, 400 fewer (-44\u00a0%) than usual.",
        "Ometria refreshed it 30 days ago; even the slowest segments are refreshed once a week.",
        "Our own records expect 900 people; Ometria has 400 fewer (-44\u00a0%).",
    ]


def test_thresholds_are_those_that_somebody_chose():
    seen = Seen(**{**FRESH, "usual": 520, "median_percent": 3, "stale_days": 1})

    assert verdict(seen)[0] == "shrunk"


def test_two_readings_do_not_make_a_habit():
    assert (usual_size([500, 510]), usual_size([500, 900, 510])) == (None, 510)


@pytest.mark.parametrize(
    ("size", "base", "said"), [(5, 5, "as many"), (3, 0, "3 more"), (839, 842, "3 fewer"), (1500, 1000, "500 more (+50\u00a0%)")]
)
def test_a_difference_is_said_with_its_share(size: int, base: int, said: str):
    assert share_words(size, base) == said


def test_long_series_are_thinned_with_both_ends_kept():
    assert (thinned(range(100), 4), thinned([1, 2], 4)) == ([0, 33, 66, 99], [1, 2])
