"""The market map of a connection: for each market its country, currency, language, store, channel and page address.

Orders and listings are joined at a destination by the name of their store, so both take it from here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

FORM = "country:currency:locale:store key:channel key:page address"
COUNTRY, CURRENCY, LOCALE = re.compile(r"[A-Z]{2}"), re.compile(r"[A-Z]{3}"), re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
KEY = re.compile(r"[A-Za-z0-9_-]{2,256}")  # keys of stores and channels (API reference, keys)
PLACES = ("slug", "key", "id", "sku", "locale", "language", "country", "store")  # what a page address may name in braces
PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Market:
    """One row of the map; `name` is unique, in lower case, the store of its listings and orders. `page` may hold {slug} and the like."""

    country: str
    currency: str
    locale: str
    store_key: str = ""
    channel_key: str = ""
    page: str = ""
    name: str = ""


def markets_of(settings: Mapping[str, Any]) -> tuple[Market, ...]:
    """The rows of the setting `markets` that can be read, each under a name of its own; see `problem_of` for the others."""
    found = [market for market in (_market(row, settings) for row in _rows(settings)) if isinstance(market, Market)]
    named = {name: replace(market, name=name) for market, name in zip(found, _names(found), strict=True)}
    return tuple(named.values())


def problem_of(settings: Mapping[str, Any]) -> str:
    """What is wrong with the first row that cannot be read, with the remedy; empty when all can."""
    found = [_market(row, settings) for row in _rows(settings)]
    wrong = next((entry for entry in found if isinstance(entry, str)), "")
    if wrong:
        return wrong
    names = Counter(_names([market for market in found if isinstance(market, Market)]))
    twice = next((name for name, count in names.items() if count > 1), "")
    return f"Markets: two rows are both {twice}. Give each country and currency of a store one row." if twice else ""


def store_of(markets: Sequence[Market], store_key: str, country: str, currency: str) -> str:
    """The store of an order: its market's name, else its store key, else its country; in lower case."""
    fits = [market for market in markets if market.store_key == store_key] if store_key else list(markets)
    for wanted in ((country, currency), (country, ""), ("", currency)):
        named = [market for market in fits if _like(market, *wanted)]
        if len(named) == 1:
            return named[0].name
    if len(fits) == 1 and store_key:
        return fits[0].name
    return (store_key or country).lower()


def page_address(market: Market, **places: str) -> str:
    """The page of a product in a market, empty where the map has no address or it names something the product lacks."""
    language, country = market.locale.partition("-")[0], market.country.lower()
    known = {"locale": market.locale, "language": language, "country": country, "store": market.store_key, **places}
    wanted = PLACE.findall(market.page)
    if not market.page or not all(known.get(name) for name in wanted):
        return ""
    return PLACE.sub(lambda match: known[match.group(1)], market.page)


def _like(market: Market, country: str, currency: str) -> bool:
    return bool(country or currency) and country in ("", market.country) and currency in ("", market.currency)


def _rows(settings: Mapping[str, Any]) -> list[str]:
    rows = settings.get("markets") or ()
    return [row for entry in (rows.split(",") if isinstance(rows, str) else rows) if (row := str(entry).strip())]


def _market(row: str, settings: Mapping[str, Any]) -> Market | str:
    """A row as a market, or why it cannot be one."""
    country, currency, locale, store, channel, page = (*(part.strip() for part in row.split(":", 5)), *[""] * 5)[:6]
    good = COUNTRY.fullmatch(country) and CURRENCY.fullmatch(currency) and LOCALE.fullmatch(locale)
    if not good or not all(KEY.fullmatch(key) for key in (store, channel) if key):
        return f"Markets: {row!r} is not of the form {FORM}, for example GB:GBP:en-GB or DE:EUR:de:eu."
    page = page or str(settings.get("product_url") or "").strip()
    if page and (not page.startswith(("https://", "http://")) or set(PLACE.findall(page)) - set(PLACES)):
        known = ", ".join(f"{{{name}}}" for name in PLACES)
        return f"Markets: the page address {page!r} must begin with https:// and may name {known}."
    return Market(country, currency, locale, store, channel, page)


def _names(markets: Sequence[Market]) -> list[str]:
    """The store key where it is one market's alone, else "<store>/<country>"; without store the country; currency where still double."""
    alone = Counter(market.store_key for market in markets)
    first = [
        (market.store_key if alone[market.store_key] == 1 else f"{market.store_key}/{market.country}")
        if market.store_key
        else market.country
        for market in markets
    ]
    double = Counter(name.lower() for name in first)
    return [
        name.lower() if double[name.lower()] == 1 else f"{name}/{market.currency}".lower()
        for name, market in zip(first, markets, strict=True)
    ]
