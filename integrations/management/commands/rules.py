"""`manage.py rules`: list, export, import and roll back the mapping of a flow."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from integrations.engine import impact
from integrations.management.arguments import person_named
from integrations.models import Flow
from mapping.exchange import rules_from_json, rules_to_json
from mapping.models import MappingVersion
from mapping.rules import BadRules
from mapping.versions import draft_from, publish, published_version, rollback, save_rules


class Command(BaseCommand):
    """A mapping travels as a JSON file of the same form as the shipped defaults."""

    help = "rules list FLOW · rules export FLOW > file.json · rules import FLOW file.json [--publish] · rules rollback FLOW --number 3"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do with which flow."""
        parser.add_argument("action", choices=["list", "export", "import", "rollback"])
        parser.add_argument("flow", type=int, help="number of the flow")
        parser.add_argument("file", nargs="?", help="JSON file to import, - for the standard input")
        parser.add_argument("--number", type=int, help="version to export or to go back to; left out: the published one")
        parser.add_argument("--publish", action="store_true", help="publish what was imported instead of leaving a draft")
        parser.add_argument("--resend", action="store_true", help="then send again what changed by it")
        parser.add_argument("--note", default="", help="why")
        parser.add_argument("--by", help="user in whose name it happens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a flow or version that does not exist and for rules that cannot be used."""
        flow = Flow.objects.select_related("source", "destination").filter(pk=options["flow"]).first()
        if flow is None:
            known = ", ".join(f"{row.pk} = {row}" for row in Flow.objects.select_related("source", "destination")) or "none yet"
            raise CommandError(f"There is no flow {options['flow']}. There are: {known}.")
        try:
            getattr(self, f"_{options['action']}")(flow, options)
        except BadRules as fault:
            raise CommandError("These rules cannot be used: " + str(fault)) from fault

    def _list(self, flow: Flow, options: dict[str, Any]) -> None:
        for version in MappingVersion.objects.filter(flow=flow).order_by("number"):
            self.stdout.write(f"{version.number:>4}  {version.get_state_display():<10} {version.rules.count():>3} rules  {version.note}")

    def _export(self, flow: Flow, options: dict[str, Any]) -> None:
        stored = rules_to_json(self._version(flow, options["number"]).rules.all())
        self.stdout.write(orjson.dumps(stored, option=orjson.OPT_INDENT_2).decode())

    def _import(self, flow: Flow, options: dict[str, Any]) -> None:
        if not options["file"]:
            raise CommandError("Name a file to import, or - for the standard input.")
        try:
            raw = sys.stdin.buffer.read() if options["file"] == "-" else Path(options["file"]).read_bytes()
            rules, notes = rules_from_json(orjson.loads(raw))
        except (OSError, ValueError) as fault:
            raise CommandError(f"{options['file']} cannot be read: {fault}") from fault
        by = person_named(options["by"])
        draft = save_rules(draft_from(flow.pk, by, note=options["note"]), rules, by, notes=notes)
        if options["publish"]:
            before = published_version(flow.pk)
            self._published(publish(draft, by, options["note"]), before, options)
        else:
            draft.plan()
            self.stdout.write(f"Draft {draft.number} with {len(rules)} rules; publish it in the console or with --publish.")

    def _rollback(self, flow: Flow, options: dict[str, Any]) -> None:
        if options["number"] is None:
            raise CommandError("Name the version to go back to with --number.")
        before = published_version(flow.pk)
        version = rollback(self._version(flow, options["number"]), person_named(options["by"]), options["note"])
        self._published(version, before, options)

    def _published(self, version: MappingVersion, before: MappingVersion | None, options: dict[str, Any]) -> None:
        again = ""
        if options["resend"]:
            run = impact.start_resend(version, before, person_named(options["by"]), scope="changed" if before else "all")
            again = f"; what changed by it goes out again in the background (run {run.pk})"
        self.stdout.write(f"Version {version.number} is published{again}.")

    def _version(self, flow: Flow, number: int | None) -> MappingVersion:
        version = MappingVersion.objects.filter(flow=flow, number=number).first() if number else published_version(flow.pk)
        if version is None:
            raise CommandError(f"{flow} has no {'version ' + str(number) if number else 'published version'}.")
        return version
