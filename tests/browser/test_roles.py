"""Each role signs in at the door, sees what is its own, and is refused politely elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visitor, person
from tests.rows import PASSWORD, make_exception, make_flow, make_person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SEEN_BY_ALL = [
    "Overview", "Exceptions", "Unmapped products", "Failed contact syncs", "Flows", "Deliveries", "Inbox", "Backfills", "Mappings",
    "SKU crosswalk", "Value tables", "Identity rules", "Connections",
]  # fmt: skip
ROLES = ("ecommerce", "marketing", "manager", "administrator")
OFFERED = {  # answer an unknown SKU, start a backfill, make a test call
    "ecommerce": (True, False, False),
    "marketing": (False, False, False),
    "manager": (True, True, False),
    "administrator": (True, True, True),
}


def side_bar(visitor: Visitor) -> list[str]:
    """The pages that the side bar leads to, in order."""
    names = [text.split("\n")[-1].strip() for text in visitor.page.locator("#nav-sidebar a:visible").all_inner_texts()]
    return [name for name in names if name in [*SEEN_BY_ALL, "People"]]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_signs_in_and_its_side_bar_leads_to_its_pages_only(role: str, visit: Callable[..., Visitor]) -> None:
    person(role)
    visitor = visit()
    visitor.sign_in(role)

    visitor.page.get_by_role("heading", name="Open exceptions", exact=True).wait_for()
    assert side_bar(visitor) == [*SEEN_BY_ALL, *(["People"] if role == "administrator" else [])]


@pytest.mark.parametrize(("role", "offered"), OFFERED.items())
def test_a_role_is_offered_only_the_acts_it_may_do(role: str, offered: tuple[bool, bool, bool], visit: Callable[..., Visitor]) -> None:
    flow = make_flow()
    question = make_exception(flow, waiting=1)
    visitor = visit(role)

    found = []
    for path, act in (
        (f"syncexception/{question.pk}", "Map and send what waits"),
        (f"flow/{flow.pk}", "Start backfill"),
        (f"connection/{flow.source_id}", "Test call"),
    ):
        visitor.open(f"/admin/integrations/{path}/change/")
        found.append(visitor.page.get_by_role("button", name=act, exact=True).count() == 1)
    assert tuple(found) == offered


def test_a_page_of_another_role_is_refused_with_a_way_back(visit: Callable[..., Visitor]) -> None:
    visitor = visit("ecommerce")
    answer = visitor.page.goto("/admin/auth/user/")

    assert answer is not None
    assert answer.status == 403
    visitor.reads("Your role does not include this")
    visitor.reads("ecommerce")
    visitor.click("To the overview")
    visitor.page.get_by_role("heading", name="Open exceptions", exact=True).wait_for()


def test_a_page_that_does_not_exist_says_so_with_a_way_back(visit: Callable[..., Visitor]) -> None:
    visitor = visit("manager")
    answer = visitor.page.goto("/admin/integrations/delivery/4711/change/")

    assert answer is not None
    assert answer.status == 404
    visitor.reads("There is no such page")
    visitor.click("To the overview")
    visitor.page.get_by_role("heading", name="Open exceptions", exact=True).wait_for()


def test_a_wrong_password_is_told_on_the_page_and_the_right_one_still_works(visit: Callable[..., Visitor]) -> None:
    person("manager")
    visitor = visit()
    visitor.open("/")
    visitor.page.get_by_label("Username").fill("manager")
    visitor.page.get_by_label("Password").fill("not " + PASSWORD)
    visitor.press("Sign in")
    visitor.page.get_by_role("alert").get_by_text("not correct").wait_for()

    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Sign in")
    visitor.page.get_by_role("heading", name="Open exceptions", exact=True).wait_for()


def test_somebody_without_a_role_is_told_whom_to_ask(visit: Callable[..., Visitor]) -> None:
    make_person(username="newcomer", password=PASSWORD)
    visitor = visit()
    visitor.sign_in("newcomer")

    visitor.reads("You have no role yet")
    assert side_bar(visitor) == ["Overview"]
