"""Asking a source for one thing over real HTTP: it comes in by the ordinary way and reaches the destination."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from integrations.engine.find import Thing, search
from integrations.engine.find_ask import Answer, CannotAsk, ask_destination, ask_source, look_there
from integrations.engine.find_asked import recognise
from integrations.models import Connection, Delivery
from integrations.standins.faults import Fault
from tests.conftest import RouteB
from tests.route_a import RouteA
from tests.rows import make_person

pytestmark = [pytest.mark.journey]


def unheard_order(route: RouteB, **values: Any) -> Any:
    """An order that no webhook told of."""
    route.hold_webhooks()
    return route.act("create_order", lines=[{"variant_id": route.product(), "quantity": 1}], email="ada@example.com", paid=True, **values)


@pytest.mark.parametrize("by", ["number", "number without sign", "id", "gid"])
def test_an_order_is_pulled_by_its_number_or_id_and_arrives(route_b: RouteB, by: str) -> None:
    order = unheard_order(route_b)
    text = {
        "number": order.name,
        "number without sign": order.name.lstrip("#"),
        "id": str(order.id),
        "gid": f"gid://shopify/Order/{order.id}",
    }[by]
    assert search(recognise(text)).count == 0

    answer = ask_source(route_b.source, recognise(text), make_person("manager"))
    route_b.run()

    assert answer == Answer((Thing("order", route_b.source.pk, str(order.id)),), 1)
    assert [hit.thing for hit in search(recognise(order.name)).orders] == [Thing("order", route_b.source.pk, str(order.id))]
    assert route_b.state("orders")[f"shp-{order.id}"]["is_valid"] is True
    assert list(LogEntry.objects.values_list("user__username", "change_message")) == [("manager", "Asked Demo shop for it")]


@pytest.mark.parametrize("text", ["ada@example.com", "+44 20 7946 0018"])
def test_a_customer_is_pulled_by_address_or_phone(route_b: RouteB, text: str) -> None:
    route_b.hold_webhooks()
    customer = route_b.act("create_customer", email="ada@example.com", first_name="Ada", phone="+442079460018")

    answer = ask_source(route_b.source, recognise(text), None)

    assert answer.things == (Thing("person", route_b.source.pk, str(customer.id)),)


def test_what_the_source_does_not_have_brings_nothing(route_b: RouteB) -> None:
    assert ask_source(route_b.source, recognise("#424242"), None) == Answer()
    assert not Delivery.objects.exists()


def test_a_source_that_fails_or_is_paused_is_told_in_words(route_b: RouteB) -> None:
    route_b.shopify.faults.add(Fault("status", path="graphql.json", status=503))
    with pytest.raises(CannotAsk, match="Demo shop could not be asked"):
        ask_source(route_b.source, recognise("#1042"), None)

    Connection.objects.filter(pk=route_b.source.pk).update(state="paused")
    route_b.source.refresh_from_db()
    with pytest.raises(CannotAsk, match="Demo shop is paused by a person; it cannot be asked now."):
        ask_source(route_b.source, recognise("#1042"), None)


def test_a_profile_that_only_the_destination_knows_is_found_after_it_was_asked(route_b: RouteB) -> None:
    eve = {"@type": "contact", "@collection": "shopify", "@merge": True, "id": "9", "email": "eve@example.com", "firstname": "Eve"}
    key = {"X-Ometria-Auth": "demo-ometria-key"}
    assert route_b.http.post(f"{route_b.destination.base_url}/v2/push", json=[eve], headers=key, timeout=10).status_code == 202
    assert search(recognise("eve@example.com")).people == []

    answer = ask_destination(route_b.destination, recognise("eve@example.com"), None)

    assert [hit.thing for hit in search(recognise("eve@example.com")).people] == list(answer.things)
    assert answer.things[0].kind == "contact"


def test_what_a_destination_holds_is_looked_at_now(route_b: RouteB) -> None:
    order = unheard_order(route_b)
    ask_source(route_b.source, recognise(order.name), None)
    route_b.run()
    row = Delivery.objects.select_related("flow__destination").get()

    held = look_there(row)
    Delivery.objects.update(destination_key="shp-gone")
    row.refresh_from_db()

    assert held is not None
    assert (held["id"], look_there(row)) == (f"shp-{order.id}", None)


def test_an_order_of_tiktok_shop_is_pulled_by_its_id_with_its_buyer(route_a: RouteA) -> None:
    route_a.goods("TEE")
    route_a.hold_webhooks()
    order = route_a.order("TEE")

    answer = ask_source(route_a.source, recognise(order.id), None)
    route_a.run()

    assert answer.things[0] == Thing("order", route_a.source.pk, order.id)
    assert route_a.stored(order)["status"] == "paid"
