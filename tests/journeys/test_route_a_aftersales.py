"""Cancelled is not refunded: what is undone before and after shipment, in any order of telling, as Ometria sees it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.route_a import RouteA

pytestmark = [pytest.mark.journey]


def facts(route: RouteA, order: Any) -> dict[str, Any]:
    """Status, validity, value and what came back of an order at Ometria."""
    stored = route.stored(order)
    lines = stored["lineitems"]
    return {
        "status": stored["status"],
        "valid": stored["is_valid"],
        "total": stored["grand_total"],
        "refunded": round(sum(line.get("refunded", 0) for line in lines) + stored.get("properties", {}).get("refund_other", 0), 2),
        "units": sum(line.get("quantity_refunded", 0) for line in lines),
    }


@pytest.fixture
def shipped(route_a: RouteA) -> Any:
    """An order of three units at 20.00, delivered, as Ometria has it."""
    route_a.goods("TEE", "MUG")
    assert route_a.subscribe()
    order = route_a.order("TEE", "TEE", "MUG")
    route_a.act("advance_order", order_id=order.id, to="DELIVERED")
    route_a.run()
    assert facts(route_a, order) == {"status": "complete", "valid": True, "total": 60.0, "refunded": 0, "units": 0}
    return order


def test_a_cancelled_line_lowers_the_value_of_an_order_that_stands(route_a: RouteA) -> None:
    route_a.goods("TEE", "MUG")
    assert route_a.subscribe()
    order = route_a.order("TEE", "TEE", "MUG")
    route_a.run()
    before = facts(route_a, order)
    asked = route_a.act("request_cancellation", order_id=order.id, line_ids=[order.lines[0].id])
    route_a.run()
    pending = facts(route_a, order)
    route_a.act("answer_cancellation", cancel_id=asked.id)
    route_a.run()
    assert before == pending == {"status": "paid", "valid": True, "total": 60.0, "refunded": 0, "units": 0}
    assert facts(route_a, order) == {"status": "paid", "valid": True, "total": 60.0, "refunded": 20.0, "units": 1}


def test_a_refused_request_to_cancel_changes_nothing(route_a: RouteA) -> None:
    route_a.goods("TEE")
    assert route_a.subscribe()
    order = route_a.order("TEE")
    route_a.run()
    before = facts(route_a, order)
    asked = route_a.act("request_cancellation", order_id=order.id)
    route_a.act("answer_cancellation", cancel_id=asked.id, approve=False)
    route_a.run()
    assert facts(route_a, order) == before


def test_refunds_by_line_and_by_amount_add_up_to_a_full_one_after_completion(route_a: RouteA, shipped: Any) -> None:
    line = route_a.act("open_return", order_id=shipped.id, line_ids=[shipped.lines[0].id], return_type="RETURN_AND_REFUND")
    route_a.act("complete_return", return_id=line.id)
    route_a.run()
    by_line = facts(route_a, shipped)
    amount = route_a.act("open_return", order_id=shipped.id, line_ids=[shipped.lines[2].id], amount="7.50")
    route_a.act("complete_return", return_id=amount.id)
    route_a.run()
    by_amount = facts(route_a, shipped)
    route_a.act("advance_order", order_id=shipped.id, to="COMPLETED")
    route_a.act("complete_return", return_id=route_a.act("open_return", order_id=shipped.id).id)
    route_a.run()
    assert by_line == {"status": "partially_refunded", "valid": True, "total": 60.0, "refunded": 20.0, "units": 1}
    assert by_amount == {"status": "partially_refunded", "valid": True, "total": 60.0, "refunded": 27.5, "units": 1}
    assert facts(route_a, shipped) == {"status": "refunded", "valid": False, "total": 60.0, "refunded": 60.0, "units": 3}


def test_a_chain_of_edited_requests_is_counted_once(route_a: RouteA, shipped: Any) -> None:
    request = route_a.act("open_return", order_id=shipped.id, line_ids=[shipped.lines[0].id])
    for amount in ("5.00", "12.00", "9.99"):
        route_a.run()
        request = route_a.act("edit_return", return_id=request.id, amount=amount)
    route_a.act("complete_return", return_id=request.id)
    route_a.run()
    assert len(route_a.tiktok.shop("GB").returns) == 4
    assert facts(route_a, shipped) == {"status": "partially_refunded", "valid": True, "total": 60.0, "refunded": 9.99, "units": 0}


def test_a_smaller_offer_that_the_buyer_takes_is_what_counts(route_a: RouteA, shipped: Any) -> None:
    request = route_a.act("open_return", order_id=shipped.id, line_ids=[shipped.lines[0].id])
    route_a.act("offer_partial", return_id=request.id, amount="3.00")
    route_a.run()
    offered = facts(route_a, shipped)
    route_a.act("answer_offer", return_id=request.id)
    route_a.act("complete_return", return_id=request.id)
    route_a.run()
    assert (offered["refunded"], facts(route_a, shipped)["refunded"]) == (0, 3.0)


@pytest.mark.parametrize("seed", range(3))
def test_no_older_message_makes_a_cancelled_order_valid_again(route_a: RouteA, seed: int) -> None:
    """Twelve lives end cancelled; their webhooks come shuffled, twice, and the polls read behind them."""
    generator = random.Random(seed)
    route_a.goods("TEE", "MUG")
    assert route_a.subscribe()
    route_a.hold_webhooks()
    orders, kept = [], []
    for number in range(12):
        order = route_a.order("TEE", "MUG", status=("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT")[number % 3])
        orders.append(order)
        if number % 2 and order.status != "AWAITING_SHIPMENT":
            route_a.act("advance_order", order_id=order.id, to="AWAITING_SHIPMENT")
    for order in generator.sample(orders, 6):  # a part of the lives is known before they end
        route_a.tell(order)
    route_a.run(40)
    for order in orders:
        wish = route_a.act("request_cancellation", order_id=order.id, role=generator.choice(("SELLER", "SYSTEM")))
        assert wish.status == "CANCELLATION_REQUEST_COMPLETE"
    kept = route_a.held() * 2
    generator.shuffle(kept)
    for sending in kept:
        assert route_a.post(sending.headers, sending.body) == 200
        if generator.random() < 0.1:
            route_a.run(40)
    route_a.poll()
    route_a.run(40)
    by_order: dict[str, list[bool]] = {}
    for effect in route_a.ometria.ledger.effects("order"):
        by_order.setdefault(effect.key, []).append(effect.payload["is_valid"])
    assert by_order
    assert [validity for validity in by_order.values() if validity != sorted(validity, reverse=True) or validity[-1]] == []
    assert {row["status"] for row in route_a.state("orders").values()} == {"cancelled"}
