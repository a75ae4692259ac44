"""A state that is only shown becomes a word where it turned round, and nobody else can have turned it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mapping.consent import Statement
from mapping.consent_observed import OBSERVED, turned
from mapping.records import Consent, ConsentState

BEGAN = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)
OMETRIA, SHOPIFY = 1, 2
YES, NO = ConsentState.GRANTED, ConsentState.WITHDRAWN


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def sight(state: ConsentState, minute: float) -> Statement:
    """The profile showed this state last at that minute."""
    return Statement(channel="email", state=state, source=OBSERVED, connection=OMETRIA, noted_at=at(0), seen_at=at(minute))


def word(
    state: ConsentState, minute: float, *, connection: int = OMETRIA, noted: float | None = None, told: bool = False, arrived: bool = True
) -> Statement:
    heard = at(minute if noted is None else noted)
    return Statement(
        channel="email", state=state, stated_at=at(minute), source="link_unsubscribe", explicit=True, connection=connection, told=told,
        noted_at=heard, seen_at=heard, confirmed=told and arrived,
    )  # fmt: skip


def shown(state: ConsentState, *ledger: Statement, minute: float = 10) -> tuple[bool, datetime | None]:
    """Whether the state shown at this minute counts as an act of the person, and its time."""
    consent = Consent(channel="email", state=state, source=OBSERVED)
    found = turned(consent, at(minute), ledger, connection=OMETRIA)
    assert found.state is state
    return found.explicit, found.stated_at


NOBODYS = (False, None)


def test_a_state_that_is_seen_for_the_first_time_is_nobodys_act() -> None:
    assert [shown(YES), shown(NO)] == [NOBODYS, NOBODYS]


def test_a_state_that_stays_as_it_was_says_nothing_new() -> None:
    assert [shown(YES, sight(YES, 5)), shown(NO, sight(NO, 5))] == [NOBODYS, NOBODYS]


def test_who_left_and_is_subscribed_again_said_so_after_no_was_last_seen() -> None:
    assert shown(YES, word(NO, 2), sight(YES, 1), sight(NO, 5)) == (True, at(5))


def test_a_clock_that_is_ahead_does_not_make_the_new_word_older_than_the_withdrawal() -> None:
    assert shown(YES, word(NO, 7, noted=4), sight(NO, 5)) == (True, at(7) + timedelta(seconds=1))


def test_a_withdrawal_that_was_heard_after_no_was_last_seen_may_not_be_shown_yet() -> None:
    assert shown(YES, sight(NO, 5), word(NO, 7)) == NOBODYS


def test_a_connection_that_shows_what_it_was_told_says_nothing_new() -> None:
    assert shown(YES, sight(NO, 5), word(YES, 6, told=True)) == NOBODYS
    assert shown(NO, sight(YES, 5), word(NO, 6, told=True)) == NOBODYS


def test_while_anything_is_on_its_way_to_it_nothing_is_concluded() -> None:
    """Told yes, told no: what is seen in between is neither her word nor what she will be left with."""
    passing = [word(YES, 3, told=True), word(NO, 4, told=True, arrived=False)]
    assert shown(YES, sight(NO, 5), *passing) == NOBODYS
    assert shown(YES, sight(NO, 5), word(YES, 3, told=True), word(NO, 4, told=True)) == (True, at(5))


def test_what_was_said_elsewhere_meanwhile_may_have_reached_it_through_us() -> None:
    assert shown(YES, sight(NO, 5), word(YES, 6, connection=SHOPIFY)) == NOBODYS
    assert shown(NO, sight(YES, 5), word(NO, 6, connection=SHOPIFY)) == NOBODYS


def test_what_was_said_elsewhere_long_before_does_not_explain_a_turn() -> None:
    assert shown(YES, word(YES, 1, connection=SHOPIFY), word(NO, 2), sight(NO, 5)) == (True, at(5))


def test_a_withdrawal_on_a_way_that_is_not_listed_gets_the_latest_time_it_can_have() -> None:
    assert shown(NO, sight(YES, 5), minute=10) == (True, at(10))


def test_a_withdrawal_that_is_listed_is_not_said_twice() -> None:
    assert shown(NO, sight(YES, 5), word(NO, 6)) == NOBODYS


@pytest.mark.parametrize("state", [ConsentState.UNKNOWN, ConsentState.SUPPRESSED])
def test_what_is_neither_yes_nor_no_turns_nothing_round(state: ConsentState) -> None:
    assert shown(YES, sight(state, 5)) == NOBODYS
