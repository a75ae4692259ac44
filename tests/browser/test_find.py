"""Find anything as people use it: where is order 1042, who is this, and why is it not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.models import Delivery
from tests.browser.conftest import Visitor
from tests.conftest import RouteB

pytestmark = [pytest.mark.browser, pytest.mark.journey]


def an_order(route: RouteB, **values: object) -> object:
    customer = route.act("create_customer", email="ada@example.com", first_name="Ada", last_name="Byron")
    lines = [{"variant_id": route.product(), "quantity": 1}]
    return route.act("create_order", customer_id=customer.id, lines=lines, paid=True, **values)


def test_an_order_that_never_came_is_asked_for_and_followed_until_it_is_there(
    route_b: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    route_b.hold_webhooks()
    order = an_order(route_b)
    staff = visit("manager")
    staff.open("/admin/")

    staff.page.keyboard.press("/")
    staff.page.keyboard.type(order.name)
    staff.reads("Nothing is found by that.")
    staff.page.keyboard.press("Enter")
    staff.reads("Its history was never read")
    staff.press("Ask Demo shop for it now")
    staff.reads("Demo shop has it; it came in just now.")
    staff.reads("It is next in line and goes out by itself.")
    work()
    staff.reads("It is where it should be: Demo account.", seconds=15)
    assert Delivery.objects.get(flow__record_type="order").state == Delivery.State.DELIVERED


def test_a_person_is_found_by_address_and_the_address_bar_names_nobody(
    route_b: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    assert route_b.subscribe()
    an_order(route_b)
    work()
    staff = visit("ecommerce")
    staff.open("/admin/find/")

    box = staff.page.get_by_label("Find anything")
    box.fill("ada@")
    staff.reads("Type the whole address")
    box.fill("ada@example.com")
    staff.reads("A••• B•••, a•••@example.com", within="#find-page-found")
    box.press("Escape")
    staff.press("Find", within=".fd-wide")
    staff.page.locator(".fd-hits").get_by_text("People").wait_for()
    assert ("who=e." in staff.page.url, "example" in staff.page.url) == (True, False)
    staff.page.locator(".fd-hits .fd-hit").first.click()
    staff.reads("Orders and acts of this person")
    assert "example" not in staff.page.url
