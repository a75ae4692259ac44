"""One rule per kind of evidence: an unknown line and a catalogue in, candidates with a score and a reason out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from os.path import commonprefix

from mapping.suggestions import words
from mapping.suggestions.catalogue import Catalogue
from mapping.suggestions.facts import CatalogueEntry, Component, Decision, UnknownLine

# What each kind of evidence is worth when it stands alone.
GTIN, LISTED, LIKE_BEFORE = 97, 97, 93
SPELT = {
    "flat": (95, "the same SKU but for case and separators"),
    "unpadded": (92, "the same SKU but for leading zeros"),
    "bare": (86, "the same SKU but for words before or behind it"),
    "tokens": (80, "the same parts of the SKU in another order"),
}
SEVERAL = 15  # less when a spelling fits more than one entry
TITLE_SHARE, OPTION_SHARE = 0.5, 0.42  # what title and options add to a candidate found by its title
OPTIONS_SILENT = 0.4  # how far options speak for an entry when the line names none
LIKE_ENOUGH = 55.0
SIBLING_FLOOR, SIBLING_OPTIONS = 50, 38


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for one candidate."""

    components: tuple[Component, ...]
    score: float
    reason: str


Rule = Callable[[UnknownLine, Catalogue], Iterable[Evidence]]


def single(entry: CatalogueEntry) -> tuple[Component, ...]:
    """A candidate of one unit of one entry."""
    return ((entry.sku, 1, None),)


def same_gtin(line: UnknownLine, catalogue: Catalogue) -> Iterator[Evidence]:
    """The line's GTIN, or its SKU where that is one, is an entry's."""
    for number in dict.fromkeys(filter(None, (words.gtin(line.gtin), words.gtin(line.sku)))):
        for entry in catalogue.with_gtin(number):
            yield Evidence(single(entry), GTIN, f"GTIN {number.lstrip('0')} is that of {entry.sku}")


def same_sku(line: UnknownLine, catalogue: Catalogue) -> Iterator[Evidence]:
    """The SKU is an entry's, spelt differently; only the closest spelling that fits counts."""
    if not line.sku:
        return
    asked = {"flat": words.flat(line.sku), "unpadded": words.unpadded(line.sku), "bare": words.bare(line.sku, line.affixes)}
    asked["tokens"] = " ".join(sorted(words.tokens(line.sku)))
    for spelling, (score, reason) in SPELT.items():
        found = catalogue.spelt_like(spelling, asked[spelling])
        for entry in found:
            yield Evidence(single(entry), score - SEVERAL * (len(found) > 1), reason)
        if found:
            return


def listed_bundle(line: UnknownLine, catalogue: Catalogue) -> Iterator[Evidence]:
    """The source itself says what the bundle is made of."""
    if line.components and all(sku in catalogue.entries for sku, _, _ in line.components):
        yield Evidence(line.components, LISTED, "the source lists it as a bundle of these")


def like_before(line: UnknownLine, catalogue: Catalogue) -> Iterator[Evidence]:
    """The SKU is built like another one that was mapped, or belongs to the product of one."""
    for decision in line.decisions:
        if len(decision.components) != 1:
            continue
        target, quantity, _ = decision.components[0]
        for guess in _built_alike(line.sku, decision.source_sku, target):
            for entry in catalogue.spelt_like("flat", words.flat(guess)):
                reason = f"built like {decision.source_sku}, which was mapped to {target}"
                yield Evidence(((entry.sku, quantity, None),), LIKE_BEFORE if decision.sibling else LIKE_BEFORE - 5, reason)
        if decision.sibling and target in catalogue.entries:
            yield from _siblings(line, decision, catalogue)


def _built_alike(sku: str, before: str, target: str) -> Iterator[str]:
    """SKUs that come of doing to this one what turned `before` into `target`: another beginning, or another end."""
    if not sku or sku == before:
        return
    tail = len(commonprefix([before[::-1], target[::-1]]))
    head_before, head_target = before[: len(before) - tail], target[: len(target) - tail]
    if tail and head_before and sku.startswith(head_before):
        yield head_target + sku[len(head_before) :]
    head = len(commonprefix([before, target]))
    tail_before, tail_target = before[head:], target[head:]
    if head and tail_before and sku.endswith(tail_before):
        yield sku[: len(sku) - len(tail_before)] + tail_target


def _siblings(line: UnknownLine, decision: Decision, catalogue: Catalogue) -> Iterator[Evidence]:
    target = decision.components[0][0]
    taken = {sku for other in line.decisions for sku, _, _ in other.components}
    for entry in catalogue.of_product(catalogue.entries[target].product_key):
        if entry.sku not in taken:
            share = options_fit(line, entry)
            reason = f"another variant of the product that {decision.source_sku} was mapped to"
            yield Evidence(single(entry), SIBLING_FLOOR + SIBLING_OPTIONS * share, reason)


def same_title(line: UnknownLine, catalogue: Catalogue) -> Iterator[Evidence]:
    """Title and option values are alike."""
    if not line.title:
        return
    for product_key, alike in catalogue.products_like(line.title):
        if alike < LIKE_ENOUGH:
            continue
        for entry in catalogue.of_product(product_key):
            share = options_fit(line, entry)
            yield Evidence(single(entry), TITLE_SHARE * alike + OPTION_SHARE * 100 * share, _title_reason(line, entry, alike, share))


def options_fit(line: UnknownLine, entry: CatalogueEntry) -> float:
    """The share of the entry's option values that the line names, in its options or its title; less for what it names instead."""
    values = [words.words(value) for value in entry.options]
    values = [value for value in values if value]
    if not values:
        return 1.0
    if not line.options:
        named = set(words.words(line.title))
        fitting = sum(named.issuperset(value) for value in values) / len(values)
        return max(fitting, OPTIONS_SILENT)
    named = {word for value in line.options for word in words.words(value)} | set(words.words(line.title))
    return sum(named.issuperset(value) for value in values) / len(values)


def _title_reason(line: UnknownLine, entry: CatalogueEntry, alike: float, share: float) -> str:
    title = "the same title" if alike >= 99.5 else f"title {alike:.0f} % alike: “{entry.product_title}”"
    if not entry.options or not line.options:
        return title
    options = ", ".join(entry.options)
    if share == 1:
        return f"{title}, and the same options ({options})"
    return f"{title}, but options differ ({options} instead of {', '.join(line.options)})"


def price_words(line: UnknownLine, price: Decimal, currency: str) -> tuple[int, str]:
    """What the price says about a candidate: points to add and the words for it; nothing where it cannot be compared."""
    if not line.prices or not price or currency != line.currency:
        return 0, ""
    if price in line.prices:
        return 3, f"the price is the same ({price} {currency})"
    nearest = min(line.prices, key=lambda seen: abs(seen - price))
    if nearest <= 0 or max(nearest / price, price / nearest) < Decimal("1.5"):
        return 0, ""
    return -8, f"but the price is {price} {currency} there, and {nearest} here"


RULES: Sequence[Rule] = (listed_bundle, same_gtin, same_sku, like_before, same_title)
