"""The exception desk by keyboard and by mouse: an alert becomes a healed order in three keys, and what is put away comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from integrations.engine import backlog
from integrations.models import Delivery, DeskRun, SyncException
from tests.browser.conftest import Visitor, person
from tests.desk_runs import finish
from tests.rows import make_exception, make_flow
from tests.shelf_rows import stock_shelf, wait_for

pytestmark = [pytest.mark.browser]
LIST = "/admin/integrations/syncexception/"


@pytest.fixture
def questions(transactional_db: None) -> list[SyncException]:
    flow = make_flow()
    return [make_exception(flow, subject=f"S{number}", waiting=1) for number in range(3)]


def focused(staff: Visitor) -> str:
    return staff.page.evaluate("document.activeElement.innerText.split('\\n')[0]")


def keys(staff: Visitor, *pressed: str) -> None:
    for key in pressed:
        staff.page.keyboard.press(key)


@pytest.fixture
def waiting(transactional_db: None) -> None:
    """Orders that wait for an unknown mug, with a suggestion."""
    stock_shelf()
    wait_for(make_flow("order"), "MUG.BLUE", 3, title="Mug", option="Blue", price="29.00")
    backlog.refresh(20)


def test_from_the_list_to_orders_on_their_way_it_takes_two_keys_when_there_is_a_suggestion(
    waiting: None, visit: Callable[..., Visitor]
) -> None:
    staff = visit("ecommerce")
    staff.open(LIST)

    keys(staff, "j", "1")

    staff.reads("3 waiting orders go out now")
    assert set(Delivery.objects.filter(flow__record_type="order", parent_key="").values_list("state", flat=True)) == {"ready"}
    staff.reads("Nothing waits for anybody here")


def test_keys_move_tick_and_assign_and_the_list_comes_back_to_the_row(
    questions: list[SyncException], visit: Callable[..., Visitor]
) -> None:
    staff = visit("ecommerce")
    staff.open(LIST)

    keys(staff, "j", "j")
    second = focused(staff)
    keys(staff, "k")
    first = focused(staff)
    keys(staff, "j", "x")
    ticked = staff.page.locator("input.action-select:checked").count()
    keys(staff, "x", "a")
    staff.reads("Assigned to ecommerce.")

    assert (first, second, ticked) == ("Unknown: S2", "Unknown: S1", 1)
    assert SyncException.objects.get(assignee=person("ecommerce")).subject == "S1"
    expect(staff.page.locator("tr.sy-here")).to_contain_text("Unknown: S1")
    assert focused(staff) == "Unknown: S1"
    keys(staff, "Enter")
    staff.page.wait_for_url("**/change/")


def test_a_question_is_put_away_by_key_and_brought_back_by_another(questions: list[SyncException], visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    staff.open(LIST)

    keys(staff, "j", "h")
    staff.page.get_by_role("dialog").get_by_role("button", name="Tomorrow").press("Enter")
    staff.reads("Snoozed until")
    assert staff.page.locator("#result_list tbody tr").count() == 2
    keys(staff, "z")
    staff.reads("Taken back: the snooze.")

    assert staff.page.locator("#result_list tbody tr").count() == 3


def test_the_keys_work_on_the_page_of_a_question_too(questions: list[SyncException], visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    staff.open(f"{LIST}{questions[0].pk}/change/")

    keys(staff, "a")
    staff.reads("Assigned to ecommerce.")
    keys(staff, "h")
    there = focused(staff)
    keys(staff, "z")
    staff.reads("Taken back: the assignment.")

    assert (there, SyncException.objects.filter(assignee=None).count()) == ("Tomorrow", 3)


def test_the_keys_are_explained_found_by_search_and_can_be_switched_off(
    questions: list[SyncException], visit: Callable[..., Visitor]
) -> None:
    staff = visit("ecommerce")
    staff.open(LIST)

    keys(staff, "?")
    staff.reads("Hold it back: snooze")
    staff.page.get_by_label("Single keys are on in this browser").uncheck()
    staff.page.get_by_role("button", name="Close").click()
    keys(staff, "j")
    off = staff.page.locator("tr.sy-here").count()
    staff.page.evaluate("localStorage.clear()")
    keys(staff, "/")

    assert (off, staff.page.evaluate("document.activeElement.name")) == (0, "q")
    keys(staff, "j")
    assert staff.page.evaluate("document.activeElement.value") == "j"


def test_all_that_a_filter_leaves_is_ignored_watched_and_taken_back(
    questions: list[SyncException], visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = visit("ecommerce")
    staff.open(f"{LIST}?kind=unmapped_sku")
    staff.click("Act on all of these…")
    staff.click("Ignore")
    staff.page.get_by_label("Reason").fill("Test articles")
    staff.press("Ignore: 3 questions")
    staff.reads("You may close this page")
    do_run()
    staff.reads("3 of 3 questions")
    staff.press("Take it all back")
    do_run()
    staff.reads("Taken back: Ignored: Test articles")
    staff.reads("3 of 3 questions")

    assert set(Delivery.objects.values_list("state", flat=True)) == {"blocked"}


def do_run() -> Any:
    """What a worker does with the newest run."""
    return finish(DeskRun.objects.latest("pk"))


def test_a_filter_is_kept_and_found_again_on_a_phone(questions: list[SyncException], visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce", size={"width": 360, "height": 740})
    staff.open(f"{LIST}?kind=unmapped_sku&sort=value")

    staff.page.get_by_text("Keep this filter").click()
    staff.page.get_by_label("Name", exact=True).fill("Costly SKUs")
    staff.press("Keep it")
    staff.reads("“Costly SKUs” is kept")
    staff.open(LIST)
    staff.click("Costly SKUs")

    assert staff.page.url.endswith("kind=unmapped_sku&sort=value")
    assert staff.page.evaluate("document.documentElement.scrollWidth") <= 360
