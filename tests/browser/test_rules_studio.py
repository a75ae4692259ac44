"""The rules studio by mouse and keyboard: few clicks to publish and to go back, fields picked from a list, doubts as they arise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from integrations.engine import impact
from integrations.models import ImpactRun
from mapping.models import MappingVersion
from mapping.rules import OnInvalid
from mapping.transforms import Call
from mapping.versions import draft_from, save_rules
from tests.browser.conftest import Visitor
from tests.conftest import RouteB

OPTION = "#rule-picker [role=option]"
pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture
def shop(route_b: RouteB, work: Callable[..., None]) -> RouteB:
    """One order that arrived."""
    assert route_b.subscribe()
    customer = route_b.act("create_customer", email="ada@example.com", first_name="Ada")
    route_b.act("create_order", customer_id=customer.id, lines=[{"variant_id": route_b.product(), "quantity": 1}], paid=True)
    work()
    return route_b


def a_draft(route: RouteB) -> MappingVersion:
    draft = draft_from(route.flow("order").pk)
    prefixed = [
        replace(rule, transforms=(Call("prefix", "UK-"),)) if rule.target == "web_id" else rule for rule in draft.values()
    ]  # fmt: skip
    return save_rules(draft, prefixed)


def test_a_draft_is_previewed_and_published_in_few_clicks_with_its_impact_told(
    shop: RouteB, visit: Callable[..., Visitor], work: Callable[..., None]
) -> None:
    draft = a_draft(shop)
    impact.pump_impact(impact.start(draft, None).pk)
    (number,) = [order["web_id"] for order in shop.state("orders").values()]

    manager = visit("manager")
    manager.open("/admin/")
    manager.clicks = 0
    manager.click("Mappings", within="#nav-sidebar")
    manager.page.locator("#result_list").get_by_role("link", name="Version 2").click()
    manager.click("Preview")
    manager.reads(f"UK-{number}")
    manager.page.locator("#publish summary").click()
    manager.reads("of 1 records 1 would change, 0 would newly be held", within="#publish")
    manager.page.get_by_label("Reason").fill("Two shops")
    manager.page.locator("#publish").get_by_label("Only what changes").check()
    manager.press("Publish version 2")
    manager.reads("Version 2 is published.")
    assert manager.clicks + 3 <= 6  # and three by hand above

    impact.pump_impact(ImpactRun.objects.latest("pk").pk)
    work()
    assert [order["web_id"] for order in shop.state("orders").values()] == [f"UK-{number}"]


def test_a_rule_is_made_from_the_lists_with_the_keyboard_alone(shop: RouteB, visit: Callable[..., Visitor]) -> None:
    draft = draft_from(shop.flow("order").pk)
    manager = visit("manager")
    manager.open(f"/admin/mapping/mappingversion/{draft.pk}/change/")
    keys = manager.page.keyboard

    manager.page.locator("#rule-add").press("Enter")
    keys.type("order number")
    manager.page.locator(OPTION).first.wait_for()
    keys.press("Enter")
    keys.press("Tab")
    keys.type("grand total")
    keys.press("Enter")

    row = manager.page.locator("[data-rule]").last
    assert [row.locator(f'[data-field="{name}"]').input_value() for name in ("target", "source")] == ["web_id", "totals.total"]
    manager.reads("Order number takes text, and this gives amount. Add the step “Text”.", within="#rule-rows")
    keys.press("ArrowDown")
    manager.page.locator(f"{OPTION}[aria-selected=true]").wait_for()
    keys.press("Escape")
    assert not manager.page.locator("#rule-picker").is_visible()


def test_the_closed_part_of_a_rule_keeps_its_values_when_it_is_opened_and_stores_what_is_written_there(
    shop: RouteB, visit: Callable[..., Visitor]
) -> None:
    draft = draft_from(shop.flow("order").pk)
    rules = [replace(rule, required=rule.target == "web_id", on_invalid=OnInvalid.DROP) for rule in draft.values()]
    save_rules(draft, rules, notes={"web_id": "of the shop"})
    manager = visit("manager")
    manager.open(f"/admin/mapping/mappingversion/{draft.pk}/change/")
    row = manager.page.locator("[data-rule]", has=manager.page.locator('[data-field="target"][value="web_id"]'))

    row.get_by_role("button", name="More").click()
    assert row.get_by_label("Note").input_value() == "of the shop"
    assert row.get_by_label("Required: hold the record when empty").is_checked()
    assert row.get_by_label("When the value is invalid").input_value() == "drop"
    row.get_by_label("Note").fill("of both shops")
    row.get_by_role("button", name="More").click()
    manager.press("Save draft")
    manager.reads("Draft saved.")

    assert draft.rules.get(target="web_id").note == "of both shops"
    assert MappingVersion.objects.get(pk=draft.pk).values() == tuple(rules)
