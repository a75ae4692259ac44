"""Segments, their members and changes."""

import pytest
import requests


def test_list_is_shown_as_ometria_does(api):
    api.act(
        "/lists",
        id="1234",
        title="UK VIP",
        size=842,
        total_orders=1933,
        total_revenue=120331.5,
        at="2025-03-01T10:00:00",
        refreshed_at="2026-01-10T04:00:00",
    )

    expected = {
        "@type": "list",
        "id": "1234",
        "public_id": "pub-1234",
        "title": "UK VIP",
        "description": "",
        "type": "DYNAMIC",
        "status": "READY",
        "size": 842,
        "total_orders": 1933,
        "total_revenue": 120331.5,
        "timestamp_created": "2025-03-01T10:00:00+00:00",
        "timestamp_last_refreshed": "2026-01-10T04:00:00+00:00",
        "timestamp_stats_updated": "2026-01-10T04:00:00+00:00",
    }
    assert api.read("/lists/1234") == expected
    assert api.read("/lists") == [expected]


@pytest.mark.parametrize(("mode", "found"), [("active", ["1"]), ("archived", ["2"]), ("all", ["1", "2"])])
def test_lists_are_chosen_by_mode(api, mode, found):
    api.act("/lists", id="1", title="Here")
    api.act("/lists", id="2", title="Gone", archived=True)

    assert [row["id"] for row in api.read("/lists", mode=mode)] == found


def test_unknown_mode_is_400(api):
    assert api.get("/lists", mode="some").status_code == 400


def test_contact_enters_and_leaves_static_lists_by_push(api, contact):
    api.act("/lists", id="7", title="Hand-picked", type="STATIC")
    api.act("/lists", id="8", title="Computed")
    api.push(contact(at_add_to_lists=["7", 8, "unknown"]))
    inside = (api.read("/lists/7")["size"], api.read("/lists/8")["size"], api.read("/profiles")[0]["lists"])
    members = [row["id"] for row in api.read("/lists/7/contacts")]
    api.push(contact(at_remove_from_lists=["7"]))

    profile_id = api.read("/profiles")[0]["id"]
    assert inside == (1, 0, [{"id": "7", "title": "Hand-picked", "type": "STATIC"}])
    assert members == ["7001"]
    assert api.read("/lists/7")["size"] == 0
    changes = [(row["profile_id"], row["email"], row["event"]) for row in api.read("/lists/7/changes")]
    assert changes == [(profile_id, "ada@example.com", "list_enter"), (profile_id, "ada@example.com", "list_exit")]
    assert "@add_to_lists" not in api.read("/contacts/shopify/7001")


def test_changes_are_found_since_a_moment(api, contact):
    api.push(contact())
    api.act("/lists", id="8", title="Computed", enter=["ada@example.com"], at="2026-01-08T00:00:00")
    api.act("/lists", id="8", exit=["ada@example.com"], at="2026-01-10T00:00:00")

    assert [row["event"] for row in api.read("/lists/8/changes")] == ["list_enter", "list_exit"]
    (row,) = api.read("/lists/8/changes", since="2026-01-09T00:00:00")
    assert (row["event"], row["timestamp"]) == ("list_exit", "2026-01-10T00:00:00+00:00")


def test_segment_move_is_no_update_of_the_profile(api, contact):
    api.push(contact())
    before = api.read("/profiles")[0]["dates"]["last_seen"]
    api.act("/clock", advance=3600)
    api.act("/lists", id="8", title="Computed", enter=["ada@example.com"])

    assert api.read("/profiles")[0]["dates"]["last_seen"] == before


@pytest.mark.parametrize("body", [{}, {"id": "1"}, {"id": "1", "title": "T", "enter": ["nobody@example.com"]}])
def test_list_edit_that_makes_no_sense_is_refused(api, body):
    answer = requests.post(f"{api.base}/_control/lists", json=body, timeout=5)

    assert answer.status_code in (400, 404)
