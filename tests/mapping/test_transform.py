"""Plan + record + lookups → payload or issues."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from decimal import Decimal

import orjson
import pytest

from mapping.crosswalk import NO_LOOKUPS, Lookups, SkuGate, SkuMap
from mapping.records import Event, OrderStatus, Totals
from mapping.rules import Mode, OnInvalid, Rule
from mapping.transform import Issue, transform
from tests.mapping.samples import AT, customer, line, money, order, plan, product, rule


def payload(record, *rules, lookups=NO_LOOKUPS, current=None):
    mapped = transform(record, plan(record.record_type, *rules), lookups, current)
    assert mapped.issues == ()
    return mapped.payload


def test_values_become_json_in_nested_objects_and_lists():
    found = payload(
        order(lines=(line("1"), line("2", options={}))),
        Rule(target="@type", constant="order"),
        rule("id", "key", ("prefix", "shp-")),
        rule("timestamp", "placed_at"),
        rule("status", "status"),
        rule("customer.email", "customer.email"),
        rule("discount", "totals.discount", "negate"),
        rule("lineitems[].sku", "lines[].sku"),
        rule("lineitems[].total", "lines[].total"),
        rule("lineitems[].order", "number"),
        rule("lineitems[].options[].type", "lines[].options[].name", "slug"),
        rule("lineitems[].options[].label", "lines[].options[].value"),
    )
    assert found == {
        "@type": "order",
        "id": "shp-1001",
        "timestamp": "2026-01-08T14:03:11Z",
        "status": "paid",
        "customer": {"email": "ada@example.com"},
        "discount": -5.0,
        "lineitems": [
            {"sku": "SHIRT-M", "total": 54.0, "order": "#1001", "options": [{"type": "size", "label": "M"}]},
            {"sku": "SHIRT-M", "total": 54.0, "order": "#1001"},
        ],
    }


def test_a_deeper_source_gives_a_list_of_its_values():
    record = order(lines=(line("1", options={"Size": "M", "Colour": "Red"}), line("2", sku="", options={"Size": "L"})))
    found = payload(
        record,
        rule("skus", "lines[].sku"),
        rule("values", "lines[].options[].value", "upper", "join"),
        rule("returned", "lines[].returned_quantity"),
        rule("items[].values", "lines[].options[].value"),
    )
    assert found == {
        "skus": ["SHIRT-M", ""],
        "values": "M,RED,L",
        "returned": [0, 0],
        "items": [{"values": ["M", "Red"]}, {"values": ["L"]}],
    }


def test_amounts_keep_the_decimals_of_their_own_currency():
    record = product(prices=tuple(replace(price, regular=money("12.3456")) for price in product().prices))
    assert payload(record, rule("listings[].price", "prices[].regular"), rule("listings[].currency", "prices[].currency")) == {
        "listings": [{"price": 12.35, "currency": "GBP"}, {"price": 12, "currency": "JPY"}]
    }


def test_buyer_totals_appear_only_when_the_buyer_paid_in_another_currency():
    rules = (
        rule("base", "shop_totals.total"),
        rule("base_currency", "shop_totals.currency"),
        rule("local", "local_totals.total"),
        rule("shipping", "local_totals.shipping_and_other"),
    )
    assert payload(order(), *rules) == {}
    abroad = order(local_currency="JPY", local_totals=Totals(total=money("9800"), shipping=money("600"), other=money("20")))
    assert payload(abroad, *rules) == {"base": 58.0, "base_currency": "GBP", "local": 9800, "shipping": 620}


@pytest.mark.parametrize(
    ("status", "expected"),
    [(OrderStatus.PARTIALLY_SHIPPED, {"quantity": 2, "amount": 54.0}), (OrderStatus.CANCELLED, {"quantity": 1, "amount": 27.0})],
)
def test_units_cancelled_with_the_whole_order_are_no_return(status, expected):
    half = {"refunded_quantity": 1, "refunded_amount": money("27.00"), "cancelled_quantity": 1, "cancelled_amount": money("27.00")}
    found = payload(
        order(status=status, lines=(line(**half),)),
        rule("lines[].quantity", "lines[].returned_quantity"),
        rule("lines[].amount", "lines[].returned_amount"),
    )
    assert found == {"lines": [expected]}


def test_empty_values_are_left_out_unless_the_rule_keeps_them():
    record = customer(phone="", tags=(), created_at=None)
    found = payload(
        record,
        rule("phone", "phone"),
        rule("tags", "tags_joined", keep_null=True),
        rule("acquired", "created_at", keep_null=True),
        rule("nested.phone", "phone"),
        rule("list", "tags"),
        rule("merged", "merged_into", ("default", "no")),
        Rule(target="cleared", keep_null=True),
    )
    assert found == {"tags": "", "acquired": None, "merged": "no", "cleared": None}


def test_zero_and_no_are_values():
    assert payload(order(test=False), rule("shipping", "totals.refunded", required=True), rule("test", "test", required=True)) == {
        "shipping": 0.0, "test": False,
    }  # fmt: skip


def test_all_issues_are_collected_with_their_place_and_their_question():
    record = customer(email="nobody", phone="12", first_name="")
    mapped = transform(
        record,
        plan(
            "customer",
            rule("email", "email", "email", required=True),
            rule("phone", "phone", "e164"),
            rule("firstname", "first_name", required=True),
            rule("consent", "consents.email.state", ("lookup", "optin")),
            rule("lastname", "last_name"),
        ),
        NO_LOOKUPS,
    )
    assert [(issue.kind, issue.subject, issue.field) for issue in mapped.issues] == [
        ("bad_email", "7001", "email"),
        ("bad_phone", "7001", "phone"),
        ("missing_field", "firstname", "firstname"),
        ("unmapped_value", "optin:granted", "consent"),
    ]
    assert (mapped.payload, mapped.payload_hash) == ({"lastname": "Byron"}, "")


def test_an_issue_in_a_list_names_the_entry_and_asks_one_question_for_all():
    record = order(lines=(line("1"), line("2", product_key=""), line("3", product_key="")))
    mapped = transform(record, plan("order", rule("items[].product_id", "lines[].product_key", required=True)), NO_LOOKUPS)
    assert [(issue.kind, issue.subject, issue.field) for issue in mapped.issues] == [
        ("missing_field", "items[].product_id", "items[1].product_id"),
        ("missing_field", "items[].product_id", "items[2].product_id"),
    ]


def test_an_invalid_value_is_dropped_only_where_the_rule_says_so():
    record = customer(phone="12")
    mapped = transform(record, plan("customer", rule("id", "key"), rule("phone", "phone", "e164", on_invalid=OnInvalid.DROP)), NO_LOOKUPS)
    assert mapped.payload == {"id": "7001"}
    assert mapped.issues == ()
    assert mapped.dropped == (Issue("bad_phone", "7001", "the phone number is not one that can exist", "phone"),)


def test_a_required_value_that_was_dropped_is_missing():
    rules = plan("customer", rule("phone", "phone", "e164", on_invalid=OnInvalid.DROP, required=True))
    assert [issue.kind for issue in transform(customer(phone="12"), rules, NO_LOOKUPS).issues] == ["missing_field"]


def test_a_deleted_record_may_lack_required_fields():
    record = product(title="", prices=(), removed=True)
    found = payload(record, rule("id", "key"), rule("title", "title", required=True), rule("active", "live"))
    assert found == {"id": "P100", "active": False}


def test_a_field_may_depend_on_another():
    rules = (rule("phone", "phone", "e164", on_invalid=OnInvalid.DROP), rule("sms.allowed", "consents.email.state", only_with="phone"))
    assert payload(customer(), *rules) == {"phone": "+442079460018", "sms": {"allowed": "granted"}}
    assert payload(customer(phone="12"), *rules) == {}


def test_if_empty_carries_over_what_the_destination_holds():
    rules = (rule("name", "first_name", mode=Mode.IF_EMPTY), rule("p.tier", "locale", mode=Mode.IF_EMPTY), rule("last", "last_name"))
    assert payload(customer(), *rules, current={"name": "Augusta", "p": {"tier": ""}, "last": "Old"}) == {
        "name": "Augusta", "p": {"tier": "en-GB"}, "last": "Byron",
    }  # fmt: skip
    assert payload(customer(), *rules) == {"name": "Ada", "p": {"tier": "en-GB"}, "last": "Byron"}


def test_append_adds_what_is_not_there_yet():
    rules = (rule("tags", "tags", mode=Mode.APPEND), rule("langs", "locale", mode=Mode.APPEND))
    found = payload(customer(), *rules, current={"tags": ["vip", "old"], "langs": "fr"})
    assert found == {"tags": ["vip", "old", "uk"], "langs": ["fr", "en-GB"]}
    assert payload(customer(), *rules) == {"tags": ["uk", "vip"], "langs": "en-GB"}


def test_equal_payloads_have_equal_hashes_whatever_the_order_of_rules():
    one = transform(order(), plan("order", rule("a", "key"), rule("b.c", "number")), NO_LOOKUPS)
    two = transform(order(), plan("order", rule("b.c", "number"), rule("a", "key")), NO_LOOKUPS)
    other = transform(order(key="1002"), plan("order", rule("a", "key")), NO_LOOKUPS)
    assert one.payload_hash == two.payload_hash == hashlib.sha256(orjson.dumps({"a": "1001", "b": {"c": "#1001"}})).hexdigest()
    assert other.payload_hash != one.payload_hash


def test_attributes_keep_their_json_type_and_what_json_cannot_hold_is_an_issue():
    rules = plan("event", rule("properties.deep", "properties.deep"))
    event = Event(key="e1", occurred_at=AT, name="seen", properties={"deep": {"a": [1, True, Decimal("1.50"), AT]}})
    assert transform(event, rules, NO_LOOKUPS).payload == {"properties": {"deep": {"a": [1, True, 1.5, "2026-01-08T14:03:11Z"]}}}
    for impossible in (2**70, {1, 2}, "\ud800"):
        mapped = transform(replace(event, properties={"deep": impossible}), rules, NO_LOOKUPS)
        assert ([issue.kind for issue in mapped.issues], mapped.payload_hash) == (["bad_value"], "")


@pytest.mark.parametrize(
    ("gate", "lookups", "unknown"),
    [
        (SkuGate.OFF, {}, []),
        (SkuGate.CATALOGUE, {}, ["SHIRT-M", "MUG", "no SKU: Linen shirt"]),
        (SkuGate.CROSSWALK, {"skus": {"MUG": SkuMap()}}, ["SHIRT-M", "no SKU: Linen shirt"]),
        (SkuGate.CATALOGUE, {"known_skus": frozenset({"SHIRT-M"})}, ["MUG", "no SKU: Linen shirt"]),
        (SkuGate.CATALOGUE, {"catalogue": {"SHIRT-M": ("P100", "V100")}, "target_skus": frozenset({"MUG"})}, ["no SKU: Linen shirt"]),
    ],
)
def test_the_sku_gate_names_each_unknown_sku_once(gate, lookups, unknown):
    lines = (line("1"), line("2", sku="MUG"), line("3", sku="MUG"), line("4", sku="", variant_key="V7"))
    mapped = transform(order(lines=lines), plan("order", rule("id", "key")), Lookups(sku_gate=gate, **lookups))
    assert [(issue.kind, issue.subject) for issue in mapped.issues] == [("unmapped_sku", sku) for sku in unknown]


def test_the_record_is_not_changed_and_payloads_share_nothing():
    constant = {"list": [1]}
    rules = plan("customer", Rule(target="c", constant=constant), rule("tags", "tags"))
    one, two = (transform(customer(), rules, NO_LOOKUPS).payload for _ in range(2))
    one["c"]["list"].append(2)
    assert two["c"] == {"list": [1]}


@pytest.mark.slow
def test_a_core_maps_thousands_of_orders_a_second():
    """The default order mapping (60 rules) on two-line orders. A quiet machine does about 10,000; the floor only catches regressions."""
    from mapping.defaults import default_mapping, default_tables

    default = default_mapping("shopify", "ometria", "order")
    rules, lookups, record = plan("order", *default.rules), Lookups(values=default_tables()), order(lines=(line("1"), line("2")))
    best = 0.0
    for _ in range(8):
        begun = time.process_time()
        for _ in range(500):
            transform(record, rules, lookups)
        best = max(best, 500 / (time.process_time() - begun))
    assert best > 3_000
