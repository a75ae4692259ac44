"""Gaps in the numbers of messages: told once they are certain, never for what this process did not see for itself."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.platforms.commercetools.sequences import Gap, Sequences

BEGAN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def readings(sequences: Sequences, seen: dict[int, list[tuple[str, int, datetime]]], minutes: int) -> list[Gap]:
    """A reading every minute of the last five; `seen` says what each shows."""
    told: list[Gap] = []
    for minute in range(minutes):
        for gap in sequences.begin(at(minute) - OVERLAP, at(minute)):
            if gap not in told:
                told.append(gap)
        for resource, number, moment in seen.get(minute, []):
            sequences.saw(resource, number, moment)
    return told


def test_a_number_that_never_comes_is_a_gap_once_it_could_not_come_any_more() -> None:
    seen = {1: [("order:1", 4, at(0.5))], 2: [("order:1", 7, at(1.5))]}
    assert readings(Sequences(), seen, 7) == []
    assert readings(Sequences(), seen, 9) == [Gap("order:1", 5, 6)]


def test_a_message_that_becomes_visible_late_fills_the_gap() -> None:
    seen = {1: [("order:1", 4, at(0.5)), ("order:1", 6, at(0.6))], 5: [("order:1", 5, at(0.55))]}
    assert readings(Sequences(), seen, 20) == []


def test_a_gap_is_told_until_the_reading_that_told_it_was_stored() -> None:
    sequences = Sequences()
    readings(sequences, {1: [("order:1", 4, at(0.5)), ("order:1", 6, at(0.6))]}, 6)
    since = at(6) - OVERLAP
    first, again = sequences.begin(since, at(6)), sequences.begin(since, at(6.1))
    assert first == again == (Gap("order:1", 5, 5),)
    assert sequences.begin(at(7) - OVERLAP, at(7)) == ()


def test_where_another_process_read_in_between_nothing_is_judged() -> None:
    sequences = Sequences()
    sequences.begin(at(0) - OVERLAP, at(0))
    sequences.saw("order:1", 4, at(-1))
    sequences.begin(at(30) - OVERLAP, at(30))
    sequences.saw("order:1", 9, at(29))
    assert sequences.begin(at(34) - OVERLAP, at(34)) == ()
    assert sequences.begin(at(35) - OVERLAP, at(35)) == ()


def test_what_comes_back_to_back_in_any_order_is_no_gap() -> None:
    numbers = [("order:1", number, at(0.5)) for number in (3, 6, 4, 5, 5, 3)]
    assert readings(Sequences(), {1: numbers}, 12) == []


def test_a_later_gap_of_the_same_resource_is_told_too() -> None:
    seen = {1: [("order:1", 1, at(0.5)), ("order:1", 3, at(0.6))], 10: [("order:1", 4, at(9.5)), ("order:1", 6, at(9.6))]}
    assert readings(Sequences(), seen, 30) == [Gap("order:1", 2, 2), Gap("order:1", 5, 5)]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(2, 39), max_size=6))
def test_exactly_the_lost_numbers_between_seen_ones_are_told(seed: int, lost: set[int]) -> None:
    """Forty messages, some lost, the others visible up to four minutes late and several times."""
    rng = random.Random(seed)
    seen: dict[int, list[tuple[str, int, datetime]]] = {}
    for number in range(1, 41):
        made = number / 3
        if number not in lost:
            for minute in range(int(made) + 1 + rng.randint(0, 3), int(made) + 6):
                seen.setdefault(minute, []).append(("order:1", number, at(made)))
    told = readings(Sequences(), {minute: rng.sample(rows, len(rows)) for minute, rows in seen.items()}, 40)
    first = min(number for minute in [min(seen)] for _, number, _ in seen[minute])
    assert {number for gap in told for number in range(gap.first, gap.last + 1)} >= {number for number in lost if number > first + 12}
    assert {number for gap in told for number in range(gap.first, gap.last + 1)} <= lost
