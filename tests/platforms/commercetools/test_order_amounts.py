"""Money that adds up to the penny in every currency, with tax inside and on top, whatever was taken off and came back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.money import unit
from tests.platforms.commercetools.raw_orders import (
    DIGITS,
    cents,
    custom_line,
    line,
    order,
    order_of,
    paid_with,
    payment,
    precise,
    returned,
    shipping,
    transaction,
)

D, ZERO = Decimal, Decimal(0)
RATES = ("0", "0.05", "0.081", "0.19", "0.2")


def _gross(part: dict) -> int:
    return part["taxedPrice"]["totalGross"]["centAmount"]


def _net(part: dict) -> int:
    return part["taxedPrice"]["totalNet"]["centAmount"]


@st.composite
def orders(draw):
    """An order that keeps commercetools' identities: discounts of lines and of the whole, fees, vouchers, gifts, one or more shipments."""
    currency, included = draw(st.sampled_from(sorted(DIGITS))), draw(st.booleans())
    how = {"currency": currency, "included": included}
    lines = []
    for number in range(draw(st.integers(1, 5))):
        quantity, exact = draw(st.integers(1, 12)), draw(st.booleans())
        amount = draw(st.integers(0, 9_000))
        price = precise(amount * 10 + draw(st.integers(0, 9)), DIGITS[currency] + 1, currency) if exact else amount
        bare = line(number, price, quantity, **how)
        off = draw(st.integers(0, bare["totalPrice"]["centAmount"]))
        gift = {"lineItemMode": "GiftLineItem"} if off == bare["totalPrice"]["centAmount"] else {}
        lines.append(line(number, price, quantity, off=off, rate=draw(st.sampled_from(RATES)), **how, **gift))
    fees = [custom_line(1, draw(st.integers(0, 800)), rate=draw(st.sampled_from(RATES)), **how)] if draw(st.booleans()) else []
    goods = sum(map(_gross, (*lines, *fees)))
    rate = lines[0]["taxRate"]["amount"]
    voucher = draw(st.integers(0, min(map(_net, lines)) // 3))
    vouchers = [custom_line(2, -voucher, rate=str(rate), **how)] if voucher else []
    ships = [shipping(draw(st.integers(0, 900)), rate=draw(st.sampled_from(RATES)), **how) for _ in range(draw(st.integers(0, 3)))]
    off = draw(st.integers(0, goods // 3))
    net_off = off * sum(map(_net, (*lines, *fees))) // goods if goods else 0
    return order(*lines, customs=(*fees, *vouchers), ships=ships, off=(net_off, off), currency=currency)


@st.composite
def troubled(draw):
    """Such an order of which units came back and money was given back, or which was cancelled."""
    raw = draw(orders())
    currency = raw["totalPrice"]["currencyCode"]
    total = raw["taxedPrice"]["totalGross"]["centAmount"]
    ids = [row["id"] for row in (*raw["lineItems"], *raw["customLineItems"])]
    raw["returnInfo"] = [
        returned(number, draw(st.sampled_from(ids)), draw(st.integers(1, 14)), money=draw(st.sampled_from(("Refunded", "Initial"))))
        for number in range(draw(st.integers(0, 4)))
    ]
    moved = [
        transaction(number, draw(st.integers(0, max(total, 1))), currency=currency, kind=draw(st.sampled_from(("Refund", "Chargeback"))),
                    state=draw(st.sampled_from(("Success", "Pending"))), at=f"2026-11-0{3 + number}T10:00:00.000Z")
        for number in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    raw |= paid_with(payment(*moved)) if moved or draw(st.booleans()) else {}
    return raw | {"orderState": draw(st.sampled_from(("Confirmed", "Complete", "Cancelled")))}


@settings(max_examples=400, deadline=None)
@given(orders())
def test_lines_discounts_shipping_and_tax_make_the_total(raw):
    found = order_of(raw)
    totals, step = found.totals, unit(DIGITS[found.currency])
    parts = [*raw["lineItems"], *raw["customLineItems"]]
    ships = [raw["shippingInfo"]] if "shippingInfo" in raw else [entry["shippingInfo"] for entry in raw.get("shipping", ())]

    assert totals.total == raw["taxedPrice"]["totalGross"]["centAmount"] * step
    assert totals.tax == totals.total - raw["taxedPrice"]["totalNet"]["centAmount"] * step
    assert totals.shipping == sum(map(_net, ships)) * step
    assert totals.subtotal - totals.discount + totals.shipping + totals.tax + totals.other == totals.total == totals.net
    assert totals.other == 0
    assert sum((row.subtotal for row in found.lines), ZERO) == totals.subtotal
    assert sum((row.discount for row in found.lines), ZERO) == totals.discount
    assert sum((row.total for row in found.lines), ZERO) + sum(map(_gross, ships)) * step == totals.total
    assert len(found.lines) == sum(_gross(part) >= 0 for part in parts)
    for row in found.lines:
        assert row.total == row.subtotal - row.discount + row.tax
        assert min(row.subtotal, row.discount, row.tax, row.total) >= 0


@settings(max_examples=400, deadline=None)
@given(troubled())
def test_what_came_back_and_was_cancelled_makes_the_net(raw):
    found = order_of(raw)
    totals = found.totals
    paid = {"Refund", "Chargeback"}
    moved = [
        entry["amount"]["centAmount"] * unit(DIGITS[found.currency])
        for row in raw.get("paymentInfo", {}).get("payments", ()) for entry in row["obj"]["transactions"]
        if entry["type"] in paid and entry["state"] == "Success"
    ]  # fmt: skip

    assert totals.net == totals.total - totals.refunded - totals.cancelled
    assert (
        totals.subtotal - totals.discount + totals.shipping + totals.tax + totals.other - totals.refunded - totals.cancelled == totals.net
    )
    assert sum((row.refunded_amount for row in found.lines), totals.refund_other) == totals.refunded
    assert sum((refund.amount for refund in found.refunds), ZERO) == totals.refunded
    if any(moved):
        assert totals.refunded == sum(moved, ZERO)
    for row in found.lines:
        parts = [part.amount for refund in found.refunds for part in refund.lines if part.line_key == row.key]
        units = [part.quantity for refund in found.refunds for part in refund.lines if part.line_key == row.key]
        assert sum(parts, ZERO) == row.refunded_amount <= row.total
        assert sum(units) in (row.refunded_quantity, 0)
        assert row.refunded_quantity + row.cancelled_quantity <= row.quantity
    if raw["orderState"] == "Cancelled":
        assert totals.net == min(ZERO, totals.total - totals.refunded)


def test_a_high_precision_price_is_kept_exact_and_its_line_is_rounded():
    found = order_of(order(line(1, precise(375, 4), 1000, rate="0", included=False)))

    assert (found.lines[0].unit_price, found.lines[0].subtotal, found.totals.total) == (D("0.0375"), D("37.50"), D("37.50"))


def test_a_discount_on_the_whole_is_shared_out_by_largest_remainder():
    found = order_of(order(line(1, 1000, rate="0"), line(2, 1000, rate="0"), line(3, 1000, rate="0"), off=(100, 100)))

    assert [row.discount for row in found.lines] == [D("0.34"), D("0.33"), D("0.33")]
    assert found.totals.discount == D("1.00")


def test_a_discount_that_the_lines_hold_already_is_not_taken_off_twice():
    raw = order(line(1, 1000, off=100, rate="0"))
    raw["discountOnTotalPrice"] = {"discountedAmount": cents(100), "discountedGrossAmount": cents(100), "discountedNetAmount": cents(100)}

    assert order_of(raw).totals.discount == D("1.00")


def test_a_voucher_below_zero_is_a_discount_of_the_goods():
    found = order_of(order(line(1, 3000, rate="0.2"), customs=[custom_line(1, -600, rate="0.2")]))

    assert [(row.key, row.subtotal, row.discount, row.tax, row.total) for row in found.lines] == [
        ("line-1", D("25.00"), D("5.00"), D("4.00"), D("24.00")),
    ]  # fmt: skip


def test_an_imported_order_with_tax_on_the_whole_alone_spreads_it_over_its_lines():
    raw = order(line(1, 1999, rate=None), ships=[shipping(0, rate=None)])
    raw["taxedPrice"] = {"totalNet": cents(1666), "totalGross": cents(1999)}
    found = order_of(raw)

    assert (found.totals.subtotal, found.totals.tax, found.totals.total, found.totals.other) == (
        D("16.66"),
        D("3.33"),
        D("19.99"),
        D("0.00"),
    )
    assert found.lines[0].tax == D("3.33")


def test_an_order_without_tax_is_told_by_its_total():
    found = order_of(order(line(1, 1999, rate=None), ships=[shipping(500, rate=None)]))

    assert (found.totals.subtotal, found.totals.shipping, found.totals.tax, found.totals.total) == (D("19.99"), D("5.00"), 0, D("24.99"))


@pytest.mark.parametrize("currency", sorted(DIGITS))
def test_amounts_have_the_decimals_of_their_currency(currency):
    found = order_of(order(line(1, 1234, currency=currency, rate="0"), currency=currency))

    assert found.totals.total == D(1234).scaleb(-DIGITS[currency])
    assert found.totals.total.as_tuple().exponent == -DIGITS[currency]
