"""Which statement about a channel stands."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from mapping.consent import Statement, changes, statements_of, winning
from mapping.records import ConsentState
from tests.mapping.samples import AT, customer

G, W, U = ConsentState.GRANTED, ConsentState.WITHDRAWN, ConsentState.UNKNOWN


def said(state, hours=0, *, explicit=True, channel="email", dated=True):
    return Statement(channel=channel, state=state, stated_at=AT + timedelta(hours=hours) if dated else None, source="t", explicit=explicit)


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
        ([said(W, 1), said(G, 2, explicit=False)], W),
        ([said(G, 1, explicit=False), said(W, 2, explicit=False)], W),
        ([said(W, 1), said(G, explicit=True, dated=False)], W),
        ([said(G, dated=False)], G),
    ],
)
def test_the_newest_act_of_the_person_stands_in_whatever_order_statements_arrive(statements, expected):
    found = {getattr(winning(order, "email"), "state", None) for order in permutations(statements)}
    assert found == {expected}


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (None, said(G), True),
        (None, said(U), False),
        (said(G), said(G, 5), False),
        (said(G), said(W, 5), True),
        (said(W, 5), said(G, 1), False),
        (said(W, 1), said(G, 5, explicit=False), False),
        (said(G), said(U, 5), False),
    ],
)
def test_only_a_newer_other_word_is_news(before, after, news):
    assert changes(before, after) is news


def test_a_records_consents_become_statements():
    assert statements_of(customer().consents, source="shop") == (
        Statement(channel="email", state=G, stated_at=AT, source="shop", explicit=True),
    )
