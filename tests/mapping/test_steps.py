"""Bundles and SKU crosswalk on records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.crosswalk import NO_LOOKUPS, Component, LineWithoutSku, Lookups, SkuGate, SkuMap
from mapping.gate import held_lines, opened_by
from mapping.money import exponent, unit
from mapping.records import LineComponent
from mapping.steps import STEPS, apply_crosswalk, explode_bundles
from mapping.transform import transform
from tests.mapping.samples import customer, line, money, order, plan, rule

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


# --- bundles that the source itself knows ---------------------------------------------------------------------------------


def gift_set(*components, **changes):
    parts = tuple(LineComponent(sku=sku, quantity=quantity, price=price, **more) for sku, quantity, price, more in components)
    return line("9", sku="GIFTSET-01", components=parts, **changes)


SOAP, DISH = ("SOAP", 2, money("5.00"), {"product_key": "T1", "variant_key": "S1"}), ("DISH", 1, money("10.00"), {"product_key": "T2"})


def test_a_combined_listing_is_opened_and_shared_out_by_list_price():
    first, second = explode_bundles(order(lines=(gift_set(SOAP, DISH),)), NO_LOOKUPS).lines
    assert first == line(
        "9:SOAP", sku="SOAP", product_key="T1", variant_key="S1", quantity=4, unit_price=money("6.25"), subtotal=money("25.00"),
        discount=money("2.50"), tax=money("4.50"), total=money("27.00"), refunded_amount=money("0"), cancelled_amount=money("0"),
        bundle_sku="GIFTSET-01", options={},
    )  # fmt: skip
    assert (second.key, second.sku, second.quantity, second.total, second.components) == ("9:DISH", "DISH", 2, money("27.00"), ())


def test_the_catalogues_prices_stand_in_where_the_source_states_none():
    bare = gift_set(("SOAP", 1, None, {}), ("DISH", 1, money("1.00"), {}))
    priced = Lookups(list_prices={"SOAP": money("30.00"), "DISH": money("10.00")})
    assert [part.subtotal for part in explode_bundles(order(lines=(bare,)), priced).lines] == [money("37.50"), money("12.50")]
    assert [part.subtotal for part in explode_bundles(order(lines=(bare,)), NO_LOOKUPS).lines] == [money("25.00"), money("25.00")]


def test_units_listed_one_by_one_are_one_component():
    unit_by_unit = gift_set(("SOAP", 1, money("5.00"), {}), ("DISH", 1, money("10.00"), {}), ("SOAP", 1, money("5.00"), {}))
    parts = explode_bundles(order(lines=(unit_by_unit,)), NO_LOOKUPS).lines
    assert [(part.key, part.quantity, part.total) for part in parts] == [("9:SOAP", 4, money("27.00")), ("9:DISH", 2, money("27.00"))]


def test_the_crosswalks_own_row_for_the_bundle_wins():
    for answer, skus in ((SkuMap((Component("BOX"),)), ["BOX"]), (SkuMap(()), ["GIFTSET-01"])):
        opened = explode_bundles(order(lines=(gift_set(SOAP, DISH),)), Lookups(skus={"GIFTSET-01": answer}))
        assert [part.sku for part in opened.lines] == skus


def test_components_go_through_the_crosswalk_and_the_gate_in_turn():
    lookups = Lookups(
        skus={"SOAP": SkuMap((Component("S-1"), Component("S-2", 2)))}, sku_gate=SkuGate.CATALOGUE, catalogue={"S-1": ("P", "V")},
        target_skus=frozenset({"S-1", "S-2"}),
    )  # fmt: skip
    opened = explode_bundles(order(lines=(gift_set(SOAP, DISH),)), lookups)
    assert [(part.key, part.sku, part.product_key, part.quantity, part.bundle_sku) for part in opened.lines] == [
        ("9:SOAP:S-1", "S-1", "P", 4, "GIFTSET-01"), ("9:SOAP:S-2", "S-2", "S-2", 8, "GIFTSET-01"),
        ("9:DISH", "DISH", "T2", 2, "GIFTSET-01"),
    ]  # fmt: skip
    assert held_lines(opened, lookups) == {"DISH": 2}
    assert explode_bundles(opened, lookups) == opened


def test_a_known_sku_takes_its_place_in_a_catalogue_of_another_connection():
    lookups = Lookups(catalogue={"SHIRT-M": ("P-SHOP", "V-SHOP")}, foreign_catalogue=True)
    (placed,) = explode_bundles(order(), lookups).lines
    assert placed == line(product_key="P-SHOP", variant_key="V-SHOP")
    assert explode_bundles(order(), Lookups(catalogue={"SHIRT-M": ("P-SHOP", "V-SHOP")})) == order()


# --- lines without any SKU ------------------------------------------------------------------------------------------------

WRAP = line("1", sku="", product_key="", variant_key="", title="Gift wrap", variant_title="Red")


@pytest.mark.parametrize(
    ("settings", "sku", "product_key", "held"),
    [
        ({}, "", "", {"no SKU: Gift wrap (Red)": 0}),
        ({"line_without_sku": LineWithoutSku.THROUGH}, "", "no-sku-gift-wrap-red", {}),
        ({"line_without_sku": LineWithoutSku.PLACEHOLDER}, "NO-SKU", "NO-SKU", {}),
        ({"line_without_sku": LineWithoutSku.PLACEHOLDER, "placeholder_sku": "ANY", "catalogue": {"ANY": ("P9", "")}}, "ANY", "P9", {}),
        ({"skus": {"no SKU: Gift wrap (Red)": SkuMap((Component("WRAP"),))}}, "WRAP", "WRAP", {}),
        ({"skus": {"no SKU: Gift wrap (Red)": SkuMap(())}}, "", "no-sku-gift-wrap-red", {}),
    ],
    ids=["held", "passed", "placeholder", "own placeholder", "mapped by its title", "let through by its title"],
)
@pytest.mark.parametrize("gate", [SkuGate.OFF, SkuGate.CATALOGUE])
def test_a_line_without_sku_does_as_the_flow_says(gate, settings, sku, product_key, held):
    lookups = Lookups(sku_gate=gate, **settings)
    if lookups.skus and lookups.skus["no SKU: Gift wrap (Red)"].components:
        lookups = replace(lookups, target_skus=frozenset({"WRAP"}))
    after = explode_bundles(order(lines=(WRAP,)), lookups)
    assert [(part.sku, part.product_key) for part in after.lines] == [(sku, product_key)]
    assert held_lines(after, lookups) == held


@pytest.mark.parametrize(
    ("settings", "opened"),
    [
        ({}, []),
        ({"line_without_sku": "hold", "placeholder_sku": "ANY"}, []),
        ({"line_without_sku": "pass"}, ["no SKU: Gift wrap"]),
        ({"line_without_sku": "placeholder", "placeholder_sku": "ANY"}, ["no SKU: Gift wrap", "ANY"]),
        ({"line_without_sku": "placeholder"}, ["no SKU: Gift wrap", "NO-SKU"]),
        ({"sku_gate": "off"}, ["MUG", "ANY", "NO-SKU"]),
        ({"sku_gate": "crosswalk"}, []),
    ],
)
def test_changed_settings_answer_the_questions_that_they_concern(settings, opened):
    assert [name for name in ("no SKU: Gift wrap", "MUG", "ANY", "NO-SKU") if opened_by(settings, name)] == opened


def test_the_held_line_without_sku_asks_one_question_only():
    rules = plan("order", rule("lineitems[].product_id", "lines[].product_key", required=True))
    mapped = transform(order(lines=(WRAP, line("2"), WRAP)), rules, NO_LOOKUPS)
    assert [(issue.kind, issue.subject, issue.message) for issue in mapped.issues] == [
        ("unmapped_sku", "no SKU: Gift wrap (Red)", "Gift wrap (Red) carries no SKU")
    ]


def test_a_line_whose_product_is_known_needs_no_sku_while_the_gate_is_off():
    plain = order(lines=(line("1", sku=""),))
    assert held_lines(plain, NO_LOOKUPS) == {}
    assert held_lines(plain, Lookups(sku_gate=SkuGate.CATALOGUE)) == {"no SKU: Linen shirt": 0}


# --- whatever the bundle ----------------------------------------------------------------------------------------------------


@st.composite
def listed_bundles(draw):
    record, lookups = draw(bundled_orders())
    row = lookups.skus["SHIRT-M"].components
    prices = st.none() | st.integers(0, 10**6).map(lambda value: value * unit(exponent(record.currency)))
    parts = tuple(LineComponent(sku=f"P{i}", quantity=draw(st.integers(1, 9)), price=draw(prices)) for i in range(draw(st.integers(1, 5))))
    inner = Lookups(skus={"P0": SkuMap(row)}) if draw(st.booleans()) else NO_LOOKUPS
    return replace(record, lines=(replace(record.lines[0], components=parts),)), inner


@given(listed_bundles())
def test_whatever_a_combined_listing_holds_nothing_is_lost_or_made_up(case):
    record, lookups = case
    before, parts = record.lines[0], explode_bundles(record, lookups).lines
    smallest = unit(exponent(record.currency))
    assert {name: sum(getattr(part, name) for part in parts) for name in MONEY} == {name: getattr(before, name) for name in MONEY}
    assert all(getattr(part, name) % smallest == 0 for part in parts for name in MONEY)
    assert "SHIRT-M" not in {part.sku for part in parts}
    assert len({part.key for part in parts}) == len(parts)
    times = dict.fromkeys(("",), 0)
    for component in before.components:
        inner = lookups.skus[component.sku].components if component.sku in lookups.skus else (Component(component.sku),)
        times |= {f"9{component.sku}{entry.target_sku}": component.quantity * entry.quantity for entry in inner}
    assert sorted(part.quantity for part in parts) == sorted(before.quantity * count for count in times.values() if count)
