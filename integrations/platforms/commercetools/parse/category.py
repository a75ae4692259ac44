"""Categories as a product shows them: each with the path that leads to it, in one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrations.platforms.base import JsonObject
from integrations.platforms.commercetools.parse.values import localised
from integrations.platforms.values import child, text

BETWEEN = " > "


def lineage(category: JsonObject) -> tuple[str, ...]:
    """The ids from the root down to the category itself (its `ancestors` begin with the root)."""
    above = [text(entry, "id") for entry in category.get("ancestors") or () if isinstance(entry, dict)]
    return (*above, text(category, "id"))


def categories_of(references: Iterable[JsonObject], known: Mapping[str, JsonObject], locales: Sequence[str]) -> dict[str, str]:
    """Key (else id) → path such as "Women > Tops", of the named categories and all above them; a category that is not known shows its id.

    Above ones come first and none comes twice, so that goods of a lower category are found in the higher ones too.
    """
    found: dict[str, str] = {}
    for reference in sorted(references, key=lambda entry: _order(known.get(text(entry, "id"), {}), entry)):
        for identifier in lineage(known.get(text(reference, "id")) or reference):
            category = known.get(identifier) or {}
            found.setdefault(text(category, "key") or identifier, path_of(identifier, known, locales))
    return found


def path_of(identifier: str, known: Mapping[str, JsonObject], locales: Sequence[str]) -> str:
    """The names from the root down, the id where a name is not known."""
    category = known.get(identifier) or {"id": identifier}
    names = [localised(child(known.get(step) or {}, "name"), locales) or step for step in lineage(category)]
    return BETWEEN.join(names)


def _order(category: JsonObject, reference: JsonObject) -> tuple[int, str, str]:
    """Higher ones first, then as the shop sorts them, so that the order never depends on how the platform lists them."""
    return len(category.get("ancestors") or ()), text(category, "orderHint"), text(reference, "id")
