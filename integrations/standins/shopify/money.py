"""Amounts in a currency's own units: rounding, splitting without losing a penny, and both currencies of one amount."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

# ISO 4217 minor units where they are not two
EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3}

# shop amount, shop currency, presentment amount, presentment currency; amounts as the API writes them
Bag = tuple[str, str, str, str]


@cache
def quantum(currency: str) -> Decimal:
    """The smallest amount of a currency, for example Decimal("0.01") for GBP."""
    return Decimal(1).scaleb(-EXPONENTS.get(currency, 2))


def rounded(amount: Decimal | int | str, currency: str) -> Decimal:
    """The amount in whole units of its currency, halves away from zero."""
    return Decimal(amount).quantize(quantum(currency), ROUND_HALF_UP)


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Parts in proportion to the weights that add up to the amount exactly; all zero when the weights are."""
    total = sum(weights, Decimal(0))
    if not total:
        return [rounded(0, currency)] * len(weights)
    parts, seen, given = [], Decimal(0), rounded(0, currency)
    for weight in weights:
        seen += weight
        upto = rounded(amount * seen / total, currency)
        parts.append(upto - given)
        given = upto
    return parts


def tax_of(net: Decimal, rate: Decimal, currency: str, *, included: bool) -> Decimal:
    """The tax inside (included) or on top of an amount."""
    return rounded(net * rate / (1 + rate) if included else net * rate, currency)
