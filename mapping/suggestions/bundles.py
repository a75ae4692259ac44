"""Bundles found by arithmetic: a price that is a whole-number combination of things that the line's SKU or title names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mapping.suggestions import words
from mapping.suggestions.catalogue import Catalogue
from mapping.suggestions.facts import CatalogueEntry, UnknownLine
from mapping.suggestions.rules import Evidence, options_fit

MAX_NAMED, MAX_KINDS, MAX_UNITS = 6, 4, 12
MAX_STEPS = 20_000  # of the search for a combination; then what was found so far counts
ADDS_UP, ALL_NAMED, UNITS_STATED = 74, 12, 6  # points for each
ONLY_STATED, ONLY_NAMED = 52, 45


def bundle_arithmetic(line: UnknownLine, catalogue: Catalogue) -> Iterator[Evidence]:
    """Several units of one thing, or several things, that cost together what the line costs."""
    named = named_things(line, catalogue)
    if not named:
        return
    stated = words.pack_size(line.title, *line.options, line.sku)
    priced = [entry for entry in named if entry.price and entry.currency == line.currency]
    for quantities, price in _combinations([entry.price or Decimal(0) for entry in priced], line.prices):
        parts = [(entry, quantity) for entry, quantity in zip(priced, quantities, strict=True) if quantity]
        score = ADDS_UP + ALL_NAMED * (len(parts) == len(named)) + UNITS_STATED * (1 < stated == sum(quantities))
        yield Evidence(_components(parts), score, f"{_sum(parts)} = {price} {line.currency}, the price of one")
    if stated > 1 and len(named) == 1:
        yield Evidence(_components([(named[0], stated)]), ONLY_STATED, f"it says that there are {stated} in it")
    elif len(named) > 1:
        parts = [(entry, 1) for entry in named[:MAX_KINDS]]
        yield Evidence(_components(parts), ONLY_NAMED, f"its SKU or title names {' and '.join(entry.sku for entry, _ in parts)}")


def named_things(line: UnknownLine, catalogue: Catalogue) -> list[CatalogueEntry]:
    """What the line's SKU spells out in its parts, else what its title names; at most `MAX_NAMED` entries."""
    found = {entry.sku: entry for entry in _in_sku(line.sku, catalogue)}
    if not found:
        for product_key in catalogue.products_within(f"{line.title} {' '.join(line.options)}", MAX_NAMED):
            variants = catalogue.of_product(product_key)
            best = max(variants, key=lambda entry: (options_fit(line, entry), entry.active, entry.sku))
            found[best.sku] = best
    return list(found.values())[:MAX_NAMED]


def _in_sku(sku: str, catalogue: Catalogue) -> Iterator[CatalogueEntry]:
    """Entries whose whole SKU stands in neighbouring parts of this one, the longest first."""
    parts = words.tokens(sku)
    start = 0
    while start < len(parts):
        for end in range(len(parts), start, -1):
            text = "".join(parts[start:end])
            entries = catalogue.spelt_like("flat", text) if len(text) >= words.SHORTEST and end - start < len(parts) else []
            if entries:
                yield entries[0]
                start = end - 1
                break
        start += 1


def _combinations(prices: Sequence[Decimal], wanted: Sequence[Decimal]) -> Iterator[tuple[tuple[int, ...], Decimal]]:
    """Quantities (two units or more) whose sum is one of the wanted prices, the fewest units first."""
    digits = max((max(0, -int(price.normalize().as_tuple().exponent)) for price in (*prices, *wanted)), default=0)
    whole = [int(price.scaleb(digits)) for price in prices]
    found: list[tuple[tuple[int, ...], Decimal]] = []
    for price in wanted:
        steps = [0]
        if price > 0:
            found += [(quantities, price) for quantities in _fill(whole, int(price.scaleb(digits)), MAX_UNITS, steps)]
    found = [pair for pair in found if sum(pair[0]) > 1 and sum(map(bool, pair[0])) <= MAX_KINDS]
    yield from sorted(found, key=lambda pair: (sum(pair[0]), pair[0]))[:5]


def _fill(prices: Sequence[int], left: int, units: int, steps: list[int]) -> Iterator[tuple[int, ...]]:
    steps[0] += 1
    if steps[0] > MAX_STEPS:
        return
    if not prices:
        if left == 0:
            yield ()
        return
    for quantity in range(min(units, left // prices[0]) + 1):
        for rest in _fill(prices[1:], left - quantity * prices[0], units - quantity, steps):
            yield (quantity, *rest)


def _components(parts: Sequence[tuple[CatalogueEntry, int]]) -> tuple[tuple[str, int, Decimal | None], ...]:
    """With the entries' prices as weights, so that each gets its part of the money; one thing alone needs none."""
    weighted = len(parts) > 1 and all(entry.price for entry, _ in parts)
    return tuple((entry.sku, quantity, (entry.price or Decimal(0)) * quantity if weighted else None) for entry, quantity in parts)


def _sum(parts: Sequence[tuple[CatalogueEntry, int]]) -> str:
    return " + ".join(f"{quantity} × {entry.sku}" for entry, quantity in parts)
