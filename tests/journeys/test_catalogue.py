"""Products and variants: parents first, what disappears is deactivated, prices follow; orders wait for their SKUs."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.engine.exceptions import release_answered
from integrations.models import Flow, SyncException
from mapping.models import SkuComponent, SkuCrosswalk
from tests.conftest import DOMAIN, RouteB

pytestmark = [pytest.mark.journey]


def shoe(route: RouteB, *sizes: str) -> Any:
    variants = [{"sku": f"SHOE-{size}", "price": "20.00", "options": [("Size", size)], "inventory": 5} for size in sizes]
    return route.act("create_product", title="Shoe", handle="shoe", vendor="Acme", html="<p>A shoe</p>", variants=variants)


def stored(route: RouteB, key: int) -> dict[str, Any]:
    return route.state("products")[str(key)]


def test_products_arrive_before_their_variants(route_b: RouteB) -> None:
    assert route_b.subscribe()
    made = [shoe(route_b, "41", "42")]
    route_b.run(40)

    order = [effect.key for effect in route_b.ometria.ledger.effects("product")]
    assert order[0] == str(made[0].id)
    assert set(order) == {str(made[0].id), *(str(variant) for variant in made[0].variant_ids)}
    child = stored(route_b, made[0].variant_ids[1])
    wanted = {"parent_id": str(made[0].id), "is_variant": True, "sku": "SHOE-42", "price": 20.0, "is_active": True, "is_in_stock": True}
    assert {name: child[name] for name in wanted} == wanted


def test_a_price_change_and_an_emptied_stock_follow(route_b: RouteB) -> None:
    assert route_b.subscribe()
    variant = shoe(route_b, "42").variant_ids[0]
    route_b.run(40)
    route_b.act("update_variant", variant_id=variant, price="14.50", compare_at="20.00", inventory=0)
    route_b.run(40)
    child = stored(route_b, variant)
    assert (child["price"], child["special_price"], child["is_in_stock"]) == (20.0, 14.5, False)
    route_b.act("update_variant", variant_id=variant, price="21.00", compare_at=None, inventory=3)
    route_b.run(40)
    child = stored(route_b, variant)
    assert (child["price"], child.get("special_price"), child["is_in_stock"]) == (21.0, None, True)


def test_a_deleted_product_and_its_variants_are_deactivated_with_what_was_known_of_them(route_b: RouteB) -> None:
    assert route_b.subscribe()
    product = shoe(route_b, "41", "42")
    route_b.run(40)
    route_b.shopify.clock.advance(2)
    route_b.act("delete_product", product_id=product.id)
    route_b.run(40)
    held = [stored(route_b, key) for key in (product.id, *product.variant_ids)]
    assert [row["is_active"] for row in held] == [False, False, False]
    assert held[0]["title"] == "Shoe"


def test_a_variant_that_its_product_no_longer_lists_is_deactivated(route_b: RouteB) -> None:
    assert route_b.subscribe()
    product = shoe(route_b, "41", "42")
    route_b.run(40)
    shop = route_b.shopify.shop(DOMAIN)
    with shop.lock:
        gone = product.variant_ids.pop()
        shop.variants.remove(gone)
    route_b.shopify.clock.advance(2)
    route_b.act("update_product", product_id=product.id, title="Shoe, one size")
    route_b.run(40)
    assert stored(route_b, gone)["is_active"] is False
    assert stored(route_b, product.variant_ids[0])["is_active"] is True


@pytest.mark.parametrize("components", [[], [("SHOE-42", 1)], [("SHOE-41", 2), ("SHOE-42", 1)]], ids=["ignored", "mapped", "a bundle"])
def test_an_order_with_an_unknown_sku_waits_and_goes_out_once_somebody_mapped_it(
    route_b: RouteB, components: list[tuple[str, int]]
) -> None:
    assert route_b.subscribe()
    known = shoe(route_b, "41", "42").variant_ids[1]
    route_b.run(40)
    Flow.objects.filter(record_type="order").update(settings={"settle_seconds": 0, "sku_gate": "catalogue"})
    lines = [{"variant_id": known, "quantity": 1}, {"variant_id": known, "sku": "BOX-1", "price": "30.00", "quantity": 1}]
    orders = [route_b.act("create_order", lines=lines, email="ada@example.com").id for _ in range(3)]
    route_b.run()
    asked = SyncException.objects.get(state="open")
    assert (asked.kind, asked.subject, asked.holds.count()) == ("unmapped_sku", "BOX-1", 3)
    assert route_b.state("orders") == {}

    action = SkuCrosswalk.Action.MAP if components else SkuCrosswalk.Action.IGNORE
    row = SkuCrosswalk.objects.create(source=route_b.source, destination=route_b.destination, source_sku="BOX-1", action=action)
    for sku, quantity in components:
        SkuComponent.objects.create(crosswalk=row, target_sku=sku, quantity=quantity)
    assert release_answered() == 3
    route_b.run()
    assert set(route_b.state("orders")) == {f"shp-{order_id}" for order_id in orders}
    order = route_b.state("orders")[f"shp-{orders[0]}"]
    assert order["grand_total"] == 50.0
    assert {line["sku"] for line in order["lineitems"]} == {"SHOE-42", *(sku for sku, _ in components or [("BOX-1", 1)])}
    assert sum(line["total"] for line in order["lineitems"]) == 50.0
    asked.refresh_from_db()
    assert asked.state == "resolved"
