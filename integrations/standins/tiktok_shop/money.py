"""Amounts as whole minor units, and as the decimal strings that the platform writes."""

from collections.abc import Sequence
from decimal import Decimal


def text(minor: int, exponent: int) -> str:
    """text(1999, 2) is "19.99"; text(1980, 0) is "1980"."""
    if exponent == 0:
        return str(minor)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).zfill(exponent + 1)
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"


def minor(amount: str | int | float | Decimal, exponent: int) -> int:
    """Minor units of an amount in major units; raises ValueError when it has more places than its currency."""
    scaled = Decimal(str(amount)).scaleb(exponent)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more than {exponent} decimal places.")
    return int(scaled)


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Parts in proportion to the weights that add up exactly, the remainder in the last one; equal weights when all are zero."""
    shares = list(weights) if sum(weights) else [1] * len(weights)
    total = sum(shares)
    parts = [amount * share // total for share in shares[:-1]]
    return [*parts, amount - sum(parts)]
