"""A manager changes a mapping, marketing settles a contact, and the overview tells by itself what is new."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.engine import impact
from integrations.models import Delivery, ImpactRun
from integrations.standins.shopify.words import phone
from mapping.models import MappingVersion
from tests.browser.conftest import Visitor
from tests.conftest import RouteB
from tests.rows import make_exception, make_flow

pytestmark = [pytest.mark.browser, pytest.mark.journey]


def test_a_manager_edits_previews_publishes_and_rolls_back_a_mapping(
    route_b: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    assert route_b.subscribe()
    customer = route_b.act("create_customer", email="ada@example.com", first_name="Ada")
    order = route_b.act("create_order", customer_id=customer.id, lines=[{"variant_id": route_b.product(), "quantity": 1}], paid=True)
    work()
    number = route_b.state("orders")[f"shp-{order.id}"]["web_id"]
    flow = route_b.flow("order")
    first = MappingVersion.objects.get(flow=flow)

    manager = visit("manager")
    manager.open(f"/admin/mapping/mappingversion/{first.pk}/change/")
    manager.press("Make a draft from it")
    manager.page.get_by_label("Find a field").fill("web_id")
    rule = manager.page.locator("[data-rule]:visible")
    rule.get_by_role("button", name="+ step").click()
    rule.locator("select:visible").first.select_option(label="Put text before")
    rule.locator(".sy-step:visible input").first.fill("UK-")
    manager.press("Save and preview")

    row = manager.page.locator("tr", has_text="web_id")
    assert [cell.strip() for cell in row.locator("td").all_inner_texts()] == ["web_id", number, f"UK-{number}"]

    manager.click("Back to version 2")
    manager.page.locator("#publish summary").click()
    manager.page.get_by_label("Reason").fill("Numbers of two shops must differ")
    manager.page.locator("#publish").get_by_label("Only what changes").check()
    manager.press("Publish version 2")
    manager.reads("Version 2 is published")
    resend(route_b, work)
    assert route_b.state("orders")[f"shp-{order.id}"]["web_id"] == f"UK-{number}"

    manager.open(f"/admin/mapping/mappingversion/{first.pk}/change/")
    manager.page.get_by_text("Go back to it").click()
    manager.page.get_by_label("Reason").fill("The prefix confused the warehouse")
    manager.press("Publish these rules again")
    manager.reads("with the rules of version 1, is published")
    history = MappingVersion.objects.filter(flow=flow).order_by("number").values_list("number", "state")
    assert list(history) == [(1, "retired"), (2, "retired"), (3, "published")]


def resend(route: RouteB, work: Callable[..., None]) -> None:
    """What the worker does after a publication that sends again."""
    impact.pump_impact(ImpactRun.objects.filter(flow=route.flow("order")).latest("pk").pk)
    work()


def test_marketing_reads_why_a_contact_is_held_and_sends_it_after_the_number_is_put_right(
    route_b: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    assert route_b.subscribe()
    address = {"city": "Leeds", "country": "United Kingdom", "country_code": "GB"}
    person = route_b.act("create_customer", email="una@example.com", first_name="Una", phone="+4412", address=address)
    work()

    staff = visit("marketing")
    staff.open("/")
    staff.click("Phone number cannot be read")
    staff.page.locator("#result_list th").get_by_role("link", name=f"Phone number of customer {person.id} cannot be read").click()
    staff.reads("The phone number is not a valid international number for the person's country.")
    staff.reads("Correct the number at the source")
    staff.press("Try what waits again")
    staff.reads("1 delivery will be tried again")
    work()
    assert Delivery.objects.get(record_key=str(person.id)).state == Delivery.State.BLOCKED  # nothing was put right yet

    route_b.act("update_customer", customer_id=person.id, phone=phone(990))
    work()
    staff.open("/admin/integrations/delivery/?state=delivered")
    staff.page.locator("#result_list").get_by_role("link", name="@example.com").click()
    staff.reads("The destination holds this record as it was last sent.")
    assert [contact["phone_number"] for contact in route_b.state("contacts").values()] == [phone(990)]


def test_marketing_may_not_answer_for_ecommerce(route_b: RouteB, visit: Callable[..., Visitor]) -> None:
    question = make_exception(route_b.flow("order"), waiting=1)
    staff = visit("marketing")
    staff.open(f"/admin/integrations/syncexception/{question.pk}/change/")

    staff.reads("What to do")
    assert staff.page.locator("#content form[method=post]").count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_new_exception_appears_on_the_open_overview_within_six_seconds(visit: Callable[..., Visitor]) -> None:
    flow = make_flow()
    staff = visit("ecommerce")
    staff.open("/")
    staff.reads("Nobody is asked anything")
    staff.page.evaluate("window.loadedOnce = true")

    make_exception(flow, subject="TEE-RED", waiting=2)

    staff.reads("Unknown SKU", within="#overview", seconds=6.5)
    assert staff.page.evaluate("window.loadedOnce") is True


@pytest.mark.django_db(transaction=True)
def test_an_overview_that_gets_no_answer_says_that_it_is_old(visit: Callable[..., Visitor]) -> None:
    make_flow()
    staff = visit("ecommerce")
    staff.open("/")
    staff.page.route("**/overview/live/", lambda route: route.fulfill(status=500, body=""))
    staff.page.get_by_role("alert").get_by_text("does not answer").wait_for(timeout=8000)
    staff.faults.clear()  # the refused call is what this test asked for


@pytest.mark.django_db(transaction=True)
def test_the_side_bar_and_the_account_menu_work_by_keyboard(visit: Callable[..., Visitor]) -> None:
    staff = visit("manager", size={"width": 360, "height": 740})
    staff.open("/")
    staff.page.keyboard.press("Tab")
    assert staff.page.evaluate("document.activeElement.textContent") == "Skip to the page"

    menu = staff.page.get_by_role("button", name="Open the side bar")
    menu.focus()
    staff.page.keyboard.press("Enter")
    staff.page.get_by_role("button", name="Your account: manager").focus()
    staff.page.keyboard.press("Enter")
    staff.page.get_by_role("button", name="Dark").press("Enter")
    assert staff.page.evaluate("document.documentElement.classList.contains('dark')") is True
