"""What an unknown SKU may be: candidates from a catalogue with a score and reasons in plain words. Pure; nothing is applied here."""

from mapping.suggestions.facts import CatalogueEntry, Component, Decision, Suggestion, UnknownLine

__all__ = ["CatalogueEntry", "Component", "Decision", "Suggestion", "UnknownLine"]
