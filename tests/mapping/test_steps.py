"""Bundles and SKU crosswalk on records."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mapping.crosswalk import NO_LOOKUPS, Component, Lookups, SkuMap
from mapping.money import exponent, unit
from mapping.steps import STEPS, apply_crosswalk, explode_bundles
from tests.mapping.samples import customer, line, money, order

MONEY = ("subtotal", "discount", "tax", "total", "refunded_amount", "cancelled_amount")


def bundle(*components, catalogue=None):
    return Lookups(skus={"SHIRT-M": SkuMap(tuple(Component(*c) for c in components))}, catalogue=catalogue or {})


def test_a_bundle_becomes_its_components_and_the_money_adds_up():
    lookups = bundle(("TEE", 1, Decimal(2)), ("SOCKS", 3, Decimal(1)), catalogue={"TEE": ("P-TEE", "V-TEE")})
    first, second = explode_bundles(order(lines=(line("9", refunded_quantity=2, refunded_amount=money("54.00")),)), lookups).lines
    assert first == line(
        "9:TEE", sku="TEE", product_key="P-TEE", variant_key="V-TEE", quantity=2, unit_price=money("16.67"), subtotal=money("33.33"),
        discount=money("3.33"), tax=money("6.00"), total=money("36.00"), refunded_quantity=2, refunded_amount=money("36.00"),
        cancelled_amount=money("0"), bundle_sku="SHIRT-M", options={},
    )  # fmt: skip
    assert (second.sku, second.product_key, second.quantity, second.refunded_quantity) == ("SOCKS", "SOCKS", 6, 6)
    assert {name: getattr(first, name) + getattr(second, name) for name in MONEY} == {
        "subtotal": money("50.00"), "discount": money("5.00"), "tax": money("9.00"), "total": money("54.00"),
        "refunded_amount": money("54.00"), "cancelled_amount": 0,
    }  # fmt: skip
    assert (first.refunded_amount, second.refunded_amount) == (first.total, second.total)


def test_one_share_missing_means_by_quantity():
    lines = explode_bundles(order(), bundle(("A", 1, Decimal(9)), ("B", 3, None))).lines
    assert [part.subtotal for part in lines] == [money("12.50"), money("37.50")]


def test_a_pack_of_two_is_a_bundle_of_one_component():
    (part,) = explode_bundles(order(), bundle(("SINGLE", 2))).lines
    assert (part.sku, part.quantity, part.unit_price, part.total) == ("SINGLE", 4, money("12.50"), money("54.00"))


def test_a_plain_row_only_renames():
    record = order(lines=(line("1"), line("2", sku="MUG")))
    for step in STEPS.values():
        renamed = step(record, bundle(("SHIRT-MEDIUM",)))
        assert renamed == order(lines=(line("1", sku="SHIRT-MEDIUM"), line("2", sku="MUG")))
    placed = apply_crosswalk(record, bundle(("X",), catalogue={"X": ("P-X", "V-X")}))
    assert placed.lines[0] == line("1", sku="X", product_key="P-X", variant_key="V-X")


def test_the_crosswalk_alone_leaves_bundles_as_they_are():
    assert apply_crosswalk(order(), bundle(("A",), ("B",))) == order()


def test_rows_to_let_through_other_records_and_empty_lookups_change_nothing():
    assert explode_bundles(order(), bundle()) == order()
    assert explode_bundles(order(), NO_LOOKUPS) == order()
    assert explode_bundles(customer(), bundle(("A",), ("B",))) == customer()


def test_exploding_twice_changes_nothing_more():
    lookups = bundle(("SHIRT-M", 1), ("SOCKS", 1))
    once = explode_bundles(order(), lookups)
    assert explode_bundles(once, lookups) == once


@st.composite
def bundled_orders(draw):
    currency = draw(st.sampled_from(["JPY", "GBP", "KWD"]))
    step = unit(exponent(currency))
    subtotal = draw(st.integers(0, 10**7))
    discount = draw(st.integers(0, subtotal))
    tax = draw(st.integers(0, 10**6))
    rounding = draw(st.integers(-2, 2))
    total = subtotal - discount + tax + rounding
    refunded = draw(st.integers(0, max(total, 0)))
    quantity = draw(st.integers(1, 50))
    amounts = {"subtotal": subtotal, "discount": discount, "tax": tax, "total": total, "refunded_amount": refunded}
    shares = st.none() | st.decimals(0, 100, places=4)
    components = draw(st.lists(st.tuples(st.integers(1, 9), shares), min_size=2, max_size=6))
    entry = line("1", quantity=quantity, refunded_quantity=draw(st.integers(0, quantity)), **{k: v * step for k, v in amounts.items()})
    return order(currency=currency, lines=(entry,)), bundle(*((f"C{i}", q, s) for i, (q, s) in enumerate(components)))


@given(bundled_orders())
def test_whatever_the_bundle_nothing_is_lost_or_made_up(case):
    record, lookups = case
    before, parts = record.lines[0], explode_bundles(record, lookups).lines
    smallest = unit(exponent(record.currency))
    assert {name: sum(getattr(part, name) for part in parts) for name in MONEY} == {name: getattr(before, name) for name in MONEY}
    assert all(getattr(part, name) % smallest == 0 for part in parts for name in MONEY)
    beyond = before.total - (before.subtotal - before.discount + before.tax)
    assert sum(part.total - (part.subtotal - part.discount + part.tax) for part in parts) == beyond
    components = lookups.skus["SHIRT-M"].components
    assert [part.quantity for part in parts] == [before.quantity * component.quantity for component in components]
    assert [part.refunded_quantity for part in parts] == [before.refunded_quantity * component.quantity for component in components]
    if before.refunded_amount == before.total:
        assert [part.refunded_amount for part in parts] == [part.total for part in parts] or min(part.total for part in parts) < 0
