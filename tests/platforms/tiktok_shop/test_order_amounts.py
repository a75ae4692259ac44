"""Money that adds up to the penny in every currency: for generated orders, and for whole lives lived at the stand-in."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.standins.tiktok_shop.aftersales import REFUNDED
from integrations.standins.tiktok_shop.lives import Lives
from mapping.money import exponent, unit
from mapping.records import OrderStatus
from tests.platforms.tiktok_shop.conftest import last_days, pull_all
from tests.platforms.tiktok_shop.raw_orders import cancellation, composite, given_back, order_of, payment
from tests.platforms.tiktok_shop.raw_orders import unit as raw_unit

D, ZERO = Decimal, Decimal(0)
CURRENCIES = ("GBP", "EUR", "USD", "JPY", "KWD", "VND")


@st.composite
def orders(draw):
    """An order whose payment keeps the platform's identities, with units cancelled and money given back at random."""
    currency = draw(st.sampled_from(CURRENCIES))
    step, taxed = unit(exponent(currency)), draw(st.booleans())

    def money(most: int) -> Decimal:
        return draw(st.integers(0, most)) * step

    units = []
    for number in range(draw(st.integers(1, 6))):
        price = money(5_000)
        seller = min(price, money(900))
        platform = min(price - seller, money(400))
        tax = str(money(300)) if taxed else ""
        sku = draw(st.sampled_from(("A", "B")))
        units.append(raw_unit(number, str(price), str(seller), str(platform), tax=tax, sku_id=sku, seller_sku=sku))
    pay = payment(units, currency=currency, shipping=str(money(500)), shipping_tax=str(money(50)) if taxed else "0", fee=str(money(30)))
    ids = [row["id"] for row in units]
    gone = draw(st.lists(st.sampled_from(ids), unique=True))
    returned = draw(st.lists(st.sampled_from(ids), unique=True))
    worth = {row["id"]: D(row["sale_price"]) + sum((D(tax["tax_amount"]) for tax in row.get("item_tax", ())), ZERO) for row in units}
    cancellations = (
        cancellation(1, {key: str(worth[key]) for key in gone}, total=str(sum((worth[key] for key in gone), ZERO) + money(100))),
    )
    parts = {key: str(draw(st.integers(0, int(worth[key] / step))) * step) for key in returned if key not in gone}
    returns = (given_back(1, parts, total=str(sum((D(part) for part in parts.values()), ZERO) + money(100))),)
    return composite(
        *units, pay=pay, status=draw(st.sampled_from(("IN_TRANSIT", "COMPLETED"))),
        cancellations=cancellations if gone else (), returns=returns if parts else (),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(orders())
def test_lines_discounts_shipping_tax_and_what_came_back_make_the_net(raw):
    order = order_of(raw)
    totals, step = order.totals, unit(exponent(order.currency))

    assert sum((line.subtotal for line in order.lines), ZERO) == totals.subtotal
    assert sum((line.discount for line in order.lines), ZERO) == totals.discount
    assert totals.total == totals.subtotal - totals.discount + totals.shipping + totals.tax + totals.other
    assert totals.total == D(raw.data["order"]["payment"]["total_amount"])
    assert totals.other == D(raw.data["order"]["payment"]["retail_delivery_fee"])
    assert totals.net == totals.total - totals.refunded - totals.cancelled
    assert sum((line.refunded_amount for line in order.lines), totals.refund_other) == totals.refunded
    assert sum((line.cancelled_amount for line in order.lines), ZERO) <= totals.cancelled
    for line in order.lines:
        assert line.total == line.subtotal - line.discount + line.tax
        assert line.cancelled_quantity + line.refunded_quantity <= line.quantity
        assert line.cancelled_amount + line.refunded_amount <= line.total
        assert line.unit_price * line.quantity == line.subtotal
    amounts = [getattr(totals, name) for name in totals.__slots__]
    assert all(amount == amount.quantize(step) and amount.as_tuple().exponent == step.as_tuple().exponent for amount in amounts)


@pytest.mark.parametrize("region", ["GB", "DE", "JP", "US"])
def test_orders_of_every_life_keep_the_stand_ins_own_books(stand_in, connect, region):
    client, shop = connect(region), stand_in.shop(region)
    Lives(shop, seed=5).history(orders=220, days=40)
    step = unit(shop.region.exponent)

    found = {order.key: order for order in (order_of(raw, client.account) for raw in pull_all(client, "orders", last_days()))}

    assert set(found) == set(shop.orders.rows)
    for key, kept in shop.orders.rows.items():
        order = found[key]
        assert order.currency == shop.region.currency
        assert order.totals.total == kept.total * step
        assert order.totals.refunded == _refunded(shop, key) * step
        assert sum(line.quantity for line in order.lines) == len(kept.lines)
        assert sum(line.cancelled_quantity for line in order.lines) == sum(line.status == "CANCELLED" for line in kept.lines)
        assert (order.status is OrderStatus.CANCELLED) == (kept.status == "CANCELLED")
        assert order.totals.other == kept.shipping.delivery_fee * step
        if kept.status == "CANCELLED":
            assert order.totals.net == 0
    assert {order.attributes.get("order_kind") for order in found.values()} >= {None, "sample", "replacement"}
    assert {OrderStatus.CANCELLED, OrderStatus.PARTIALLY_REFUNDED, OrderStatus.REFUNDED, OrderStatus.COMPLETE} <= {
        order.status for order in found.values()
    }


def _refunded(shop, order_id: str) -> int:
    requests = (shop.returns.rows[key] for key in shop.returns_of.get(order_id, ()))
    return sum(request.refund.total for request in requests if request.status in REFUNDED)
