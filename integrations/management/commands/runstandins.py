"""`manage.py runstandins`: serve the stand-in platforms until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from integrations.management.demo import story
from integrations.management.demo.stage import Stage


class Command(BaseCommand):
    """All four platforms on loopback, with the demo's names and keys; nothing of the product runs in this process."""

    help = "Serve the stand-ins for Shopify, Ometria, TikTok Shop and commercetools on loopback. Then: seed_demo --standins http://127.0.0.1:PORT."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, and whether the shop has a past."""
        parser.add_argument("--port", type=int, default=8100, help="port on 127.0.0.1 (default 8100, 0 = any)")
        parser.add_argument("--seed", type=int, default=1, help="another seed is another shop")
        parser.add_argument("--history", action="store_true", help="give the shop sixty days of customers and orders")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends at SIGINT or SIGTERM."""
        done = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: done.set())
        with Stage(port=options["port"], seed=options["seed"]) as stage:
            stage.tiktok_shop.change_app(redirect_uri=f"{settings.PUBLIC_URL}/oauth/tiktok_shop/callback/")
            if options["history"]:
                story.lived(stage)
            addresses = (
                ("Shopify", stage.shop_url),
                ("Ometria", stage.account_url),
                ("TikTok Shop", stage.tiktok_url),
                ("commercetools", stage.commercetools_url),
            )
            self.stdout.write("\n".join(f"{name}  {address}" for name, address in addresses) + "\nCtrl-C ends them.")
            self.stdout.flush()
            done.wait()
