"""Unmapped products and failed contact syncs as people use them: by click, by key, on a phone, many at once, and back again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from integrations.engine import backlog
from integrations.models import Delivery, Flow, Hold
from mapping.models import SkuCrosswalk
from tests.browser.chromium import PHONE, overflow
from tests.browser.conftest import Visitor
from tests.browser.test_every_page import grave, in_dark
from tests.conftest import RouteB
from tests.rows import make_delivery, make_exception, make_flow
from tests.shelf_rows import stock_shelf, wait_for

pytestmark = pytest.mark.browser
rows_only = pytest.mark.django_db(transaction=True)
LIST = "/admin/integrations/unmappedsku/"
CONTACTS = "/admin/integrations/contactsync/"
LONG = "A-SKU-THAT-SOMEBODY-MADE-OF-FAR-TOO-MANY-WORDS-AND-NUMBERS-0123456789-AND-THEN-SOME-MORE"


def crosswalk() -> dict[str, list[tuple[str, int]]]:
    return {
        row.source_sku: list(row.components.order_by("target_sku").values_list("target_sku", "quantity"))
        for row in SkuCrosswalk.objects.all()
    }


def state_counts() -> dict[str, int]:
    states = list(Delivery.objects.filter(flow__record_type="order").values_list("state", flat=True))
    return {state: states.count(state) for state in set(states)}


@pytest.fixture
def waiting() -> Flow:
    """Five SKUs that wait, of every kind of suggestion; the most valuable one is the blue mug."""
    stock_shelf()
    orders = make_flow("order")
    wait_for(orders, "MUG.BLUE", 12, title="Mug", option="Blue", price="29.00")
    wait_for(orders, "SET-2SOAP-DISH", 3, title="Set: olive soap and soap dish", price="25.00")
    wait_for(orders, "towel l", title="Linen towel", option="Large", price="32.50")
    wait_for(
        orders, "Q9", title="Xylophone with a name that is much longer than anybody would want it to be on a small screen", price="17.77"
    )
    wait_for(orders, LONG, title="", price="1.00")
    backlog.refresh(20)
    return orders


@pytest.mark.journey
def test_from_the_overview_to_a_healed_order_it_takes_two_clicks(
    route_b: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    order = _order_of_an_unknown_mug(route_b, work)
    staff = visit("ecommerce")
    staff.open("/")
    staff.click("Unknown SKU")
    staff.press("Accept MUG-L for mug l")
    staff.reads("1 waiting order goes out now")
    assert staff.clicks <= 2

    staff.reads("0 of 1 order delivered")
    work()
    staff.reads("1 of 1 order delivered", within="#last-answers")
    assert [line["sku"] for line in route_b.state("orders")[f"shp-{order}"]["lineitems"]] == ["MUG-L"]


@pytest.mark.journey
def test_from_an_alert_s_link_to_a_healed_order_it_takes_one_key(
    route_b: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    order = _order_of_an_unknown_mug(route_b, work)
    staff = visit("ecommerce")
    staff.open(f"{LIST}first/")
    staff.page.get_by_role("button", name="Accept MUG-L").wait_for()

    staff.page.keyboard.press("1")

    staff.reads("1 waiting order goes out now")
    work()
    assert [line["sku"] for line in route_b.state("orders")[f"shp-{order}"]["lineitems"]] == ["MUG-L"]


def _order_of_an_unknown_mug(route: RouteB, work: Callable[..., None]) -> int:
    flow = route.flow("order")
    flow.settings["sku_gate"] = "catalogue"
    flow.save()
    assert route.subscribe()
    variant = route.product("MUG-L")
    customer = route.act("create_customer", email="ada@example.com", first_name="Ada")
    order = route.act("create_order", customer_id=customer.id, lines=[{"variant_id": variant, "quantity": 1, "sku": "mug l"}], paid=True)
    work()
    assert route.state("orders") == {}
    backlog.refresh(20)
    return order.id


@rows_only
def test_a_person_works_through_the_skus_with_single_keys(waiting: Flow, visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    staff.open(f"{LIST}first/")
    keys, page = staff.page.keyboard, staff.page
    heading = page.locator(".sy-head h2")

    keys.press("j")
    heading.get_by_text("Set: olive soap and soap dish").wait_for()
    keys.press("k")
    heading.get_by_text("Mug", exact=True).wait_for()
    page.get_by_role("button", name="Accept MUG-BLUE").wait_for()
    keys.press("1")
    staff.reads("MUG.BLUE: MUG-BLUE. 12 waiting orders go out now.")
    assert heading.inner_text() == "Set: olive soap and soap dish"
    assert (crosswalk(), state_counts()["ready"]) == ({"MUG.BLUE": [("MUG-BLUE", 1)]}, 12)

    page.get_by_role("button", name="Undo MUG.BLUE").wait_for()
    keys.press("u")
    staff.reads("Taken back: MUG.BLUE is not 1 × MUG-BLUE any more.")
    assert (heading.inner_text(), crosswalk(), "ready" in state_counts()) == ("Mug", {}, False)


@rows_only
def test_keys_do_nothing_while_somebody_types_and_can_be_switched_off(waiting: Flow, visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    staff.open(f"{LIST}first/")
    page = staff.page
    page.get_by_role("button", name="Accept MUG-BLUE").wait_for()

    page.keyboard.press("/")
    page.keyboard.type("1 j")
    assert page.get_by_label("Search the catalogue").input_value() == "1 j"

    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys on this page").get_by_label("Single keys are on").uncheck()
    page.keyboard.press("Escape")
    page.locator("h2").first.click()
    page.keyboard.press("1")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "catalogue-search"
    assert crosswalk() == {}


@rows_only
def test_the_search_is_driven_by_keyboard_alone(waiting: Flow, visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce", size=PHONE)
    staff.open(f"{LIST}first/")
    page = staff.page
    page.keyboard.press("/")
    page.keyboard.type("linen", delay=20)
    page.get_by_role("button", name="Map to TOWEL-L").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    staff.reads("MUG.BLUE: TOWEL-L. 12 waiting orders go out now.")
    assert crosswalk() == {"MUG.BLUE": [("TOWEL-L", 1)]}


@rows_only
def test_a_bundle_is_built_from_the_search(waiting: Flow, visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    staff.open(f"{LIST}first/")
    page = staff.page
    for text, sku, quantity in (("olive", "SOAP", "2"), ("dish", "DISH", "1")):
        page.get_by_label("Search the catalogue").fill(text)
        staff.press(f"Add {sku} to the bundle")
        assert page.evaluate("document.activeElement.name") == "quantity"
        page.keyboard.press("Control+A")
        page.keyboard.type(quantity)
    staff.press("Accept these")

    staff.reads("12 waiting orders go out now.")
    assert crosswalk() == {"MUG.BLUE": [("DISH", 1), ("SOAP", 2)]}


@rows_only
def test_many_are_accepted_with_preview_progress_and_a_result_per_row(waiting: Flow, visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    staff.open(LIST)
    page = staff.page
    page.get_by_label("Select all rows of this page").check()
    page.locator("select[name=action]").select_option("accept_many")
    page.get_by_role("button", name="Run").or_(page.locator("#changelist-actions-wrapper button[type=submit]")).first.click()
    staff.reads("Nothing is changed yet.")
    assert crosswalk() == {}
    page.get_by_role("button", name="Answer ").click()

    staff.reads("of", within="#going h3")
    page.locator("#going").get_by_text("answered").wait_for()
    done = page.locator("#results li", has_text="done")
    assert done.count() == len(crosswalk()) >= 3
    page.get_by_role("button", name="Undo MUG.BLUE").click()
    staff.reads("Taken back: MUG.BLUE")
    assert "MUG.BLUE" not in crosswalk()


@rows_only
def test_a_sheet_goes_out_is_filled_in_and_comes_back(waiting: Flow, visit: Callable[..., Visitor], tmp_path: Path) -> None:
    staff = visit("ecommerce")
    staff.open(LIST)
    with staff.page.expect_download() as download:
        staff.click("CSV", within=".sy-take-along")
    path = tmp_path / "sheet.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["target_sku"] = "SOAP" if row["source_sku"] == "Q9" else ""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    staff.click("Upload a sheet")
    staff.page.get_by_label("CSV or XLSX file").set_input_files(path)
    staff.press("See what it would do")
    staff.reads("Nothing is filled in, so it stays.")
    assert crosswalk() == {}
    staff.press("Answer 1 SKU")
    staff.reads("1 of 1 SKU answered")
    assert crosswalk() == {"Q9": [("SOAP", 1)]}


@rows_only
def test_all_contacts_of_a_reason_are_tried_again_with_progress_and_result(visit: Callable[..., Visitor]) -> None:
    held_contacts(450)
    staff = visit("marketing")
    staff.open(CONTACTS)
    staff.page.get_by_role("navigation", name="Reasons").get_by_role("link", name="Refused by the destination").click()
    staff.page.get_by_role("link", name="Try all that these filters leave…").click()
    staff.reads("450 contacts will be tried again")
    staff.press("Try 450 contacts again")

    staff.reads("450 contacts tried again")
    staff.reads("On their way")
    Delivery.objects.filter(state="ready").update(state="delivered")
    staff.page.locator("#outcome dd").first.get_by_text("450").wait_for()
    assert Delivery.objects.filter(state="blocked").count() == 2


def held_contacts(number: int) -> Flow:
    """So many refused contacts, one whose number cannot be read, and one whom two contacts fit."""
    flow = make_flow("customer")
    record = {"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com", "phone": "+447700900123"}
    question = make_exception(flow, "refused", "email")
    rows = [make_delivery(flow, f"c{index}", record=record, state="blocked") for index in range(number)]
    Hold.objects.bulk_create(Hold(exception=question, delivery=row) for row in rows)
    for kind in ("bad_phone", "ambiguous_contact"):
        one = make_exception(flow, kind, f"{kind}-{LONG}", detail="om-1: one\nom-2: two")
        Hold.objects.create(exception=one, delivery=make_delivery(flow, f"{kind}-{LONG}", record=record, state="blocked"))
    return flow


def wrong(visitor: Visitor, path: str, prepare: Callable[[Visitor], None] = lambda visitor: None) -> list[str]:
    """What axe finds serious, and what sticks out sideways, on a desk and on a phone; targets smaller than 24 pixels."""
    visitor.open(path)
    prepare(visitor)
    found = [f"desk {line}" for line in overflow(visitor.page)]
    visitor.page.evaluate(Axe().axe_script)
    found += grave(visitor.page) + in_dark(visitor.page)
    visitor.page.set_viewport_size(PHONE)
    found += [f"phone {line}" for line in (*overflow(visitor.page), *visitor.page.evaluate(SMALL))]
    visitor.page.set_viewport_size({"width": 1280, "height": 900})
    return [f"{path} {line}" for line in found]


SMALL = """() => [...document.querySelectorAll('.sy-page :is(button, .sy-button, input, select, summary), .sy-answers button, .sy-tabs a')]
    .filter((node) => node.checkVisibility() && node.type !== 'hidden')
    .map((node) => [node, (node.closest('label') || node).getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
    .map(([node, box]) => `small ${node.tagName}.${node.className} ${Math.round(box.width)}x${Math.round(box.height)}`)"""


@rows_only
def test_every_state_of_the_pages_is_accessible_and_fits_a_phone(waiting: Flow, visit: Callable[..., Visitor]) -> None:
    staff = visit("ecommerce")
    held_contacts(3)

    def one_sku(visitor: Visitor) -> None:
        visitor.page.locator("#candidates .sy-candidate").first.wait_for()
        visitor.page.get_by_label("Search the catalogue").fill("soap")
        visitor.page.locator(".sy-found li").first.wait_for()
        for fold in visitor.page.locator("summary").all():
            fold.click()

    def keys(visitor: Visitor) -> None:
        visitor.page.keyboard.press("?")

    def answered(visitor: Visitor) -> None:
        visitor.page.locator(".sy-answered").first.wait_for()

    first = f"{LIST}first/"
    found = wrong(staff, LIST) + wrong(staff, first, one_sku) + wrong(staff, first, keys) + wrong(staff, f"{LIST}upload/")
    staff.open(first)
    staff.page.get_by_role("button", name="Accept MUG-BLUE").click()
    found += wrong(staff, LIST, answered) + wrong(staff, first, answered)
    found += wrong(staff, CONTACTS) + wrong(staff, f"{CONTACTS}retries/?reason=refused")
    held = Delivery.objects.filter(flow__record_type="customer").first()
    found += wrong(staff, f"{CONTACTS}{held.pk}/change/")

    assert found == [], "\n".join(found)
