"""`manage.py backfill`: pull history, and follow, pause, resume or cancel a pull that runs."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.engine import pull
from integrations.management.arguments import connection_named, moment, person_named
from integrations.models import Checkpoint

STEERING: dict[str, Callable[..., None]] = {"pause": pull.pause, "resume": pull.resume, "cancel": pull.cancel}
ENDED = {Checkpoint.State.DONE, Checkpoint.State.FAILED, Checkpoint.State.CANCELLED}
LOOK_SECONDS = 2.0


class Command(BaseCommand):
    """Begin one backfill per reader, or steer one that was begun."""

    help = "Pull a connection's history into its flows: backfill SHOP --readers orders,customers --since 2026-01-01."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to read, from when to when; or the number of a backfill to steer."""
        parser.add_argument("connection", nargs="?", help="number, name or account of the source")
        parser.add_argument("--readers", default="", help="comma separated; left out: every reader of the source that keeps history")
        parser.add_argument("--since", help="begin of the window, for example 2026-01-01")
        parser.add_argument("--until", help="end of the window; left out: now")
        parser.add_argument("--wait", action="store_true", help="stay until it ends, and fail if it fails")
        parser.add_argument("--by", help="user in whose name it runs")
        for name in STEERING:
            parser.add_argument(f"--{name}", type=int, metavar="NUMBER", help=f"{name} the backfill with this number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for arguments that make no sense, and with --wait for a backfill that did not end well."""
        by = person_named(options["by"])
        for name, act in STEERING.items():
            if options[name]:
                checkpoint = self._checkpoint(options[name])
                act(checkpoint, by)
                self.stdout.write(f"Backfill {checkpoint.pk} of {checkpoint.reader}: {checkpoint.get_state_display().lower()}.")
                return
        if not options["connection"] or not options["since"]:
            raise CommandError("Name a connection and --since, or one of --pause, --resume and --cancel with a number.")
        connection = connection_named(options["connection"])
        offered = [name for name, reader in pull.readers_of(connection).items() if reader.backfill is not None]
        readers = [name.strip() for name in options["readers"].split(",") if name.strip()] or offered
        try:
            until = moment(options["until"]) if options["until"] else None
            started = pull.start_backfill(connection, readers, since=moment(options["since"]), until=until, by=by)
        except ValueError as fault:
            raise CommandError(str(fault)) from fault
        for checkpoint in started:
            self.stdout.write(f"Backfill {checkpoint.pk} of {checkpoint.reader} is queued.")
        if options["wait"]:
            self._follow(started)

    def _checkpoint(self, number: int) -> Checkpoint:
        checkpoint = Checkpoint.objects.filter(pk=number).exclude(purpose=Checkpoint.Purpose.POLL).first()
        if checkpoint is None:
            raise CommandError(f"There is no backfill {number}.")
        return checkpoint

    def _follow(self, started: list[Checkpoint]) -> None:
        said: dict[int, str] = {}
        while True:
            for checkpoint in started:
                checkpoint.refresh_from_db()
                line = _line(checkpoint)
                if said.get(checkpoint.pk) != line:
                    said[checkpoint.pk] = line
                    self.stdout.write(line)
            if all(checkpoint.state in ENDED for checkpoint in started):
                break
            time.sleep(LOOK_SECONDS)
        if failed := [checkpoint.reader for checkpoint in started if checkpoint.state != Checkpoint.State.DONE]:
            raise CommandError(f"Not finished: {', '.join(failed)}.")


def _line(checkpoint: Checkpoint) -> str:
    known = pull.progress(checkpoint)
    parts = [f"{checkpoint.reader}: {checkpoint.get_state_display().lower()}", f"{known.read:,} read"]
    if known.total:
        parts.append(f"of {known.total:,}")
    if known.eta:
        parts.append(f"until about {known.eta:%H:%M:%S} UTC")
    if checkpoint.error and checkpoint.state != Checkpoint.State.DONE:
        parts.append(checkpoint.error)
    return ", ".join(parts)
