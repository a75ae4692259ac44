"""`manage.py demo`: the whole product on this machine, with stand-ins for the platforms."""

from __future__ import annotations

import logging
import os
import signal
import time
from argparse import ArgumentParser
from datetime import timedelta
from itertools import count
from random import Random
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from integrations.engine.pull import start_backfill
from integrations.management.demo import buyer_story, cast, database, storefront_story, story, verdict
from integrations.management.demo.crew import Crew, free_port
from integrations.management.demo.motion import Motion
from integrations.management.demo.news import News
from integrations.management.demo.stage import Stage
from integrations.models import Checkpoint

TICK_SECONDS = 1.0
TIKTOK_EVERY, SITE_EVERY, STOREFRONT_EVERY = 4, 3, 5  # ticks
BACKFILL_DAYS = 90
SURPRISE_AT = 12  # ticks: when the history has come


class Stopped(Exception):
    """Somebody asked the demo to end."""


class Command(BaseCommand):
    """Stand-ins, console, worker and live traffic until Ctrl-C; or with --once a finite story that ends in a table."""

    help = "Run everything on this machine, stand-ins for all platforms included. --once plays a story, compares both ends and exits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing is required."""
        parser.add_argument("--once", action="store_true", help="play a finite story, print one table and fail when any count disagrees")
        parser.add_argument("--port", type=int, default=8000, help="port of the console; another one is taken when it is not free")
        parser.add_argument("--keep", action="store_true", help="go on with the database of the last demo")
        parser.add_argument("--database", default=database.DATABASE, help=f"name of the demo's own database (default {database.DATABASE})")
        parser.add_argument("--seed", type=int, default=1, help="another seed is another shop")
        parser.add_argument("--workers", type=int, default=4, help="processes of the worker (default 4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the story does not come out right; everything that was started is stopped in any case."""
        if not settings.DEMO:
            raise CommandError("The demo needs DEMO=1 in the environment; `make demo` sets it.")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
        logging.getLogger("integrations").setLevel(logging.WARNING)  # the worker's log tells the rest
        begun = time.monotonic()
        try:
            self._run(options)
        except Stopped:
            self.stdout.write("Stopping …")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            connection.close()
        self._say(f"ended after {time.monotonic() - begun:.0f} seconds")

    def _run(self, options: dict[str, Any]) -> None:
        url = database.enter(options["database"], keep=options["keep"])
        self._say(f"database {options['database']}: bringing tables up to date")
        call_command("migrate", verbosity=0, interactive=False)
        port = free_port(options["port"])
        logs = settings.LOCAL_DIR / "demo" / options["database"]
        with Stage(seed=options["seed"]) as stage, Crew(url, port, logs, options["workers"]) as crew:
            (logs / "pid").write_text(str(os.getpid()))  # for `make stop`
            lived = story.lived(stage)
            self._say("the shop has a past: " + ", ".join(f"{count} {name}" for name, count in lived.items()))
            players = cast.seed(
                shop_url=stage.shop_url, account_url=stage.account_url, tiktok_url=stage.tiktok_url,
                storefront_url=stage.commercetools_url, webhook_base_url=crew.address,
            )  # fmt: skip
            crew.start_web()
            crew.start_worker()
            self._welcome(crew)
            news = News(self._say)
            motion = Motion(stage, crew, news.tell)
            if options["once"]:
                self._once(story.Story(stage, players, motion, self._say, Random(options["seed"])))  # noqa: S311 - reproducible
            else:
                self._forever(story.Story(stage, players, motion, self._say))

    def _once(self, play: story.Story) -> None:
        play.play()
        found = verdict.reach(play.stage, play.cast, play.visitors.sent)
        self.stdout.write("\n" + verdict.table(found) + "\n")
        if not found.agrees:
            raise CommandError(f"{len(found.faults)} differences between the two ends.")

    def _forever(self, play: story.Story) -> None:
        story.connect(play)
        since = timezone.now() - timedelta(days=BACKFILL_DAYS)
        started = start_backfill(play.cast.shop, ["products", "customers", "orders"], since=since)
        history, opened = Checkpoint.objects.filter(pk__in=[row.pk for row in started]).exclude(state=Checkpoint.State.DONE), False
        for tick in count(1):
            play.live(1)
            if opened:
                self._elsewhere(play, tick)
            elif not history.exists():  # without the shop's goods and customers every TikTok order would be a question
                buyer_story.connect(play)
                self._join(play)
                opened = True
            for every, surprise in story.SURPRISES:
                if tick % every == SURPRISE_AT:
                    self._say(f"shop: {surprise(play, tick)}")
            play.motion.pause(TICK_SECONDS)

    def _join(self, play: story.Story) -> None:
        storefront_story.connect(play)
        start_backfill(play.cast.storefront, storefront_story.READERS, since=timezone.now() - storefront_story.PAST)

    def _elsewhere(self, play: story.Story, tick: int) -> None:
        """TikTok Shop, the own site and the storefront, at their own pace."""
        if tick % TIKTOK_EVERY == 0:
            self._say(buyer_story.tiktok_tick(play, tick // TIKTOK_EVERY))
        if tick % SITE_EVERY == 0:
            self._say(f"own site: {play.visitors.tick()}")
        if tick % STOREFRONT_EVERY == 0:
            self._say(f"storefront: {play.lives.tick()}")

    def _welcome(self, crew: Crew) -> None:
        lines = ["", f"  Console    {crew.address}/", "  Sign in as"]
        lines += [f"    {role:<14} {cast.password(role)}" for role in cast.ROLES]
        lines += [f"  Logs       {crew.logs}", "  Ctrl-C stops everything.", ""]
        self.stdout.write("\n".join(lines))

    def _say(self, line: str) -> None:
        self.stdout.write(f"{timezone.localtime():%H:%M:%S}  {line}")
        self.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped
