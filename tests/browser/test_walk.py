"""The walk of a first day: connect, bring history, meet an unknown SKU, answer it, see it arrive - in few clicks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Delivery
from tests.browser.conftest import Visitor, person
from tests.conftest import DOMAIN, RouteB

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture
def gated(route_b: RouteB) -> RouteB:
    """Orders wait until their SKUs are in the catalogue or have a crosswalk row."""
    flow = route_b.flow("order")
    flow.settings["sku_gate"] = "catalogue"
    flow.save()
    return route_b


def lived(route: RouteB, days: int = 10) -> tuple[int, int]:
    """A product and an order of some days ago; returns the order's id and the variant's."""
    with route.shopify.shop(DOMAIN).past(timezone.now() - timedelta(days=days)):
        variant = route.product("MUG-L")
        customer = route.act("create_customer", email="ada@example.com", first_name="Ada", last_name="Byron")
        order = route.act("create_order", customer_id=customer.id, lines=[{"variant_id": variant, "quantity": 1}], paid=True)
    return order.id, variant


def test_an_administrator_tests_the_connection_and_brings_history_in_few_clicks(
    gated: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    order_id, _ = lived(gated)
    admin = visit("administrator")
    admin.open("/")
    admin.click("Connections", within="#nav-sidebar")
    admin.page.locator("#result_list").get_by_role("link", name="Demo shop").click()
    admin.press("Test call")
    admin.reads("Works", within="#test-call")

    admin.click("Demo shop → Demo account: order")
    for kind in ("Customers", "Products and variants"):
        admin.page.get_by_label(kind).check()
        admin.clicks += 1
    admin.press("Start backfill")
    admin.reads("3 backfills started")
    admin.reads("Waiting", within="#live")
    assert admin.clicks + 1 <= 7

    work()
    admin.reads("1 of 1 read", within="#live", seconds=12)  # the part refreshes itself
    assert admin.page.locator("#live [role=progressbar]").count() == 3
    assert gated.state("orders")[f"shp-{order_id}"]["lineitems"][0]["sku"] == "MUG-L"


def test_an_unknown_sku_is_found_answered_and_its_order_delivered_in_few_clicks(
    gated: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    assert gated.subscribe()
    variant = gated.product("MUG-L")
    customer = gated.act("create_customer", email="ada@example.com", first_name="Ada", last_name="Byron")
    line = {"variant_id": variant, "quantity": 1, "sku": "MUG-XL"}
    order = gated.act("create_order", customer_id=customer.id, lines=[line], shipping="4.00", paid=True)
    work()
    assert gated.state("orders") == {}

    person("ecommerce")
    staff = visit()
    staff.sign_in("ecommerce")
    staff.clicks = 0
    staff.click("Unknown SKU")
    staff.reads("£24.00")  # what the question is worth
    staff.page.locator("#result_list").get_by_role("link", name="SKU MUG-XL").click()
    staff.reads("1 order, £24.00, goes out as soon as you accept.")
    staff.page.get_by_label("Search the catalogue").fill("MUG-L")
    staff.press("Map to MUG-L")
    staff.reads("1 waiting order goes out now")
    assert staff.clicks + 1 <= 3

    work()
    assert [line["sku"] for line in gated.state("orders")[f"shp-{order.id}"]["lineitems"]] == ["MUG-L"]
    assert not Delivery.objects.exclude(state="delivered").exists()
    staff.click("Deliveries", within="#nav-sidebar")
    staff.page.locator("#result_list").get_by_text("£24.00").click()
    staff.reads("The destination holds this record as it was last sent.")


def test_a_bundle_is_answered_with_two_components(gated: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]) -> None:
    assert gated.subscribe()
    mug, plate = gated.product("MUG-L", "6.00"), gated.product("PLATE", "4.00")
    customer = gated.act("create_customer", email="ada@example.com", first_name="Ada")
    order = gated.act("create_order", customer_id=customer.id, lines=[{"variant_id": mug, "quantity": 1, "sku": "SET-1"}], paid=True)
    work()

    staff = visit("ecommerce")
    staff.open("/admin/integrations/syncexception/")
    staff.page.locator("#result_list th").get_by_role("link", name="Unknown SKU SET-1").click()
    staff.page.get_by_label("Target SKU").fill("MUG-L")
    staff.press("Add a component")
    staff.page.get_by_label("Target SKU").nth(1).fill("PLATE")
    staff.page.get_by_label("Quantity").nth(1).fill("2")
    staff.press("Map and send what waits")
    staff.reads("1 waiting delivery goes out now")

    work()
    lines = gated.state("orders")[f"shp-{order.id}"]["lineitems"]
    assert plate
    assert [(line["sku"], line["quantity"]) for line in lines] == [("MUG-L", 1), ("PLATE", 2)]


def test_a_wrong_key_is_found_by_the_test_call_and_a_new_one_repairs_it(route_b: RouteB, visit: Callable[..., Visitor]) -> None:
    route_b.ometria.revoke_key("demo-ometria-key")
    route_b.ometria.add_key("demo", "demo-second-key")
    admin = visit("administrator")
    admin.open(f"/admin/integrations/connection/{route_b.destination.pk}/change/")
    admin.press("Test call")
    admin.reads("Does not work", within="#test-call")
    assert admin.page.locator("#test-call .sy-problems li").all_inner_texts()

    admin.page.get_by_label("New value of API key").fill("demo-second-key")
    admin.press("Store new values")
    admin.press("Test call")
    admin.reads("Works", within="#test-call")
    assert "demo-second-key" not in admin.page.content()
