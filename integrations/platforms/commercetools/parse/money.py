"""Amounts as commercetools writes them: whole smallest units with their number of decimals, of which there may be none or three."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from integrations.platforms.errors import Unparsable
from mapping.money import exponent

ZERO = Decimal(0)
MOST_DIGITS, MOST_DECIMALS = 20, 20
HIGH_PRECISION = "highPrecision"


def money(value: Mapping[str, Any]) -> Decimal:
    """The exact amount in units of its currency: preciseAmount where it is of high precision, else centAmount; raises Unparsable."""
    name = "preciseAmount" if value.get("type") == HIGH_PRECISION else "centAmount"
    units, digits = value.get(name), value.get("fractionDigits")
    if digits is None and name == "centAmount":
        digits = exponent(currency_of(value))
    for part, where in ((units, name), (digits, "fractionDigits")):
        if isinstance(part, bool) or not isinstance(part, int):
            raise Unparsable(f"{where} is no whole number: {str(part)[:40]!r}")
    if not 0 <= digits <= MOST_DECIMALS or abs(units) >= 10**MOST_DIGITS:
        raise Unparsable(f"{name} is no amount: {str(units)[:40]!r}")
    return Decimal(units).scaleb(-digits)


def money_at(raw: Mapping[str, Any], *path: str) -> Decimal | None:
    """The amount at a path, None where there is none."""
    value: Any = raw
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return money(value) if isinstance(value, dict) else None


def currency_of(value: Mapping[str, Any]) -> str:
    """The currency of an amount; raises Unparsable when it names none."""
    code = value.get("currencyCode")
    if not isinstance(code, str) or len(code) != 3:
        raise Unparsable(f"currencyCode is none: {str(code)[:40]!r}")
    return code.upper()
