"""TikTok Shop's orders reach Ometria: told once, twice, late, backwards or not at all; from every region, and never while on hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from integrations.engine import shared
from integrations.models import Connection, Delivery, InboxEvent, SyncException
from tests.route_a import RouteA, lay_out_flows

pytestmark = [pytest.mark.journey]


def shown(stored: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: stored.get(name) for name in names}


def test_an_order_arrives_whole_with_its_buyer(route_a: RouteA) -> None:
    (tee, mug) = route_a.goods("TEE", "MUG", price="20.00")
    assert route_a.subscribe()
    lines = [{"sku_id": tee, "quantity": 2, "seller_discount": "2.50"}, {"sku_id": mug, "platform_discount": "2.00"}]
    shipping = {"fee": "3.99", "seller_discount": "0", "platform_discount": "0"}
    assert (route_a.state("orders"), route_a.state("contacts")) == ({}, {})

    order = route_a.order(lines=lines, shipping=shipping)
    route_a.run()

    stored, user = route_a.stored(order), f"tts:{route_a.source.external_id}:{order.buyer.user_id}"
    facts = {
        "status": "paid", "is_valid": True, "currency": "GBP", "subtotal": 60.0, "discount": -7.0, "shipping": 3.99, "grand_total": 56.99,
        "store": "tiktok_shop_gb", "channel": "tiktok_shop", "customer": {"id": user},
    }  # fmt: skip
    assert shown(stored, *facts) == facts
    assert [shown(line, "sku", "product_id", "quantity", "unit_price", "total") for line in stored["lineitems"]] == [
        {"sku": "TEE", "product_id": "P-TEE", "quantity": 2, "unit_price": 20.0, "total": 35.0},
        {"sku": "MUG", "product_id": "P-MUG", "quantity": 1, "unit_price": 20.0, "total": 18.0},
    ]
    assert list(route_a.state("contacts")) == [f"tiktok_shop:{user}"]
    assert not Delivery.objects.exclude(state__in=["delivered", "skipped"]).exists()


def test_an_order_whose_webhook_never_came_is_found_by_the_poll(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    route_a.tiktok.shop("GB").hooks.switches.set(drop=1.0)
    order = route_a.order("TEE")
    route_a.run()
    assert (InboxEvent.objects.count(), route_a.stored(order)) == (0, None)
    route_a.poll()
    route_a.run()
    assert shown(route_a.stored(order), "status", "grand_total") == {"status": "paid", "grand_total": 20.0}
    pushes = len(route_a.ometria.ledger.effects("order"))
    route_a.poll()
    route_a.run()
    assert len(route_a.ometria.ledger.effects("order")) == pushes  # the overlap is read again and changes nothing


@pytest.mark.parametrize(("reader", "make"), [("cancellations", "request_cancellation"), ("returns", "open_return")])
def test_a_request_whose_webhook_never_came_is_found_by_its_own_poll(route_a: RouteA, reader: str, make: str) -> None:
    route_a.goods("TEE", "MUG")
    assert route_a.subscribe()
    order = route_a.order("TEE", "MUG")
    if reader == "returns":
        route_a.act("advance_order", order_id=order.id, to="DELIVERED")
    route_a.run()
    assert sum(line.get("refunded", 0) for line in route_a.stored(order)["lineitems"]) == 0
    route_a.tiktok.shop("GB").hooks.switches.set(drop=1.0)
    request = route_a.act(make, order_id=order.id, line_ids=[order.lines[0].id])
    if reader == "returns":
        route_a.act("complete_return", return_id=request.id)
    else:
        route_a.act("answer_cancellation", cancel_id=request.id)
    route_a.poll(reader)
    route_a.run()
    assert [line.get("refunded", 0) for line in route_a.stored(order)["lineitems"]] == [20.0, 0]


def test_webhooks_that_come_twice_or_backwards_end_in_the_last_state(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    route_a.hold_webhooks()
    order = route_a.order("TEE", status="UNPAID")
    route_a.act("pay_order", order_id=order.id)
    route_a.act("release_hold", order_id=order.id)
    route_a.act("ship", order_id=order.id)
    kept = [sending for sending in route_a.held() if sending.type == 1]
    assert len(kept) == 4
    for sending in [*reversed(kept), *kept]:
        assert route_a.post(sending.headers, sending.body) == 200
        route_a.run()
    assert InboxEvent.objects.count() == 4  # the same notification again is answered and not stored
    assert shown(route_a.stored(order), "status", "is_valid") == {"status": "shipped", "is_valid": True}
    digests = [effect.digest for effect in route_a.ometria.ledger.effects("order")]
    assert len(digests) == len(set(digests)) == 1


def test_the_hint_that_says_cancel_leads_to_the_cancelled_order(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    order = route_a.order("TEE")
    route_a.run()
    before = shown(route_a.stored(order), "status", "is_valid")
    route_a.hold_webhooks()
    route_a.act("request_cancellation", order_id=order.id, role="SELLER")
    (hint,) = [sending for sending in route_a.held() if b'"order_status":"CANCEL"' in sending.body]
    assert route_a.post(hint.headers, hint.body) == 200
    route_a.run()
    after = shown(route_a.stored(order), "status", "is_valid", "grand_total")
    assert before == {"status": "paid", "is_valid": True}
    assert after == {"status": "cancelled", "is_valid": False, "grand_total": 20.0}


def test_an_order_on_hold_goes_out_when_its_hour_is_over_and_its_buyer_at_once(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    order = route_a.order("TEE", status="ON_HOLD")
    route_a.run()
    held = Delivery.objects.get(flow=route_a.flow("order"))
    assert (held.state, held.last_code, route_a.stored(order), len(route_a.state("contacts"))) == ("skipped", "not_yet", None, 1)
    route_a.tiktok.advance(3600)
    route_a.run()
    assert shown(route_a.stored(order), "status", "is_valid") == {"status": "paid", "is_valid": True}


def test_an_order_regretted_while_on_hold_was_never_valid_at_ometria(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    order = route_a.order("TEE", status="ON_HOLD")
    route_a.run()
    route_a.act("request_cancellation", order_id=order.id)
    route_a.run()
    assert {effect.payload["is_valid"] for effect in route_a.ometria.ledger.effects("order")} <= {False}


def test_samples_and_replacements_are_no_purchases(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    order = route_a.order("TEE")
    route_a.order("TEE", is_sample_order=True)
    route_a.act("advance_order", order_id=order.id, to="DELIVERED")
    wish = route_a.act("open_return", order_id=order.id, return_type="REPLACEMENT")
    route_a.act("complete_return", return_id=wish.id)
    assert len(route_a.tiktok.shop("GB").orders) == 3
    route_a.run()
    assert list(route_a.state("orders")) == [f"tts-{order.id}"]


REGIONS = {
    "DE": {"currency": "EUR", "store": "tiktok_shop_de", "price": "19.99", "grand_total": 39.98},
    "JP": {"currency": "JPY", "store": "tiktok_shop_jp", "price": "2980", "grand_total": 5960.0},
    "US": {"currency": "USD", "store": "tiktok_shop_us", "price": "10.01", "grand_total": 21.42},
}


@pytest.mark.parametrize("region", REGIONS)
def test_an_order_of_another_region_goes_through_with_its_own_store_and_currency(route_a: RouteA, region: str) -> None:
    shared.open_accounts(route_a.source)
    shop = Connection.objects.get(platform="tiktok_shop", settings__region=region)
    lay_out_flows(shop, route_a.destination)
    wanted = REGIONS[region]
    route_a.goods("TEE", price=str(wanted["price"]), shop=region)
    assert route_a.subscribe(shop)
    free = {"fee": "0", "seller_discount": "0", "platform_discount": "0", "delivery_fee": "0"}
    order = route_a.order(shop=region, lines=[{"seller_sku": "TEE", "quantity": 2}], buyer={"first_name": "Ada"}, shipping=free)
    route_a.run()

    stored = route_a.stored(order)
    assert shown(stored, "currency", "store", "grand_total") == {name: wanted[name] for name in ("currency", "store", "grand_total")}
    assert abs(stored["subtotal"] + stored["discount"] + stored["shipping"] + stored["tax"] - stored["grand_total"]) < 0.001
    assert stored["customer"] == {"id": f"tts:{shop.external_id}:{order.buyer.user_id}"}
    assert datetime.fromisoformat(stored["timestamp"]).timestamp() == order.create_time  # with a time zone: the moment, not the wall
    assert not SyncException.objects.exists()


def test_shown_addresses_of_the_platform_reach_nobody(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    orders = [
        route_a.order("TEE"),
        route_a.order("TEE", shipping_type="TIKTOK"),
        route_a.order("TEE", fulfillment_type="FULFILLMENT_BY_TIKTOK"),
        route_a.order("TEE", status="ON_HOLD"),
    ]
    route_a.act("advance_order", order_id=orders[0].id, to="COMPLETED")
    route_a.act("complete_return", return_id=route_a.act("open_return", order_id=orders[0].id).id)
    route_a.run()
    domain = route_a.tiktok.shop("GB").region.alias_domain
    assert domain == "scs.tiktokw.eu"
    assert len(route_a.state("orders")) == 3
    assert domain not in route_a.told()
    assert "***" not in route_a.told()
    assert domain not in str(list(Delivery.objects.values_list("record", "sent_payload")))
