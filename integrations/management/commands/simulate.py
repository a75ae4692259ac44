"""`manage.py simulate`: live traffic from the shops of stand-ins that run already."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError

PLATFORMS = ("shopify", "shopify", "shopify", "tiktok_shop")  # where things happen, in turn


class Command(BaseCommand):
    """Let the shops live on: orders, payments, parcels, refunds, sign-ups, checkouts, prices; every fourth thing happens on TikTok Shop."""

    help = "Let the demo shops of runstandins live: simulate --every 1, or simulate --count 100 --every 0."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much and how fast."""
        parser.add_argument("--standins", default="http://127.0.0.1:8100", help="address of runstandins (default http://127.0.0.1:8100)")
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two events (default 1)")
        parser.add_argument("--count", type=int, default=0, help="end after so many events (default: Ctrl-C)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the stand-ins do not answer."""
        base, done = options["standins"].rstrip("/"), 0
        with requests.Session() as session:
            session.trust_env = False
            try:
                while not options["count"] or done < options["count"]:
                    url = f"{base}/{PLATFORMS[done % len(PLATFORMS)]}/_control/live"
                    answer = session.post(url, json={"ticks": 1}, timeout=30)
                    answer.raise_for_status()
                    for line in answer.json()["lines"]:
                        self.stdout.write(line)
                    done += 1
                    time.sleep(options["every"])
            except requests.RequestException as fault:
                raise CommandError(
                    f"The stand-ins at {options['standins']} do not answer: start them with runstandins. ({fault})"
                ) from fault
            except KeyboardInterrupt:
                self.stdout.write(f"{done} events.")
