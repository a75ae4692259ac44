"""The price of one market out of all prices of a variant, as the platform itself selects it, and when prices begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrations.platforms.base import JsonObject
from integrations.platforms.commercetools.parse.values import moment as moment_of
from integrations.platforms.values import child


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom a price is sought; `channel` is the id of a distribution channel. Nobody asks for a customer group."""

    currency: str
    country: str = ""
    channel: str = ""


def select(prices: Iterable[JsonObject], scope: Scope, at: datetime) -> JsonObject | None:
    """The price that counts at a moment, None when the market has none.

    Currency and validity decide first; a price whose period is running beats one without dates; then a channel beats a country, which beats
    neither. A price for a country, channel or customer group that was not asked for never counts ("Price selection", pricing overview).
    """
    fitting = [price for price in prices if _fits(price, scope, at)]
    return max(fitting, key=_rank, default=None)


def boundaries(prices: Iterable[JsonObject]) -> Iterator[datetime]:
    """Every moment at which one of the prices begins or ends."""
    for price in prices:
        yield from (moment for name in ("validFrom", "validUntil") if (moment := moment_of(price, name)) is not None)


def latest_change(prices: Iterable[JsonObject], at: datetime) -> datetime | None:
    """When the choice among the prices last changed by itself before a moment."""
    return max((moment for moment in boundaries(prices) if moment <= at), default=None)


def all_prices(variants: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """The embedded prices of all variants."""
    for variant in variants:
        yield from (price for price in variant.get("prices") or () if isinstance(price, dict))


def _fits(price: JsonObject, scope: Scope, at: datetime) -> bool:
    begins, ends = moment_of(price, "validFrom"), moment_of(price, "validUntil")
    channel = child(price, "channel").get("id")
    return (
        child(price, "value").get("currencyCode") == scope.currency
        and price.get("active") is not False
        and not price.get("customerGroup")
        and price.get("country") in (None, scope.country)
        and channel in (None, scope.channel)
        and (begins is None or begins <= at)
        and (ends is None or at < ends)
    )


def _rank(price: JsonObject) -> tuple[bool, bool, bool, str]:
    """Better prices are greater; the id makes the choice the same each time."""
    dated = bool(price.get("validFrom") or price.get("validUntil"))
    return dated, bool(price.get("channel")), bool(price.get("country")), str(price.get("id"))
