"""The SKU gate against live stand-ins: what waits, what goes out, and what an answer or its end changes at the destination."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.engine.shelf import forget_catalogues
from integrations.engine.suggest import answer_many, answer_sku, ignore_sku, preview_answer, suggestions_for, undo_answer
from integrations.engine.waiting import waiting_lines
from integrations.models import Delivery, SyncException
from mapping.models import SkuCrosswalk
from tests.conftest import RouteB
from tests.route_a import RouteA

pytestmark = [pytest.mark.journey]


def asked(subject: str) -> SyncException:
    return SyncException.objects.select_related("flow").get(subject=subject, state="open")


def lines_of(stored: dict[str, Any]) -> dict[str, tuple[int, float]]:
    return {line["sku"]: (line["quantity"], line["total"]) for line in stored["lineitems"]}


def test_an_accepted_suggestion_delivers_and_its_end_takes_back_what_is_still_here(route_a: RouteA) -> None:
    forget_catalogues()
    route_a.goods("TEE-RED")
    route_a.goods("tee.red", known=False)
    assert route_a.subscribe()
    first = route_a.order("tee.red")
    route_a.run()
    question = asked("tee.red")
    (shown,) = waiting_lines([question.pk]).values()
    assert (shown.orders, shown.units, str(shown.value["GBP"]), shown.title) == (1, 1, "20.00", "Thing tee.red")
    assert (preview_answer(question).orders, len(route_a.state("contacts"))) == (1, 1)

    (best,) = suggestions_for(question)[:1]
    (result,) = answer_many([(question, best)], None)
    route_a.run()
    assert (result.answer.released, lines_of(route_a.stored(first))) == (1, {"TEE-RED": (1, 20.0)})

    late = route_a.order("tee.red", buyer={"first_name": "Eve"})
    route_a.run()
    assert lines_of(route_a.stored(late)) == {"TEE-RED": (1, 20.0)}
    assert undo_answer(result.answer, None) == 2
    route_a.run()
    assert asked("tee.red") == question
    assert question.holds.count() == 2

    answer_sku(asked("tee.red"), [("TEE-RED", 2, None)], None)
    route_a.run()
    assert [lines_of(route_a.stored(order)) for order in (first, late)] == [{"TEE-RED": (2, 20.0)}] * 2
    assert not SyncException.objects.filter(state="open").exists()


def test_the_crosswalks_answer_for_a_combined_listing_wins_over_the_platforms(route_a: RouteA) -> None:
    (soap,) = route_a.goods("SOAP", price="5.00")
    route_a.goods("BOX")
    (gift,) = route_a.goods("GIFT", price="10.00", known=False, components=[{"sku_id": soap, "count": 2}])
    row = SkuCrosswalk.objects.create(source=route_a.source, destination=route_a.destination, source_sku="GIFT")
    row.components.create(target_sku="BOX")
    assert route_a.subscribe()
    order = route_a.order(lines=[{"sku_id": gift}])
    route_a.run()
    assert lines_of(route_a.stored(order)) == {"BOX": (1, 10.0)}


def test_an_unknown_component_holds_the_bundle_and_is_shown_as_its_part(route_a: RouteA) -> None:
    (soap,) = route_a.goods("SOAP", price="5.00")
    (dish,) = route_a.goods("DISH-X", price="10.00", known=False)
    route_a.goods("DISH")
    parts = [{"sku_id": soap, "count": 2}, {"sku_id": dish, "count": 1}]
    (gift,) = route_a.goods("GIFT", price="19.99", known=False, components=parts)
    assert route_a.subscribe()
    order = route_a.order(lines=[{"sku_id": gift, "quantity": 2}])
    route_a.run()
    question = asked("DISH-X")
    (shown,) = waiting_lines([question.pk]).values()
    assert (shown.component_of, shown.units, route_a.stored(order)) == ("GIFT", 2, None)
    answer_sku(question, [("DISH", 1, None)], None)
    route_a.run()
    stored = route_a.stored(order)
    assert {line["sku"]: line["quantity"] for line in stored["lineitems"]} == {"SOAP": 4, "DISH": 2}
    assert round(sum(line["total"] for line in stored["lineitems"]), 2) == stored["grand_total"] == 39.98


def test_a_known_sku_points_at_the_product_of_the_master_catalogue(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    order = route_a.order("TEE")
    route_a.run()
    (line,) = route_a.stored(order)["lineitems"]
    assert (line["product_id"], line["variant_id"]) == ("P-TEE", "V-TEE")


@pytest.mark.parametrize(
    ("policy", "sku", "product_id"), [("placeholder", "MISC", "MISC"), ("pass", None, "no-sku-gift-wrap")], ids=["placeholder", "pass"]
)
def test_a_custom_line_of_a_shop_waits_or_goes_as_the_flow_says(route_b: RouteB, policy: str, sku: str | None, product_id: str) -> None:
    assert route_b.subscribe()
    lines = [{"variant_id": route_b.product(), "quantity": 1}, {"title": "Gift wrap", "price": "3.00", "quantity": 1}]
    flow = route_b.flow("order")
    made = [route_b.act("create_order", lines=lines, email="ada@example.com").id]
    route_b.run()
    assert (asked("no SKU: Gift wrap").kind, asked("no SKU: Gift wrap").title) == ("unmapped_sku", "Line without SKU: Gift wrap")
    assert SyncException.objects.filter(state="open").count() == 1

    flow.settings = {**flow.settings, "line_without_sku": policy, "placeholder_sku": "MISC"}
    flow.save()
    made.append(route_b.act("create_order", lines=lines, email="eve@example.com").id)
    route_b.run()
    stored = route_b.state("orders")[f"shp-{made[1]}"]
    wrap = next(line for line in stored["lineitems"] if line.get("sku") != "SHOE-42")
    assert (wrap.get("sku"), wrap["product_id"], stored["grand_total"]) == (sku, product_id, 23.0)
    assert f"shp-{made[0]}" not in route_b.state("orders")


def test_letting_a_nameless_line_through_sends_all_that_waited_for_its_title(route_b: RouteB) -> None:
    assert route_b.subscribe()
    lines = [{"variant_id": route_b.product(), "quantity": 1}, {"title": "Gift wrap", "price": "3.00", "quantity": 1}]
    made = [route_b.act("create_order", lines=lines, email=f"{name}@example.com").id for name in ("ada", "eve")]
    route_b.run()
    answer = ignore_sku(asked("no SKU: Gift wrap"), None, "Wrapping")
    route_b.run()
    assert (answer.released, answer.words, set(route_b.state("orders"))) == (2, "let through as it is", {f"shp-{key}" for key in made})
    assert set(Delivery.objects.filter(flow__record_type="order").values_list("state", flat=True)) == {"delivered"}
