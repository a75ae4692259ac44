"""Catalogue mismatch: an order waits for its unknown SKU alone, its buyer does not; bundles arrive as what is in them, to the penny."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.engine import shared
from integrations.engine.exceptions import release_answered
from integrations.models import Connection, SyncException
from mapping.models import SkuComponent, SkuCrosswalk
from tests.route_a import RouteA, lay_out_flows

pytestmark = [pytest.mark.journey]


def map_to(route: RouteA, source: Connection, sku: str, *components: tuple[str, int]) -> None:
    row = SkuCrosswalk.objects.create(source=source, destination=route.destination, source_sku=sku, action=SkuCrosswalk.Action.MAP)
    for target, quantity in components:
        SkuComponent.objects.create(crosswalk=row, target_sku=target, quantity=quantity)


def lines_of(stored: dict[str, Any]) -> dict[str, tuple[int, float]]:
    return {line["sku"]: (line["quantity"], line["total"]) for line in stored["lineitems"]}


def test_an_unknown_sku_holds_the_order_alone_and_its_mapping_lets_all_go(route_a: RouteA) -> None:
    route_a.goods("TEE")
    route_a.goods("TEE-TIKTOK", known=False, price="20.00")
    assert route_a.subscribe()
    orders = [route_a.order("TEE-TIKTOK", "TEE", buyer={"first_name": name}) for name in ("Ada", "Eve", "Joan")]
    other = route_a.order("TEE")
    route_a.run()
    question = SyncException.objects.get(state="open")
    assert (question.kind, question.subject, question.holds.count()) == ("unmapped_sku", "TEE-TIKTOK", 3)
    assert (list(route_a.state("orders")), len(route_a.state("contacts"))) == ([f"tts-{other.id}"], 4)

    map_to(route_a, route_a.source, "TEE-TIKTOK", ("TEE", 1))
    assert release_answered() == 3
    route_a.run()
    assert [lines_of(route_a.stored(order)) for order in orders] == [{"TEE": (1, 20.0)}] * 3
    assert {order["grand_total"] for key, order in route_a.state("orders").items() if key != f"tts-{other.id}"} == {40.0}
    question.refresh_from_db()
    assert (question.state, len(route_a.state("contacts"))) == ("resolved", 4)


def test_one_answer_for_each_shop_releases_the_orders_of_every_flow(route_a: RouteA) -> None:
    route_a.goods("TEE")
    route_a.goods("OLD-1", known=False)
    shared.open_accounts(route_a.source)
    german = Connection.objects.get(platform="tiktok_shop", settings__region="DE")
    lay_out_flows(german, route_a.destination)
    route_a.goods("OLD-1", known=False, shop="DE")
    assert route_a.subscribe()
    assert route_a.subscribe(german)
    orders = [route_a.order("OLD-1"), route_a.order("OLD-1", shop="DE", buyer={"first_name": "Ada"})]
    route_a.run()
    assert (route_a.state("orders"), SyncException.objects.filter(state="open", kind="unmapped_sku").count()) == ({}, 2)
    for source in (route_a.source, german):
        map_to(route_a, source, "OLD-1", ("TEE", 1))
    assert release_answered() == 2
    route_a.run()
    assert [lines_of(route_a.stored(order)) for order in orders] == [{"TEE": (1, 20.0)}] * 2


def test_a_line_without_any_sku_waits_or_goes_as_the_flow_is_set(route_a: RouteA) -> None:
    nameless = route_a.act("create_product", title="Loose thing", variants=[{"price": "5.00"}])
    assert route_a.subscribe()
    order = route_a.order(lines=[{"sku_id": nameless.variants[0].id}])
    route_a.run()
    question = SyncException.objects.get(state="open")
    assert (question.subject, route_a.stored(order)) == ("no SKU: Loose thing (Default)", None)
    assert release_answered() == 0
    flow = route_a.flow("order")
    flow.settings = {**flow.settings, "line_without_sku": "pass"}
    flow.save()
    assert release_answered() == 1  # the sweep of every minute, nobody's retry
    route_a.run()
    (line,) = route_a.stored(order)["lineitems"]
    assert (line.get("sku"), line["total"], bool(line["product_id"])) == (None, 5.0, True)


@pytest.mark.parametrize("shape", ["combined", "sub_items"])
def test_a_combined_listing_arrives_as_its_parts_to_the_penny(route_a: RouteA, shape: str) -> None:
    route_a.tiktok.change_settings({"bundle_shape": shape})
    (soap,) = route_a.goods("SOAP", price="3.33")
    (dish,) = route_a.goods("DISH", price="14.99")
    (gift,) = route_a.goods("GIFT", price="19.99", known=False, components=[{"sku_id": soap, "count": 2}, {"sku_id": dish, "count": 1}])
    assert route_a.subscribe()
    order = route_a.order(lines=[{"sku_id": gift, "quantity": 3, "seller_discount": "1.01"}, {"sku_id": soap}])
    route_a.run()
    stored = route_a.stored(order)
    parts = [line for line in stored["lineitems"] if line.get("properties", {}).get("bundle_sku")]
    assert {line["properties"]["bundle_sku"] for line in parts} == {"GIFT"}
    assert {line["sku"]: line["quantity"] for line in parts} == {"SOAP": 6, "DISH": 3}
    assert round(sum(line["total"] for line in parts), 2) == 56.94
    assert stored["grand_total"] == 60.27
    assert not SyncException.objects.exists()
