"""What managers and marketing do now and then, from the overview or a history to the effect at Ometria, in counted clicks and keys."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from integrations.engine import impact
from integrations.models import Delivery, ImpactRun
from integrations.standins.ometria import behind
from integrations.standins.ometria.lists import Segment as Listed
from integrations.standins.ometria.lists import SegmentRule
from mapping.models import MappingVersion
from mapping.transforms import Call
from mapping.versions import draft_from, publish, published_version, save_rules
from monitoring.models import Drift, SegmentSource
from monitoring.reconcile import repair
from monitoring.segments import reading
from tests.browser.conftest import Visitor, arrive
from tests.browser.hands import Hands, sit
from tests.conftest import RouteB
from tests.factories import CustomerFactory, OrderFactory
from tests.monitoring.test_segments_reading import LIST, bought, past, watch
from tests.rows import make_exception, make_flow

pytestmark = [pytest.mark.browser, pytest.mark.journey]
EVIL = '=HYPERLINK("http://evil.example.com","Open")'


def numbers(route: RouteB) -> list[str]:
    """The order numbers that Ometria holds."""
    return sorted(order["web_id"] for order in route.state("orders").values())


def an_order_came(route: RouteB, key: str = "5678", number: str = "1042") -> None:
    arrive(route, CustomerFactory(key="7", email="ada@example.com", country="GB"), OrderFactory(key=key, number=number))
    route.run()


def test_a_rule_is_changed_previewed_and_published_in_six_clicks_beside_the_change_itself(
    fed_route: RouteB, visit: Callable[..., Visitor]
) -> None:
    an_order_came(fed_route)
    manager = sit(visit, "manager")

    with manager.budget(clicks=3):
        manager.click("Mappings", within="#nav-sidebar")
        manager.click(manager.page.locator("#result_list tr", has_text=": order").get_by_role("link", name="Version 1"))
        manager.click("Make a draft from it", role="button")
        manager.page.locator("#rule-find").wait_for()
    with manager.budget(clicks=2, keys=4):
        put_before_order_numbers(manager, "UK-")
    with manager.budget(clicks=3):
        manager.click("Save and preview", role="button")
        manager.reads("UK-1042", within=".sy-after")
        manager.click(manager.page.locator("#publish summary"))
        manager.write("Numbers of two shops must differ")
        manager.click("Publish version 2", role="button")
        manager.reads("Version 2 is published.")

    an_order_came(fed_route, "5679", "1043")
    assert numbers(fed_route) == ["1042", "UK-1043"]
    published = published_version(fed_route.flow("order").pk)
    assert (published.note, published.published_by.username) == ("Numbers of two shops must differ", "manager")


def put_before_order_numbers(manager: Hands, text: str) -> None:
    """One step more in the rule of the order number."""
    manager.click(manager.page.locator("#rule-find"))
    manager.write("web_id")
    manager.click(manager.page.locator("[data-rule]:visible").get_by_role("button", name="+ step"))
    manager.press(*"Put")  # the list of steps has the focus and goes where the letters lead
    manager.press("Tab")
    manager.write(text)


def test_a_version_of_the_rules_is_gone_back_to_in_two_clicks_from_the_history(fed_route: RouteB, visit: Callable[..., Visitor]) -> None:
    flow = fed_route.flow("order")
    draft = draft_from(flow.pk)
    rules = [replace(rule, transforms=(Call("prefix", "UK-"),)) if rule.target == "web_id" else rule for rule in draft.values()]
    publish(save_rules(draft, rules), note="Prefix")
    an_order_came(fed_route)
    assert numbers(fed_route) == ["UK-1042"]
    manager = sit(visit, "manager", f"/admin/mapping/mappingversion/{published_version(flow.pk).pk}/change/")

    with manager.budget(clicks=2):
        manager.click(manager.page.locator("#versions").get_by_text("Go back to it"))
        manager.click("Publish the rules of version 1", role="button")
        manager.reads("with the rules of version 1, is published")

    impact.pump_impact(ImpactRun.objects.latest("pk").pk)
    fed_route.run()
    assert numbers(fed_route) == ["1042"]
    history = MappingVersion.objects.filter(flow=flow).order_by("number").values_list("number", "state")
    assert list(history) == [(1, "retired"), (2, "retired"), (3, "published")]


def test_marketing_finds_why_a_segment_shrank_and_who_went_in_two_clicks(fed_route: RouteB, visit: Callable[..., Visitor]) -> None:
    account = fed_route.ometria.account()
    account.segments[LIST] = Listed(LIST, "Buyers", account.clock.now(), account.clock.now(), rule=SegmentRule(days=30, every=0))
    bought(fed_route, "ann", "bob")
    bought(fed_route, "cyd", "dan", "eve", days=30.5)
    SegmentSource.objects.create(connection=fed_route.destination, due_at=timezone.now())
    past(watch(fed_route), 5, 5, 5, 5)
    assert reading.read(fed_route.destination.pk)
    staff = sit(visit, "marketing")
    staff.reads("Segment “Buyers”")

    with staff.budget(clicks=2):
        staff.click("See why")
        staff.reads("2 people are in it, 3 fewer")
        staff.click("Their order is too old now: 3 people", within="#why details[open]")
        staff.reads("The last order left the time that the rule looks at.")

    rows = staff.page.locator("#content tbody").inner_text()
    assert [name for name in ("ann", "bob", "cyd", "dan", "eve") if f"{name}@example.com" in rows] == ["cyd", "dan", "eve"]


def test_a_drift_is_repaired_in_two_clicks_and_is_gone_when_both_ends_agree(fed_route: RouteB, visit: Callable[..., Visitor]) -> None:
    an_order_came(fed_route)
    behind.remove_order(fed_route.ometria.account(), {"id": "shp-5678"})
    order = Delivery.objects.get(record_key="5678")
    drift = Drift.objects.create(
        flow=order.flow, record_key=order.record_key, destination_key=order.destination_key, delivery=order, aspect="order",
        cause="missing", title="Order #1042", ours="£10.00 · paid", theirs="nothing", value="10", currency="GBP",
    )  # fmt: skip
    staff = sit(visit, "ecommerce")

    with staff.budget(clicks=2):
        staff.click("Drift", within="#nav-sidebar")
        staff.click("Send again: Order #1042", role="button")
        staff.reads("It is sent again")

    fed_route.run()
    Delivery.objects.filter(pk=order.pk).update(delivered_at=timezone.now() - timedelta(hours=1))
    repair.check_repairs()
    drift.refresh_from_db()
    assert (numbers(fed_route), drift.state, drift.asked_by.username) == (["1042"], "closed", "ecommerce")


@pytest.mark.django_db(transaction=True)
def test_a_list_is_taken_along_as_csv_and_xlsx_and_no_cell_of_it_is_a_formula(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    make_exception(make_flow(), "unmapped_sku", EVIL, waiting=1)
    staff = sit(visit, "ecommerce")

    with staff.budget(clicks=3):
        staff.click("Exceptions", within="#nav-sidebar")
        sheet, book = (taken(staff, form, tmp_path) for form in ("CSV", "XLSX"))

    with sheet.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    head, cells = load_workbook(book).active.iter_rows()
    cell = dict(zip((name.value for name in head), cells, strict=True))["Subject"]
    assert (row["Subject"], cell.value, cell.data_type) == (f"'{EVIL}", f"'{EVIL}", "s")
    assert [text for text in row.values() if text.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert [one.coordinate for one in cells if one.data_type == "f"] == []


def taken(staff: Hands, form: str, folder: Path) -> Path:
    """Where the file of that form lies after a click."""
    with staff.page.expect_download() as download:
        staff.click(form, within=".sy-take-along")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path
