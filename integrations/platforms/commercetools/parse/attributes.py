"""Attributes of goods as segments can use them: whatever their type, each becomes plain values with a key and a label per language.

Types are told by the shape of the value (product types, API reference): boolean, text, ltext, enum, lenum, number, money, date, time,
datetime, reference, set of any of those, nested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.platforms.base import JsonObject
from integrations.platforms.commercetools.parse.money import money
from integrations.platforms.commercetools.parse.values import localised
from integrations.platforms.values import rows, text
from mapping.records import Facet

LONGEST_TERM = 100  # characters; longer texts describe goods, they do not sort them
MOST_TERMS = 50  # of one attribute of a product: more sort nothing, and a destination's record has its limits
UNIQUE, COMBINATION = "Unique", "CombinationUnique"  # attributeConstraint: told apart by it alone, or with others

Names = Callable[[str, str], str]  # type and id of a reference → its name, empty when it is not known


@dataclass(frozen=True, slots=True)
class Term:
    """One value of an attribute: how code calls it (empty for a text in several languages), what it is, its labels by locale ("" = any)."""

    key: str
    plain: object
    labels: Mapping[str, str] = field(default_factory=dict)
    sorts: bool = True  # whether goods may be sorted by it

    def label(self, locales: Sequence[str]) -> str:
        """The label for the first of these locales that has one, else any label, else the key."""
        if len(self.labels) == 1:
            return next(iter(self.labels.values()))
        exact = self.labels.get(locales[0]) if locales else None  # a page of goods asks for some hundred thousand
        return exact or localised(dict(self.labels), locales) or self.key

    @property
    def place(self) -> tuple[bool, float, str]:
        """What tells it from other values of its attribute, and where it stands among them: numbers by size, else by key or text."""
        if isinstance(self.plain, int | float) and not isinstance(self.plain, bool):
            return False, float(self.plain), ""
        return True, 0.0, self.key or "\n".join(f"{locale}\t{label}" for locale, label in sorted(self.labels.items()))


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of one product or variant, nested ones under "outer.inner"; terms of a set are in the order of their keys."""

    name: str
    terms: tuple[Term, ...]
    many: bool = False


def attributes_of(raw: Iterable[JsonObject], names: Names) -> dict[str, Attribute]:
    """The attributes of a list [{name, value}] by name; what has no value is left out."""
    found: dict[str, Attribute] = {}
    for entry in raw:
        for attribute in _flat(text(entry, "name"), entry.get("value"), names):
            found[attribute.name] = attribute
    return found


def joined(variants: Sequence[Mapping[str, Attribute]]) -> dict[str, Attribute]:
    """What all variants have between them: an attribute in which they differ becomes one with many terms."""
    found: dict[str, Attribute] = {}
    for attribute in (attribute for variant in variants for attribute in variant.values()):
        known = found.get(attribute.name)
        if known is None:
            found[attribute.name] = attribute
        elif known.terms != attribute.terms:
            found[attribute.name] = Attribute(attribute.name, _each_once((*known.terms, *attribute.terms)), many=True)
    return dict(sorted(found.items()))


def values_of(attributes: Iterable[Attribute], usual: Sequence[str], locales: Sequence[str]) -> dict[str, object]:
    """Plain values by name: "color" in the usual language, "color.key", and "color.<locale>" for each market's where labels differ.

    Sets are lists under the same names, their keys under "<name>.keys". A value without labels has one name only.
    """
    found: dict[str, object] = {}
    for attribute in attributes:
        for name, read in _readers(attribute, usual, locales).items():
            values = [read(term) for term in attribute.terms]
            found[name] = values if attribute.many else values[0]
    return found


def facets_of(
    attributes: Iterable[Attribute], usual: Sequence[str], *, only: Sequence[str] = (), without: Iterable[str] = ()
) -> tuple[Facet, ...]:
    """What goods can be sorted by, in the order of names and keys; `only` names the attributes if not all that can be."""
    left_out = set(without)
    return tuple(
        Facet(kind=attribute.name, key=term.key or term.label(usual), label=term.label(usual))
        for attribute in sorted(attributes, key=lambda attribute: attribute.name)
        if attribute.name not in left_out and (not only or attribute.name in only)
        for term in attribute.terms[:MOST_TERMS]
        if term.sorts or attribute.name in only
    )


def definitions(product_type: JsonObject) -> dict[str, JsonObject]:
    """The definitions of a product type by the attribute's name."""
    return {text(entry, "name"): entry for entry in rows(product_type, "attributes")}


def unique_names(known: Mapping[str, JsonObject]) -> set[str]:
    """Attributes whose every value belongs to one variant alone, so that nothing is sorted by them."""
    return {name for name, entry in known.items() if entry.get("attributeConstraint") == UNIQUE}


def option_names(known: Mapping[str, JsonObject], variants: Sequence[Mapping[str, Attribute]]) -> list[str]:
    """What tells the variants apart: as the product type says, else every sortable attribute in which they differ."""
    stated = [name for name, entry in known.items() if entry.get("attributeConstraint") == COMBINATION]
    if stated:
        return stated
    names = dict.fromkeys(name for variant in variants for name in variant)
    seen = {name: {tuple(term.place for term in variant[name].terms) for variant in variants if name in variant} for name in names}
    sortable = {attribute.name for variant in variants for attribute in variant.values() if all(term.sorts for term in attribute.terms)}
    return [name for name in sorted(names) if len(seen[name]) > 1 and name in sortable - unique_names(known)]


def options_of(
    variant: Mapping[str, Attribute], names: Sequence[str], known: Mapping[str, JsonObject], usual: Sequence[str]
) -> dict[str, str]:
    """Label of the attribute → label of its value, for those that tell the variants apart."""
    return {
        localised((known.get(name) or {}).get("label"), usual) or name: ", ".join(term.label(usual) for term in variant[name].terms)
        for name in names
        if name in variant
    }


# --- reading one value -------------------------------------------------------------------------------------------------


def _flat(name: str, value: object, names: Names) -> Iterator[Attribute]:
    """The attribute of a value, or those inside a nested one; sets of nested ones join theirs under one name."""
    if not name or value is None or value in ("", [], {}):
        return
    entries = value if isinstance(value, list) else [value]
    nested = [inner for entry in entries for inner in (entry if isinstance(entry, list) else [entry]) if _is_nested(inner)]
    if nested:
        inner_names = dict.fromkeys(text(entry, "name") for entry in nested)
        for inner in inner_names:
            parts = [part for entry in nested if text(entry, "name") == inner for part in _flat(f"{name}.{inner}", entry["value"], names)]
            for path in dict.fromkeys(part.name for part in parts):
                terms = [term for part in parts if part.name == path for term in part.terms]
                many = any(isinstance(entry, list) for entry in entries) or any(part.many for part in parts)
                yield Attribute(path, _each_once(terms) if many else tuple(terms), many)
        return
    terms = [term for entry in entries if (term := _term(entry, names)) is not None]
    if terms:
        many = isinstance(value, list)
        yield Attribute(name, _each_once(terms) if many else (terms[0],), many)


def _is_nested(entry: object) -> bool:
    return isinstance(entry, dict) and set(entry) == {"name", "value"} and isinstance(entry["name"], str)


def _each_once(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Each value once and in its place: sets come in no order of their own."""
    return tuple(term for _, term in sorted({term.place: term for term in terms}.items()))


def _term(value: object, names: Names) -> Term | None:
    if isinstance(value, bool):
        word = "true" if value else "false"
        return Term(word, value)
    if isinstance(value, int | float):
        return Term(str(value), value)
    if isinstance(value, str):
        return Term(value, value, sorts=len(value) <= LONGEST_TERM) if value else None
    return next((read(value, names) for fits, read in SHAPES if fits(value)), None) if isinstance(value, dict) else None


def _money(value: JsonObject, _: Names) -> Term:
    amount = f"{money(value):f} {text(value, 'currencyCode')}"
    return Term(amount, amount)


def _reference(value: JsonObject, names: Names) -> Term:
    kind, identifier = text(value, "typeId"), text(value, "key", "id")
    name = names(kind, identifier)
    return Term(identifier, identifier, {"": name} if name else {}, sorts=bool(name))


def _enum(value: JsonObject, _: Names) -> Term:
    key, label = text(value, "key"), value.get("label")
    labels = {str(locale): str(word) for locale, word in label.items() if word} if isinstance(label, dict) else {"": str(label or key)}
    return Term(key, key, labels)


def _localised(value: JsonObject, _: Names) -> Term:
    labels = {str(locale): word for locale, word in value.items() if word}
    return Term("", "", labels, sorts=all(len(word) <= LONGEST_TERM for word in labels.values()))


SHAPES: tuple[tuple[Callable[[JsonObject], bool], Callable[[JsonObject, Names], Term]], ...] = (
    (lambda value: "centAmount" in value, _money),
    (lambda value: "typeId" in value, _reference),
    (lambda value: "key" in value and "label" in value, _enum),
    (lambda value: bool(value) and all(isinstance(entry, str) for entry in value.values()), _localised),
)


def _readers(attribute: Attribute, usual: Sequence[str], locales: Sequence[str]) -> dict[str, Callable[[Term], object]]:
    """The names under which an attribute's values are given, each with how it reads a term."""
    name = attribute.name
    if not any(term.labels for term in attribute.terms):
        return {name: lambda term: term.plain}
    found: dict[str, Callable[[Term], object]] = {name: lambda term: term.label(usual)}
    if any(term.key for term in attribute.terms):
        found[f"{name}.keys" if attribute.many else f"{name}.key"] = lambda term: term.key
    if any(set(term.labels) - {""} for term in attribute.terms):
        for locale in locales:
            found[f"{name}.{locale}"] = lambda term, locale=locale: term.label((locale, *usual))
    return found
