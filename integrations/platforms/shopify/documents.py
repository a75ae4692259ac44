"""The GraphQL documents this room sends, one file each, loaded by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import orjson

from integrations.platforms.errors import Misconfigured

FOLDER = Path(__file__).parent / "graphql"
FLAT_SMS_VERSION = "2026-07"  # the last version whose phone numbers carry flat consent fields only
MAX_MARKETS = 5  # "about 5 contextualPricing aliases per query", Admin API notes on price lists

_MARKET_LINE = re.compile(r"^ *m\d: contextualPricing.*\n", re.MULTILINE)
_COUNTRY = re.compile(r"[A-Z]{2}")
_METAFIELD = re.compile(r"[A-Za-z0-9_$-]{1,255}(:[A-Za-z0-9_-]+)*\.[A-Za-z0-9_-]{1,64}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")


@cache
def document(name: str, version: str = "") -> str:
    """The text of a document, in the variant for an older version where there is one; raises KeyError for an unknown name."""
    variant = FOLDER / f"{name}_{version.replace('-', '_')}.graphql"
    path = variant if version and variant.exists() else FOLDER / f"{name}.graphql"
    if not path.exists():
        raise KeyError(name)
    return path.read_text(encoding="utf-8")


def bulk_document(
    name: str, version: str, *, window: str, metafields: Sequence[str] = (), markets: Sequence[str] = (), locale: str = ""
) -> str:
    """A bulk document with every literal inlined, since bulk operations take no variables; parts nobody asked for are left out."""
    text = document(name, version).replace('"WINDOW"', _literal(window))
    lines = [line for line in text.splitlines(keepends=True) if _wanted(line, metafields=bool(metafields), locale=bool(locale))]
    text = "".join(lines).replace('["METAFIELD"]', orjson.dumps(list(metafields)).decode()).replace('"LOCALE"', _literal(locale))
    countries = iter(markets)

    def choose(line: re.Match[str]) -> str:
        country = next(countries, None)
        return "" if country is None else line.group().replace("ZZ", country)

    return _MARKET_LINE.sub(choose, text)


def market_variables(markets: Sequence[str]) -> dict[str, object]:
    """The variables that switch on one price alias per country."""
    return {key: value for i, country in enumerate(markets) for key, value in ((f"m{i}", True), (f"c{i}", country))}


def checked_markets(value: object) -> tuple[str, ...]:
    """ISO countries of the `market_countries` setting; raises Misconfigured for more than five or for what is no country code."""
    countries = tuple(str(item).strip().upper() for item in _listed(value))
    if len(countries) > MAX_MARKETS:
        raise Misconfigured(f"Price markets: at most {MAX_MARKETS} countries; remove {len(countries) - MAX_MARKETS} of them.")
    for country in countries:
        if not _COUNTRY.fullmatch(country):
            raise Misconfigured(f"Price markets: {country!r} is not a two-letter country code such as GB.")
    return countries


def checked_metafields(value: object) -> tuple[str, ...]:
    """The `metafields` setting as "namespace.key" names; raises Misconfigured naming the first that is not one."""
    names = tuple(str(item).strip() for item in _listed(value))
    for name in names:
        if not _METAFIELD.fullmatch(name):
            raise Misconfigured(f"Metafields: {name!r} is not of the form namespace.key.")
    return names


def checked_locale(value: object) -> str:
    """The `locale` setting, empty when none; raises Misconfigured when it is no language tag."""
    locale = str(value or "").strip()
    if locale and not _LOCALE.fullmatch(locale):
        raise Misconfigured(f"Locale: {locale!r} is not a language tag such as de or pt-BR.")
    return locale


def _wanted(line: str, *, metafields: bool, locale: bool) -> bool:
    return not (('["METAFIELD"]' in line and not metafields) or ('"LOCALE"' in line and not locale))


def _literal(text: str) -> str:
    return orjson.dumps(text).decode()


def _listed(value: object) -> list[object]:
    if isinstance(value, str):
        return [part for part in re.split(r"[,\s]+", value) if part]
    return [item for item in value or () if str(item).strip()] if isinstance(value, (list, tuple)) else []
