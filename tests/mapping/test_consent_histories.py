"""A hundred thousand lives of a person's consents at three platforms: who is mailable in the end, and whether all sides agree."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.consent import carries, winning
from mapping.consent_reasons import judge
from tests.mapping.consent_world import MAIL, SIDES, G, Held, S, U, W, World, moment, story
from tests.mapping.test_consent import said

HISTORIES, PARTS = 100_000, 4


@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_is_mailable_without_a_winning_act_and_all_sides_agree_once_quiet(part):
    faults = {}
    for seed in range(part, HISTORIES, PARTS):
        dice = Random(seed)
        world = World(dice).run(*story(dice))
        if found := [*never_quiet(world), *wrong_standing(world), *wrong_sides(world), *wrong_opt_ins(world)]:
            faults[seed] = found
    assert faults == {}


def never_quiet(world):
    """A world that does not come to rest sends the same round and round."""
    if world.queue:
        yield "never quiet"


def wrong_standing(world):
    """What stands is the newest act that the ledger heard of; a grant is one of those acts, and nothing forbids it."""
    stands = world.standing()
    heard = [act for act in world.done if act.explicit and (act.side, False, act.state, act.minute) in world.ledger]
    newest = max(heard, key=lambda act: (act.minute, act.state is W), default=None)
    if stands is None or stands.state is not G:
        return
    if not any(act.state is G and moment(act.minute) == stands.stated_at for act in world.done if act.explicit):
        yield "mailable without an act of the person"
    if newest is not None and newest.state is W:
        yield "mailable against a newer withdrawal"
    if any(act.state is S for act in world.done):
        yield "mailable against a suppression"
    if stands.history and any(act.state is W for act in heard):
        yield "mailable by a backfill against a withdrawal"


def wrong_sides(world):
    """Every side holds the same yes or no as the ledger, as soon as what stands may be carried at all."""
    stands = world.standing()
    for side in SIDES:
        held = world.sides[side]
        in_doubt = side == MAIL and held.state is W and held.minute is None  # a "no" of unknown age, which no older yes takes back
        if stands is not None and carries(stands) and (held.state is not G) != stands.is_no and not in_doubt:
            yield f"side {side} holds {held.state}, but {stands.state} stands"
        if held.state is G and held.ours and (stands is None or stands.state is not G):
            yield f"side {side} was opted in by us, and nothing stands that says so"


def wrong_opt_ins(world):
    """Only an act of the person ever turned a side to yes; what is known from a backfill alone only fills a mailing list's silence."""
    for side, word in world.opted_in:
        if not word.opts_in or (word.history and side != MAIL):
            yield f"side {side} was opted in by {word}"


def test_a_story_that_ends_in_yes_and_one_that_ends_in_no_are_both_told():
    ends = {getattr(World(dice).run(*story(dice)).standing(), "state", None) for dice in map(Random, range(200))}
    assert ends == {G, W, S, None}


@pytest.mark.parametrize("side", SIDES)
def test_the_checks_find_a_side_that_was_left_behind(side):
    world = World(Random(0))
    world.ledger = {("x",): said(G, 1)}
    world.sides = {other: Held(G) for other in SIDES} | {side: Held(W, 1)}
    assert list(wrong_sides(world)) == [f"side {side} holds withdrawn, but granted stands"]


STATEMENTS = st.lists(
    st.builds(
        said, st.sampled_from([G, W, U, S]), st.integers(0, 4), explicit=st.booleans(), dated=st.booleans(), at=st.sampled_from([1, 2]),
        history=st.booleans(),
    ),
    max_size=5,
)  # fmt: skip


@given(STATEMENTS)
def test_what_stands_does_not_depend_on_the_order_in_which_statements_come(statements):
    assert len({getattr(winning(order, "email"), "state", None) for order in permutations(statements)}) == 1


@given(STATEMENTS)
def test_a_person_is_mailable_only_by_a_dated_act_that_nothing_forbids(statements):
    best = winning(statements, "email")
    if best is not None and best.state is G:
        no = [s for s in statements if s.is_no and s.stated_at is not None]
        assert best.opts_in
        assert best in statements
        assert not any(s.state is S for s in statements)
        assert not any(s.stated_at >= best.stated_at for s in no)
        assert not (best.history and no)


@given(STATEMENTS)
def test_the_page_and_the_sending_agree_and_every_statement_has_a_reason(statements):
    found, best = judge(statements, "email"), winning(statements, "email")
    assert (found.state, found.mailable) == (best.state if best else U, best is not None and best.state is G)
    assert len(found.chain) == len(statements)
    assert all(one.why.endswith(".") for one in found.chain)
    assert sum(one.stands for one in found.chain) == (best is not None)
