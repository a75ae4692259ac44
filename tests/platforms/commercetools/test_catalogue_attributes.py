"""Attributes of every type as plain values for segments."""

from __future__ import annotations

import pytest

from integrations.platforms.commercetools.parse.attributes import attributes_of, facets_of, joined, option_names, values_of
from mapping.records import Facet

LOCALES = ("en-GB", "de", "fr", "es")
BLACK = {"key": "black", "label": {"en-GB": "Black", "de": "Schwarz", "fr": "Noir", "es": "Negro"}}
RED = {"key": "red", "label": {"en-GB": "Red", "de": "Rot"}}
MONEY = {"type": "centPrecision", "currencyCode": "JPY", "centAmount": 4800, "fractionDigits": 0}


def read(value, name="x"):
    return attributes_of([{"name": name, "value": value}], lambda kind, key: {"category:c1": "Women"}.get(f"{kind}:{key}", ""))


def values(value):
    return values_of(read(value).values(), ("en-GB",), LOCALES)


def facets(value):
    return [(facet.key, facet.label) for facet in facets_of(read(value).values(), ("en-GB",))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, {"x": True}),
        (3.5, {"x": 3.5}),
        ("Plain", {"x": "Plain"}),
        ("2026-05-01", {"x": "2026-05-01"}),
        ({"key": "m", "label": "Medium"}, {"x": "Medium", "x.key": "m"}),
        (BLACK, {"x": "Black", "x.key": "black", "x.en-GB": "Black", "x.de": "Schwarz", "x.fr": "Noir", "x.es": "Negro"}),
        ({"en-GB": "Soft", "de-AT": "Weich"}, {"x": "Soft", "x.en-GB": "Soft", "x.de": "Weich", "x.fr": "Soft", "x.es": "Soft"}),
        (MONEY, {"x": "4800 JPY"}),
        ({"typeId": "category", "id": "c1"}, {"x": "Women", "x.key": "c1"}),
        ({"typeId": "product", "id": "p9"}, {"x": "p9"}),
        ([], {}),
        (None, {}),
    ],
    ids=str,
)
def test_each_type_becomes_plain_values_with_a_label_for_every_language(value, expected):
    assert values(value) == expected


def test_a_set_is_a_list_of_labels_and_one_of_keys_in_the_same_order_however_it_came():
    expected = {
        "x": ["Black", "Red"], "x.keys": ["black", "red"], "x.en-GB": ["Black", "Red"], "x.de": ["Schwarz", "Rot"],
        "x.fr": ["Noir", "Red"], "x.es": ["Negro", "Red"],
    }  # fmt: skip
    assert values([RED, BLACK]) == values([BLACK, RED, RED]) == expected


def test_numbers_stand_in_the_order_of_their_size():
    assert values([10, 9, 100]) == {"x": [9, 10, 100]}


def test_nested_attributes_stand_under_both_names_and_sets_of_them_are_joined():
    fibre = [{"name": "fibre", "value": {"key": "cotton", "label": "Cotton"}}, {"name": "share", "value": 60}]
    other = [{"name": "fibre", "value": {"key": "linen", "label": "Linen"}}, {"name": "share", "value": 40}]
    assert values(fibre) == {"x.fibre": "Cotton", "x.fibre.key": "cotton", "x.share": 60}
    assert values([fibre, other]) == {"x.fibre": ["Cotton", "Linen"], "x.fibre.keys": ["cotton", "linen"], "x.share": [40, 60]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([RED, BLACK], [("black", "Black"), ("red", "Red")]),
        (False, [("false", "false")]),
        ({"en-GB": "Soft", "de": "Weich"}, [("Soft", "Soft")]),
        ("words " * 30, []),
        ({"typeId": "product", "id": "p9"}, []),
    ],
    ids=str,
)
def test_goods_are_sorted_by_what_is_short_and_has_a_name(value, expected):
    assert facets(value) == expected


def test_what_the_variants_of_a_product_hold_between_them_is_one_list():
    small, large = read("S", "size") | read(BLACK, "color"), read("L", "size") | read(BLACK, "color")
    together = joined([small, large, small])
    assert values_of(together.values(), ("en-GB",), ()) == {"color": "Black", "color.key": "black", "size": ["L", "S"]}
    assert facets_of(together.values(), ("en-GB",), without={"color"}) == (
        Facet(kind="size", key="L", label="L"),
        Facet(kind="size", key="S", label="S"),
    )
    assert facets_of(together.values(), ("en-GB",), only=("color",)) == (Facet(kind="color", key="black", label="Black"),)


def test_variants_are_told_apart_as_the_product_type_says_or_else_by_what_differs():
    small, large = read("S", "size") | read("123", "ean"), read("L", "size") | read("456", "ean")
    assert option_names({"color": {"attributeConstraint": "CombinationUnique"}}, [small, large]) == ["color"]
    assert option_names({"ean": {"attributeConstraint": "Unique"}}, [small, large]) == ["size"]
