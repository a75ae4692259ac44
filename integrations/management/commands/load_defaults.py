"""`manage.py load_defaults`: give flows their default mappings."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.models import Flow
from mapping.defaults import load_all_defaults


class Command(BaseCommand):
    """Publish the shipped mapping for every flow that has none, and add missing rows of value tables and identity rules."""

    help = "Load the default mappings, value tables and identity rules; never overwrites what staff changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """All flows unless one is named."""
        parser.add_argument("--flow", type=int, help="number of one flow; left out: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line per flow."""
        flows = Flow.objects.select_related("source", "destination").order_by("pk")
        chosen = list(flows.filter(pk=options["flow"]) if options["flow"] else flows)
        for flow, loaded in zip(chosen, load_all_defaults(chosen), strict=True):
            said = f"version {loaded.version.number} published" if loaded.version else "keeps its mapping"
            self.stdout.write(f"{flow}: {said}, {loaded.value_rows} value rows and {loaded.identity_rows} identity rules added.")
