"""The search grammar, paging by cursor, and the index that lags behind."""

from collections import namedtuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.standins.shopify.search import Filter, understand
from tests.standins.shopify.conftest import Caller, gid

Row = namedtuple("Row", "id name at tags")
ROWS = [
    Row(1, "one", datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC), ["a"]),
    Row(2, "two", datetime(2026, 11, 1, 10, 0, 1, tzinfo=UTC), ["a", "b"]),
    Row(3, "Three-X", datetime(2026, 11, 2, 10, 0, 0, tzinfo=UTC), []),
]
FILTERS = {
    "id": Filter("id", lambda row: row.id),
    "at": Filter("time", lambda row: row.at),
    "tag": Filter("many", lambda row: row.tags),
    "sku": Filter("words", lambda row: row.name),
    "default": Filter("text", lambda row: row.name),
}


def found(query: str, version: str = "2026-10") -> list[int]:
    search = understand(query, FILTERS, version)
    return [row.id for row in ROWS if search.matches(row)]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [1, 2, 3]),
        ("tag:a", [1, 2]),
        ("tag:a tag:b", [2]),
        ("tag:a AND tag:b", [2]),
        ("tag:b OR id:3", [2, 3]),
        ("tag:a OR id:3 tag:b", [1, 2]),
        ("-tag:b", [1, 3]),
        ("NOT tag:b", [1, 3]),
        ("tag:a AND (id:1 OR id:3)", [1]),
        ("id:>=2", [2, 3]),
        ("id:gid://shopify/Order/2", [2]),
        ("two", [2]),
        ("th*", [3]),
        ("sku:x", [3]),
        ("sku:'THREE-X'", [3]),
        ("at:'2026-11-01T10:00:00Z'", [1]),
        ("at:2026-11-01", [1, 2]),
        ("at:<'2026-11-01T10:00:01Z'", [1]),
        ("at:<='2026-11-01T10:00:01Z'", [1, 2]),
        ("at:>='2026-11-01T10:00:01Z' AND at:<'2026-11-02T00:00:00Z'", [2]),
        ("at:>='2026-11-01T11:00:01+01:00'", [2, 3]),
    ],
)
def test_queries_find_what_the_grammar_says(query: str, ids: list[int]) -> None:
    assert found(query) == ids


@pytest.mark.parametrize(("version", "ids"), [("2026-10", [2, 3]), ("2026-07", [1, 2, 3])])
def test_greater_than_leaves_out_the_whole_second_only_since_october(version: str, ids: list[int]) -> None:
    assert found("at:>'2026-11-01T10:00:00Z'", version) == ids


def test_an_unknown_filter_is_ignored_with_a_warning() -> None:
    search = understand("colour:red tag:b", FILTERS, "2026-10")

    assert [row.id for row in ROWS if search.matches(row)] == [2]
    assert search.warnings == [{"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}]


def test_an_unquoted_time_is_not_understood() -> None:
    search = understand("at:>=2026-11-02T00:00:00Z", FILTERS, "2026-10")

    assert [row.id for row in ROWS if search.matches(row)] == [1, 2, 3]
    assert search.warnings[0]["code"] == "invalid_value"


@pytest.mark.parametrize("query", ["(tag:a", "tag:a)", "id:1 OR )"])
def test_brackets_must_fit(query: str) -> None:
    with pytest.raises(ValueError, match="Unbalanced"):
        understand(query, FILTERS, "2026-10")


def test_windows_of_an_alternative_do_not_narrow_the_rest() -> None:
    search = understand("at:>='2026-11-02T00:00:00Z' OR id:1", FILTERS, "2026-10")

    assert (search.low, search.high, search.only_windows) == ({}, {}, False)


def test_warnings_reach_the_answer(caller: Caller) -> None:
    text = """{ orders(first: 1, query: "colour:red") { nodes { id } } }"""

    assert caller.post(text).json()["extensions"]["search"] == [
        {
            "path": ["orders"],
            "query": "colour:red",
            "warnings": [{"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}],
        }
    ]


def pages(caller: Caller, size: int, arguments: str = "sortKey: UPDATED_AT") -> list[list[str]]:
    inner = "pageInfo { hasNextPage endCursor } nodes { name }"
    text = f"query($after: String) {{ orders(first: {size}, after: $after, {arguments}) {{ {inner} }} }}"
    found, after = [], None
    while True:
        page = caller.ask(text, {"after": after})["orders"]
        found.append([node["name"] for node in page["nodes"]])
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def test_pages_follow_each_other_without_gap_or_double(caller: Caller, place: Any) -> None:
    for _ in range(7):
        place(units=1)

    assert pages(caller, 3) == [["#1001", "#1002", "#1003"], ["#1004", "#1005", "#1006"], ["#1007"]]
    assert pages(caller, 4, "sortKey: ID, reverse: true") == [["#1007", "#1006", "#1005", "#1004"], ["#1003", "#1002", "#1001"]]


def test_a_row_that_moves_while_paging_is_met_again_at_the_end(caller: Caller, place: Any) -> None:
    shop = caller.stand_in.shop()
    orders = []
    for minute in range(4):
        with shop.past(shop.now() - timedelta(minutes=10 - minute)):
            orders.append(place(units=1))
    text = "query($after: String) { orders(first: 2, after: $after, sortKey: UPDATED_AT) { pageInfo { endCursor } nodes { name } } }"

    first = caller.ask(text, {"after": None})["orders"]
    caller.stand_in.act("update_order", order_id=orders[0].id, note="moved")
    second = caller.ask(text, {"after": first["pageInfo"]["endCursor"]})["orders"]
    third = caller.ask(text, {"after": second["pageInfo"]["endCursor"]})["orders"]

    names = [[node["name"] for node in page["nodes"]] for page in (first, second, third)]
    assert names == [["#1001", "#1002"], ["#1003", "#1004"], ["#1001"]]


def test_a_cursor_belongs_to_its_query_and_sorting(caller: Caller, place: Any) -> None:
    place()
    place()
    cursor = caller.ask("{ orders(first: 1, sortKey: ID) { pageInfo { endCursor } } }")["orders"]["pageInfo"]["endCursor"]
    text = "query($after: String) { orders(first: 1, after: $after, sortKey: UPDATED_AT) { nodes { id } } }"

    assert caller.refused(text, {"after": cursor}) == ("BAD_REQUEST", "Invalid cursor for current pagination sort.")
    assert caller.refused(text, {"after": "nonsense"})[0] == "BAD_REQUEST"


def test_the_index_learns_of_new_and_changed_orders_late_but_reading_by_id_does_not(caller: Caller, place: Any) -> None:
    caller.set(search_lag=5)
    order = place()
    text = """query($q: String) { orders(first: 5, query: $q) { nodes { id } } }"""

    hidden = caller.ask(text)["orders"]["nodes"]
    full = caller.order(order.id)
    caller.control("POST", "/clock", {"advance": 6})
    shown = caller.ask(text)["orders"]["nodes"]
    caller.stand_in.act("update_order", order_id=order.id, note="later")
    since = {"q": f"updated_at:>='{order.updated_at.isoformat()}'"}
    stale = caller.ask(text, since)["orders"]["nodes"]
    caller.control("POST", "/clock", {"advance": 6})

    assert hidden == []
    assert full["id"] == gid("Order", order.id)
    assert shown == [{"id": full["id"]}]
    assert stale == []
    assert caller.ask(text, since)["orders"]["nodes"] == shown
