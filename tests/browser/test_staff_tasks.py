"""What staff do every day, begun at the overview and driven to its end at Ometria, with the clicks and keys that it may take at most."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from integrations.engine import backlog
from integrations.engine.shelf import forget_catalogues
from integrations.models import Delivery, Hold, SyncException
from mapping.records import Customer, Order, Price, Variant
from tests.browser.conftest import Visitor, arrive, person
from tests.browser.hands import sit
from tests.conftest import RouteB
from tests.factories import BEGAN, CustomerFactory, LineFactory, OrderFactory
from tests.rows import make_exception, make_flow

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture
def unknown_mug(fed_route: RouteB) -> RouteB:
    """An order of a mug that its shop names otherwise than the catalogue does, with a suggestion."""
    flow = fed_route.flow("order")
    flow.settings["sku_gate"] = "catalogue"
    flow.save()
    price = Price(market="", currency="GBP", regular=Decimal("10.00"))
    mug = Variant(key="V1", occurred_at=BEGAN, product_key="P1", sku="MUG-L", title="Large", product_title="Mug", prices=(price,))
    arrive(fed_route, mug, ada(), an_order(lines=(LineFactory(sku="mug l", title="Mug", product_key=""),)))
    forget_catalogues()
    fed_route.pump()
    backlog.refresh(20)
    assert fed_route.state("orders") == {}
    return fed_route


def ada(**values: object) -> Customer:
    return CustomerFactory(key="7", email="ada@example.com", country="GB", **values)


def an_order(**values: object) -> Order:
    return OrderFactory(key="5678", number="#1042", **values)


def skus(route: RouteB) -> list[str]:
    """The articles of every order that Ometria holds."""
    return [line["sku"] for order in route.state("orders").values() for line in order["lineitems"]]


def test_from_an_alert_on_the_overview_to_a_healed_order_it_takes_two_clicks(unknown_mug: RouteB, visit: Callable[..., Visitor]) -> None:
    staff = sit(visit, "ecommerce")

    with staff.budget(clicks=2):
        staff.click("Unknown SKU")
        staff.click("Accept MUG-L for mug l", role="button")
        staff.reads("1 waiting order goes out now")

    unknown_mug.pump()
    assert skus(unknown_mug) == ["MUG-L"]


def test_from_an_alert_on_the_overview_to_a_healed_order_it_takes_three_keys(unknown_mug: RouteB, visit: Callable[..., Visitor]) -> None:
    staff = sit(visit, "ecommerce")

    with staff.budget(keys=3):
        staff.press("1")
        staff.page.wait_for_url("**/unmappedsku/**")
        staff.reads("accepts", within="[data-desk]")
        staff.press("j", "1")
        staff.reads("1 waiting order goes out now")

    unknown_mug.pump()
    assert skus(unknown_mug) == ["MUG-L"]


def test_where_is_order_1042_takes_one_search_and_two_keys(fed_route: RouteB, visit: Callable[..., Visitor]) -> None:
    arrive(fed_route, ada(), an_order())
    fed_route.run()
    staff = sit(visit, "ecommerce")

    with staff.budget(keys=2):
        staff.press("Control+k")
        staff.write("1042")
        staff.reads("Order #1042", within="#find-box-found")
        staff.press("Enter")
        staff.reads("It is where it should be: Demo account.")

    staff.reads("Confirmed: Demo account holds it", within="#timeline")
    assert [order["web_id"] for order in fed_route.state("orders").values()] == ["#1042"]


def test_all_contacts_that_failed_for_one_reason_are_tried_again_in_four_clicks(fed_route: RouteB, visit: Callable[..., Visitor]) -> None:
    flow = fed_route.flow("customer")
    arrive(fed_route, *(CustomerFactory(key=name, email=f"{name}@example.com", country="GB") for name in ("ada", "bea", "cy", "dot")))
    for name in ("ada", "bea", "cy", "dot"):
        reason = "bad_email" if name == "dot" else "refused"
        hold(SyncException.objects.filter(kind=reason).first() or make_exception(flow, reason, "email"), name)
    staff = sit(visit, "marketing")

    with staff.budget(clicks=4):
        staff.click("Failed contact syncs", within="#nav-sidebar")
        staff.click("Refused by the destination 3", within="nav[aria-label=Reasons]")
        staff.click("Try all that these filters leave…")
        staff.click("Try 3 contacts again", role="button")
        staff.reads("3 contacts tried again")

    fed_route.run()
    staff.reads("3", within="#outcome dd >> nth=0")
    assert {profile["email"] for profile in fed_route.state("profiles").values()} == {
        f"{name}@example.com" for name in ("ada", "bea", "cy")
    }
    assert Delivery.objects.get(state="blocked").record_key == "dot"


def hold(question: SyncException, *keys: str) -> None:
    """These records wait for an answer."""
    rows = Delivery.objects.filter(record_key__in=keys)
    Hold.objects.bulk_create(Hold(exception=question, delivery=row) for row in rows)
    rows.update(state="blocked")


@pytest.mark.django_db(transaction=True)
def test_a_question_is_assigned_and_snoozed_in_five_keys(visit: Callable[..., Visitor]) -> None:
    question = make_exception(make_flow(), "missing_field", "S1", waiting=1)
    staff = sit(visit, "ecommerce")

    with staff.budget(keys=5):
        staff.press("1")
        staff.page.locator("#result_list").wait_for()
        staff.press("j", "a")
        staff.reads("Assigned to ecommerce.")
        staff.press("h")
        expect(staff.page.get_by_role("dialog").get_by_role("button").first).to_be_focused()
        staff.press("Enter")
        staff.reads("Snoozed until")

    question.refresh_from_db()
    assert (question.assignee, question.state, question.snoozed_until is not None) == (person("ecommerce"), "open", True)
    staff.reads("Nothing waits for anybody here")


def test_marketing_says_who_an_ambiguous_contact_is_in_four_clicks(fed_route: RouteB, visit: Callable[..., Visitor]) -> None:
    arrive(fed_route, ada())
    hold(make_exception(fed_route.flow("customer"), "ambiguous_contact", "7", detail="om-1: a•••@example.com\nom-2: •••23"), "7")
    staff = sit(visit, "marketing")

    with staff.budget(clicks=4):
        staff.click("Several contacts may fit")
        staff.click("Answer Unknown: 7")
        staff.click(staff.page.get_by_role("radio", name="A new person"))
        staff.click("This is the person", role="button")
        staff.reads("1 waiting delivery goes out now")

    fed_route.pump()
    assert [profile["email"] for profile in fed_route.state("profiles").values()] == ["ada@example.com"]
    assert SyncException.objects.get().resolved_by == person("marketing")
