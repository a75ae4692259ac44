"""`manage.py segments`: the watched segments as a table, reading them now, and choosing what is watched."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.models import Connection
from monitoring.models import Segment
from monitoring.segments import reading
from monitoring.segments.forms import RuleForm
from monitoring.segments.rule import Rule


class Command(BaseCommand):
    """The console's page of segments for those who have no browser at hand."""

    help = "Show the watched segments. --read reads them first; --watch ID --source any --days 90 watches one with a rule; --unwatch ID."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing is required: then the table is printed."""
        parser.add_argument("--read", action="store_true", help="read all connections' segments now")
        parser.add_argument("--connection", default="", help="account at Ometria, where there are several")
        parser.add_argument("--watch", metavar="ID", default="", help="watch the segment of this id")
        parser.add_argument("--unwatch", metavar="ID", default="", help="stop watching it; what was read stays")
        parser.add_argument("--source", action="append", default=[], help="its people ordered at: any, platform:<slug>, a connection's id")
        parser.add_argument("--days", type=int, default=90, help="within so many days (default 90)")
        parser.add_argument("--consent", action="store_true", help="and consented to e-mail")
        parser.add_argument("--drift", type=int, default=0, help="tell when it differs from our records by more than so many percent")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an account, a source or a number of days that there is not."""
        if options["watch"]:
            self._watch(options)
        if options["unwatch"]:
            Segment.objects.filter(connection=_account(options["connection"]), list_id=options["unwatch"]).update(watched=False)
        if options["read"]:
            for source in reading.sources():
                if not reading.read(source.pk):
                    source.refresh_from_db()
                    raise CommandError(f"{source.connection} was not read: {source.error or 'it asks for a pause, or is being read.'}")
        if not (options["watch"] or options["unwatch"]):
            self._table()

    def _watch(self, options: dict[str, Any]) -> None:
        account = _account(options["connection"])
        segment, _ = Segment.objects.get_or_create(connection=account, list_id=options["watch"], defaults={"title": options["watch"]})
        if options["source"]:
            known = {name for name, _ in RuleForm(segment).fields["sources"].choices}
            if strange := [name for name in options["source"] if name not in known and ":" not in name]:
                raise CommandError(f"No orders come from {', '.join(strange)}. Choose from: {', '.join(sorted(known))}.")
            if not 1 <= options["days"] <= 3650:
                raise CommandError("--days is between 1 and 3650.")
            segment.rule = Rule(sources=tuple(options["source"]), days=options["days"], consent=options["consent"]).stored()
        segment.drift_percent = options["drift"] or segment.drift_percent
        segment.watched = True
        segment.save()
        self.stdout.write(f"{segment.title} is watched.")

    def _table(self) -> None:
        for row in Segment.objects.filter(watched=True).select_related("connection"):
            size = "–" if row.size is None else f"{row.size:,}"
            expected = "–" if row.expected is None else f"{row.expected:,}"
            told = f"{row.title}  {size} people, our records {expected}  {row.get_answer_display()}  {' '.join(row.reasons)}"
            self.stdout.write(told.rstrip())


def _account(name: str) -> Connection:
    rows = Connection.objects.filter(platform=reading.PLATFORM)
    found = list(rows.filter(external_id=name) if name else rows)
    if len(found) != 1:
        raise CommandError("There is no such Ometria account." if name or not found else "Say which Ometria account: --connection NAME.")
    return found[0]
