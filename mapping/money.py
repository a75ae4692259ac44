"""Money arithmetic: a currency's own decimals, rounding, and sharing an amount out without losing a penny."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache

from babel.numbers import get_currency_precision

# Where CLDR (babel) gives the digits people print today, and ISO 4217 the digits that systems still account in.
ISO_DIGITS = {
    "AFN": 2, "ALL": 2, "IQD": 3, "IRR": 2, "KPW": 2, "LAK": 2, "LBP": 2, "MGA": 2,
    "MMK": 2, "RSD": 2, "SLL": 2, "SOS": 2, "STD": 2, "SYP": 2, "YER": 2,
}  # fmt: skip


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency by its ISO 4217 code: JPY 0, GBP 2, KWD 3; 2 for a code nobody knows."""
    code = currency.upper()
    return ISO_DIGITS[code] if code in ISO_DIGITS else get_currency_precision(code)


@cache
def unit(digits: int) -> Decimal:
    """The smallest amount with so many decimals: 2 → 0.01."""
    return Decimal(1).scaleb(-digits)


@cache
def scale(currency: str) -> tuple[int, Decimal]:
    """Decimals and smallest amount of a currency."""
    return exponent(currency), unit(exponent(currency))


def quantise(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units of its currency, halves rounded away from zero; raises InvalidOperation past 28 digits."""
    return amount.quantize(scale(currency)[1], ROUND_HALF_UP)


def allocate(amount: Decimal, weights: Sequence[Decimal | int], currency: str) -> tuple[Decimal, ...]:
    """Share an amount out by weight so that the parts add up to it exactly (largest remainder, earlier parts first on a tie).

    Parts are whole smallest units of the currency; what the amount holds beyond them stays with the first part. All weights zero
    means equal parts. Raises ValueError for no weights or a negative one.
    """
    shares = [Decimal(weight) for weight in weights]
    if not shares or min(shares) < 0:
        raise ValueError("weights must be at least one number, none below zero")
    if not any(shares):
        shares = [Decimal(1)] * len(shares)
    step, whole = unit(exponent(currency)), sum(shares)
    exact = [amount * share / whole for share in shares]
    parts = [value.quantize(step, ROUND_DOWN) for value in exact]
    missing = amount - sum(parts)
    count = int(abs(missing) / step)
    by_remainder = sorted((i for i, share in enumerate(shares) if share), key=lambda i: abs(exact[i] - parts[i]), reverse=True)
    for i in by_remainder[:count]:
        parts[i] += step.copy_sign(missing)
    parts[by_remainder[0]] += amount - sum(parts)
    return tuple(parts)
