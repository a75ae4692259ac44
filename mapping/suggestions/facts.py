"""The values that suggestions are made of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Component = tuple[str, int, Decimal | None]  # target SKU, how many make one source unit, its weight of the money (None: by quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One sellable thing of the master catalogue; `options` are the values only, `price` its regular one."""

    sku: str
    product_key: str = ""
    variant_key: str = ""
    product_title: str = ""
    title: str = ""
    options: tuple[str, ...] = ()
    price: Decimal | None = None
    currency: str = ""
    gtin: str = ""
    image_url: str = ""
    active: bool = True

    @property
    def label(self) -> str:
        """Product and variant as people say it."""
        alone = not self.title or self.title in {"Default Title", self.product_title}
        return self.product_title if alone else f"{self.product_title} – {self.title}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided before about another SKU of the same source; `sibling` = a SKU of the same product."""

    source_sku: str
    components: tuple[Component, ...]
    sibling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLine:
    """A source line whose SKU nobody knows; prices are those of one unit, with and without discount and tax, as far as they were seen."""

    sku: str
    title: str = ""
    options: tuple[str, ...] = ()
    prices: tuple[Decimal, ...] = ()
    currency: str = ""
    gtin: str = ""
    components: tuple[Component, ...] = ()  # what the source itself says a bundle is made of
    decisions: tuple[Decision, ...] = ()
    affixes: tuple[str, ...] = ()  # prefixes and suffixes of this source, besides those that everybody uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the line may be; `score` is 0–100, `entries` are the catalogue's, one per component."""

    components: tuple[Component, ...]
    score: int
    reasons: tuple[str, ...]
    entries: tuple[CatalogueEntry, ...] = ()
