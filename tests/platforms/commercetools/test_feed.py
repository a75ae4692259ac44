"""Messages read in a list: the window, the pages, what is told, and what is done when messages are gone or switched off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from integrations.platforms.base import Page, RawObject, Window
from integrations.platforms.commercetools import feed
from integrations.platforms.commercetools.client import Query
from integrations.platforms.commercetools.read import stamp
from integrations.platforms.errors import Misconfigured, TryLater
from tests.platforms.commercetools.clouds import account

NOW = datetime.now(UTC).replace(microsecond=0)
WINDOW = Window(since=NOW - timedelta(minutes=1), until=NOW)


def message(number: int, seconds: float, about: str = "o-1", type_id: str = "order") -> dict[str, Any]:
    """A message made so many seconds before now."""
    made = (NOW - timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": f"m-{about}-{number:04}", "version": 1, "sequenceNumber": number, "resource": {"typeId": type_id, "id": about},
            "resourceVersion": number, "type": "OrderStateChanged", "createdAt": made, "lastModifiedAt": made}  # fmt: skip


@dataclass
class Project:
    """A client of a project that lists these messages, two on a page."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    kept_for: dict[str, Any] = field(default_factory=lambda: {"messages": {"enabled": True, "deleteDaysAfterCreation": 15}})
    account: Any = field(default_factory=account)
    server_time: datetime | None = NOW
    kept: dict[str, Any] = field(default_factory=dict)
    asked: list[Query] = field(default_factory=list)
    stuck: bool = False
    page_size: int = 2

    def settings(self) -> dict[str, Any]:
        return self.kept_for

    def page(self, query: Query) -> Any:
        self.asked.append(query)
        held = {name: value for where in query.where for name, value in where.variables.items() if name in ("until", "types")}
        behind = [where.variables for where in query.where if "id" in where.variables]
        since = next(where.variables["since"] for where in query.where if "until" in where.variables)
        rows = [row for row in self.messages if row["createdAt"] < held["until"] and row["resource"]["typeId"] in held["types"]]
        if behind and not self.stuck:
            rows = [row for row in rows if (row["createdAt"], row["id"]) > (behind[0]["since"], behind[0]["id"])]
        else:
            rows = [row for row in rows if row["createdAt"] >= since]
        rows.sort(key=lambda row: (row["createdAt"], row["id"]))
        return SimpleNamespace(rows=rows[: self.page_size], full=len(rows) > self.page_size or (self.stuck and bool(rows)))


def pages(client: Project, window: Window = WINDOW) -> Iterator[Page]:
    cursor: str | None = None
    while True:
        page = feed.pull_messages(client, window, cursor)
        yield page
        if (cursor := page.cursor) is None:
            return


def told(found: list[Page]) -> list[str]:
    return [event.dedup_key for page in found for event in page.events]


def test_all_messages_of_the_window_and_five_minutes_before_it_become_events() -> None:
    client = Project([message(1, 359), message(2, 100), message(3, 30), message(4, 6), message(1, 400, "o-2"), message(5, 4)])
    found = list(pages(client))

    assert told(found) == [f"message:m-o-1-{number:04}" for number in (1, 2, 3, 4)]
    assert {page.reached for page in found} == {NOW - timedelta(seconds=5)}
    assert all(event.hint and event.object_key == "o-1" for page in found for event in page.events)


def test_how_far_it_goes_back_is_what_the_connection_says_and_never_less_than_two_minutes() -> None:
    client = Project(account=account(message_overlap_seconds=120))
    list(pages(client))
    assert client.asked[0].where[0].variables["since"] == stamp(NOW - timedelta(minutes=3))
    with pytest.raises(Misconfigured):
        list(pages(Project(account=account(message_overlap_seconds=10))))


def test_the_end_is_five_seconds_before_the_servers_clock_whatever_ours_says() -> None:
    for minutes in (-30, 0, 30):
        client = Project(server_time=NOW + timedelta(minutes=minutes))
        window = Window(since=NOW - timedelta(minutes=31), until=datetime.now(UTC))
        assert next(pages(client, window)).reached == client.server_time - timedelta(seconds=5)


def test_a_window_of_the_past_ends_where_it_ends() -> None:
    past = Window(since=NOW - timedelta(days=2), until=NOW - timedelta(days=1))
    assert next(pages(Project(), past)).reached == past.until


def test_all_types_of_messages_about_what_is_read_are_asked_for_so_that_their_numbers_can_be_judged() -> None:
    client = Project([message(1, 30), message(1, 30, "i-1", "inventory-entry")])
    found = list(pages(client))
    assert told(found) == ["message:m-o-1-0001"]
    assert "type in" not in client.asked[0].where[0].predicate


def test_a_page_that_repeats_stops_the_reading() -> None:
    with pytest.raises(TryLater):
        list(pages(Project([message(1, 30), message(2, 29), message(3, 28)], stuck=True)))


def test_messages_that_were_switched_off_are_said_to_be_off() -> None:
    (page,) = pages(Project(kept_for={"messages": {"enabled": False}}))
    assert "keeps no messages" in page.note
    assert page.events == ()


def test_without_the_scope_to_ask_for_the_project_messages_are_read_all_the_same() -> None:
    class Narrow(Project):
        def settings(self) -> dict[str, Any]:
            raise Misconfigured("scope", code="insufficient_scope")

        def page(self, query: Query) -> Any:
            return super().page(query) if query.where else SimpleNamespace(rows=[], full=False)

    assert told(list(pages(Narrow([message(1, 30)])))) == ["message:m-o-1-0001"]


def test_a_beginning_from_before_the_oldest_message_is_read_by_time_of_change_first(monkeypatch: pytest.MonkeyPatch) -> None:
    windows: dict[str, list[tuple[Window, str | None]]] = {"customers": [], "orders": []}

    def changes(name: str) -> Any:
        def pull(client: Any, window: Window, cursor: str | None) -> Page:
            windows[name].append((window, cursor))
            raw = RawObject(name, {"page": cursor or "first"})
            return Page(objects=(raw,), cursor=None if cursor else "second", note=f"{name} read")

        return pull

    monkeypatch.setattr(feed, "CHANGES", {name: changes(name) for name in windows})
    since = NOW - timedelta(days=20)
    found = list(pages(Project([message(1, 30), message(1, 14 * 86_400, "o-2")]), Window(since=since, until=NOW)))

    assert [[raw.shape for raw in page.objects] for page in found] == [["customers"], ["customers"], ["orders"], ["orders"], []]
    assert {window.since for calls in windows.values() for window, _ in calls} == {since}
    assert [cursor for _, cursor in windows["orders"]] == [None, "second"]
    assert "Messages are kept 15 days" in found[0].note
    assert told(found) == ["message:m-o-2-0001", "message:m-o-1-0001"]


def test_a_gap_leads_to_reading_the_resource_again_and_is_said() -> None:
    client = Project([message(4, 290), message(6, 280)])
    list(pages(client))
    for minute in (1, 2, 3):
        client.server_time = NOW + timedelta(minutes=minute)
        since = NOW + timedelta(minutes=minute - 1)
        found = list(pages(client, Window(since=since, until=client.server_time)))
        if "gap:order:o-1:5-5" in told(found):
            break
    (gap,) = (event for page in found for event in page.events if event.dedup_key.startswith("gap:"))
    assert (gap.topic, gap.object_key, gap.hint) == ("order/MessagesMissing", "o-1", True)
    assert "1 gap" in found[0].note
