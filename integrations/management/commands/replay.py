"""`manage.py replay`: send stored records again, or process inbox events again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.engine.process import reprocess
from integrations.engine.replay import replay
from integrations.management.arguments import person_named
from integrations.models import Delivery, InboxEvent


class Command(BaseCommand):
    """Choose deliveries (or inbox events) and do them again on purpose."""

    help = "Send stored records again: replay --flow 3 --state blocked, or replay --flow 3 --key 1001 --key 1002."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A choice is required: nothing is replayed by accident."""
        parser.add_argument("--flow", type=int, help="number of the flow")
        parser.add_argument(
            "--state", choices=Delivery.State.values, action="append", help="only deliveries in this state; may be repeated"
        )
        parser.add_argument("--key", action="append", help="only this record key; may be repeated")
        parser.add_argument(
            "--inbox", choices=[InboxEvent.State.FAILED, InboxEvent.State.IGNORED], help="inbox events in this state instead"
        )
        parser.add_argument("--by", help="user in whose name it happens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError without a choice."""
        if options["inbox"]:
            count = reprocess(InboxEvent.objects.filter(state=options["inbox"]).values_list("pk", flat=True))
            self.stdout.write(f"{count} inbox events will be processed again.")
            return
        if not options["flow"] or not (options["state"] or options["key"]):
            raise CommandError("Name --flow, and --state or --key; or --inbox failed.")
        chosen = Delivery.objects.filter(flow=options["flow"])
        if options["state"]:
            chosen = chosen.filter(state__in=options["state"])
        if options["key"]:
            chosen = chosen.filter(record_key__in=options["key"])
        count = replay(chosen.order_by("record_key").values_list("pk", flat=True), person_named(options["by"]))
        self.stdout.write(f"{count} deliveries will be sent again.")
