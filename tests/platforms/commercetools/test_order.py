"""Orders as records: people, states, parcels, returns and refunds, and the checkout that an order ends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.platforms.errors import Unparsable
from mapping.records import OrderStatus, RecordType
from tests.platforms.commercetools.raw_orders import (
    CHANGED,
    cents,
    custom_line,
    line,
    order,
    order_of,
    paid_with,
    payment,
    records_of,
    returned,
    shipping,
    transaction,
)

D = Decimal


def test_a_guest_order_has_an_address_and_no_customer():
    found = order_of(order(anonymousId="anon-7", billingAddress={"country": "GB", "firstName": "Ada", "mobile": "+447700900123"}))

    assert (found.customer.key, found.customer.email, found.customer.first_name, found.customer.phone) == (
        "", "ada@example.com", "Ada", "+447700900123",
    )  # fmt: skip
    assert found.attributes["anonymous_id"] == "anon-7"


def test_the_order_of_a_guest_who_became_a_customer_belongs_to_the_customer():
    found = order_of(order(customerId="customer-9", version=9))

    assert (found.customer.key, found.customer.email) == ("customer-9", "ada@example.com")


def test_an_imported_order_was_placed_when_it_was_completed():
    assert order_of(order(completedAt="2026-10-20T07:55:10.000Z")).placed_at.isoformat() == "2026-10-20T07:55:10+00:00"


def test_a_change_of_its_payment_makes_an_order_newer():
    raw = order() | paid_with(payment(changed="2026-11-09T10:00:00.000Z"))

    assert order_of(raw).occurred_at.isoformat() == "2026-11-09T10:00:00+00:00"


STATES = [
    ({"orderState": "Open", "paymentState": "Pending"}, OrderStatus.PENDING),
    ({"orderState": "Open", "paymentState": "Paid"}, OrderStatus.PAID),
    ({"orderState": "Open"}, OrderStatus.PENDING),
    ({"orderState": "Confirmed"}, OrderStatus.PAID),
    ({"orderState": "Confirmed", "paymentState": "Paid", "shipmentState": "Partial"}, OrderStatus.PARTIALLY_SHIPPED),
    ({"orderState": "Confirmed", "paymentState": "Paid", "shipmentState": "Shipped"}, OrderStatus.SHIPPED),
    ({"orderState": "Confirmed", "paymentState": "Paid", "shipmentState": "Delivered"}, OrderStatus.COMPLETE),
    ({"orderState": "Complete"}, OrderStatus.COMPLETE),
    ({"orderState": "Cancelled", "paymentState": "Paid"}, OrderStatus.CANCELLED),
    ({"orderState": "Open", **paid_with(payment(transaction(1, 2000, kind="Charge")))}, OrderStatus.PAID),
    ({"orderState": "Open", **paid_with(payment(transaction(1, 2000, kind="Authorization")))}, OrderStatus.PENDING),
    ({"orderState": "Confirmed", **paid_with(payment(transaction(1, 500)))}, OrderStatus.PARTIALLY_REFUNDED),
    ({"orderState": "Confirmed", **paid_with(payment(transaction(1, 2000)))}, OrderStatus.REFUNDED),
]


@pytest.mark.parametrize(("fields", "status"), STATES)
def test_the_status_follows_cancellation_money_back_goods_and_payment(fields, status):
    assert order_of(order(**fields)).status is status


def test_a_refund_pays_for_the_goods_that_came_back_and_the_rest_lies_beside():
    raw = order(line(1, 1000, 3), line(2, 500), returnInfo=[returned(1, "line-1", 2)], **paid_with(payment(transaction(1, 2500))))
    found = order_of(raw)

    assert [(row.refunded_quantity, row.refunded_amount) for row in found.lines] == [(2, D("20.00")), (0, D("0"))]
    assert (found.totals.refunded, found.totals.refund_other, found.totals.net) == (D("25.00"), D("5.00"), D("10.00"))
    assert [(part.line_key, part.quantity, part.amount) for part in found.refunds[0].lines] == [("line-1", 2, D("20.00"))]


def test_less_money_than_the_returned_goods_are_worth_is_shared_out_over_them():
    raw = order(
        line(1, 1000), line(2, 500), returnInfo=[returned(1, "line-1"), returned(2, "line-2")], **paid_with(payment(transaction(1, 900)))
    )

    assert [row.refunded_amount for row in order_of(raw).lines] == [D("6.00"), D("3.00")]


def test_returns_alone_stand_for_the_money_when_no_payment_shows_any():
    raw = order(line(1, 1000, 3), returnInfo=[returned(1, "line-1"), returned(2, "line-1")], **paid_with(payment()))
    found = order_of(raw)

    assert (found.lines[0].refunded_quantity, found.lines[0].refunded_amount, found.totals.refunded) == (2, D("20.00"), D("20.00"))
    assert [(refund.key, refund.amount) for refund in found.refunds] == [("return:return-1", D("10.00")), ("return:return-2", D("10.00"))]


@pytest.mark.parametrize("state", ["Initial", "NonRefundable", "NotRefunded"])
def test_goods_that_are_on_their_way_back_are_no_refund(state):
    assert order_of(order(returnInfo=[returned(1, "line-1", money=state)])).totals.refunded == 0


@pytest.mark.parametrize("state", ["Initial", "Pending", "Failure"])
def test_money_that_did_not_move_is_no_refund(state):
    assert order_of(order(**paid_with(payment(transaction(1, 2000, state=state))))).totals.refunded == 0


def test_a_chargeback_is_money_given_back():
    found = order_of(order(**paid_with(payment(transaction(1, 2000, kind="Chargeback")))))

    assert (found.totals.refunded, found.refunds[0].reason, found.lines[0].refunded_quantity) == (D("20.00"), "Chargeback", 1)


def test_two_partial_refunds_add_up_and_keep_their_own_lines():
    first, second = transaction(1, 600), transaction(2, 400, at="2026-11-04T10:00:00.000Z")
    found = order_of(order(line(1, 1000), line(2, 700), returnInfo=[returned(1, "line-1")], **paid_with(payment(first, second))))

    assert [(refund.amount, [(part.quantity, part.amount) for part in refund.lines]) for refund in found.refunds] == [
        (D("6.00"), [(0, D("6.00"))]), (D("4.00"), [(1, D("4.00"))]),
    ]  # fmt: skip


def test_a_cancelled_order_is_worth_nothing_and_what_was_given_back_stays_a_refund():
    found = order_of(order(line(1, 1000, 2), orderState="Cancelled", **paid_with(payment(transaction(1, 500)))))

    assert (found.totals.refunded, found.totals.cancelled, found.totals.net) == (D("5.00"), D("15.00"), D("0.00"))
    assert (found.lines[0].cancelled_quantity, found.cancelled_at is not None) == (2, True)


def test_parcels_are_shipments_and_those_that_come_back_are_not():
    parcels = [
        {"id": "p-1", "createdAt": CHANGED, "trackingData": {"trackingId": "RM1", "carrier": "Royal Mail"}},
        {"id": "p-2", "createdAt": CHANGED, "trackingData": {"trackingId": "RM2", "isReturn": True}},
    ]
    deliveries = [{"id": "d-1", "createdAt": CHANGED, "parcels": parcels}, {"id": "d-2", "createdAt": CHANGED, "parcels": []}]
    found = order_of(order(ships=[shipping(500, deliveries=deliveries)]))

    assert [(shipment.key, shipment.carrier, shipment.tracking_number) for shipment in found.fulfilments] == [
        ("p-1", "Royal Mail", "RM1"), ("d-2", "", ""),
    ]  # fmt: skip


def test_an_order_ends_the_checkout_of_its_cart():
    checkout = next(
        record for record in records_of(order(cart={"typeId": "cart", "id": "cart-5"})) if record.record_type is RecordType.CHECKOUT
    )

    assert (checkout.key, checkout.completed_at is not None, checkout.customer.email) == ("cart-5", True, "ada@example.com")


def test_a_fee_has_its_slug_for_a_product():
    found = order_of(order(line(1), customs=[custom_line(1, 300)]))

    assert [(row.product_key, row.title, row.total) for row in found.lines] == [
        ("product-1", "Thing 1", D("20.00")), ("custom:extra-1", "Extra 1", D("3.00")),
    ]  # fmt: skip


def test_texts_are_in_the_language_of_the_order():
    assert order_of(order(locale="de-AT")).lines[0].title == "Ding 1"


def test_custom_fields_and_vouchers_come_along():
    code = {"discountCode": {"typeId": "discount-code", "id": "1", "obj": {"code": "SPRING"}}, "state": "MatchesCart"}
    found = order_of(order(discountCodes=[code], custom={"fields": {"gift": True, "wrap": cents(250), "tags": ["a", "b"]}}))

    assert found.coupon_codes == ("SPRING",)
    assert {name: value for name, value in found.attributes.items() if name.startswith("custom.")} == {
        "custom.gift": True, "custom.tags": ["a", "b"], "custom.wrap": "2.50 GBP",
    }  # fmt: skip


def test_orders_of_stores_that_are_left_out_make_no_record():
    raw = order(store={"typeId": "store", "key": "de"})

    assert records_of(raw, store_keys=["uk"]) == []
    assert len(records_of(raw, store_keys=["uk", "de"])) == len(records_of(order(), store_keys=["uk"])) == 1


def test_the_store_of_an_order_is_that_of_its_market():
    raw = order(store={"typeId": "store", "key": "uk"})

    assert (order_of(raw).store, order_of(order(), markets=["GB:GBP:en-GB", "DE:EUR:de"]).store) == ("uk", "gb")


@pytest.mark.parametrize(
    "broken", [{"totalPrice": None}, {"totalPrice": {"centAmount": "12", "currencyCode": "GBP", "fractionDigits": 2}}, {"id": 7},
               {"lastModifiedAt": "yesterday"}, {"lineItems": [{"quantity": 1}]}],
)  # fmt: skip
def test_an_order_that_cannot_be_read_says_where(broken):
    with pytest.raises(Unparsable, match="order: "):
        records_of(order(**broken))
