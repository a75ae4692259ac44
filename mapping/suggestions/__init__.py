"""What an unknown SKU may be: candidates from a catalogue with a score and reasons in plain words. Pure; nothing is applied here."""

from mapping.suggestions.catalogue import Catalogue
from mapping.suggestions.facts import CatalogueEntry, Component, Decision, Suggestion, UnknownLine
from mapping.suggestions.ranking import suggest

__all__ = ["Catalogue", "CatalogueEntry", "Component", "Decision", "Suggestion", "UnknownLine", "suggest"]
