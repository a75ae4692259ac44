"""All evidence together: one suggestion per candidate, the best first."""

from __future__ import annotations

from collections import defaultdict

from mapping.suggestions.bundles import bundle_arithmetic
from mapping.suggestions.catalogue import Catalogue
from mapping.suggestions.facts import Component, Suggestion, UnknownLine
from mapping.suggestions.rules import RULES, Evidence, Rule, price_words

LOWEST, HIGHEST = 30, 99  # below it is no help; certain is only a person
SUPPORT = 2  # points for each further rule that comes to the same candidate
INACTIVE = 15
ALL_RULES: tuple[Rule, ...] = (*RULES, bundle_arithmetic)


def suggest(line: UnknownLine, catalogue: Catalogue, limit: int = 5) -> list[Suggestion]:
    """The likeliest candidates with their reasons, best first; empty when nothing fits well enough to be worth a look."""
    found: dict[tuple[tuple[str, int], ...], list[Evidence]] = defaultdict(list)
    for rule in ALL_RULES:
        for evidence in rule(line, catalogue):
            found[_things(evidence.components)].append(evidence)
    ranked = [_weighed(line, catalogue, evidence) for evidence in found.values()]
    ranked = [suggestion for suggestion in ranked if suggestion.score >= LOWEST]
    return sorted(ranked, key=lambda s: (-s.score, len(s.components), _things(s.components)))[:limit]


def _things(components: tuple[Component, ...]) -> tuple[tuple[str, int], ...]:
    """What a candidate is, whatever its weights and its order."""
    return tuple(sorted((sku, quantity) for sku, quantity, _ in components))


def _weighed(line: UnknownLine, catalogue: Catalogue, evidence: list[Evidence]) -> Suggestion:
    best = max(evidence, key=lambda one: one.score)
    reasons = list(dict.fromkeys(one.reason for one in sorted(evidence, key=lambda one: -one.score)))
    score = best.score + SUPPORT * (len(reasons) - 1)
    entries = tuple(catalogue.entries[sku] for sku, _, _ in best.components)
    if len(entries) == 1 and best.components[0][1] == 1:
        points, said = price_words(line, entries[0].price, entries[0].currency) if entries[0].price else (0, "")
        score += points
        reasons += [said] if said else []
    if gone := [entry.sku for entry in entries if not entry.active]:
        score -= INACTIVE
        reasons.append(f"but {' and '.join(gone)} is not active in the catalogue")
    return Suggestion(components=best.components, score=round(max(0, min(score, HIGHEST))), reasons=tuple(reasons), entries=entries)
