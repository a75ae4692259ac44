"""Price selection: hard filters by currency and validity, then the ladder (page "Pricing and Discounts overview", price selection)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.standins.commercetools.errors import Refusal, invalid
from integrations.standins.commercetools.moments import comparable
from integrations.standins.commercetools.project import Project

Price = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Market:
    """What a price is selected for; group and channel by id."""

    currency: str
    country: str = ""
    group: str = ""
    channel: str = ""


def market_of(query: Mapping[str, str]) -> Market | None:
    """The price selection of a request, None without; raises Refusal (country, channel and group need a currency)."""
    currency = query.get("priceCurrency", "")
    others = {name: query.get(name, "") for name in ("priceCountry", "priceCustomerGroup", "priceChannel")}
    if not currency:
        if any(others.values()):
            raise invalid("The price selecting parameters country, channel and customer group require a currency.")
        return None
    return Market(currency, others["priceCountry"], others["priceCustomerGroup"], others["priceChannel"])


def selected(prices: Iterable[Price], market: Market, moment: str) -> Price | None:
    """The price for a market at a moment, None when there is none."""
    now = comparable(moment)
    fitting = [
        price for price in prices if price["value"]["currencyCode"] == market.currency and _valid(price, now) and _fits(price, market)
    ]
    return max(fitting, key=_rank, default=None)


def _valid(price: Price, now: str) -> bool:
    begin, end = price.get("validFrom"), price.get("validUntil")
    return (begin is None or comparable(begin) <= now) and (end is None or now < comparable(end))


def _fits(price: Price, market: Market) -> bool:
    """A scope that the request does not have makes a price ineligible."""
    scopes = (
        (price.get("country"), market.country), (_id(price, "customerGroup"), market.group), (_id(price, "channel"), market.channel),
    )  # fmt: skip
    return all(not own or own == wanted for own, wanted in scopes)


def _rank(price: Price) -> tuple[bool, bool, bool, bool]:
    dated = "validFrom" in price or "validUntil" in price
    return dated, bool(_id(price, "customerGroup")), bool(_id(price, "channel")), bool(price.get("country"))


def _id(price: Price, name: str) -> str:
    return str((price.get(name) or {}).get("id", ""))


def scope_of(price: Price) -> tuple[Any, ...]:
    """What no two prices of a variant may have in common."""
    names = ("country", "validFrom", "validUntil")
    scopes = (*(price.get(name) for name in names), _id(price, "customerGroup"), _id(price, "channel"))
    return (price["value"]["currencyCode"], *scopes)


def standalone_prices(project: Project, sku: str) -> list[dict[str, Any]]:
    """The active standalone prices of a SKU."""
    found = (row.doc() for row in project["standalone-price"].having(("sku",), sku))
    return [price for price in found if price.get("active", True)]


def price_for(project: Project, product: Mapping[str, Any], variant: Mapping[str, Any], market: Market) -> dict[str, Any]:
    """The price a variant is sold at; raises Refusal (400 MatchingPriceNotFound)."""
    found = variant_price(project, product.get("priceMode", "Embedded"), variant, market)
    if found is None:
        words = f"The variant '{variant['id']}' of product '{product['id']}' does not contain a price for currency '{market.currency}'."
        raise Refusal(
            "MatchingPriceNotFound", words, productId=product["id"], variantId=variant["id"], currency=market.currency,
            country=market.country or None,
        )  # fmt: skip
    return found


def variant_price(project: Project, mode: str, variant: Mapping[str, Any], market: Market) -> dict[str, Any] | None:
    """The selected price of a variant, embedded or standalone as its product says."""
    if mode != "Standalone" and project.settings.product_catalog_model != "Modular":
        found = selected(variant.get("prices") or (), market, project.iso())
        return dict(found) if found else None
    found = selected(standalone_prices(project, variant["sku"]), market, project.iso()) if variant.get("sku") else None
    if found is None:
        return None
    kept = ("id", "key", "value", "country", "customerGroup", "channel", "validFrom", "validUntil", "discounted", "tiers")
    return {name: found[name] for name in kept if name in found}
