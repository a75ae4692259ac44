"""Cancellations and returns: who may ask when, what it gives back, and how searches find it."""

from typing import Any

import pytest

from integrations.standins.tiktok_shop.placing import place_order
from tests.standins.tiktok_shop.conftest import CANCELS, DE, RETURNS, Caller, stock


def cancels(caller: Caller, body: Any = None, **options: Any) -> Any:
    return caller.post(CANCELS, body or {}, page_size=50, **options).get("cancellations", [])


def returns(caller: Caller, body: Any = None, **options: Any) -> Any:
    return caller.post(RETURNS, body or {}, page_size=50, **options).get("return_orders", [])


@pytest.fixture
def delivered(caller: Caller, place: Any) -> Any:
    """A delivered order of two tees at 20, with 3.99 paid for shipping."""
    order = place(shipping={"fee": "3.99"})
    caller.stand_in.act("advance_order", order_id=order.id, to="DELIVERED")
    return order


def test_a_buyer_cancels_freely_within_the_hold(caller: Caller, place: Any) -> None:
    order = place(status="ON_HOLD", shipping={"fee": "3.99"})
    caller.stand_in.act("request_cancellation", order_id=order.id)
    found, shown = cancels(caller)[0], caller.order(order.id)

    assert (found["cancel_type"], found["cancel_status"], found["role"]) == ("CANCEL", "CANCELLATION_REQUEST_COMPLETE", "BUYER")
    assert found["refund_amount"] == {
        "currency": "GBP", "refund_total": "43.99", "refund_subtotal": "40.00", "refund_shipping_fee": "3.99", "refund_tax": "0.00",
    }  # fmt: skip
    assert (shown["status"], shown["cancellation_initiator"]) == ("CANCELLED", "BUYER")
    assert {line["display_status"] for line in shown["line_items"]} == {"CANCELLED"}
    assert "recipient_address" not in shown


def test_after_the_hold_a_buyer_has_to_ask(caller: Caller, place: Any) -> None:
    order = place()
    made = caller.stand_in.act("request_cancellation", order_id=order.id)
    found, shown = cancels(caller)[0], caller.order(order.id)

    assert (found["cancel_type"], found["cancel_status"]) == ("BUYER_CANCEL", "CANCELLATION_REQUEST_PENDING")
    assert [action["action"] for action in found["seller_next_action_response"]] == ["SELLER_RESPOND_BUYER_CANCEL"]
    assert (shown["status"], shown["is_buyer_request_cancel"]) == ("AWAITING_SHIPMENT", True)
    caller.stand_in.act("answer_cancellation", cancel_id=made.id, approve=False)
    shown = caller.order(order.id)
    assert (cancels(caller)[0]["cancel_status"], shown["status"]) == ("CANCELLATION_REQUEST_CANCEL", "AWAITING_SHIPMENT")
    assert shown["is_buyer_request_cancel"] is False


def test_an_approved_request_cancels_the_order(caller: Caller, place: Any) -> None:
    order = place()
    made = caller.stand_in.act("request_cancellation", order_id=order.id)
    caller.control("POST", "/act", {"do": "answer_cancellation", "args": {"cancel_id": made.id, "complete": False}})
    between = cancels(caller)[0]["cancel_status"], caller.order(order.id)["status"]
    caller.stand_in.act("complete_cancellation", cancel_id=made.id)

    assert between == ("CANCELLATION_REQUEST_SUCCESS", "AWAITING_SHIPMENT")
    assert (cancels(caller)[0]["cancel_status"], caller.order(order.id)["status"]) == ("CANCELLATION_REQUEST_COMPLETE", "CANCELLED")


def test_an_unanswered_request_counts_as_approved(caller: Caller, place: Any) -> None:
    order = place()
    caller.stand_in.act("request_cancellation", order_id=order.id)
    caller.control("POST", "/clock", {"advance": 172_801})

    assert caller.order(order.id)["status"] == "CANCELLED"


def test_a_line_can_be_cancelled_in_britain(caller: Caller, place: Any) -> None:
    order = place()
    line = order.lines[0].id
    caller.stand_in.act("request_cancellation", order_id=order.id, line_ids=[line], role="SELLER")
    found, shown = cancels(caller)[0], caller.order(order.id)

    assert [part["order_line_item_id"] for part in found["cancel_line_items"]] == [line]
    assert found["refund_amount"]["refund_total"] == "20.00"
    assert shown["status"] == "AWAITING_SHIPMENT"
    assert [(one["display_status"], one.get("cancel_user")) for one in shown["line_items"]] == [
        ("CANCELLED", "SELLER"),
        ("AWAITING_SHIPMENT", None),
    ]


def test_cancelling_line_by_line_cancels_the_order_in_the_end(caller: Caller, place: Any) -> None:
    order = place()
    for line in order.lines:
        caller.stand_in.act("request_cancellation", order_id=order.id, line_ids=[line.id], role="SELLER")

    assert caller.order(order.id)["status"] == "CANCELLED"
    assert sorted(found["refund_amount"]["refund_total"] for found in cancels(caller)) == ["20.00", "20.00"]


def test_single_lines_are_not_cancelled_in_germany(caller: Caller) -> None:
    stock(caller.stand_in, "DE")
    shop = caller.stand_in.shop(DE.id)
    order = place_order(shop, lines=[{"seller_sku": "TEE-M", "quantity": 2}], status="AWAITING_SHIPMENT")

    with pytest.raises(ValueError, match="not cancelled in DE"):
        caller.stand_in.act("request_cancellation", "DE", order_id=order.id, line_ids=[order.lines[0].id], role="SELLER")


def test_what_was_shipped_is_not_cancelled(caller: Caller, delivered: Any) -> None:
    with pytest.raises(ValueError, match="cannot be cancelled|no such lines"):
        caller.stand_in.act("request_cancellation", order_id=delivered.id)


def test_a_return_leaves_the_order_as_it_is(caller: Caller, delivered: Any) -> None:
    made = caller.stand_in.act("open_return", order_id=delivered.id, return_type="RETURN_AND_REFUND", with_shipping=True)
    before = caller.order(delivered.id)
    caller.stand_in.act("complete_return", return_id=made.id)
    found = returns(caller)[0]

    assert (found["return_status"], found["refund_amount"]["refund_total"]) == ("RETURN_OR_REFUND_REQUEST_COMPLETE", "43.99")
    assert caller.order(delivered.id) == before
    assert [step["event"] for step in caller.get(f"/return_refund/202309/returns/{made.id}/records")["records"]] == [
        "RETURN_OR_REFUND_REQUEST_PENDING",
        "AWAITING_BUYER_SHIP",
        "BUYER_SHIPPED_ITEM",
        "RETURN_OR_REFUND_REQUEST_SUCCESS",
        "RETURN_OR_REFUND_REQUEST_COMPLETE",
    ]


@pytest.mark.parametrize(("wish", "parts"), [({"lines": 1}, ["20.00"]), ({"amount": "5.01"}, ["2.50", "2.51"])])
def test_a_refund_can_be_for_a_line_or_an_amount(caller: Caller, delivered: Any, wish: Any, parts: list[str]) -> None:
    lines = wish.pop("lines", None)
    keys = [line.id for line in delivered.lines[:lines]] if lines else None
    caller.stand_in.act("open_return", order_id=delivered.id, line_ids=keys, **wish)
    found = returns(caller)[0]

    assert [part["refund_amount"]["refund_total"] for part in found["return_line_items"]] == parts


def test_nothing_is_refunded_twice(caller: Caller, delivered: Any) -> None:
    act = caller.stand_in.act
    first = act("open_return", order_id=delivered.id, amount="30.00")
    with pytest.raises(ValueError, match=r"At most 10\.00"):
        act("open_return", order_id=delivered.id, amount="10.01")
    act("complete_return", return_id=first.id)
    act("complete_return", return_id=act("open_return", order_id=delivered.id).id)

    with pytest.raises(ValueError, match="no such lines"):
        act("open_return", order_id=delivered.id)
    assert caller.control("GET", "/state?shop=GB")[caller.stand_in.shop().spec.id]["orders"][delivered.id]["refunded"] == "40.00"


def test_a_request_given_up_frees_its_money(caller: Caller, delivered: Any) -> None:
    act = caller.stand_in.act
    act("cancel_return", return_id=act("open_return", order_id=delivered.id).id)
    act("reject_return", return_id=act("open_return", order_id=delivered.id).id)
    act("open_return", order_id=delivered.id)

    assert sorted(found["return_status"] for found in returns(caller)) == [
        "REFUND_OR_RETURN_REQUEST_REJECT",
        "RETURN_OR_REFUND_REQUEST_CANCEL",
        "RETURN_OR_REFUND_REQUEST_PENDING",
    ]


def test_an_edited_request_is_a_chain(caller: Caller, delivered: Any) -> None:
    act = caller.stand_in.act
    first = act("open_return", order_id=delivered.id)
    second = act("edit_return", return_id=first.id, amount="7.00")
    found = {row["return_id"]: row for row in returns(caller)}

    assert (found[first.id]["next_return_id"], found[second.id]["pre_return_id"]) == (second.id, first.id)
    assert found[first.id]["return_status"] == "RETURN_OR_REFUND_REQUEST_CANCEL"
    assert found[second.id]["refund_amount"]["refund_total"] == "7.00"


def test_an_accepted_offer_is_the_refund(caller: Caller, delivered: Any) -> None:
    act = caller.stand_in.act
    made = act("open_return", order_id=delivered.id)
    act("offer_partial", return_id=made.id, amount="9.99")
    offered = returns(caller)[0]
    act("answer_offer", return_id=made.id)
    act("complete_return", return_id=made.id)
    found = returns(caller)[0]

    assert (offered["return_status"], offered["partial_refund"]) == ("AWAITING_BUYER_RESPONSE", {"currency": "GBP", "amount": "9.99"})
    assert (found["return_status"], found["refund_amount"]["refund_total"]) == ("RETURN_OR_REFUND_REQUEST_COMPLETE", "9.99")


def test_steps_that_do_not_exist_are_not_taken(caller: Caller, delivered: Any) -> None:
    made = caller.stand_in.act("open_return", order_id=delivered.id)

    for to in ("RETURN_OR_REFUND_REQUEST_COMPLETE", "AWAITING_BUYER_SHIP", "EXCHANGE_REQUEST_COMPLETE"):
        with pytest.raises(ValueError, match="cannot go"):
            caller.stand_in.act("advance_return", return_id=made.id, to=to)


def test_a_replacement_sends_another_order_free_of_charge(caller: Caller, delivered: Any) -> None:
    made = caller.stand_in.act("open_return", order_id=delivered.id, line_ids=[delivered.lines[0].id], return_type="REPLACEMENT")
    caller.stand_in.act("complete_return", return_id=made.id)
    other = list(caller.stand_in.shop().orders)[-1]
    shown = caller.order(other.id)

    assert (shown["replaced_order_id"], shown["payment"]["total_amount"], shown["user_id"]) == (
        delivered.id, "0.00", delivered.buyer.user_id,
    )  # fmt: skip


def test_searches_find_by_order_and_by_window_and_by_state(caller: Caller, place: Any) -> None:
    orders = [place(at=1_700_000_000) for _ in range(3)]
    for number, order in enumerate(orders):
        caller.stand_in.act("request_cancellation", order_id=order.id, role="SELLER", at=1_700_001_000 + number)

    def found(**body: Any) -> set[str]:
        return {row["order_id"] for row in cancels(caller, body)}

    assert found(order_ids=[orders[0].id, orders[2].id, "5764614139999999999"]) == {orders[0].id, orders[2].id}
    assert found(update_time_ge=1_700_001_001, update_time_lt=1_700_001_002) == {orders[1].id}
    assert found(cancel_status=["CANCELLATION_REQUEST_PENDING"]) == set()
    assert found(cancel_types=["CANCEL"], buyer_user_ids=[orders[1].buyer.user_id]) == {orders[1].id}


@pytest.mark.parametrize("path", [CANCELS, RETURNS, CANCELS.replace("202602", "202309"), RETURNS.replace("202602", "202309")])
def test_both_searches_take_integers_and_pages_of_ten_to_fifty(caller: Caller, path: str) -> None:
    assert caller.code("POST", path, {"update_time_ge": 1}, page_size=50) == 0
    assert caller.code("POST", path, {"update_time_ge": "1"}, page_size=50) == 98001004
    assert caller.code("POST", path, {"page_size": 50}, page_size=50) == 98001004
    assert caller.code("POST", path, {}, page_size=9) == 98001004
    assert caller.code("POST", path, {}, page_size=51) == 98001004
    assert caller.code("POST", path, {"order_ids": "1"}, page_size=50) == 98001004
