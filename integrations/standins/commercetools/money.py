"""Amounts as commercetools has them: whole cents, or more decimals for unit prices."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from integrations.standins.commercetools.errors import required, wrong_field

# digits behind the point where they are not two (ISO 4217)
DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3}
MOST_DIGITS = 20
Money = dict[str, Any]


def digits(currency: str) -> int:
    """How many decimals a currency has."""
    return DIGITS.get(currency, 2)


def cents(currency: str, amount: int) -> Money:
    """An amount in the smallest unit."""
    return {"type": "centPrecision", "currencyCode": currency, "centAmount": amount, "fractionDigits": digits(currency)}


def precise(currency: str, amount: str | Decimal, decimals: int) -> Money:
    """A unit price with more decimals than the currency has; ``amount`` in major units."""
    exact = int((Decimal(amount) * 10**decimals).to_integral_value(ROUND_HALF_EVEN))
    rounded = _whole(Decimal(exact).scaleb(digits(currency) - decimals))
    return {
        "type": "highPrecision", "currencyCode": currency, "centAmount": rounded, "preciseAmount": exact, "fractionDigits": decimals,
    }  # fmt: skip


def major(currency: str, amount: str | int | float | Decimal) -> Money:
    """An amount given in major units ("19.99"); one with more decimals than the currency has becomes a precise one."""
    exact = Decimal(str(amount))
    behind = max(0, -int(exact.normalize().as_tuple().exponent))
    if behind > digits(currency):
        return precise(currency, exact, behind)
    return cents(currency, int(exact.scaleb(digits(currency))))


def from_draft(draft: Any, field: str = "money", *, only_cents: bool = False) -> Money:
    """A Money or HighPrecisionMoney draft; raises Refusal."""
    if not isinstance(draft, Mapping):
        raise required(field)
    currency = draft.get("currencyCode")
    if not isinstance(currency, str) or len(currency) != 3:
        raise wrong_field(f"{field}.currencyCode", currency)
    if draft.get("type") == "highPrecision" and not only_cents:
        decimals, exact = draft.get("fractionDigits"), draft.get("preciseAmount")
        if not isinstance(decimals, int) or not digits(currency) < decimals <= MOST_DIGITS or not isinstance(exact, int):
            raise wrong_field(field, dict(draft))
        return precise(currency, Decimal(exact).scaleb(-decimals), decimals)
    amount = draft.get("centAmount")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise wrong_field(f"{field}.centAmount", amount)
    return cents(currency, amount)


def times(money: Mapping[str, Any], quantity: int) -> int:
    """So many of a unit price in the smallest unit, rounded half to even."""
    if money["type"] == "highPrecision":
        return _whole(Decimal(money["preciseAmount"] * quantity).scaleb(digits(money["currencyCode"]) - money["fractionDigits"]))
    return int(money["centAmount"]) * quantity


def share(amount: int, part: int, whole: int = 10_000) -> int:
    """``amount * part / whole``, rounded half to even."""
    return _whole(Decimal(amount * part) / whole)


def net(gross: int, rate: Decimal) -> int:
    """What is left of an amount with tax in it."""
    return _whole(Decimal(gross) / (1 + rate))


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_EVEN))
