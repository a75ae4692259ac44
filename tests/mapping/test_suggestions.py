"""Suggestions for unknown SKUs: what is found, how sure, and in which words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.suggestions import Catalogue, CatalogueEntry, Decision, UnknownLine, suggest, words


def entry(sku: str, product: str, *options: str, price: str = "20.00", **more: Any) -> CatalogueEntry:
    facts = {"product_key": f"P-{product}", "variant_key": f"V-{sku}", "currency": "GBP", "price": Decimal(price)}
    return CatalogueEntry(sku=sku, product_title=product, options=options, title=" / ".join(options), **{**facts, **more})


SHOP = (
    entry("TEE-RED-M", "Linen T-shirt", "Red", "M", gtin="4006381333931"),
    entry("TEE-RED-L", "Linen T-shirt", "Red", "L"),
    entry("TEE-BLU-M", "Linen T-shirt", "Blue", "M"),
    entry("HOOD-GRY-M", "Organic hoodie", "Grey", "Medium", price="45.00"),
    entry("000815", "Enamel mug", price="12.00"),
    entry("SOAP-LAV", "Lavender soap", price="7.50"),
    entry("DISH-OAK", "Oak soap dish", price="10.00"),
    entry("CANDLE", "Beeswax candle", price="9.00", active=False),
)


def best(line: UnknownLine, *entries: CatalogueEntry) -> tuple[Any, int, tuple[str, ...]]:
    found = suggest(line, Catalogue(entries or SHOP))
    assert found, "nothing was suggested"
    return [(sku, quantity) for sku, quantity, _ in found[0].components], found[0].score, found[0].reasons


# --- the same thing under another name --------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [{"sku": "4006381333931"}, {"sku": "X1", "gtin": "04006381333931"}], ids=["as SKU", "as GTIN"])
def test_an_equal_gtin_is_as_good_as_certain(facts):
    assert best(UnknownLine(**facts)) == ([("TEE-RED-M", 1)], 97, ("GTIN 4006381333931 is that of TEE-RED-M",))


@pytest.mark.parametrize(
    ("sku", "target", "score", "reason"),
    [
        ("tee_red m", "TEE-RED-M", 95, "the same SKU but for case and separators"),
        ("TEERED-M", "TEE-RED-M", 95, "the same SKU but for case and separators"),
        ("815", "000815", 92, "the same SKU but for leading zeros"),
        ("TT-HOOD-GRY-M", "HOOD-GRY-M", 86, "the same SKU but for words before or behind it"),
        ("HOOD-GRY-M-UK", "HOOD-GRY-M", 86, "the same SKU but for words before or behind it"),
        ("M-HOOD-GRY", "HOOD-GRY-M", 80, "the same parts of the SKU in another order"),
    ],
)
def test_a_sku_that_is_only_spelt_differently_is_found(sku, target, score, reason):
    assert best(UnknownLine(sku=sku)) == ([(target, 1)], score, (reason,))


def test_words_that_only_one_source_puts_before_its_skus_are_known_to_its_flow():
    assert suggest(UnknownLine(sku="ACME-HOOD-GRY-M"), Catalogue(SHOP)) == []
    assert best(UnknownLine(sku="ACME-HOOD-GRY-M", affixes=("Acme",)))[:2] == ([("HOOD-GRY-M", 1)], 86)


def test_a_spelling_that_fits_two_entries_says_less_about_each():
    found = suggest(UnknownLine(sku="ab1"), Catalogue([entry("AB-1", "One"), entry("A-B1", "Two")]))
    assert [(suggestion.components[0][0], suggestion.score) for suggestion in found] == [("A-B1", 80), ("AB-1", 80)]


# --- the same title -----------------------------------------------------------------------------------------------------


def test_the_same_title_and_options_name_the_variant_whatever_their_order_and_spelling():
    line = UnknownLine(sku="Q-1", title="T Shirt, Linen", options=("Medium", "red"), prices=(Decimal("20.00"),), currency="GBP")
    components, score, reasons = best(line)
    assert (components, score) == ([("TEE-RED-M", 1)], 95)
    assert reasons == ("the same title, and the same options (Red, M)", "the price is the same (20.00 GBP)")


def test_a_typing_error_and_selling_words_in_the_title_are_forgiven():
    components, score, reasons = best(UnknownLine(sku="Q-2", title="Cosy Orgnic Hoodie", options=("Grey", "M")))
    assert components == [("HOOD-GRY-M", 1)]
    assert 75 <= score < 92
    assert "alike: “Organic hoodie”, and the same options (Grey, Medium)" in reasons[0]


def test_other_options_come_behind_and_say_so():
    found = suggest(UnknownLine(sku="Q-3", title="Linen T-shirt", options=("Red", "XXL")), Catalogue(SHOP))
    assert {suggestion.components[0][0] for suggestion in found[:2]} == {"TEE-RED-M", "TEE-RED-L"}
    assert all(suggestion.score < 75 for suggestion in found)
    assert "the same title, but options differ (Red, L instead of Red, XXL)" in [reason for one in found for reason in one.reasons]


def test_a_price_far_off_lowers_the_score_and_is_told():
    cheap = UnknownLine(sku="Q-4", title="Organic hoodie", options=("Grey", "M"), prices=(Decimal("9.00"),), currency="GBP")
    foreign = UnknownLine(sku="Q-4", title="Organic hoodie", options=("Grey", "M"), prices=(Decimal("9.00"),), currency="USD")
    (_, low, reasons), (_, plain, silent) = best(cheap), best(foreign)
    assert (plain - low, reasons[-1]) == (8, "but the price is 45.00 GBP there, and 9.00 here")
    assert len(silent) == 1


def test_what_is_no_longer_sold_is_suggested_with_a_warning():
    assert best(UnknownLine(sku="candle!")) == (
        [("CANDLE", 1)], 80, ("the same SKU but for case and separators", "but CANDLE is not active in the catalogue"),
    )  # fmt: skip


def test_two_kinds_of_evidence_support_each_other_and_nothing_is_ever_certain():
    line = UnknownLine(sku="tee.red.m", gtin="4006381333931", title="Linen T-shirt", options=("Red", "M"))
    components, score, reasons = best(line)
    assert (components, score, len(reasons)) == ([("TEE-RED-M", 1)], 99, 3)


def test_what_fits_nothing_gets_no_suggestion():
    assert suggest(UnknownLine(sku="ZZZ-999", title="Garden hose"), Catalogue(SHOP)) == []
    assert suggest(UnknownLine(sku="ZZZ-999", title="Garden hose"), Catalogue()) == []


# --- earlier decisions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "target", "sku", "guess"),
    [
        ("TT77-RED-M", "TEE-RED-M", "TT77-RED-L", "TEE-RED-L"),  # another beginning
        ("TEE-RED-M.v2", "TEE-RED-M", "TEE-RED-L.v2", "TEE-RED-L"),  # another end
    ],
)
def test_a_sku_built_like_one_that_was_mapped_is_mapped_alike(before, target, sku, guess):
    decision = Decision(source_sku=before, components=((target, 1, None),), sibling=True)
    components, score, reasons = best(UnknownLine(sku=sku, decisions=(decision,)))
    assert (components, reasons[0]) == ([(guess, 1)], f"built like {before}, which was mapped to {target}")
    assert score >= 93


def test_a_sibling_leads_to_the_other_variants_of_its_product():
    decision = Decision(source_sku="Q-1", components=(("TEE-RED-M", 1, None),), sibling=True)
    components, score, reasons = best(UnknownLine(sku="Q-2", options=("Blue", "M"), decisions=(decision,)))
    assert (components, score) == ([("TEE-BLU-M", 1)], 88)
    assert reasons == ("another variant of the product that Q-1 was mapped to",)


# --- bundles --------------------------------------------------------------------------------------------------------------


def test_what_the_source_lists_as_a_bundle_is_the_strongest_evidence():
    listed = (("SOAP-LAV", 2, Decimal("15.00")), ("DISH-OAK", 1, Decimal("10.00")))
    line = UnknownLine(sku="GIFTSET-01", title="Gift set", components=listed)
    assert best(line) == ([("SOAP-LAV", 2), ("DISH-OAK", 1)], 97, ("the source lists it as a bundle of these",))


def test_a_price_that_is_a_sum_of_what_the_sku_names_is_a_bundle():
    line = UnknownLine(sku="SET-SOAP-LAV-DISH-OAK", prices=(Decimal("25.00"),), currency="GBP")
    found = suggest(line, Catalogue(SHOP))[0]
    assert found.components == (("SOAP-LAV", 2, Decimal("15.00")), ("DISH-OAK", 1, Decimal("10.00")))
    assert (found.score, found.reasons) == (86, ("2 × SOAP-LAV + 1 × DISH-OAK = 25.00 GBP, the price of one",))
    assert [one.sku for one in found.entries] == ["SOAP-LAV", "DISH-OAK"]


def test_what_the_title_names_is_tried_too():
    line = UnknownLine(sku="GS-1", title="Gift set: Lavender Soap & Oak Soap Dish", prices=(Decimal("17.50"),), currency="GBP")
    found = suggest(line, Catalogue(SHOP))[0]
    assert (sorted(sku for sku, _, _ in found.components), found.score) == (["DISH-OAK", "SOAP-LAV"], 88)


def test_names_that_are_spelt_out_count_before_those_put_together_of_their_words():
    names = [(colour, thing) for colour in ("Red", "Blue") for thing in ("Cup", "Bowl")]
    stock = [entry(f"{colour}-{thing}".upper(), f"{colour} {thing}", price="10.00") for colour, thing in names]
    line = UnknownLine(sku="S-9", title="Set of Red Cup and Blue Bowl", prices=(Decimal("20.00"),), currency="GBP")
    assert sorted(sku for sku, _, _ in suggest(line, Catalogue(stock))[0].components) == ["BLUE-BOWL", "RED-CUP"]


def test_a_pack_of_three_is_three_of_one():
    line = UnknownLine(sku="SOAP-LAV-3PK", title="Lavender soap, 3-pack", prices=(Decimal("22.50"),), currency="GBP")
    components, score, reasons = best(line)
    assert (components, score) == ([("SOAP-LAV", 3)], 94)
    assert reasons == ("3 × SOAP-LAV = 22.50 GBP, the price of one", "it says that there are 3 in it")


def test_a_price_that_is_no_sum_makes_no_bundle():
    line = UnknownLine(sku="SET-SOAP-LAV-DISH-OAK", prices=(Decimal("24.99"),), currency="GBP")
    components, score, reasons = best(line)
    assert (components, score) == ([("SOAP-LAV", 1), ("DISH-OAK", 1)], 45)
    assert reasons == ("its SKU or title names SOAP-LAV and DISH-OAK",)


COUNTS, CENTS = st.lists(st.integers(1, 4), min_size=2, max_size=3), st.lists(st.integers(1, 9000), min_size=3, max_size=3)


@given(COUNTS, CENTS, st.sampled_from([0, 2, 3]))
def test_whatever_the_quantities_the_arithmetic_finds_a_sum_that_is_right(quantities, cents, digits):
    priced = {f"PART{letter}": Decimal(cent).scaleb(-digits) for letter, cent in zip("ABC", cents, strict=True)}
    catalogue = Catalogue(entry(sku, f"Thing {sku}", price=str(price)) for sku, price in priced.items())
    names = list(priced)[: len(quantities)]
    price = sum((priced[sku] * quantity for sku, quantity in zip(names, quantities, strict=True)), Decimal(0))
    found = suggest(UnknownLine(sku="SET-" + "-".join(names), prices=(price,), currency="GBP"), catalogue)
    sums = [one for one in found if "the price of one" in one.reasons[0]]
    assert sums
    assert all(sum(priced[sku] * quantity for sku, quantity, _ in one.components) == price for one in sums)


# --- the index --------------------------------------------------------------------------------------------------------------


def test_the_index_follows_what_is_put_in_and_taken_out():
    catalogue = Catalogue(SHOP)
    catalogue.put(entry("TEE-RED-M", "Cotton shirt", "Red", "M"))
    catalogue.drop("000815")
    catalogue.drop("NEVER-THERE")
    assert len(catalogue) == len(SHOP) - 1
    assert suggest(UnknownLine(sku="4006381333931"), catalogue) == []
    assert suggest(UnknownLine(sku="815"), catalogue) == []
    assert best(UnknownLine(sku="x", title="Cotton shirt", options=("Red", "M")), *catalogue.entries.values())[0] == [("TEE-RED-M", 1)]


def test_a_catalogue_that_was_emptied_keeps_nothing_behind():
    catalogue = Catalogue(SHOP)
    for sku in list(catalogue.entries):
        catalogue.drop(sku)
    assert (len(catalogue), catalogue._words, catalogue._products, catalogue._gtins, catalogue._texts) == (0, {}, {}, {}, {})
    assert all(not index for index in catalogue._spelt.values())


def test_the_search_wants_every_word_and_puts_skus_first():
    catalogue = Catalogue(SHOP)
    assert [found.sku for found in catalogue.search("tee red")] == ["TEE-RED-L", "TEE-RED-M"]
    assert [found.sku for found in catalogue.search("teeredm")] == ["TEE-RED-M"]
    assert [found.sku for found in catalogue.search("SOAP")] == ["SOAP-LAV", "DISH-OAK"]
    assert [found.sku for found in catalogue.search("4006381333931")] == ["TEE-RED-M"]
    assert catalogue.search("  ") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [("4006381333931", "04006381333931"), ("036000291452", "00036000291452"), ("96385074", "00000096385074"),
     ("4006381333932", ""), ("12345", ""), ("00000000", ""), ("TEE-RED-M", "")],
)  # fmt: skip
def test_a_gtin_has_a_right_length_and_check_digit(text, number):
    assert words.gtin(text) == number


@pytest.mark.parametrize(
    ("text", "size"), [("Soap, 3-pack", 3), ("Soap x2", 2), ("Set of 12", 12), ("Twin pack", 2), ("6er Pack", 6), ("Tee 42", 1)]
)
def test_a_title_says_how_many_there_are(text, size):
    assert words.pack_size(text) == size
