"""Which statement about a channel stands, what a side holds, and the reason of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from mapping.consent import Holding, Statement, carries, forces, heard, holding, statements_of, winning
from mapping.consent_reasons import judge
from mapping.records import ConsentState
from tests.mapping.samples import AT, customer

G, W, U, S = ConsentState.GRANTED, ConsentState.WITHDRAWN, ConsentState.UNKNOWN, ConsentState.SUPPRESSED
SHOP, MAIL = 1, 2


def said(state, hours=0.0, *, explicit=True, channel="email", dated=True, at=SHOP, noted=None, **more):
    noted_at = AT + timedelta(hours=hours if noted is None else noted)
    values = {"connection": at, "place": {SHOP: "Shop", MAIL: "Mail"}[at], "noted_at": noted_at, "seen_at": noted_at, **more}
    return Statement(channel=channel, state=state, stated_at=AT + timedelta(hours=hours) if dated else None, explicit=explicit, **values)


def told(state, hours, *, sent, at=MAIL, confirmed=True, **more):
    return said(state, hours, at=at, noted=sent, told=True, confirmed=confirmed, **more)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], None),
        ([said(U, 9)], None),
        ([said(G, 9, channel="sms")], None),
        ([said(G, 1), said(W, 2)], W),
        ([said(W, 1), said(G, 2)], G),
        ([said(W, 1), said(U, 2)], W),
        ([said(G, 1), said(W, 1)], W),
        ([said(G, 1), said(W, 1, explicit=False)], W),
        ([said(W, 1), said(G, 2, explicit=False)], W),
        ([said(G, 1, explicit=False), said(W, 2, explicit=False)], W),
        ([said(W, 1), said(G, dated=False)], W),
        ([said(G, dated=False)], None),
        ([said(G, 3, explicit=False)], None),
        ([said(W, dated=False), said(G, 1)], G),
        ([said(W, dated=False), said(G, 1, history=True)], W),
        ([said(W, dated=False, explicit=False), said(G, 1, history=True)], G),
        ([said(W, dated=False, explicit=False)], W),
        ([said(S, 1), said(G, 9)], S),
        ([said(S, dated=False, explicit=False), said(G, 9), said(W, 8)], S),
        ([said(G, 1, history=True)], G),
        ([said(W, 1), said(G, 9, history=True)], W),
        ([said(W, 1, history=True), said(G, 9, history=True)], W),
        ([said(G, 1), said(W, 2, history=True)], W),
        ([said(W, 1), said(G, 1 + 0.01 / 3600)], W),  # in one second, which is all that some platforms tell
        ([said(W, 1), said(G, 1 + 0.1 / 3600)], G),
    ],
)
def test_the_newest_act_of_the_person_stands_in_whatever_order_statements_arrive(statements, expected):
    found = {getattr(winning(order, "email"), "state", None) for order in permutations(statements)}
    assert found == {expected}
    assert {judge(order, "email").state for order in permutations(statements)} == {expected or U}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (said(G, 1, at=MAIL, noted=6), 1),  # it carries the time of what it was told
        (said(G, 5.5, at=MAIL, noted=6), 1),  # it dates what it was told by its own clock
        (said(G, 4.95, at=MAIL, noted=6), 1),  # by a clock that is behind
        (said(G, 8, at=MAIL, noted=9), 8),  # long after: an act of its own
        (said(G, 4, at=MAIL, noted=9), 4),  # before it was told: an act of its own
        (said(G, 1, at=MAIL, noted=4), 1),  # heard before it was told
        (said(G, 5.5, at=SHOP, noted=6), 5.5),  # said by another side
    ],
)
def test_the_echo_of_a_consent_keeps_the_time_of_what_it_echoes(statement, expected):
    words = heard([told(G, 1, sent=5), statement], "email")
    assert [word.stated_at for word in words] == [AT + timedelta(hours=expected)]


def test_a_late_echo_never_takes_back_a_withdrawal_that_came_in_between():
    statements = [said(G, 1), told(G, 1, sent=5), said(G, 5.1, at=MAIL, noted=6), said(W, 3, noted=7)]
    assert winning(statements, "email").state is W


def test_a_consent_given_after_a_withdrawal_at_the_same_side_is_no_echo():
    statements = [said(G, 1), told(G, 1, sent=5), said(W, 5.2, at=MAIL, noted=6), said(G, 5.4, at=MAIL, noted=6)]
    assert winning(statements, "email").stated_at == AT + timedelta(hours=5.4)


def test_the_echo_of_a_consent_known_from_history_is_history_too():
    statements = [said(G, 1, history=True), told(G, 1, sent=5, history=True), said(G, 5.1, at=MAIL, noted=6)]
    assert [word.history for word in heard(statements, "email")] == [True, True]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], Holding()),
        ([said(G, 1)], Holding()),  # of another side
        ([said(G, 1, at=MAIL)], Holding(G, sure=True)),
        ([said(G, 1, at=MAIL), told(W, 0, sent=5)], Holding(W, sure=True)),
        ([said(G, 1, at=MAIL), told(W, 0, sent=5, confirmed=False)], Holding(G, sure=False)),  # it may have arrived
        ([told(W, 0, sent=0.5, confirmed=False), said(G, 1, at=MAIL)], Holding(G, sure=True)),
        ([told(W, 0, sent=5, confirmed=False)], Holding()),
        ([told(G, 0, sent=5), said(W, 3, at=MAIL, noted=6)], Holding(W, sure=False)),  # she said no before we told it yes
        ([told(W, 0, sent=5), said(G, 3, at=MAIL, noted=6)], Holding(G, sure=False)),
        ([told(W, 0, sent=5), said(S, 3, at=MAIL, noted=6)], Holding(S, sure=True)),
        ([told(G, 0, sent=5), said(W, 7, at=MAIL, noted=8)], Holding(W, sure=True)),
    ],
)
def test_what_a_side_holds_is_the_last_word_and_sure_only_when_both_clocks_agree(statements, expected):
    assert holding(statements, MAIL, "email") == expected


@pytest.mark.parametrize(
    ("winner", "carried"),
    [
        (None, False),
        (said(G, 1), True),
        (said(G, 1, history=True), False),
        (said(W, 1, history=True), True),
        (said(W, dated=False), True),
        (said(W, dated=False, explicit=False), False),
        (said(S, dated=False, explicit=False), True),
    ],
)
def test_what_stands_is_brought_to_others_unless_it_is_an_old_yes_or_no_act_at_all(winner, carried):
    assert carries(winner) is carried
    assert forces(winner, [], MAIL) is carried


@pytest.mark.parametrize(
    ("at_mail", "forced"),
    [
        ([], True),
        ([said(G, 0, at=MAIL)], True),
        ([said(W, 0, at=MAIL)], False),  # it holds the same for a reason of its own
        ([said(S, 0, at=MAIL)], False),
        ([told(W, 1, sent=2)], False),
        ([told(W, 1, sent=2, confirmed=False)], True),  # whether it arrived is not known
        ([told(G, 0, sent=0.5), said(W, 1, at=MAIL, noted=3)], True),  # what we wrote there still says yes
        ([told(G, 0, sent=0.5), told(W, 1, sent=2), said(W, 1, at=MAIL, noted=3)], False),
    ],
)
def test_a_word_is_forced_on_a_side_once_and_not_where_it_is_held_already(at_mail, forced):
    assert forces(said(W, 1), at_mail, MAIL) is forced


@pytest.mark.parametrize(("entry", "forced"), [(1, True), (2, False), (3, True), (None, False)])
def test_a_no_is_forced_once_on_each_entry_that_was_written_before(entry, forced):
    at_mail = [replace(told(G, 0, sent=0.5), entry=1), replace(told(G, 0, sent=0.6), entry=2), replace(told(W, 1, sent=2), entry=2)]
    assert forces(said(W, 1), at_mail, MAIL, entry=entry) is forced


@pytest.mark.parametrize(("shown", "forced"), [(0.5, True), (3, False)])
def test_a_consent_is_not_forced_on_a_side_that_showed_a_no_of_unknown_age_after_it(shown, forced):
    no = said(W, dated=False, explicit=False, at=MAIL, noted=shown)
    assert forces(said(G, 1), [no], MAIL) is forced


def test_every_statement_of_the_chain_has_its_reason_oldest_first():
    found = judge(
        [
            said(G, 4, explicit=False), said(U, dated=False, at=MAIL), said(G, 1), said(W, 3, at=MAIL), said(G, 2, history=True),
            told(W, 3, sent=5, at=SHOP), said(W, 3, noted=6),
        ],
        "email",
    )  # fmt: skip
    assert (found.why, [(one.statement.state, one.why) for one in found.chain]) == (
        "May not be written to: the newest statement is a withdrawal at Mail.",
        [
            (U, "Never asked there. That is neither yes nor no."),
            (G, "Overruled by a newer statement."),
            (G, "Overruled: what is known from history alone never takes back a withdrawal."),
            (W, "It stands: no later consent by a dated act of the person."),
            (W, "Says the same as the statement that stands."),
            (G, "Does not count: a consent counts only as a dated act of the person."),
            (W, "We told it so."),
        ],
    )
    assert [one.stands for one in found.chain].index(True) == 3


@pytest.mark.parametrize("parts", [0, 0.01])
def test_a_yes_of_the_second_of_a_no_says_why_it_does_not_stand(parts):
    found = judge([said(W, 1), said(G, 1 + parts / 3600)], "email")
    assert [one.why for one in found.chain if not one.stands] == ["Overruled: of two statements of the same second the withdrawal stands."]


def test_a_records_consents_become_statements():
    assert statements_of(customer().consents, source="shop") == (
        Statement(channel="email", state=G, stated_at=AT, source="shop", explicit=True),
    )
