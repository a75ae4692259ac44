"""Segments as values: every page once, whatever the account leaves out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.platforms.ometria.lists import ListState, all_lists, find_list, member_of, parse_list
from integrations.standins.ometria.lists import Segment, SegmentRule


def put(stand_in: Any, *segments: Segment) -> None:
    stand_in.accounts["demo"].segments.update({segment.id: segment for segment in segments})


def test_every_list_is_read_once_over_as_many_pages_as_there_are(client, pacer, stand_in):
    put(stand_in, *(Segment(str(number), f"List {number}", 0.0, 0.0, archived=number % 2 == 0) for number in range(260)))

    found = all_lists(client)

    assert ([state.id for state in found], pacer.taken) == ([str(number) for number in range(260)], ["read", "read"])


def test_an_account_that_does_not_page_its_lists_is_asked_until_nothing_new_comes(client, stand_in, monkeypatch):
    put(stand_in, Segment("1", "One", 0.0, 0.0))
    asked: list[int] = []
    page = [{"id": str(number), "title": "x"} for number in range(300)]
    monkeypatch.setattr(client, "lists", lambda mode, offset: asked.append(offset) or page)

    assert (len(all_lists(client)), asked) == (300, [0, 250])


def test_a_list_is_read_as_ometria_shows_it(client, stand_in):
    put(stand_in, Segment("2101", "Buyers", 0.0, 1_767_225_600.0, size=842))

    assert find_list(client, "2101") == ListState(
        id="2101", title="Buyers", kind="DYNAMIC", status="READY", size=842, refreshed_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def test_a_list_that_is_not_there_is_none(client):
    assert find_list(client, "404") is None


@pytest.mark.parametrize(
    ("row", "size", "ready", "refreshed"),
    [
        ({"id": 7}, None, False, None),
        ({"id": 7, "size": "12", "status": "ready", "timestamp_last_refreshed": "soon"}, None, True, None),
        ({"id": 7, "size": True, "timestamp_last_refreshed": "2026-01-01T00:00:00"}, None, False, datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_an_account_leaves_out_or_writes_otherwise_is_not_made_up(row, size, ready, refreshed):
    state = parse_list(row)

    assert (state.id, state.title, state.size, state.ready, state.refreshed_at) == ("7", "7", size, ready, refreshed)


@pytest.mark.parametrize(
    ("profile", "inside"), [({}, None), ({"lists": []}, False), ({"lists": [{"id": 7}]}, True), ({"lists": ["7"]}, False)]
)
def test_membership_is_only_what_a_profile_says(profile, inside):
    assert member_of(profile, "7") is inside


def test_a_dynamic_list_of_the_stand_in_follows_its_own_orders(client, stand_in, sample):
    put(stand_in, Segment("1", "Buyers", 0.0, 0.0, rule=SegmentRule(days=36500, every=0)))
    client.push([sample("order")])
    before = find_list(client, "1").size
    client.push([sample("order", status="cancelled", is_valid=False)])
    after = find_list(client, "1").size

    assert (before, after) == (1, 0)
