"""Cancelled is not refunded, neither is counted twice, and the order in which requests come changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from mapping.records import OrderStatus, RefundLine
from tests.platforms.tiktok_shop.raw_orders import NOW, cancellation, composite, given_back, order_of, payment, unit

D = Decimal


def figures(order):
    return [(line.key, line.quantity, line.refunded_quantity, line.refunded_amount, line.cancelled_quantity, line.cancelled_amount)
            for line in order.lines]  # fmt: skip


# --- cancelled ------------------------------------------------------------------------------------------------------------


def test_a_cancelled_order_keeps_its_amounts_and_has_nothing_left():
    units = [unit(1, display_status="CANCELLED"), unit(2, display_status="CANCELLED")]
    raw = composite(
        *units, pay=payment(units, shipping="3.99"), status="CANCELLED", cancel_time=NOW - 5, cancel_reason="changed_mind",
        cancellations=(cancellation(1, {"9001": "20.00", "9002": "20.00"}, total="43.99"),),
    )  # fmt: skip
    order = order_of(raw)
    assert (order.status, order.cancel_reason, order.cancelled_at) == (
        OrderStatus.CANCELLED, "changed_mind", datetime.fromtimestamp(NOW - 5, UTC),
    )  # fmt: skip
    assert (order.totals.total, order.totals.cancelled, order.totals.refunded, order.totals.net) == (
        D("43.99"),
        D("43.99"),
        D("0.00"),
        D("0.00"),
    )
    assert figures(order) == [("9001", 2, 0, D("0.00"), 2, D("40.00"))]
    assert order.refunds == ()


@pytest.mark.parametrize(
    ("status", "counts"), [("PENDING", False), ("CANCEL", False), ("CANCELLED", False), ("SUCCESS", True), ("COMPLETE", True)]
)
def test_a_request_for_one_unit_counts_once_it_was_accepted(status, counts):
    order = order_of(composite(cancellations=(cancellation(1, {"9002": "20.00"}, status=status),)))
    assert figures(order) == [("9001", 2, 0, D("0.00"), int(counts), D("20.00") if counts else D("0.00"))]
    assert (order.status, order.totals.net) == (OrderStatus.PAID, D("20.00") if counts else D("40.00"))


def test_a_request_that_names_no_line_takes_all_that_had_not_left():
    units = [unit(1, display_status="IN_TRANSIT"), unit(2)]
    request = {**cancellation(1, {}), "refund_amount": {"refund_total": "20.00"}}
    request.pop("cancel_line_items")
    order = order_of(composite(*units, status="PARTIALLY_SHIPPING", cancellations=(request,)))
    assert [(line.key, line.cancelled_quantity) for line in order.lines] == [("9001", 0), ("9002", 1)]
    assert order.totals.net == D("20.00")


def test_all_units_cancelled_one_after_the_other_cancel_the_order():
    requests = (cancellation(1, {"9001": "20.00"}), cancellation(2, {"9002": "20.00"}))
    order = order_of(composite(cancellations=requests))
    assert (order.status, order.totals.net) == (OrderStatus.CANCELLED, D("0.00"))
    assert order.cancelled_at == datetime.fromtimestamp(NOW + 2, UTC)


def test_a_cancelled_order_that_shows_no_lines_has_nothing_left_either():
    order = order_of(composite(status="CANCEL", line_items=[], pay={"currency": "GBP", "total_amount": "43.99"}))
    assert (order.status, order.totals.cancelled, order.totals.net) == (OrderStatus.CANCELLED, D("43.99"), D("0.00"))


def test_shipping_given_back_with_a_cancelled_unit_lies_on_no_line():
    units = [unit(1), unit(2)]
    order = order_of(
        composite(*units, pay=payment(units, shipping="3.99"), cancellations=(cancellation(1, {"9002": "20.00"}, total="22.00"),))
    )
    assert (order.totals.cancelled, order.totals.net, order.lines[0].cancelled_amount) == (D("22.00"), D("21.99"), D("20.00"))


def test_a_component_taken_out_of_a_bundle_lowers_the_line_and_cancels_no_unit():
    request = cancellation(1, {"9001": "6.00"})
    request["cancel_line_items"][0]["cancel_sub_line_items"] = [{"sub_item_id": "1"}]
    order = order_of(composite(unit(1), cancellations=(request,)))
    assert (figures(order), order.totals.net) == ([("9001", 1, 0, D("0.00"), 0, D("6.00"))], D("14.00"))


# --- refunded -------------------------------------------------------------------------------------------------------------


def test_one_unit_sent_back_is_a_partial_refund_though_the_platforms_status_stays():
    order = order_of(composite(status="COMPLETED", returns=(given_back(1, {"9001": "20.00"}, return_type="RETURN_AND_REFUND"),)))
    assert order.status is OrderStatus.PARTIALLY_REFUNDED
    assert figures(order) == [("9001", 2, 1, D("20.00"), 0, D("0.00"))]
    assert order.refunds[0].lines == (RefundLine(line_key="9001", quantity=1, amount=D("20.00")),)
    assert (order.totals.refunded, order.totals.net) == (D("20.00"), D("20.00"))


def test_an_amount_without_goods_lowers_the_value_and_takes_no_unit_until_it_is_all():
    first, second = given_back(1, {"9001": "5.00"}), given_back(2, {"9001": "15.00"})
    assert figures(order_of(composite(status="DELIVERED", returns=(first,)))) == [("9001", 2, 0, D("5.00"), 0, D("0.00"))]
    order = order_of(composite(status="DELIVERED", returns=(second, first)))
    assert figures(order) == [("9001", 2, 1, D("20.00"), 0, D("0.00"))]
    assert [(refund.key, refund.lines[0].quantity) for refund in order.refunds] == [("501", 0), ("502", 1)]


def test_everything_given_back_is_refunded_even_when_shipping_is_kept():
    units = [unit(1), unit(2)]
    returned = given_back(1, {"9001": "20.00", "9002": "20.00"})
    order = order_of(composite(*units, pay=payment(units, shipping="3.99"), status="COMPLETED", returns=(returned,)))
    assert (order.status, order.totals.net) == (OrderStatus.REFUNDED, D("3.99"))


def test_shipping_given_back_lies_on_no_line():
    units = [unit(1), unit(2)]
    order = order_of(composite(*units, pay=payment(units, shipping="3.99"), returns=(given_back(1, {"9001": "20.00"}, total="23.99"),)))
    assert (order.totals.refunded, order.totals.refund_other, order.lines[0].refunded_amount) == (D("23.99"), D("3.99"), D("20.00"))


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("RETURN_OR_REFUND_REQUEST_PENDING", False), ("RETURN_OR_REFUND_REQUEST_SUCCESS", False),
        ("REFUND_OR_RETURN_REQUEST_REJECT", False),
        ("RETURN_OR_REFUND_REQUEST_CANCEL", False), ("BUYER_SHIPPED_ITEM", False), ("REPLACEMENT_REQUEST_COMPLETE", False),
        ("EXCHANGE_REQUEST_COMPLETE", False), ("SOMETHING_NEW", False), ("RETURN_OR_REFUND_REQUEST_COMPLETE", True),
        ("REPLACEMENT_REQUEST_REFUND_SUCCESS", True), ("EXCHANGE_REQUEST_REFUND_SUCCESS", True),
    ],
)  # fmt: skip
def test_a_refund_is_booked_only_when_the_money_went_back(status, counts):
    order = order_of(composite(status="DELIVERED", returns=(given_back(1, {"9001": "20.00"}, status=status),)))
    assert len(order.refunds) == int(counts)
    assert order.totals.net == (D("20.00") if counts else D("40.00"))


def test_an_edited_request_counts_once_by_its_last_edition_whichever_end_knows():
    first, second = given_back(1, {"9001": "20.00"}, next_return_id="502"), given_back(2, {"9001": "12.00"})
    by_next = order_of(composite(status="DELIVERED", returns=(second, first)))
    first.pop("next_return_id")
    by_previous = order_of(composite(status="DELIVERED", returns=(first, {**second, "pre_return_id": "501"})))
    assert [[(refund.key, refund.amount) for refund in order.refunds] for order in (by_next, by_previous)] == [[("502", D("12.00"))]] * 2


def test_an_edited_request_that_was_paid_counts_while_its_edition_is_open():
    first = given_back(1, {"9001": "20.00"}, next_return_id="502")
    second = given_back(2, {"9001": "12.00"}, status="RETURN_OR_REFUND_REQUEST_PENDING", pre_return_id="501")
    assert [refund.key for refund in order_of(composite(status="DELIVERED", returns=(first, second))).refunds] == ["501"]


def test_requests_that_name_each_other_in_a_ring_end():
    ring = (given_back(1, {"9001": "5.00"}, next_return_id="502"), given_back(2, {"9001": "5.00"}, next_return_id="501"))
    assert len(order_of(composite(returns=ring)).refunds) <= 2


def test_the_same_request_seen_twice_counts_once_as_it_is_now():
    older, newer = given_back(1, {"9001": "20.00"}), given_back(1, {"9001": "15.00"}, update_time=NOW + 90)
    assert [refund.amount for refund in order_of(composite(returns=(newer, older))).refunds] == [D("15.00")]


def test_the_order_of_requests_changes_nothing():
    requests = [given_back(1, {"9001": "5.00"}), given_back(2, {"9002": "20.00"}), given_back(3, {"9001": "15.00"})]
    results = {repr(order_of(composite(status="DELIVERED", returns=order))) for order in permutations(requests)}
    assert len(results) == 1


def test_a_refund_whose_lines_are_silent_is_shared_by_value():
    request = given_back(1, {"9001": "0", "9002": "0"}, total="10.00")
    for line in request["return_line_items"]:
        line.pop("refund_amount")
    order = order_of(composite(unit(1, "30.00"), unit(2, "10.00"), status="DELIVERED", returns=(request,)))
    assert [line.refunded_amount for line in order.lines] == [D("7.50"), D("2.50")]


def test_an_agreed_part_counts_where_no_other_amount_is_given():
    request = given_back(1, {"9001": "5.00"}, partial_refund={"currency": "GBP", "amount": "5.00"})
    request["refund_amount"] = None
    assert order_of(composite(status="DELIVERED", returns=(request,))).totals.refunded == D("5.00")


def test_a_unit_cancelled_and_then_named_in_a_return_is_not_taken_off_twice():
    raw = composite(
        unit(1),
        unit(2, display_status="CANCELLED"),
        returns=(given_back(1, {"9002": "20.00"}),),
        cancellations=(cancellation(1, {"9002": "20.00"}),),
    )
    assert order_of(raw).totals.net == D("20.00")
