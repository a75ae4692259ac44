"""`manage.py seed_demo`: connections to stand-ins that run already, flows, default mappings and demo people."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from integrations.management.demo import cast
from integrations.management.demo.stage import SHOP_DOMAIN
from integrations.models import Flow


class Command(BaseCommand):
    """Write the demo's rows into this database; running it again brings the addresses up to date."""

    help = "Seed the demo's connections, flows, mappings and people (only with DEMO=1): seed_demo --standins http://127.0.0.1:8100."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where the stand-ins are, and where they find the console."""
        parser.add_argument("--standins", default="http://127.0.0.1:8100", help="address of runstandins (default http://127.0.0.1:8100)")
        parser.add_argument("--console", default="", help="address webhooks are sent to (default: PUBLIC_URL)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError outside the demo: its passwords are known to everybody."""
        if not settings.DEMO:
            raise CommandError("The demo's passwords are public: seed_demo only works with DEMO=1.")
        base = options["standins"].rstrip("/")
        players = cast.seed(
            shop_url=f"{base}/shopify/{SHOP_DOMAIN}", account_url=f"{base}/ometria", tiktok_url=f"{base}/tiktok_shop",
            storefront_url=f"{base}/commercetools", webhook_base_url=options["console"],
        )  # fmt: skip
        flows = Flow.objects.filter(destination=players.account).count()
        self.stdout.write(
            f"{players.shop}, {players.tiktok}, {players.site}, {players.storefront} and {players.account} with {flows} flows."
        )
        self.stdout.write("Let the TikTok seller authorise the app on the connection's page.")
        for role in cast.ROLES:
            self.stdout.write(f"  {role:<14} {cast.password(role)}")
