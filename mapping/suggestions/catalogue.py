"""A catalogue indexed for suggestions: by SKU in several spellings, by GTIN, by the words of its products' titles."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

from mapping.suggestions import words
from mapping.suggestions.facts import CatalogueEntry

TYPO_CUTOFF = 82.0  # how alike a word must be to one of the catalogue's to stand for it
TYPOS = 3  # words of the catalogue that one unknown word may stand for
SPELLINGS = {
    "flat": words.flat,
    "unpadded": words.unpadded,
    "bare": words.bare,
    "tokens": lambda sku: " ".join(sorted(words.tokens(sku))),
}  # from the closest to the loosest


class Catalogue:
    """What may be sold, kept ready for search; entries are put in and taken out one by one. Not for two threads at once."""

    def __init__(self, entries: Iterable[CatalogueEntry] = ()) -> None:
        self.entries: dict[str, CatalogueEntry] = {}
        self._texts: dict[str, str] = {}
        self._spelt: dict[str, dict[str, list[str]]] = {name: defaultdict(list) for name in SPELLINGS}
        self._gtins: dict[str, list[str]] = defaultdict(list)
        self._products: dict[str, list[str]] = defaultdict(list)
        self._titles: dict[str, tuple[str, ...]] = {}
        self._words: dict[str, set[str]] = defaultdict(set)
        for entry in entries:
            self.put(entry)

    def __len__(self) -> int:
        return len(self.entries)

    def put(self, entry: CatalogueEntry) -> None:
        """Take an entry in, in the place of an older one with its SKU."""
        self.drop(entry.sku)
        self.entries[entry.sku] = entry
        title = f"{entry.product_title} {entry.title} {' '.join(entry.options)}"
        self._texts[entry.sku] = words.fold(f"{entry.sku} {words.flat(entry.sku)} {title} {entry.gtin}")
        for name, spell in SPELLINGS.items():
            self._spelt[name][spell(entry.sku)].append(entry.sku)
        if number := words.gtin(entry.gtin):
            self._gtins[number].append(entry.sku)
        self._products[entry.product_key].append(entry.sku)
        self._name(entry.product_key, words.words(entry.product_title))

    def drop(self, sku: str) -> None:
        """Take an entry out; nothing happens when it is not there."""
        entry = self.entries.pop(sku, None)
        if entry is None:
            return
        del self._texts[sku]
        for name, spell in SPELLINGS.items():
            _remove(self._spelt[name], spell(sku), sku)
        if number := words.gtin(entry.gtin):
            _remove(self._gtins, number, sku)
        _remove(self._products, entry.product_key, sku)
        if entry.product_key not in self._products:
            self._name(entry.product_key, ())

    def _name(self, product_key: str, title: tuple[str, ...]) -> None:
        held = self._titles.get(product_key, ())
        if held == title:
            return
        for word in held:
            self._words[word].discard(product_key)
            if not self._words[word]:
                del self._words[word]
        for word in title:
            self._words[word].add(product_key)
        if title:
            self._titles[product_key] = title
        else:
            self._titles.pop(product_key, None)

    def spelt_like(self, spelling: str, text: str) -> list[CatalogueEntry]:
        """Entries whose SKU comes to this text in one of the `SPELLINGS`."""
        return [self.entries[sku] for sku in self._spelt[spelling].get(text, ())] if text else []

    def with_gtin(self, number: str) -> list[CatalogueEntry]:
        """Entries with this GTIN of 14 digits."""
        return [self.entries[sku] for sku in self._gtins.get(number, ())]

    def of_product(self, product_key: str) -> list[CatalogueEntry]:
        """The variants of one product."""
        return [self.entries[sku] for sku in self._products.get(product_key, ())]

    def products_like(self, title: str, limit: int = 25) -> list[tuple[str, float]]:
        """Product key and likeness of title (0–100) of the products that share the telling words of this one, the likest first."""
        asked = words.words(title)
        weights = self._weights(asked)
        found: dict[str, float] = defaultdict(float)
        for word, weight in weights.items():
            for product_key in self._words[word]:
                found[product_key] += weight
        near = sorted(found, key=lambda key: (-found[key] / (len(self._titles[key]) + 4), key))[: limit * 2]
        text = " ".join(asked)
        scored = [(key, likeness(text, " ".join(self._titles[key]))) for key in near]
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def products_within(self, title: str, limit: int = 6) -> list[str]:
        """Keys of products all of whose words a title contains, those with the most telling names first.

        Where the title spells some of them out word for word, only those: the others would be put together of several names' words.
        """
        said = words.words(title)
        asked = frozenset(said)
        weights = {word: self._weight(word) for word in asked if word in self._words}
        found = {
            key: sum(weights[word] for word in set(self._titles[key]))
            for word in weights
            for key in self._words[word]
            if asked.issuperset(self._titles[key])
        }
        spelt = f" {' '.join(said)} "
        whole = [key for key in found if f" {' '.join(self._titles[key])} " in spelt]
        return sorted(whole or found, key=lambda key: (-found[key], key))[:limit]

    def search(self, text: str, limit: int = 20) -> list[CatalogueEntry]:
        """Entries that contain every word somebody typed, in SKU, titles, options or GTIN; SKUs that begin with it come first."""
        typed = words.fold(text).split()
        if not typed:
            return []
        found = [sku for sku, held in self._texts.items() if all(word in held for word in typed)]
        whole, short = words.fold(text).strip(), words.flat(text)
        found.sort(key=lambda sku: (words.fold(sku) != whole, not words.flat(sku).startswith(short), len(sku), sku))
        return [self.entries[sku] for sku in found[:limit]]

    def _weights(self, asked: Sequence[str]) -> dict[str, float]:
        """What each word of the catalogue that was asked for tells; a word nobody knows stands for those that it is nearly."""
        weights: dict[str, float] = {}
        for word in asked:
            if word in self._words:
                weights[word] = self._weight(word)
            elif len(word) > 3:
                alike = process.extract(word, self._words.keys(), scorer=fuzz.ratio, score_cutoff=TYPO_CUTOFF, limit=TYPOS)
                weights |= {known: self._weight(known) * ratio / 100 for known, ratio, _ in alike if known not in weights}
        return weights

    def _weight(self, word: str) -> float:
        return math.log(1 + len(self._titles) / len(self._words[word]))


def likeness(one: str, other: str) -> float:
    """How alike two titles are, 0–100, whatever the order of their words; words that only one has count half."""
    return (fuzz.token_set_ratio(one, other) + fuzz.token_sort_ratio(one, other)) / 2


def _remove(index: dict[str, list[str]], key: str, sku: str) -> None:
    index[key].remove(sku)
    if not index[key]:
        del index[key]
