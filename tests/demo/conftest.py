"""A small demo inside the test's process: stage, cast and a shop with a short past, delivered by pumps instead of a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from integrations.engine import accounts, pull
from integrations.management.demo import cast
from integrations.management.demo.cast import Cast
from integrations.management.demo.stage import Stage
from integrations.models import Checkpoint, Delivery
from tests.quiet import settled

PAST = timedelta(hours=1)


class SmallDemo:
    """Stage and cast; `settle` does what the worker would do until nothing moves."""

    def __init__(self, stage: Stage, players: Cast) -> None:
        self.stage, self.cast = stage, players

    def backfill(self) -> None:
        since = timezone.now() - timedelta(days=30)
        for checkpoint in pull.start_backfill(self.cast.shop, ["products", "customers", "orders"], since=since):
            while checkpoint.state != Checkpoint.State.DONE:
                Checkpoint.objects.filter(pk=checkpoint.pk).update(due_at=timezone.now())
                pull.run_pull(checkpoint.pk, 20)
                checkpoint.refresh_from_db()
        self.settle()

    def settle(self, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.stage.shopify.wait_sent(10)
            call_command("pump", seconds=20, verbosity=0)
            if settled():
                return
            time.sleep(0.05)
        raise AssertionError(
            list(Delivery.objects.filter(state__in=["ready", "sending", "accepted"]).values_list("record_key", "last_message"))
        )


@pytest.fixture
def small_demo(transactional_db: None, web: str) -> Iterator[SmallDemo]:
    accounts._clients.clear()
    with Stage() as stage:
        stage.ometria.change_settings({"delay": 0.0, "push_rate": None, "read_rate": None})
        stage.shop.bulk.seconds = 0.05
        with stage.shop.past(timezone.now() - PAST):
            stage.shopify.lives.history(customers=6, orders=12, days=10)
        players = cast.seed(shop_url=stage.shop_url, account_url=stage.account_url, webhook_base_url=web)
        for row in (players.account,):
            row.settings |= {"push_rate": 0, "read_rate": 0, "confirm_grace_seconds": 1}
            row.save()
        for flow in players.flows.values():
            flow.settings["settle_seconds"] = 0
            flow.save()
        yield SmallDemo(stage, players)
    accounts._clients.clear()
