"""Whatever happens to an order, its amounts agree: lines − discounts + shipping + tax − refunds is what is left."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.standins.shopify import ShopifyStandIn, ShopSpec
from integrations.standins.shopify.customers import Rejected
from integrations.standins.shopify.money import quantum, rounded, split, tax_of
from integrations.standins.shopify.orders import Order
from tests.standins.shopify.conftest import SHOP, Caller

PRICES = {"GBP": ("19.99", "7.35"), "EUR": ("20.00", "0.01"), "JPY": ("1999", "7"), "KWD": ("6.125", "0.007")}


def check(order: Order) -> None:
    """The equation the console shall find on both sides, from the parts alone."""
    unit = quantum(order.currency)
    goods = sum(line.unit_price * line.quantity for line in order.lines)
    discounts = sum(amount for line in order.lines for _, amount in line.allocations)
    tax = sum((line.tax for line in order.lines), order.shipping_tax) if not order.taxes_included else 0
    removed = order.removed_net + (0 if order.taxes_included else order.removed_tax)
    refunds = sum(transaction.amount for transaction in order.transactions if transaction.kind == "REFUND")
    assert goods - discounts + order.shipping + tax == order.total
    assert order.total - removed - refunds == order.current_total
    assert order.refunded == refunds <= order.paid
    for refund in order.refunds:
        taxes = 0 if order.taxes_included else sum(line.tax for line in refund.lines) + refund.shipping_tax
        assert sum(line.subtotal for line in refund.lines) + refund.shipping + taxes - refund.discrepancy == refund.paid_back
    for amount in (order.total, order.current_total, order.tax, order.discounts, order.current_subtotal, order.current_tax):
        assert amount == amount.quantize(unit)


def shop_in(currency: str, *, included: bool = True) -> tuple[ShopifyStandIn, list[int]]:
    stand_in = ShopifyStandIn([ShopSpec(SHOP, currency=currency, taxes_included=included)])
    variants = [{"sku": f"V{n}", "price": price, "inventory": 100} for n, price in enumerate(PRICES[currency])]
    return stand_in, stand_in.act("create_product", handle="p", title="P", variants=variants).variant_ids


DISCOUNTS = [None, {"value": 10, "percentage": True}, {"value": 33, "percentage": True}, {"value": 1}, {"value": 2, "line": 0}]
STEPS = ["less", "more", "pay", "refund", "goodwill", "ship", "all", "cancel"]


@settings(max_examples=120, deadline=None)
@given(
    currency=st.sampled_from(sorted(PRICES)),
    included=st.booleans(),
    quantities=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    discount=st.sampled_from(DISCOUNTS),
    shipping=st.sampled_from([0, 4]),
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=6),
)
def test_every_life_keeps_the_equation(
    currency: str, included: bool, quantities: list[int], discount: dict[str, Any] | None, shipping: int, steps: list[tuple[str, int]]
) -> None:
    stand_in, variants = shop_in(currency, included=included)
    try:
        lines = [{"variant_id": variants[n % 2], "quantity": quantity} for n, quantity in enumerate(quantities)]
        wish = {"lines": lines, "discounts": [discount] if discount else [], "shipping": shipping}
        order = stand_in.act("create_order", **wish, paid=False, authorized=True)
        check(order)
        for step, pick in steps:
            live(stand_in, order, step, pick)
            check(order)
    finally:
        stand_in.close()


def live(stand_in: ShopifyStandIn, order: Order, step: str, pick: int) -> None:
    """Take a step if the shop allows it."""
    line = order.lines[pick % len(order.lines)]
    wishes = {
        "less": ("edit_order", {"quantities": {line.id: max(0, line.current - 1)}}),
        "more": ("edit_order", {"quantities": {line.id: line.current + 1}}),
        "pay": ("mark_paid", {}),
        "refund": ("refund", {"lines": {line.id: 1}, "shipping": 1 if order.shipping else 0}),
        "goodwill": ("refund", {"amount": 1}),
        "ship": ("fulfil", {}),
        "all": ("refund_all", {}),
        "cancel": ("cancel_order", {}),
    }
    name, arguments = wishes[step]
    try:
        stand_in.act(name, order_id=order.id, **arguments)
    except ValueError:  # Rejected among them: sold out, paid already, nothing left
        return


@pytest.mark.parametrize(
    ("currency", "shipping", "total", "after"),
    [
        # 59.97 + 11.99 tax + 12.50 + 2.50 tax; one of three back is 19.99 + 4.00
        ("GBP", "12.50", "86.96", "62.97"),
        # 5997 + 1199 + 15 + 3; back 1999 + 400
        ("JPY", "15", "7214", "4815"),
        # 18.375 + 3.675 + 4.000 + 0.800; back 6.125 + 1.225
        ("KWD", "4", "26.850", "19.500"),
    ],
)
def test_tax_on_top_in_each_currency(currency: str, shipping: str, total: str, after: str) -> None:
    stand_in, variants = shop_in(currency, included=False)
    order = stand_in.act("create_order", lines=[{"variant_id": variants[0], "quantity": 3}], shipping=shipping)
    stand_in.act("refund", order_id=order.id, lines={order.lines[0].id: 1})
    stand_in.close()

    assert (str(order.total), str(order.current_total)) == (total, after)


def test_three_partial_returns_add_up_to_the_whole() -> None:
    stand_in, variants = shop_in("GBP")
    order = stand_in.act("create_order", lines=[{"variant_id": variants[0], "quantity": 3}], discounts=[{"value": 10}])
    back = [stand_in.act("refund", order_id=order.id, lines={order.lines[0].id: 1}).paid_back for _ in range(3)]
    stand_in.close()

    assert [str(amount) for amount in back] == ["16.66", "16.66", "16.65"]
    assert (str(sum(back)), str(order.current_total), order.financial_status) == ("49.97", "0.00", "REFUNDED")


def test_no_more_goes_back_than_was_paid() -> None:
    stand_in, variants = shop_in("GBP")
    order = stand_in.act("create_order", lines=[{"variant_id": variants[0], "quantity": 1}])
    with pytest.raises(Rejected, match="more than what was paid"):
        stand_in.act("refund", order_id=order.id, amount="20.00")
    stand_in.close()

    assert order.refunds == []


def test_a_refund_may_have_money_and_no_lines_or_lines_and_no_money(caller: Caller, place: Any) -> None:
    order = place(units=2)
    caller.stand_in.act("refund", order_id=order.id, amount="5.00")
    caller.stand_in.act("refund", order_id=order.id, lines={order.lines[0].id: 1}, amount=0)

    money, goods = caller.order(order.id)["refunds"]

    assert money["refundLineItems"]["nodes"] == []
    assert money["orderAdjustments"]["nodes"][0]["amountSet"]["shopMoney"]["amount"] == "-5.00"
    assert money["totalRefundedSet"]["shopMoney"]["amount"] == "5.00"
    assert (goods["transactions"]["nodes"], goods["refundLineItems"]["nodes"][0]["quantity"]) == ([], 1)
    assert goods["orderAdjustments"]["nodes"][0]["amountSet"]["shopMoney"]["amount"] == "20.00"


def test_the_buyers_currency_stands_beside_the_shops(caller: Caller, place: Any) -> None:
    order = place(units=1, presentment_currency="EUR", shipping="4.99")

    full = caller.order(order.id)

    assert (full["currencyCode"], full["presentmentCurrencyCode"]) == ("GBP", "EUR")
    assert full["totalPriceSet"] == {
        "shopMoney": {"amount": "24.99", "currencyCode": "GBP"},
        "presentmentMoney": {"amount": "28.74", "currencyCode": "EUR"},
    }


@given(st.decimals("0", "10000", places=2), st.lists(st.decimals("0", "500", places=2), min_size=1, max_size=8))
def test_a_split_loses_no_penny(amount: Decimal, weights: list[Decimal]) -> None:
    parts = split(amount, weights, "GBP")

    assert sum(parts) == (amount if sum(weights) else 0)
    assert all(part >= 0 for part in parts)


def test_tax_is_inside_or_on_top() -> None:
    rate = Decimal("0.2")

    assert tax_of(Decimal("12.00"), rate, "GBP", included=True) == Decimal("2.00")
    assert tax_of(Decimal("12.00"), rate, "GBP", included=False) == Decimal("2.40")
    assert [str(rounded("2.5", code)) for code in ("GBP", "JPY", "KWD")] == ["2.50", "3", "2.500"]
