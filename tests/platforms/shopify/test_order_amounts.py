"""Money of an order: net of tax, adding up to the penny, the same from every shape Shopify has."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.platforms.base import Account, RawObject
from integrations.platforms.errors import Unparsable
from integrations.platforms.shopify.bulk import BULK_ORDERS, assemble
from integrations.platforms.shopify.parse import parse
from mapping import codec
from mapping.records import Order, RefundLine, Totals
from tests.platforms.shopify.shop_orders import DIGITS, LINE_ID, Back, Item, Spec, Sums, bulk_lines, graphql_order, rest_order

D = Decimal
ACCOUNT = Account(connection_id=7, platform="shopify", external_id="demo-shop.myshopify.com", base_url="http://127.0.0.1:9")


def from_rest(spec: Spec, **changes: object) -> Order:
    return parse(ACCOUNT, RawObject("webhook:orders/updated", rest_order(spec, **changes)))[0]


def from_graphql(spec: Spec, **changes: object) -> Order:
    return parse(ACCOUNT, RawObject("graphql:order", graphql_order(spec, **changes)))[0]


def from_bulk(spec: Spec) -> Order:
    root, *children = bulk_lines(spec)
    return parse(ACCOUNT, RawObject("bulk:order", assemble(BULK_ORDERS, None, root, children)))[0]


def money(order: Order, index: int = 0) -> tuple[D, D, D, D, D]:
    line = order.lines[index]
    return line.unit_price, line.subtotal, line.discount, line.tax, line.total


def test_prices_with_tax_inside_are_brought_to_net():
    order = from_rest(Spec(items=(Item(D("20.00"), 2, discount=D("4.00")),)))
    assert money(order) == (D("16.67"), D("33.33"), D("3.33"), D("6.00"), D("36.00"))
    assert order.totals == Totals(
        subtotal=D("33.33"), discount=D("3.33"), shipping=D("4.16"), tax=D("6.83"), total=D("40.99"), net=D("40.99")
    )


def test_prices_with_tax_on_top_stay_as_they_are():
    order = from_rest(Spec(included=False, items=(Item(D("20.00"), 2, discount=D("4.00")),), shipping=D("5.00")))
    assert money(order) == (D("20.00"), D("40.00"), D("4.00"), D("7.20"), D("43.20"))
    assert order.totals == Totals(
        subtotal=D("40.00"), discount=D("4.00"), shipping=D("5.00"), tax=D("8.20"), total=D("49.20"), net=D("49.20")
    )


def test_a_line_given_away_keeps_its_worth_and_its_discount_without_tax():
    order = from_rest(Spec(items=(Item(D("12.00"), 1, discount=D("12.00")), Item(D("6.00"))), shipping=D("0.00")))
    assert money(order) == (D("10.00"), D("10.00"), D("10.00"), D("0.00"), D("0.00"))


def test_yen_have_no_decimals_and_dinars_three():
    yen = from_rest(Spec(currency="JPY", tax_rate=D("0.10"), items=(Item(D(1000), 3),), shipping=D(500)))
    assert (money(yen), yen.totals.shipping) == ((D(909), D(2727), D(0), D(273), D(3000)), D(455))
    dinars = from_rest(Spec(currency="KWD", included=False, tax_rate=D("0.05"), items=(Item(D("1.255")),), shipping=D("0.500")))
    assert (money(dinars), dinars.totals.total) == ((D("1.255"), D("1.255"), D("0.000"), D("0.063"), D("1.318")), D("1.843"))


def test_tips_are_other():
    assert from_rest(Spec(tip=D("2.50"))).totals.other == D("2.50")


def test_a_partial_refund_with_its_money_fills_the_line_and_the_order():
    order = from_graphql(Spec(items=(Item(D("20.00"), 2, discount=D("4.00")),), refunds=(Back({0: 1}),), financial="PARTIALLY_REFUNDED"))
    line = order.lines[0]
    assert (line.quantity, line.refunded_quantity, line.refunded_amount, line.cancelled_quantity) == (2, 1, D("18.00"), 0)
    assert (order.totals.refunded, order.totals.refund_other, order.totals.net) == (D("18.00"), D("0.00"), D("22.99"))
    assert order.refunds[0].lines == (RefundLine(line_key=str(LINE_ID), quantity=1, amount=D("18.00")),)
    assert (order.refunds[0].amount, order.refunds[0].reason) == (D("18.00"), "too small")


def test_a_refund_on_top_of_net_prices_counts_the_tax():
    order = from_graphql(Spec(included=False, items=(Item(D("10.00"), 2),), shipping=D("0.00"), refunds=(Back({0: 1}),)))
    assert (order.lines[0].refunded_amount, order.totals.net) == (D("12.00"), D("12.00"))


def test_money_beyond_the_lines_is_refund_other():
    spec = Spec(items=(Item(D("20.00"), 2),), refunds=(Back({0: 1}, paid=D("24.99")),))
    order = from_rest(spec)
    assert (order.lines[0].refunded_amount, order.totals.refund_other, order.totals.refunded) == (D("20.00"), D("4.99"), D("24.99"))
    assert order.totals.net == Sums(spec).current == D("20.00")


def test_a_goodwill_refund_without_lines_is_refund_other():
    order = from_rest(Spec(refunds=(Back({}, paid=D("5.00")),)))
    assert (order.totals.refund_other, order.totals.net, order.lines[0].refunded_quantity) == (D("5.00"), D("39.99"), 0)


def test_less_money_than_the_lines_are_worth_is_spread_over_them():
    order = from_rest(Spec(items=(Item(D("20.00")), Item(D("10.00"))), refunds=(Back({0: 1, 1: 1}, paid=D("20.00")),)))
    assert [line.refunded_amount for line in order.lines] == [D("13.33"), D("6.67")]
    assert (order.totals.refunded, order.totals.refund_other, order.totals.net) == (D("20.00"), D("0.00"), D("14.99"))


def test_units_taken_back_without_money_are_cancelled():
    order = from_rest(Spec(items=(Item(D("20.00"), 2),), refunds=(Back({0: 1}, paid=D(0)),), financial="PENDING"))
    line = order.lines[0]
    assert (line.cancelled_quantity, line.cancelled_amount, line.refunded_quantity, line.refunded_amount) == (1, D("20.00"), 0, D("0.00"))
    assert (order.totals.cancelled, order.totals.refunded, order.totals.net) == (D("20.00"), D("0.00"), D("24.99"))


def test_units_removed_by_an_edit_are_cancelled_and_the_quantity_stays():
    order = from_graphql(Spec(items=(Item(D("20.00"), 3, removed=2),), shipping=D("0.00"), financial="PENDING"))
    line = order.lines[0]
    assert (line.quantity, line.cancelled_quantity, line.cancelled_amount, order.totals.net) == (3, 2, D("40.00"), D("20.00"))


def test_an_order_voided_to_nothing_is_cancelled_whole():
    order = from_rest(Spec(), current_total_price="0.00", current_total_price_set=None)
    assert (order.totals.cancelled, order.totals.net) == (D("44.99"), D("0.00"))


def test_money_back_that_shopify_does_not_count_leaves_its_current_total_standing():
    spec = Spec(refunds=(Back({}, paid=D("5.00")),))
    order = from_rest(spec, current_total_price="44.99", current_total_price_set=None)
    assert (order.totals.net, order.totals.refund_other, order.refunds[0].amount) == (D("44.99"), D("0.00"), D("5.00"))


def test_tax_that_stands_on_the_order_alone_is_spread_over_the_lines():
    raw = rest_order(Spec(items=(Item(D("30.00")), Item(D("10.00"))), shipping=D("0.00")))
    for line in raw["line_items"]:
        line["tax_lines"] = []
    raw["shipping_lines"] = []
    order = parse(ACCOUNT, RawObject("webhook:orders/updated", raw))[0]
    assert [(line.subtotal, line.tax, line.total) for line in order.lines] == [
        (D("25.00"), D("5.00"), D("30.00")),
        (D("8.33"), D("1.67"), D("10.00")),
    ]
    assert (order.totals.tax, order.totals.shipping, order.totals.other) == (D("6.67"), D("0.00"), D("0.00"))


def test_the_buyers_currency_has_totals_of_its_own():
    spec = Spec(local="EUR", rate=D("1.15"), items=(Item(D("20.00"), 2),), refunds=(Back({0: 1}),))
    order = from_rest(spec)
    assert (order.local_currency, order.totals.total, order.totals.net) == ("EUR", D("44.99"), D("24.99"))
    assert (order.local_totals.total, order.local_totals.refunded, order.local_totals.net) == (D("51.74"), D("23.00"), D("28.74"))


def test_one_currency_has_no_local_totals():
    assert from_rest(Spec()).local_totals is None


def test_a_refund_paid_in_the_buyers_currency_without_a_set_is_converted():
    spec = Spec(local="EUR", rate=D("1.25"), items=(Item(D("20.00"), 2),), shipping=D("0.00"), refunds=(Back({0: 1}),))
    raw = rest_order(spec)
    raw["refunds"][0]["transactions"] = [{"kind": "refund", "status": "success", "amount": "25.00", "currency": "EUR"}]
    order = parse(ACCOUNT, RawObject("webhook:orders/updated", raw))[0]
    assert (order.refunds[0].amount, order.totals.net, order.local_totals.net) == (D("20.00"), D("20.00"), D("25.00"))


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    currency = draw(st.sampled_from(["GBP", "JPY", "KWD"]))
    unit = D(1).scaleb(-DIGITS[currency])
    amounts = st.integers(1, 100_000).map(lambda n: n * unit)
    items = []
    for _ in range(draw(st.integers(1, 4))):
        price, quantity = draw(amounts), draw(st.integers(1, 5))
        most = int(price * quantity / unit)
        items.append(Item(price, quantity, draw(st.integers(0, most)) * unit, draw(st.booleans())))
    left, refunds = [item.quantity for item in items], []
    for _ in range(draw(st.integers(0, 2))):
        units = {index: draw(st.integers(1, left[index])) for index in range(len(items)) if left[index] and draw(st.booleans())}
        for index, taken in units.items():
            left[index] -= taken
        refunds.append(Back(units, draw(st.sampled_from([None, None, D(0)]))))
    for index, rest in enumerate(left):
        if rest and draw(st.integers(0, 3)) == 0:
            items[index] = Item(
                *[getattr(items[index], name) for name in ("price", "quantity", "discount", "taxed")], draw(st.integers(1, rest))
            )
    local = draw(st.sampled_from(["", "EUR"]))
    return Spec(
        currency=currency, local=local, rate=D("1.37") if local else D(1), included=draw(st.booleans()),
        tax_rate=draw(st.sampled_from([D("0.20"), D("0.05"), D("0.0875")])), items=tuple(items),
        shipping=draw(st.integers(0, 5000)) * unit, tip=draw(st.integers(0, 900)) * unit, refunds=tuple(refunds),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(specs())
def test_every_amount_adds_up_and_net_is_shopifys_own(spec):
    order, sums = from_rest(spec), Sums(spec)
    for line in order.lines:
        assert line.total == line.subtotal - line.discount + line.tax
        assert line.refunded_quantity + line.cancelled_quantity <= line.quantity
    totals = order.totals
    assert totals.total == sums.total
    assert totals.net == sums.current == totals.total - totals.refunded - totals.cancelled
    assert totals.total == totals.subtotal - totals.discount + totals.shipping + totals.tax + totals.other
    assert totals.other == spec.tip
    assert totals.subtotal == sum(line.subtotal for line in order.lines)
    assert totals.refunded == sum(line.refunded_amount for line in order.lines) + totals.refund_other
    assert totals.cancelled == sum(line.cancelled_amount for line in order.lines)


@settings(max_examples=100, deadline=None)
@given(specs())
def test_webhook_and_graphql_give_the_same_record(spec):
    assert codec.dumps(from_rest(spec)) == codec.dumps(from_graphql(spec))


@settings(max_examples=60, deadline=None)
@given(specs().filter(lambda spec: not spec.refunds))
def test_the_bulk_file_gives_the_same_record(spec):
    assert codec.dumps(from_bulk(spec)) == codec.dumps(from_graphql(spec))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "ten", {}, None])
def test_a_total_that_is_no_amount_is_named(value):
    with pytest.raises(Unparsable, match="total_price"):
        from_rest(Spec(), total_price=value, total_price_set=None)
