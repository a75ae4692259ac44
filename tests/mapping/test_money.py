"""Money arithmetic."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.money import allocate, exponent, quantise, unit

CURRENCIES = st.sampled_from(["JPY", "GBP", "KWD"])


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("GBP", 2), ("kwd", 3), ("RSD", 2), ("IQD", 3), ("CLF", 4), ("", 2)])
def test_a_currency_has_the_decimals_that_systems_account_in(currency, digits):
    assert exponent(currency) == digits


def test_halves_are_rounded_away_from_zero():
    assert [quantise(Decimal(text), "GBP") for text in ("1.005", "-1.005", "1.004")] == [Decimal("1.01"), Decimal("-1.01"), Decimal("1.00")]


def test_the_odd_penny_goes_to_the_largest_remainder_and_then_to_the_first():
    assert allocate(Decimal("10.00"), [1, 1, 1], "GBP") == (Decimal("3.34"), Decimal("3.33"), Decimal("3.33"))
    assert allocate(Decimal("0.05"), [1, 2], "GBP") == (Decimal("0.02"), Decimal("0.03"))
    assert allocate(Decimal("-10"), [1, 2], "JPY") == (Decimal("-3"), Decimal("-7"))


def test_no_weight_at_all_means_equal_parts():
    assert allocate(Decimal("3"), [0, 0], "JPY") == (Decimal("2"), Decimal("1"))


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_weights_that_cannot_share_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        allocate(Decimal(1), weights, "GBP")


@given(st.integers(-(10**12), 10**12), st.lists(st.decimals(0, 1000, places=4), min_size=1, max_size=12), CURRENCIES)
def test_the_parts_add_up_exactly_and_none_is_a_unit_away_from_its_share(units, weights, currency):
    step = unit(exponent(currency))
    amount = units * step
    parts = allocate(amount, weights, currency)
    assert sum(parts) == amount
    assert all(part == quantise(part, currency) for part in parts)
    if any(weights):
        assert all(abs(part - amount * weight / sum(weights)) < step for part, weight in zip(parts, weights, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)
